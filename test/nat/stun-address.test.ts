import { describe, expect, it } from 'vitest';
import { formatEndpoint, parseStunListen, parseStunServer } from '../../src/nat/stun-address.js';

describe('addresses of STUN servers', () => {
  it.each([
    ['stun.example.net', { host: 'stun.example.net' }],
    ['stun.example.net:3478', { host: 'stun.example.net', port: 3478 }],
    ['192.0.2.7', { host: '192.0.2.7' }],
    ['192.0.2.7:3479', { host: '192.0.2.7', port: 3479 }],
    ['[2001:db8::7]', { host: '2001:db8::7' }],
    ['[2001:db8::7]:3478', { host: '2001:db8::7', port: 3478 }],
    ['stun:stun.example.net:3478', { host: 'stun.example.net', port: 3478 }],
    ['STUN:[2001:db8::7]', { host: '2001:db8::7' }],
  ])('%s (RFC 7064)', (text, expected) => {
    expect(parseStunServer(text)).toEqual(expected);
    expect(parseStunServer(formatEndpoint(expected))).toEqual(expected);
  });

  it.each([
    [''],
    ['stun:'],
    ['stuns:stun.example.net'],
    ['udp://stun.example.net'],
    ['1.2.3'],
    ['stun.example.net:'],
    ['stun.example.net:0'],
    ['stun.example.net:65536'],
    ['stun.example.net:3478?transport=udp'],
    ['2001:db8::7'],
    ['[192.0.2.7]:3478'],
    ['[2001:db8::7'],
    ['-stun.example.net'],
    [`${'a'.repeat(300)}.example`],
  ])('%s is none', (text) => {
    expect(parseStunServer(text)).toBeUndefined();
  });
});

describe('where a STUN server listens', () => {
  it.each([
    ['udp://0.0.0.0:3478', { host: '0.0.0.0', port: 3478 }],
    ['udp://[::]:3478', { host: '::', port: 3478 }],
    ['udp://192.0.2.7', { host: '192.0.2.7' }],
    ['udp://127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
  ])('%s', (text, expected) => {
    expect(parseStunListen(text)).toEqual(expected);
  });

  it.each([['0.0.0.0:3478'], ['tcp://0.0.0.0:3478'], ['udp://office.example:3478'], ['udp://'], ['udp://0.0.0.0:x']])(
    '%s is none',
    (text) => {
      expect(parseStunListen(text)).toBeUndefined();
    },
  );
});
