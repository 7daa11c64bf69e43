import stun from 'stun';
import { normalizeHost, type SocketAddress } from '../../base/ip.js';
import type { StunError } from './read-attributes.js';

/** A Binding message to write; integrity and fingerprint are put behind it afterwards. */
export type BindingContent = {
  /** 12 bytes; 16 for a client of RFC 3489, whose first four it wrote where the cookie stands now. */
  readonly transactionId: Uint8Array;
  /** Padded with spaces to a multiple of four bytes: clients of RFC 3489 take it for SERVER and refuse other lengths. */
  readonly software?: string;
} & (
  | { readonly class: 'request' }
  | { readonly class: 'success'; readonly mapped: SocketAddress }
  | { readonly class: 'error'; readonly error: StunError; readonly unknown?: readonly number[] }
);

const LEGACY_ID_BYTES = 16;

/**
 * Writes it with the package `stun`, which this file alone knows.
 * @throws TypeError for an address that is none, such as one with a zone
 */
export function writeBinding(content: BindingContent): Uint8Array {
  const { transactionId } = content;
  const legacy = transactionId.length === LEGACY_ID_BYTES;
  const message = stun.createMessage(typeOf(content.class), Buffer.from(transactionId.subarray(legacy ? 4 : 0)));
  if (content.class === 'success') {
    const { port } = content.mapped;
    const address = normalizeHost(content.mapped.address);
    // RFC 5389 §12.2: such a client knows nothing of XOR-MAPPED-ADDRESS, and writes something else into the cookie.
    if (legacy) message.addAddress(address, port);
    else message.addXorAddress(address, port);
  }
  if (content.class === 'error') {
    message.addError(content.error.code, content.error.reason);
    if (content.unknown !== undefined) message.addUnknownAttributes(content.unknown);
  }
  if (content.software !== undefined) message.addSoftware(content.software.padEnd(paddedLength(content.software)));
  const bytes = stun.encode(message);
  if (legacy) bytes.set(transactionId.subarray(0, 4), 4);
  return bytes;
}

function typeOf(kind: BindingContent['class']): number {
  const { constants } = stun;
  switch (kind) {
    case 'request':
      return constants.STUN_BINDING_REQUEST;
    case 'success':
      return constants.STUN_BINDING_RESPONSE;
    case 'error':
      return constants.STUN_BINDING_ERROR_RESPONSE;
  }
}

/** In characters, so that the bytes are a multiple of four. */
function paddedLength(text: string): number {
  const bytes = Buffer.byteLength(text);
  return text.length + ((4 - (bytes % 4)) % 4);
}
