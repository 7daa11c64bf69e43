import { UsageError } from '../../base/errors.js';
import { ByteWriter } from './byte-writer.js';
import type { Field } from './field.js';
import { type AnyCodec, CODECS } from './header/registry.js';
import type { SipMessage } from './message.js';

const CONTENT_LENGTH = CODECS['Content-Length'] as AnyCodec;
const REQUEST_END = Buffer.from(' SIP/2.0');
const RESPONSE_START = Buffer.from('SIP/2.0 ');
const HEAD_END = Buffer.from('\r\n\r\n');

// Shared like Node's buffer pool: it holds only space that no message has taken yet.
const writer = new ByteWriter();

/**
 * The message as bytes, with a Content-Length of its own (RFC 3261 §20.14).
 * @throws UsageError PBX_INVALID_ARGUMENT when a value that was set holds CR or LF.
 */
export function printMessage(message: SipMessage): Uint8Array {
  const { body } = message;
  writer.begin();
  if (message.kind === 'request') {
    writer.text(message.method);
    writer.code(0x20);
    message.writeUri(writer);
    writer.bytes(REQUEST_END);
  } else {
    writer.bytes(RESPONSE_START);
    writer.number(message.status);
    writer.code(0x20);
    writer.text(message.reason);
  }
  const { fields } = message.headers;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Field;
    if (field.matches(CONTENT_LENGTH)) continue;
    try {
      field.write(writer);
    } catch (error) {
      throw error instanceof UsageError
        ? new UsageError(error.code, `${field.canonicalName}: ${error.message}`)
        : error;
    }
  }
  writer.bytes(CONTENT_LENGTH.prefix);
  writer.number(body.length);
  writer.bytes(HEAD_END);
  writer.bytes(body);
  return writer.finish();
}
