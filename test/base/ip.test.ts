import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bracketHost,
  formatAddress,
  formatIpv6,
  ipVersion,
  isWildcardAddress,
  normalizeHost,
  parseIpv4,
  parseIpv6,
  sameAddress,
} from '../../src/base/ip.js';

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
/** Addresses with many zero groups, where the compression rules bite. */
const sparse = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));

describe('IPv4', () => {
  test('the same texts are addresses as for Node.js', () => {
    const octet = fc.oneof(
      fc.nat(300).map(String),
      fc.constantFrom('', '0', '00', '01', '255', '256', '1e1', ' 1', '-1', '+1'),
    );
    fc.assert(
      fc.property(fc.array(octet, { minLength: 3, maxLength: 5 }), (octets) => {
        const text = octets.join('.');
        expect(parseIpv4(text) !== undefined).toBe(isIPv4(text));
      }),
      { numRuns: 500 },
    );
  });

  test('its bytes are its numbers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
        expect(parseIpv4(bytes.join('.'))).toEqual(bytes);
      }),
    );
  });

  test('leading zeros are refused: some programs read them as octal', () => {
    expect(parseIpv4('010.0.0.1')).toBeUndefined();
    expect(parseIpv4('10.0.0.00')).toBeUndefined();
  });
});

describe('IPv6', () => {
  test('RFC 5952: formatting and parsing are inverse, and Node.js agrees that it is an address', () => {
    fc.assert(
      fc.property(fc.oneof(sixteen, sparse), (bytes) => {
        const text = formatIpv6(bytes);
        expect(isIPv6(text)).toBe(true);
        expect(parseIpv6(text)).toEqual(bytes);
        expect(formatIpv6(parseIpv6(text) as Uint8Array)).toBe(text);
        expect(text).toBe(text.toLowerCase());
      }),
      { numRuns: 500 },
    );
  });

  test('RFC 5952 §4: the canonical form is that of the URL parser, but for mapped IPv4', () => {
    fc.assert(
      fc.property(sparse, (bytes) => {
        const text = formatIpv6(bytes);
        if (text.includes('.')) return;
        expect(`[${text}]`).toBe(new URL(`http://[${text}]/`).hostname);
      }),
      { numRuns: 500 },
    );
  });

  test('RFC 4291 §2.2: the same texts are addresses as for Node.js', () => {
    const part = fc.oneof(
      { weight: 6, arbitrary: fc.nat(0x1ffff).map((n) => n.toString(16)) },
      { weight: 2, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: fc.constantFrom('1.2.3.4', '1.2.3', 'g', '00001', '0001', ' ', '1.2.3.256') },
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 10 }), (parts) => {
        const text = parts.join(':');
        expect(parseIpv6(text) !== undefined, text).toBe(isIPv6(text));
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['::', true],
    ['::1', true],
    ['1::', true],
    ['::ffff:192.0.2.1', true],
    ['1:2:3:4:5:6:192.0.2.1', true],
    ['1:2:3:4:5:6:7::', true],
    [':', false],
    [':::', false],
    ['1::2::3', false],
    ['1:2:3:4:5:6:7', false],
    ['1:2:3:4:5:6:7:8:9', false],
    ['1:2:3:4::5:6:7:8', false],
    ['192.0.2.1::', false],
    [':1', false],
    ['1:', false],
    ['12345::', false],
    ['::192.0.2.1:1', false],
  ])('RFC 4291 §2.2: %s', (text, valid) => {
    expect(parseIpv6(text) !== undefined).toBe(valid);
    expect(isIPv6(text)).toBe(valid);
  });

  test('zones and brackets are no part of an address', () => {
    expect(ipVersion('fe80::1%eth0')).toBe(0);
    expect(ipVersion('[::1]')).toBe(0);
  });
});

describe('hosts and sockets', () => {
  test('ipVersion', () => {
    expect([ipVersion('192.0.2.1'), ipVersion('2001:db8::1'), ipVersion('pbx.example'), ipVersion('')]).toEqual([
      4, 6, 0, 0,
    ]);
  });

  test('normalizeHost gives one spelling, and normalizing again changes nothing', () => {
    expect(normalizeHost('[2001:DB8:0:0:0:0:0:1]')).toBe('2001:db8::1');
    expect(normalizeHost('::FFFF:192.0.2.1')).toBe('192.0.2.1');
    expect(normalizeHost('::ffff:c000:201')).toBe('192.0.2.1');
    expect(normalizeHost('PBX.Example')).toBe('pbx.example');
    expect(normalizeHost('not:an:Address')).toBe('not:an:address');
    fc.assert(
      fc.property(fc.oneof(sixteen.map(formatIpv6), fc.string()), (host) => {
        const once = normalizeHost(host);
        expect(normalizeHost(bracketHost(once))).toBe(normalizeHost(once));
      }),
    );
  });

  test('formatAddress and bracketHost', () => {
    expect(formatAddress({ address: '192.0.2.1', port: 5060 })).toBe('192.0.2.1:5060');
    expect(formatAddress({ address: '2001:db8::1', port: 5060 })).toBe('[2001:db8::1]:5060');
    expect(bracketHost('[::1]')).toBe('[::1]');
  });

  test('sameAddress compares addresses, not spellings', () => {
    expect(sameAddress({ address: '::ffff:192.0.2.1', port: 1 }, { address: '192.0.2.1', port: 1 })).toBe(true);
    expect(sameAddress({ address: '2001:DB8::1', port: 1 }, { address: '2001:db8:0::1', port: 1 })).toBe(true);
    expect(sameAddress({ address: '192.0.2.1', port: 1 }, { address: '192.0.2.1', port: 2 })).toBe(false);
    expect(sameAddress({ address: '192.0.2.1', port: 1 }, { address: '192.0.2.2', port: 1 })).toBe(false);
  });

  test('wildcards in any spelling', () => {
    expect(['0.0.0.0', '::', '[::]', '0:0:0:0:0:0:0:0'].every(isWildcardAddress)).toBe(true);
    expect(['127.0.0.1', '::1', ''].some(isWildcardAddress)).toBe(false);
  });
});
