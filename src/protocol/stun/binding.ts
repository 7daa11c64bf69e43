import stun from 'stun';
import type { SocketAddress } from '../../base/ip.js';

/** A STUN Binding request (RFC 8489 §5), as far as the answer depends on it. */
export interface BindingRequest {
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  /** Attributes that must be understood and are not (RFC 8489 §6.3.1), each once. */
  readonly unknown: readonly number[];
}

const HEADER_BYTES = 20;
const MAGIC_COOKIE = 0x2112a442;
const BINDING_REQUEST = 0x0001;
/** Types below must be understood (RFC 8489 §14). */
const FIRST_OPTIONAL = 0x8000;

/** MAPPED-ADDRESS to XOR-MAPPED-ADDRESS, those of RFC 8489 §18.3; without authentication they change nothing here. */
const KNOWN: ReadonlySet<number> = new Set([
  0x0001, 0x0006, 0x0008, 0x0009, 0x000a, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0020,
]);

/*
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |0 0|     STUN Message Type     |         Message Length        |
 * |                         Magic Cookie                          |
 * |                     Transaction ID (96 bits)                  |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |             Type              |            Length             |
 * |                  Value, padded to 4 bytes, …                  |
 */

/**
 * Reads a Binding request from a datagram. Undefined for everything else: indications, responses, other methods, RFC 3489
 * without the cookie, lengths that do not fit. Written out here, because the package takes all of that for a request.
 */
export function readBindingRequest(data: Uint8Array): BindingRequest | undefined {
  if (data.length < HEADER_BYTES) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const fits = view.getUint16(2) === data.length - HEADER_BYTES && data.length % 4 === 0;
  if (view.getUint16(0) !== BINDING_REQUEST || !fits || view.getUint32(4) !== MAGIC_COOKIE) return undefined;
  const unknown: number[] = [];
  let at = HEADER_BYTES;
  while (at < data.length) {
    const type = view.getUint16(at);
    const end = at + 4 + view.getUint16(at + 2);
    if (end > data.length) return undefined;
    if (type < FIRST_OPTIONAL && !KNOWN.has(type) && !unknown.includes(type)) unknown.push(type);
    at = (end + 3) & ~3;
  }
  return { transactionId: data.slice(8, HEADER_BYTES), unknown };
}

/**
 * The answer to a Binding request that came from `from`: XOR-MAPPED-ADDRESS and nothing else (RFC 5626 §8 asks for no
 * more, and an answer to a forged address should be small), or 420 with the attributes that are not understood
 * (RFC 8489 §6.3.1). Without MESSAGE-INTEGRITY: there is no secret on a SIP port.
 * @throws TypeError for an address that is none
 */
export function answerBinding({ transactionId, unknown }: BindingRequest, from: SocketAddress): Uint8Array {
  const { STUN_BINDING_RESPONSE, STUN_BINDING_ERROR_RESPONSE } = stun.constants;
  const refused = unknown.length > 0;
  const type = refused ? STUN_BINDING_ERROR_RESPONSE : STUN_BINDING_RESPONSE;
  const message = stun.createMessage(type, Buffer.from(transactionId));
  if (refused) {
    // Short: without a phrase the package writes a longer one of its own.
    message.addError(420, 'Unknown');
    message.addUnknownAttributes(unknown);
  } else {
    message.addXorAddress(from.address, from.port);
  }
  return stun.encode(message);
}
