import { describe, expect, it } from 'vitest';
import { classifyDatagram, messageStart } from '../../src/transport/datagram.js';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('what a datagram on a SIP socket is', () => {
  it.each([
    ['an empty one', ''],
    ['CRLF (RFC 5626 §3.5)', '\r\n'],
    ['a double CRLF', '\r\n\r\n'],
    ['zero bytes, as some phones send', '\0\0\0\0'],
    ['a mixture', '\0\r\n\0'],
    ['many zero bytes', '\0'.repeat(40)],
  ])('%s is a keep-alive', (_name, text) => {
    expect(classifyDatagram(bytes(text))).toBe('keep-alive');
  });

  it.each([
    ['a Binding request', '\x00\x01\x00\x00\x21\x12\xa4\x42'],
    ['a Binding response', '\x01\x01\x00\x00\x21\x12\xa4\x42'],
  ])('RFC 7983 §7: %s is STUN', (_name, head) => {
    expect(classifyDatagram(bytes(head + 'x'.repeat(12)))).toBe('stun');
  });

  it.each(['OPTIONS sip:a SIP/2.0', '!interesting-Method SIP/2.0', '*', '1x', '\r\n\r\nOPTIONS sip:a SIP/2.0'])(
    'RFC 4475 §3.1.1.2: %j is for the SIP parser',
    (text) => {
      expect(classifyDatagram(bytes(text))).toBe('message');
    },
  );

  it('RFC 3261 §7.5: the message begins behind leading CRLFs', () => {
    expect(messageStart(bytes('\r\n\r\nOPTIONS'))).toBe(4);
    expect(messageStart(bytes('OPTIONS\r\n'))).toBe(0);
  });
});
