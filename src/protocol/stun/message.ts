import { Attribute } from './attribute-types.js';

/** The two class bits of a message type (RFC 8489 §5). */
export type StunClass = 'request' | 'indication' | 'success' | 'error';

/** One attribute as it stands in the bytes. */
export interface StunAttribute {
  readonly type: number;
  /** Without padding; shares memory with the message. */
  readonly value: Uint8Array;
  /** Where its type stands in the message. */
  readonly offset: number;
}

/** A message that has the form of RFC 8489 §5 and §14, or of RFC 3489 §11. */
export interface StunMessage {
  readonly class: StunClass;
  /** 12 bits; Binding is 1. */
  readonly method: number;
  /** 12 bytes; of RFC 3489, which knows no cookie, 16: those that stand in its place come first. */
  readonly transactionId: Uint8Array;
  /**
   * Those that count, in order: what follows MESSAGE-INTEGRITY or FINGERPRINT is left out, but for what may follow it
   * (RFC 8489 §14.5).
   */
  readonly attributes: readonly StunAttribute[];
  readonly bytes: Uint8Array;
}

export const HEADER_BYTES = 20;
const MAGIC_COOKIE = 0x2112a442;
export const BINDING = 0x001;

/** More than any usage has; a datagram of empty attributes must not become sixteen thousand objects. */
const MOST_ATTRIBUTES = 64;

const CLASSES = ['request', 'indication', 'success', 'error'] as const;

/*
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |0 0| M11…M7 |C1| M6…M4 |C0| M3…M0 |      Message Length        |
 * |                         Magic Cookie                          |
 * |                     Transaction ID (96 bits)                  |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |             Type              |            Length             |
 * |                  Value, padded to 4 bytes, …                  |
 */

/**
 * Reads a datagram. Undefined for what is no STUN message: other first bits, a length that is not that of the datagram or
 * no multiple of four, attributes that run over the end, more than 64 of them. Never throws.
 */
export function readStunMessage(data: Uint8Array): StunMessage | undefined {
  if (data.length < HEADER_BYTES || data.length % 4 !== 0) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const type = view.getUint16(0);
  if (type >= 0x4000 || view.getUint16(2) !== data.length - HEADER_BYTES) return undefined;
  const attributes = readAttributes(data, view);
  if (attributes === undefined) return undefined;
  const legacy = view.getUint32(4) !== MAGIC_COOKIE;
  return {
    class: CLASSES[((type >> 7) & 2) | ((type >> 4) & 1)] as StunClass,
    method: (type & 0x000f) | ((type >> 1) & 0x0070) | ((type >> 2) & 0x0f80),
    transactionId: data.subarray(legacy ? 4 : 8, HEADER_BYTES),
    attributes,
    bytes: data,
  };
}

/** What comes behind an attribute and still counts; behind all others everything does. */
const MAY_FOLLOW: ReadonlyMap<number, readonly number[]> = new Map([
  [Attribute.messageIntegrity, [Attribute.messageIntegritySha256, Attribute.fingerprint]],
  [Attribute.messageIntegritySha256, [Attribute.fingerprint]],
  [Attribute.fingerprint, []],
]);

function readAttributes(data: Uint8Array, view: DataView): readonly StunAttribute[] | undefined {
  const attributes: StunAttribute[] = [];
  let counting: readonly number[] | undefined;
  let count = 0;
  for (let offset = HEADER_BYTES; offset < data.length; ) {
    const type = view.getUint16(offset);
    const end = offset + 4 + view.getUint16(offset + 2);
    if (end > data.length || ++count > MOST_ATTRIBUTES) return undefined;
    if (counting === undefined || counting.includes(type)) {
      attributes.push({ type, value: data.subarray(offset + 4, end), offset });
      counting = MAY_FOLLOW.get(type) ?? counting;
    }
    offset = (end + 3) & ~3;
  }
  return attributes;
}

/** Whether it comes from a client or server of RFC 3489, which knew no magic cookie (RFC 5389 §12.2). */
export function isLegacy({ transactionId }: StunMessage): boolean {
  return transactionId.length === 16;
}

/** The value of the first attribute of that type: further ones do not count (RFC 8489 §14). */
export function attributeOf(message: StunMessage, type: number): StunAttribute | undefined {
  return message.attributes.find((each) => each.type === type);
}
