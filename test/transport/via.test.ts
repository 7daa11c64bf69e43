import { describe, expect, it } from 'vitest';
import type { SocketAddress } from '../../src/base/ip.js';
import type { Via } from '../../src/protocol/sip/header/registry.js';
import { SipHeaders } from '../../src/protocol/sip/headers.js';
import { canAnswer, responseTarget, stampReceived, stampSent } from '../../src/transport/via.js';

function via(text: string): Via {
  const { topVia } = new SipHeaders().setRaw('Via', text);
  if (topVia === undefined) throw new Error(text);
  return topVia;
}
const text = (value: Via): string => new SipHeaders().set('Via', [value]).first('Via') ?? '';
const from: SocketAddress = { address: '192.0.2.1', port: 9988 };

describe('the Via of a request that leaves', () => {
  it('RFC 3261 §18.1.1, RFC 3581 §3: gets transport, sent-by and an empty rport, keeps branch and the rest', () => {
    const stamped = stampSent(via('SIP/2.0/UDP x;branch=z9hG4bK1;keep'), 'tcp', { address: '2001:db8::1', port: 5062 });
    expect(text(stamped)).toBe('SIP/2.0/TCP [2001:db8::1]:5062;branch=z9hG4bK1;keep;rport');
    expect(text(stampSent(stamped, 'udp', from))).toBe('SIP/2.0/UDP 192.0.2.1:9988;branch=z9hG4bK1;keep;rport');
  });
});

describe('the Via of a request that came in', () => {
  it.each([
    ['§18.2.1: the sent-by is the source', '192.0.2.1:5060;branch=z9hG4bK1', '192.0.2.1:5060;branch=z9hG4bK1'],
    ['§18.2.1: another address', '10.1.1.1:4540;branch=z9hG4bK1', '10.1.1.1:4540;branch=z9hG4bK1;received=192.0.2.1'],
    ['§18.2.1: a name', 'bobspc.example;branch=z9hG4bK1', 'bobspc.example;branch=z9hG4bK1;received=192.0.2.1'],
    // The example of RFC 3581 §5.
    [
      'RFC 3581 §4: rport asked for',
      '10.1.1.1:4540;rport;branch=z9',
      '10.1.1.1:4540;rport=9988;branch=z9;received=192.0.2.1',
    ],
    [
      'RFC 3581 §4: also if the sent-by is right',
      '192.0.2.1:9988;rport',
      '192.0.2.1:9988;rport=9988;received=192.0.2.1',
    ],
    ['what the client claims is replaced', 'h;rport=1;received=203.0.113.9', 'h;rport=9988;received=192.0.2.1'],
    ['or taken away', '192.0.2.1;received=203.0.113.9', '192.0.2.1'],
  ])('%s', (_rule, before, after) => {
    expect(text(stampReceived(via(`SIP/2.0/UDP ${before}`), from))).toBe(`SIP/2.0/UDP ${after}`);
  });

  it('IPv6 spellings of one address are one (RFC 5118 §4.5)', () => {
    const original = via('SIP/2.0/UDP [2001:DB8:0:0::9]:6050;branch=z9hG4bK1');
    expect(stampReceived(original, { address: '2001:db8::9', port: 6050 })).toBe(original);
  });

  it('stamping twice changes nothing more', () => {
    const once = stampReceived(via('SIP/2.0/UDP 10.1.1.1;rport'), from);
    expect(stampReceived(once, from)).toBe(once);
  });
});

describe('where a response goes', () => {
  it.each([
    ['§18.2.2: to the port of the Via', 'udp', '10.1.1.1:4540', 4540],
    ['§18.2.2: or the default port', 'udp', '10.1.1.1', 5060],
    ['RFC 3581 §4: to the source port with rport', 'udp', '10.1.1.1:4540;rport', 9988],
    [
      '§18.2.2: a lost connection is opened anew to the port of the Via, never the source port',
      'tcp',
      '10.1.1.1:4540;rport',
      4540,
    ],
    ['TLS has its own default', 'tls', 'host.example', 5061],
    ['maddr is ignored', 'udp', 'host.example:4540;maddr=203.0.113.5', 4540],
  ] as const)('%s', (_rule, protocol, sentBy, port) => {
    const value = via(`SIP/2.0/UDP ${sentBy}`);
    expect(responseTarget(value, protocol, from)).toEqual({ address: '192.0.2.1', port });
  });

  it.each(['224.0.1.75', '255.255.255.255', '[ff02::1]'])('nothing is answered to a Via of %s', (host) => {
    expect(canAnswer(via(`SIP/2.0/UDP ${host}:5060;rport`), 'udp', from)).toBe(false);
  });

  it('a sent-by of 0.0.0.0 is answered: received mends it', () => {
    expect(canAnswer(via('SIP/2.0/UDP 0.0.0.0:5060;rport'), 'udp', from)).toBe(true);
  });
});
