import { expect, test } from 'vitest';
import { localAddressAdvisor } from '../../src/base/address-advisor.js';
import { silentLogger } from '../../src/base/logger.js';

test('without NAT every peer is told the socket itself', () => {
  const local = { address: '192.0.2.1', port: 5060 };
  const remote = { address: '198.51.100.1', port: 5060 };
  expect(localAddressAdvisor.advertise({ purpose: 'signalling', protocol: 'udp', local, remote })).toEqual(local);
});

test('the silent logger takes everything and its children are silent too', () => {
  const child = silentLogger.child({ area: 'test' });
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) {
    expect(child[level]({ a: 1 }, 'text')).toBeUndefined();
  }
});
