import { setWord } from './words.js';

/** The packet types of RTCP that we know (RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2). */
export const RTCP_TYPE = { sr: 200, rr: 201, sdes: 202, bye: 203, app: 204, rtpfb: 205, psfb: 206, xr: 207 } as const;

/** The most that the five bits of a count can say: reports, chunks or sources of one packet. */
export const MOST_ITEMS = 31;

/** An RTCP packet within a compound one: its count field, and what follows the first word, padding left out. */
export interface RtcpBlock {
  readonly type: number;
  /** 0 to 31: reports, chunks, sources, or the subtype. */
  readonly count: number;
  readonly body: Uint8Array;
}

/** A packet with its first word; the body is a multiple of four bytes long. */
export function rtcpPacket(type: number, count: number, body: Uint8Array): Uint8Array {
  const packet = new Uint8Array(4 + body.length);
  setWord(packet, 0, 0x80000000 | (count << 24) | (type << 16) | (body.length / 4));
  packet.set(body, 4);
  return packet;
}
