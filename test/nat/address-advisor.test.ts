import { describe, expect, it } from 'vitest';
import { NatAddressAdvisor } from '../../src/nat/address-advisor.js';
import { StaticExternalAddress } from '../../src/nat/external-address.js';
import { LocalNetworks } from '../../src/nat/local-networks.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

const OWN = ['10.0.0.2', '198.18.5.2', '127.0.0.1', '::1', '2001:db8:1:2::2'];

function locals(networks?: readonly string[], own: readonly string[] = OWN): LocalNetworks {
  return new LocalNetworks({
    network: { localAddresses: () => own },
    clock: new ManualClock(),
    ...(networks === undefined ? {} : { networks }),
  });
}

function told(remote: string, local = '10.0.0.2', networks?: readonly string[]): string {
  const advisor = new NatAddressAdvisor({
    external: new StaticExternalAddress('203.0.113.7'),
    locals: locals(networks),
  });
  const answers = (['signalling', 'media'] as const).map((purpose) =>
    advisor.advertise({
      purpose,
      protocol: 'udp',
      local: { address: local, port: 5060 },
      remote: { address: remote, port: 40_000 },
    }),
  );
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]?.port).toBe(5060);
  return answers[0]?.address ?? '';
}

describe('which address is told to whom', () => {
  it.each([
    '10.200.3.4',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.3.3',
    '::ffff:10.1.1.1',
    '198.18.5.77',
  ])('%s is inside and is told the address of the socket', (remote) => {
    expect(told(remote)).toBe('10.0.0.2');
  });

  it.each(['8.8.8.8', '172.32.0.1', '172.15.0.1', '192.169.0.1', '100.128.0.1', '198.18.6.1', '11.0.0.1'])(
    '%s is outside and is told the external one',
    (remote) => {
      expect(told(remote)).toBe('203.0.113.7');
    },
  );

  it('an IPv6 socket keeps its address where only an IPv4 one is known outside', () => {
    expect(told('2001:db8:ffff::1', '2001:db8:1:2::2')).toBe('2001:db8:1:2::2');
  });

  it('a peer whose address is not known is outside, whatever networks are ours', () => {
    expect(told('0.0.0.0')).toBe('203.0.113.7');
    expect(told('0.0.0.0', undefined, ['0.0.0.0/8'])).toBe('203.0.113.7');
    const advisor = new NatAddressAdvisor({ external: new StaticExternalAddress('2001:db8::7'), locals: locals() });
    const local = { address: 'fd00::2', port: 20_000 };
    const external = { address: '2001:db8::7', port: 20_000 };
    // `::1` is one of our interfaces, and `::` in its network.
    expect(locals().has('::')).toBe(true);
    expect(advisor.advertise({ purpose: 'media', protocol: 'udp', local, remote: { address: '::', port: 0 } })).toEqual(
      external,
    );
    expect(
      advisor.advertise({ purpose: 'media', protocol: 'udp', local, remote: { address: '::1', port: 0 } }),
    ).toEqual(local);
  });

  it('networks that are named take the place of the private ones; loopback and the own interfaces stay inside', () => {
    const named = ['192.168.0.0/16', '198.51.100.9'];
    expect(told('192.168.1.1', undefined, named)).toBe('10.0.0.2');
    expect(told('198.51.100.9', undefined, named)).toBe('10.0.0.2');
    expect(told('172.16.0.1', undefined, named)).toBe('203.0.113.7');
    expect(told('10.9.9.9', undefined, named)).toBe('203.0.113.7');
    expect(told('10.0.0.77', undefined, named)).toBe('10.0.0.2');
    expect(told('127.0.0.1', undefined, named)).toBe('10.0.0.2');
  });
});

describe('local networks', () => {
  it.each(['fd00::1', 'fc01:2::3', 'fe80::1', '::1', '2001:db8:1:2:ffff::9'])('%s is inside', (address) => {
    expect(locals().has(address)).toBe(true);
  });

  it.each(['2001:db8:1:3::1', '2a00::1', 'fb00::1', 'office.example', ''])('"%s" is outside', (address) => {
    expect(locals().has(address)).toBe(false);
  });

  it('interfaces that come later are noticed within a minute', () => {
    const own = ['10.0.0.2'];
    const clock = new ManualClock();
    const networks = new LocalNetworks({ network: { localAddresses: () => own }, clock, networks: [] });
    expect(networks.has('198.18.5.77')).toBe(false);
    own.push('198.18.5.2');
    expect(networks.has('198.18.5.77')).toBe(false);
    clock.advanceSync(60_000);
    expect(networks.has('198.18.5.77')).toBe(true);
  });

  it('ten thousand strangers are not remembered for ever, and each is judged rightly', () => {
    const networks = locals();
    for (let i = 0; i < 10_000; i++) {
      const outside = `8.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
      expect(networks.has(outside)).toBe(false);
      if (i % 100 === 0) expect(networks.has(`10.0.${(i >> 8) & 255}.${i & 255}`)).toBe(true);
    }
  });
});

describe('a static external address', () => {
  it('is known by every spelling', () => {
    const external = new StaticExternalAddress('2001:0DB8:0::7');
    expect(external.has('[2001:db8::7]')).toBe(true);
    expect(external.has('2001:db8::8')).toBe(false);
  });
});
