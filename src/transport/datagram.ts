/** What a datagram on a SIP socket is, told by its first bytes. */
export type DatagramKind = 'message' | 'keep-alive' | 'stun';

const CR = 0x0d;
const LF = 0x0a;

/** Where the message begins: leading CRLFs (RFC 3261 §7.5) and zero bytes are skipped. */
export function messageStart(data: Uint8Array): number {
  let start = 0;
  while (start < data.length && isFiller(data[start] as number)) start++;
  return start;
}

/**
 * Sorts a datagram: nothing but CRLF and zero bytes keeps a NAT open (RFC 5626 §3.5.2 and what phones do besides); a
 * first byte of 0 to 3 followed by something is STUN (RFC 7983 §7); the rest is for the SIP parser. RFC 5626 §8 tells
 * STUN by two zero bits alone, but then a method such as the `!interesting-Method` of RFC 4475 would be STUN too.
 */
export function classifyDatagram(data: Uint8Array, start = messageStart(data)): DatagramKind {
  if (start === data.length) return 'keep-alive';
  return (data[0] as number) < 4 && data.length >= 20 ? 'stun' : 'message';
}

function isFiller(byte: number): boolean {
  return byte === CR || byte === LF || byte === 0;
}
