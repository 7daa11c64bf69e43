import { UsageError } from '../../base/errors.js';
import type { Field } from './field.js';
import { type AnyCodec, CODECS } from './header/registry.js';
import type { SipMessage } from './message.js';
import { checkLine, encodeWire } from './wire-text.js';

const CONTENT_LENGTH = CODECS['Content-Length'] as AnyCodec;

/**
 * The message as bytes, with a Content-Length of its own (RFC 3261 §20.14).
 * @throws UsageError PBX_INVALID_ARGUMENT when a value that was set holds CR, LF or NUL.
 */
export function printMessage(message: SipMessage): Uint8Array {
  const { body } = message;
  let head = startLine(message);
  for (const field of message.headers.fields) {
    if (!field.matches(CONTENT_LENGTH)) head += printField(field);
  }
  head += `\r\nContent-Length: ${body.length}\r\n\r\n`;
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, 0, 'latin1');
  bytes.set(body, head.length);
  return bytes;
}

function startLine(message: SipMessage): string {
  if (message.kind === 'response') {
    checkLine(message.reason, 'reason');
    return `SIP/2.0 ${message.status} ${encodeWire(message.reason)}`;
  }
  const uri = message.wireUri;
  checkLine(uri, 'Request-URI');
  if (uri.includes(' ')) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `Request-URI: found ${JSON.stringify(uri)}, expected no space`);
  }
  return `${message.method} ${uri} SIP/2.0`;
}

function printField(field: Field): string {
  const name = field.canonicalName;
  let out = '';
  for (const line of field.lines()) {
    if (field.isTyped) checkLine(line, `header ${name}`);
    out += `\r\n${name}: ${field.isTyped ? encodeWire(line) : line}`;
  }
  return out;
}
