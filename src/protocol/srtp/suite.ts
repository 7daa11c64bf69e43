/** The crypto suites that we can do, by their names in SDES (RFC 4568 §6.2, RFC 7714 §14.1). */
export type SrtpSuiteName = 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32' | 'AEAD_AES_128_GCM';

/** The figures of a suite; lengths in bytes. */
export interface SrtpSuite {
  readonly name: SrtpSuiteName;
  readonly cipher: 'counter' | 'gcm';
  /** Of the master key, and of the session key. */
  readonly keyBytes: number;
  /** Of the master salt, and of the session salt. */
  readonly saltBytes: number;
  /** Of the authentication tag of RTP; RTCP has its own. */
  readonly rtpTagBytes: number;
  readonly rtcpTagBytes: number;
}

const COUNTER = { cipher: 'counter', keyBytes: 16, saltBytes: 14, rtcpTagBytes: 10 } as const;

/** Best first. */
const SUITES: readonly SrtpSuite[] = [
  { name: 'AEAD_AES_128_GCM', cipher: 'gcm', keyBytes: 16, saltBytes: 12, rtpTagBytes: 16, rtcpTagBytes: 16 },
  { name: 'AES_CM_128_HMAC_SHA1_80', ...COUNTER, rtpTagBytes: 10 },
  // The tag of RTCP stays long (RFC 4568 §6.2.2).
  { name: 'AES_CM_128_HMAC_SHA1_32', ...COUNTER, rtpTagBytes: 4 },
];

/** What is offered unless asked otherwise, best first. A tag of 32 bits is too easy to guess to be offered unasked. */
export const OFFERED_SUITES: readonly SrtpSuiteName[] = ['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'];

/** The suite of that name; undefined for one that we cannot do. Names are case-sensitive. */
export function srtpSuite(name: SrtpSuiteName): SrtpSuite;
export function srtpSuite(name: string): SrtpSuite | undefined;
export function srtpSuite(name: string): SrtpSuite | undefined {
  return SUITES.find((suite) => suite.name === name);
}

/** How many RTP packets, and how many RTCP packets, one master key may protect at most (RFC 3711 §9.2). */
export const MOST_RTP_PACKETS = 2 ** 48;
export const MOST_RTCP_PACKETS = 2 ** 31;
