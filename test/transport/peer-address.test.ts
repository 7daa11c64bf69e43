import { describe, expect, it } from 'vitest';
import { isLoopback } from '../../src/net/facing-address.js';
import { isUnicast, pickLocal } from '../../src/transport/peer-address.js';

describe('isUnicast', () => {
  it.each(['192.0.2.1', '127.0.0.1', '2001:db8::1', '::1', 'fe80::1'])('%s is', (address) => {
    expect(isUnicast(address)).toBe(true);
  });
  it.each(['0.0.0.0', '224.0.1.75', '239.255.255.255', '255.255.255.255', '::', 'ff02::1', 'host.example', ''])(
    '"%s" is not',
    (address) => {
      expect(isUnicast(address)).toBe(false);
    },
  );
});

describe('pickLocal', () => {
  const sockets = ['127.0.0.1', '192.168.1.5', '172.17.0.1', '10.0.0.4', '::1', '2001:db8:1::5', '2001:db8:2::5'].map(
    (address) => ({ local: { address, port: 5060 } }),
  );
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.9.9.9', '127.0.0.1'],
    ['192.168.1.77', '192.168.1.5'],
    ['172.17.0.3', '172.17.0.1'],
    ['10.0.0.99', '10.0.0.4'],
    ['203.0.113.1', '192.168.1.5'], // off the machine's networks: the first that is no loopback
    ['::1', '::1'],
    ['2001:db8:2::77', '2001:db8:2::5'],
    ['2a00::1', '2001:db8:1::5'],
  ])('%s is reached from %s', (target, expected) => {
    expect(pickLocal(sockets, target)?.local.address).toBe(expected);
  });

  it('another family is never picked, nor anything for a text that is no address', () => {
    expect(pickLocal(sockets.slice(0, 4), '2001:db8::1')).toBeUndefined();
    expect(pickLocal(sockets, 'host.example')).toBeUndefined();
  });

  it.each([
    ['10.0.0.200', '10.0.0.200'], // 10.0.0.10/25 and 10.0.0.200/25: both in the first 24 bits
    ['2001:DB8::0200', '2001:db8::200'],
    ['10.0.0.77', '10.0.0.10'], // none of ours: one in its network
  ])('the very address that the routes lead from, %s, goes before others in its network', (source, expected) => {
    const near = ['10.0.0.10', '10.0.0.200', '2001:db8::10', '2001:db8::200'].map((address) => ({
      local: { address, port: 5060 },
    }));
    const target = source.includes(':') ? '2001:db8::130' : '10.0.0.130';
    expect(pickLocal(near, target, () => source)?.local.address).toBe(expected);
  });

  it('a loopback socket is better than none', () => {
    expect(pickLocal(sockets.slice(0, 1), '203.0.113.1')?.local.address).toBe('127.0.0.1');
  });

  it('knows loopback', () => {
    expect([isLoopback('127.1.2.3'), isLoopback('::1'), isLoopback('0:0::1')]).toEqual([true, true, true]);
    expect([isLoopback('128.0.0.1'), isLoopback('127.example'), isLoopback('::2')]).toEqual([false, false, false]);
  });
});
