import { decodeBody } from '../protocol/sip/body-text.js';
import type { SipMessage } from '../protocol/sip/message.js';
import { parseMultipart } from '../protocol/sip/multipart.js';
import { readable } from '../protocol/sip/parse-error.js';

/** The media type of a session description. */
export const SDP_TYPE = 'application/sdp';

/**
 * The session description that a message carries, alone or as a part of a multipart body (RFC 5621); undefined when it
 * has none, or a body that cannot be read.
 */
export function sessionDescription(message: SipMessage): string | undefined {
  if (message.body.length === 0) return undefined;
  return readable(() => find(message));
}

function find(message: SipMessage): string | undefined {
  const type = message.headers.get('Content-Type');
  if (type === undefined) return undefined;
  if (isSdp(type)) return message.bodyText();
  if (type.type.toLowerCase() !== 'multipart') return undefined;
  for (const part of parseMultipart(message.body, type)) {
    if (isSdp(part.contentType)) return decodeBody(part.body);
  }
  return undefined;
}

function isSdp(type: { readonly type: string; readonly subtype: string }): boolean {
  return type.type.toLowerCase() === 'application' && type.subtype.toLowerCase() === 'sdp';
}
