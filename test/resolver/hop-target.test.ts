import { describe, expect, it } from 'vitest';
import { defaultPort, hopTarget } from '../../src/resolver/hop-target.js';
import { sip } from './support.js';

describe('the TARGET of a URI', () => {
  it.each([
    ['sip:192.0.2.4', undefined, '192.0.2.4', undefined],
    ['sip:100@192.0.2.4:5070', undefined, '192.0.2.4', 5070],
    ['sip:Host.Example;transport=TCP', 'tcp', 'host.example', undefined],
    ['sip:host.example;transport=tls', 'tls', 'host.example', undefined],
    ['sip:host.example;transport=ws', 'ws', 'host.example', undefined],
    ['sips:host.example', undefined, 'host.example', undefined],
    ['sips:host.example;transport=tcp', 'tls', 'host.example', undefined],
    ['sips:host.example;transport=ws', 'wss', 'host.example', undefined],
    ['sips:host.example:5999', undefined, 'host.example', 5999],
    ['sip:host.example;maddr=192.0.2.9', undefined, '192.0.2.9', undefined],
    ['sip:host.example;maddr=[2001:db8::9];transport=tcp', 'tcp', '2001:db8::9', undefined],
    ['sip:[2001:DB8::1]:5062', undefined, '2001:db8::1', 5062],
  ] as const)('RFC 3263 §4: %s names transport %s, %s, port %s', (text, protocol, host, port) => {
    const target = hopTarget(sip(text));
    expect(target).toMatchObject({ protocol, host, port, secure: text.startsWith('sips') });
    expect(target.isLiteral).toBe(/^[\d.]+$|:/.test(host));
  });

  it('the transport of the caller goes before that of the URI', () => {
    expect(hopTarget(sip('sip:host.example;transport=udp'), 'tcp').protocol).toBe('tcp');
    expect(hopTarget(sip('sips:host.example'), 'tcp').protocol).toBe('tls');
  });

  it.each(['sip:host.example;transport=sctp', 'sips:host.example;transport=udp', 'sip:host.example;maddr=1:2'])(
    '%s is SIP_NO_ROUTE',
    (text) => {
      expect(() => hopTarget(sip(text))).toThrowError(expect.objectContaining({ code: 'SIP_NO_ROUTE' }));
    },
  );

  it('RFC 3261 §19.1.2, RFC 7118 §5.1: the default ports', () => {
    expect((['udp', 'tcp', 'tls', 'ws', 'wss'] as const).map(defaultPort)).toEqual([5060, 5060, 5061, 80, 443]);
  });
});
