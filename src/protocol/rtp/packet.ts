import { setWord, word } from './words.js';

/*
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |           synchronization source (SSRC) identifier            |
 * |            contributing source (CSRC) identifiers, CC of them |
 * |    defined by profile (if X)  |     length in words           |
 * |                       header extension                        |
 * |                       payload, then padding (if P)            |
 *
 * The header is read where it lies: a relay looks at tens of thousands of packets a second and makes no object for any of them.
 */

/** The length of an RTP header without contributing sources and extension, in bytes. */
export const RTP_HEADER_BYTES = 12;

const VERSION_2 = 0x80;
const VERSION_MASK = 0xc0;
const PADDING = 0x20;
const EXTENSION = 0x10;
const CSRC_COUNT = 0x0f;
const MARKER = 0x80;
const PAYLOAD_TYPE = 0x7f;

/**
 * Whether the bytes start with an RTP header that they can hold (RFC 3550 §A.1): version 2, no RTCP type in the second byte
 * (RFC 5761 §4), room for the contributing sources and the extension. Looks only at what SRTP leaves in the clear (RFC 3711 §3.1),
 * so it is also the check for packets whose keys we do not have.
 */
export function isRtpHeader(data: Uint8Array): boolean {
  if (data.length < RTP_HEADER_BYTES) return false;
  if (((data[0] as number) & VERSION_MASK) !== VERSION_2 || isRtcpType(data[1] as number)) return false;
  return payloadOffset(data) <= data.length;
}

/**
 * Whether the bytes are an RTP packet (RFC 3550 §A.1): `isRtpHeader`, and the padding, if any, lies behind the header.
 * Not for SRTP, whose last byte is of the authentication tag or encrypted.
 */
export function isRtp(data: Uint8Array): boolean {
  if (!isRtpHeader(data)) return false;
  if (((data[0] as number) & PADDING) === 0) return true;
  const padding = data[data.length - 1] as number;
  return padding > 0 && payloadOffset(data) + padding <= data.length;
}

/** Whether a second byte is that of an RTCP packet where RTP and RTCP share a port: types 192 to 223 (RFC 5761 §4). */
export function isRtcpType(byte: number): boolean {
  return byte >= 192 && byte <= 223;
}

/** 0 to 127. This and the readers below expect what `isRtpHeader` accepts. */
export function payloadType(data: Uint8Array): number {
  return (data[1] as number) & PAYLOAD_TYPE;
}

export function marker(data: Uint8Array): boolean {
  return ((data[1] as number) & MARKER) !== 0;
}

/** 0 to 65535. */
export function sequenceOf(data: Uint8Array): number {
  return ((data[2] as number) << 8) | (data[3] as number);
}

/** 0 to 2³² − 1, in units of the payload's clock. */
export function timestampOf(data: Uint8Array): number {
  return word(data, 4);
}

/** 0 to 2³² − 1. */
export function ssrcOf(data: Uint8Array): number {
  return word(data, 8);
}

/** Where the payload begins, behind contributing sources and extension; beyond the end where the header does not fit. */
export function payloadOffset(data: Uint8Array): number {
  const first = data[0] as number;
  const at = RTP_HEADER_BYTES + 4 * (first & CSRC_COUNT);
  if ((first & EXTENSION) === 0) return at;
  if (at + 4 > data.length) return at + 4;
  return at + 4 + 4 * (((data[at + 2] as number) << 8) | (data[at + 3] as number));
}

/** Where the payload ends, before the padding; for what `isRtp` accepts. */
export function payloadEnd(data: Uint8Array): number {
  const padded = ((data[0] as number) & PADDING) !== 0;
  return padded ? data.length - (data[data.length - 1] as number) : data.length;
}

/** The fields of an RTP header that a sender of ours sets: no contributing sources, no extension, no padding. */
export interface RtpHeader {
  /** 0 to 127. */
  readonly payloadType: number;
  readonly marker: boolean;
  /** 0 to 65535. */
  readonly sequence: number;
  /** 0 to 2³² − 1. */
  readonly timestamp: number;
  /** 0 to 2³² − 1. */
  readonly ssrc: number;
}

/** These fields of a packet that `isRtpHeader` accepts, as one object; not for every packet of a relay. */
export function rtpHeader(data: Uint8Array): RtpHeader {
  return {
    payloadType: payloadType(data),
    marker: marker(data),
    sequence: sequenceOf(data),
    timestamp: timestampOf(data),
    ssrc: ssrcOf(data),
  };
}

/**
 * Writes a packet to the start of `out` (RFC 3550 §5.1) and returns its length. Numbers are taken modulo the size of their fields, so
 * that a sender may let its counters wrap.
 * @throws RangeError if `out` has no room for the header and the payload
 */
export function writeRtp(out: Uint8Array, header: RtpHeader, payload: Uint8Array): number {
  out.set(payload, RTP_HEADER_BYTES);
  out[0] = VERSION_2;
  out[1] = (header.marker ? MARKER : 0) | (header.payloadType & PAYLOAD_TYPE);
  setSequence(out, header.sequence);
  setTimestamp(out, header.timestamp);
  setSsrc(out, header.ssrc);
  return RTP_HEADER_BYTES + payload.length;
}

/** Sets the payload type in place; the marker stays. */
export function setPayloadType(data: Uint8Array, type: number): void {
  data[1] = ((data[1] as number) & MARKER) | (type & PAYLOAD_TYPE);
}

export function setMarker(data: Uint8Array, marked: boolean): void {
  data[1] = ((data[1] as number) & PAYLOAD_TYPE) | (marked ? MARKER : 0);
}

/** Modulo 2¹⁶. */
export function setSequence(data: Uint8Array, sequence: number): void {
  data[2] = sequence >>> 8;
  data[3] = sequence;
}

/** Modulo 2³². */
export function setTimestamp(data: Uint8Array, timestamp: number): void {
  setWord(data, 4, timestamp);
}

/** Modulo 2³². */
export function setSsrc(data: Uint8Array, ssrc: number): void {
  setWord(data, 8, ssrc);
}
