import { describe, expect, test } from 'vitest';
import { createRequest } from '../../src/protocol/sip/message.js';
import { parseUri } from '../../src/protocol/sip/uri.js';
import { flowTo, isBehindNat } from '../../src/ua/reach-back.js';
import type { Source, TransportProtocol } from '../../src/ua/target.js';

function from(address: string, port: number, protocol: TransportProtocol = 'udp'): Source {
  const [local, remote] = [
    { address: '192.0.2.1', port: 5060 },
    { address, port },
  ];
  return { protocol, local, remote, flow: { protocol, local, remote }, secure: false, receivedAt: 0 };
}

const via = (value: string) => createRequest({ method: 'OPTIONS', uri: 'sip:a@b', headers: { Via: value } });

describe('whether a request comes through a NAT (RFC 3261 §18.2.1, RFC 3581 §4)', () => {
  for (const [value, address, port, behind] of [
    ['SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1', '10.0.0.1', 5060, false],
    ['SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;rport', '10.0.0.1', 5060, false],
    ['SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1', '203.0.113.1', 5060, true],
    ['SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport', '10.0.0.1', 40_000, true],
    ['SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport=40000', '10.0.0.1', 40_000, true],
    ['SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1', '10.0.0.1', 40_000, false],
    ['SIP/2.0/UDP phone.example:5060;branch=z9hG4bK1', '203.0.113.1', 5060, false],
    ['SIP/2.0/UDP [2001:DB8::1]:5060;branch=z9hG4bK1', '2001:db8:0::1', 5060, false],
    ['SIP/2.0/UDP [2001:db8::2]:5060;branch=z9hG4bK1', '2001:db8::1', 5060, true],
  ] as const) {
    test(`${value} from ${address} port ${port}: ${behind ? 'yes' : 'no'}`, () => {
      expect(isBehindNat(via(value), from(address, port))).toBe(behind);
    });
  }

  test('a connection leaves from a port of its own: that is no NAT', () => {
    const value = 'SIP/2.0/TCP 10.0.0.1:5060;branch=z9hG4bK1;rport';
    expect(isBehindNat(via(value), from('10.0.0.1', 40_000, 'tcp'))).toBe(false);
    expect(isBehindNat(via(value), from('203.0.113.1', 40_000, 'tcp'))).toBe(true);
  });
});

describe('the way back to a Contact (RFC 3261 §18.1.1, RFC 5626 §4.3)', () => {
  const contact = parseUri('sip:alice@10.0.0.1:5062');

  test('over UDP without a NAT the Contact is used as it stands', () => {
    expect(flowTo(contact, from('10.0.0.1', 40_000), false)).toBeUndefined();
  });

  test('behind a NAT the flow is used, unless it leads to the Contact anyway', () => {
    const source = from('203.0.113.1', 40_000);
    expect(flowTo(contact, source, true)).toEqual(source.flow);
    expect(flowTo(contact, from('10.0.0.1', 5062), true)).toBeUndefined();
    expect(flowTo(parseUri('sip:alice@10.0.0.1'), from('10.0.0.1', 5060), true)).toBeUndefined();
  });

  test('a connection is always used again', () => {
    const source = from('10.0.0.1', 5062, 'tcp');
    expect(flowTo(contact, source, false)).toEqual(source.flow);
  });

  test.each(['tel:+4930123456', 'sips:100@198.51.100.1'])(
    '%s: no datagram can be sent there, so the flow is used',
    (uri) => {
      const source = from('203.0.113.1', 40_000);
      expect(flowTo(parseUri(uri), source, false)).toBe(source.flow);
    },
  );
});
