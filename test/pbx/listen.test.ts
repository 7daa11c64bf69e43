import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ipVersion } from '../../src/base/ip.js';
import { LISTEN_EXAMPLE, parseListen } from '../../src/pbx/listen.js';

describe('a listen address', () => {
  for (const [text, protocol, host, port] of [
    ['udp://0.0.0.0:5060', 'udp', '0.0.0.0', 5060],
    ['tcp://127.0.0.1:5080', 'tcp', '127.0.0.1', 5080],
    ['udp://192.0.2.1', 'udp', '192.0.2.1', 5060],
    ['udp://192.0.2.1:0', 'udp', '192.0.2.1', 0],
    ['udp://[::1]:5060', 'udp', '::1', 5060],
    ['tcp://[2001:db8::1]', 'tcp', '2001:db8::1', 5060],
    ['udp://[::]:65535', 'udp', '::', 65_535],
    ['udp://pbx.office.example:5061', 'udp', 'pbx.office.example', 5061],
    ['udp://localhost', 'udp', 'localhost', 5060],
    ['tls://0.0.0.0:5071', 'tls', '0.0.0.0', 5071],
    ['tls://[::1]', 'tls', '::1', 5061],
  ] as const) {
    test(`${text} is read`, () => {
      expect(parseListen(text)).toEqual({ protocol, host, port });
    });
  }

  for (const text of [
    '',
    '5060',
    '0.0.0.0:5060',
    'sip://0.0.0.0:5060',
    'sips://0.0.0.0:5061',
    'udp:/0.0.0.0:5060',
    'udp://',
    'udp://:5060',
    'udp://1.2.3:5060',
    'udp://1.2.3.4.5:5060',
    'udp://1.2.3.256',
    'udp://::1:5060',
    'udp://[::1',
    'udp://[::1]5060',
    'udp://[1.2.3.4]:5060',
    'udp://[]:5060',
    'udp://[::1]x:5060',
    'udp://host:',
    'udp://host:65536',
    'udp://host:-1',
    'udp://host:5060.5',
    'udp://host:0x10',
    'udp://host: 60',
    'udp://host:1e3',
    'udp://ho st:5060',
    'udp://user@host:5060',
    'udp://host/path',
    'udp://-host',
    'udp://host.:5060',
    ' udp://host',
    `udp://${'a'.repeat(254)}`,
  ]) {
    test(`${JSON.stringify(text.slice(0, 40))} is none`, () => {
      expect(parseListen(text)).toBeUndefined();
    });
  }

  test('whatever is given, what comes out is an address and a port, and nothing is thrown', () => {
    const part = fc.oneof(
      fc.constantFrom(
        'udp://',
        'tcp://',
        'tls://',
        '[',
        ']',
        ':',
        '.',
        '::1',
        '127.0.0.1',
        '5060',
        '65536',
        'host',
        '-',
        '%',
      ),
      fc.string({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const point = parseListen(parts.join(''));
        if (point === undefined) return;
        expect(['udp', 'tcp', 'tls']).toContain(point.protocol);
        expect(point.port).toBeGreaterThanOrEqual(0);
        expect(point.port).toBeLessThanOrEqual(65_535);
        expect(Number.isInteger(point.port)).toBe(true);
        expect(point.host).toMatch(/^[\w.:-]+$/);
        if (point.host.includes(':')) expect(ipVersion(point.host)).toBe(6);
      }),
      { numRuns: 3000, seed: 11 },
    );
  });

  test('every address and port that is written is read back', () => {
    const host = fc.oneof(
      fc.ipV4().map((address) => [address, address] as const),
      fc.ipV6().map((address) => [`[${address}]`, address] as const),
      fc.domain().map((name) => [name, name] as const),
    );
    fc.assert(
      fc.property(fc.constantFrom('udp', 'tcp'), host, fc.nat(65_535), (protocol, [written, bare], port) => {
        expect(parseListen(`${protocol}://${written}:${port}`)).toEqual({ protocol, host: bare, port });
      }),
      { numRuns: 500, seed: 12 },
    );
  });

  test('the example for messages shows addresses that can be read', () => {
    const shown = [...LISTEN_EXAMPLE.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(shown.length).toBeGreaterThan(1);
    for (const each of shown) expect(parseListen(each)).toBeDefined();
  });
});
