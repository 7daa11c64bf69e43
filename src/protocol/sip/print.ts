import { UsageError } from '../../base/errors.js';
import type { Field } from './field.js';
import { type AnyCodec, CODECS } from './header/registry.js';
import type { SipMessage } from './message.js';
import { literal, putCode, putLiteral, putNumber, putText, takeBytes } from './put.js';

const CONTENT_LENGTH = CODECS['Content-Length'] as AnyCodec;
const REQUEST_END = literal(' SIP/2.0');
const RESPONSE_START = literal('SIP/2.0 ');
const HEAD_END = literal('\r\n\r\n');

/**
 * The message as bytes, with a Content-Length of its own (RFC 3261 §20.14).
 * @throws UsageError PBX_INVALID_ARGUMENT when a value that was set holds CR or LF, or the head takes more than 72 KiB.
 */
export function printMessage(message: SipMessage): Uint8Array {
  const { body } = message;
  return takeBytes(putHead(message, body.length), body);
}

function putHead(message: SipMessage, bodyLength: number): number {
  let pos = 0;
  if (message.kind === 'request') {
    pos = putText(pos, message.method);
    pos = putCode(pos, 0x20);
    pos = message.putUri(pos);
    pos = putLiteral(pos, REQUEST_END);
  } else {
    pos = putLiteral(pos, RESPONSE_START);
    pos = putNumber(pos, message.status);
    pos = putCode(pos, 0x20);
    pos = putText(pos, message.reason);
  }
  const { fields } = message.headers;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Field;
    if (!field.matches(CONTENT_LENGTH)) pos = putField(pos, field);
  }
  pos = putLiteral(pos, CONTENT_LENGTH.prefix);
  pos = putNumber(pos, bodyLength);
  return putLiteral(pos, HEAD_END);
}

function putField(pos: number, field: Field): number {
  try {
    return field.put(pos);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(error.code, `${field.canonicalName}: ${error.message}`) : error;
  }
}
