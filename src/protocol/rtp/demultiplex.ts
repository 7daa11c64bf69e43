import { isRtcpType, isRtpHeader } from './packet.js';

/** What a datagram on a media port is; `other`: none of these, or a header that does not fit. */
export type DatagramKind = 'rtp' | 'rtcp' | 'stun' | 'dtls' | 'other';

const SHORTEST_RTCP = 8;

/**
 * Tells apart what can arrive at one media port by the first byte (RFC 7983 §7) and, for RTP and RTCP, by the second (RFC 5761 §4).
 * For SRTP and SRTCP as well: only what they leave in the clear is looked at. STUN and DTLS still have to be checked by their readers.
 */
export function datagramKind(data: Uint8Array): DatagramKind {
  const first = data[0];
  if (first === undefined) return 'other';
  if (first >= 128 && first <= 191) {
    if (isRtpHeader(data)) return 'rtp';
    return isRtcp(data) ? 'rtcp' : 'other';
  }
  if (first <= 3) return 'stun';
  return first >= 20 && first <= 63 ? 'dtls' : 'other';
}

/**
 * Whether the bytes begin like RTCP or SRTCP: version 2, a type of 192 to 223 (RFC 5761 §4), and a first packet that names a source and
 * does not run over the end. Whether a whole compound packet is valid is for `readRtcp` to say.
 */
export function isRtcp(data: Uint8Array): boolean {
  if (data.length < SHORTEST_RTCP) return false;
  if (((data[0] as number) & 0xc0) !== 0x80 || !isRtcpType(data[1] as number)) return false;
  return 4 + 4 * (((data[2] as number) << 8) | (data[3] as number)) <= data.length;
}
