import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressSet } from '../../src/base/address-set.js';

describe('a set of addresses', () => {
  test('single addresses and networks of both families', () => {
    const set = new AddressSet(['192.0.2.7', '10.0.0.0/8', '2001:DB8::/33', '::1']);
    expect(set.size).toBe(4);
    for (const inside of ['192.0.2.7', '10.255.0.1', '2001:db8:7fff::9', '::1', '[::1]', '::ffff:10.1.2.3']) {
      expect([inside, set.has(inside)]).toEqual([inside, true]);
    }
    for (const outside of ['192.0.2.8', '11.0.0.1', '2001:db8:8000::', '::2', 'localhost', '', '10.1.2']) {
      expect([outside, set.has(outside)]).toEqual([outside, false]);
    }
  });

  test('/0 is the whole family, and only that one', () => {
    expect(new AddressSet(['0.0.0.0/0']).has('255.1.2.3')).toBe(true);
    expect(new AddressSet(['0.0.0.0/0']).has('::1')).toBe(false);
    expect(new AddressSet([]).has('127.0.0.1')).toBe(false);
  });

  test('what is neither is told with what was found', () => {
    for (const text of ['phone.example', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0/8', '::1/129', '']) {
      expect(() => new AddressSet([text])).toThrow(`found "${text}", expected an IP address or a network`);
    }
  });

  test('the same networks hold the same addresses as for Node.js', () => {
    const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((four) => four.join('.'));
    fc.assert(
      fc.property(octets, fc.nat(32), octets, (network, bits, address) => {
        const list = new BlockList();
        list.addSubnet(network, bits, isIP(network) === 4 ? 'ipv4' : 'ipv6');
        expect(new AddressSet([`${network}/${bits}`]).has(address)).toBe(list.check(address));
      }),
    );
  });
});
