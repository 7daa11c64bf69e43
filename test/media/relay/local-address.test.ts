import { expect, test } from 'vitest';
import { localAddressFor, type OwnAddresses, unspecifiedLike } from '../../../src/media/relay/local-address.js';

const OURS: OwnAddresses = ['127.0.0.1', '::1', '192.0.2.1', '10.1.2.3', '2001:db8:1::1', '2001:db8:2::1'];

test.each([
  ['203.0.113.9', '192.0.2.1', 'of its family, none of loopback, the first'],
  ['10.1.2.200', '10.1.2.3', 'in its network'],
  ['10.9.9.9', '192.0.2.1', 'in no network of ours: the first'],
  ['127.0.0.53', '127.0.0.1', 'loopback for loopback'],
  ['::1', '::1', 'loopback for loopback, IPv6'],
  ['2001:db8:2::77', '2001:db8:2::1', 'in its network, IPv6'],
  ['2001:db8:9::77', '2001:db8:1::1', 'the first of IPv6'],
  ['[2001:db8:2::77]', '2001:db8:2::1', 'brackets or not'],
  ['phone.example', '192.0.2.1', 'a name tells nothing'],
  [undefined, '192.0.2.1', 'nobody known'],
])('a peer at %s is faced with %s: %s', (peer, address, _why) => {
  expect(localAddressFor(OURS, peer)).toBe(address);
});

test('where no address is of the peer’s family, the first has to do', () => {
  expect(localAddressFor(['192.0.2.1'], '2001:db8::7')).toBe('192.0.2.1');
  expect(localAddressFor(['2001:db8::1'], '203.0.113.9')).toBe('2001:db8::1');
});

test('a peer that is not known is named by the unspecified address of our family', () => {
  expect(['192.0.2.1', '2001:db8::1', '[2001:db8::1]', '::ffff:192.0.2.1'].map(unspecifiedLike)).toEqual([
    '0.0.0.0',
    '::',
    '::',
    '0.0.0.0',
  ]);
});
