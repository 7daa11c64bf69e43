/** Who can hear whom without help: the decision behind the media path `auto`. */
import { describe, expect, test } from 'vitest';
import { AddressSet } from '../../src/base/address-set.js';
import type { MediaMode } from '../../src/base/media-mode.js';
import { decideMediaPath, type MediaSide } from '../../src/call/media-path.js';
import { sideOfTarget } from '../../src/call/media-side.js';
import { type SipUri, sipUri } from '../../src/protocol/sip/uri.js';
import type { Target, TargetPolicy } from '../../src/ua/target.js';

const NO_NETWORKS = new AddressSet([]);

function side(name: string, facts: Omit<MediaSide, 'name' | 'mode'>, mode: MediaMode = 'auto'): MediaSide {
  return { name, mode, ...facts };
}

const LAN = side('100', { address: '10.0.0.5', said: '10.0.0.5' });
const LAN_TOO = side('101', { address: '10.0.0.6', said: '10.0.0.6' });
const OPEN = side('carrier', { address: '198.51.100.1', said: '198.51.100.1' });
const NAMED = side('city', { named: true });
const NATTED = side('102', { address: '203.0.113.7', said: '192.168.1.5' });

describe('auto', () => {
  const cases: readonly (readonly [string, MediaSide, MediaSide, 'direct' | 'relay'])[] = [
    ['two phones of one network', LAN, LAN_TOO, 'direct'],
    ['two peers with public addresses', OPEN, side('x', { address: '192.0.2.9', said: '192.0.2.10' }), 'direct'],
    ['behind a NAT, and a public peer', NATTED, OPEN, 'relay'],
    ['behind a NAT, and in the server’s network', NATTED, LAN, 'relay'],
    ['in the server’s network, and a public peer', LAN, OPEN, 'relay'],
    ['behind one NAT', NATTED, side('103', { address: '203.0.113.7', said: '192.168.1.6' }), 'direct'],
    ['behind two NATs', NATTED, side('103', { address: '203.0.113.8', said: '192.168.1.6' }), 'relay'],
    ['a NAT cured by STUN', side('102', { address: '203.0.113.7', said: '203.0.113.7' }), OPEN, 'direct'],
    [
      'a media server beside the one that signals',
      side('c', { address: '198.51.100.1', said: '198.51.100.77' }),
      OPEN,
      'direct',
    ],
    ['a NAT inside a private network', side('102', { address: '10.0.0.9', said: '192.168.1.5' }), LAN, 'relay'],
    [
      'registered through a NAT, and silent yet',
      side('102', { address: '203.0.113.7', behindNat: true }),
      OPEN,
      'relay',
    ],
    ['public, and silent yet', side('102', { address: '203.0.113.7' }), OPEN, 'direct'],
    ['a phone of which nothing is known, and silent yet', side('102', {}), NATTED, 'direct'],
    ['a carrier called by a name, and in the server’s network', NAMED, LAN, 'relay'],
    ['a carrier called by a name, and behind a NAT', NAMED, NATTED, 'relay'],
    ['a carrier called by a name, and a public peer', NAMED, OPEN, 'direct'],
    [
      'a carrier called by a name that proved to be in the server’s network',
      { ...NAMED, address: '10.0.0.9' },
      LAN,
      'direct',
    ],
    ['a name as media address', side('102', { address: '203.0.113.7', said: 'media.example' }), OPEN, 'direct'],
    ['held by 0.0.0.0: what was seen counts', side('100', { address: '10.0.0.5', said: '0.0.0.0' }), LAN_TOO, 'direct'],
    ['carrier-grade NAT (RFC 6598)', side('102', { address: '203.0.113.7', said: '100.64.3.4' }), OPEN, 'relay'],
    [
      'IPv6, both global',
      side('a', { address: '2001:db8::1', said: '2001:db8::1' }),
      side('b', { address: '2001:db8::2', said: '2001:db8::2' }),
      'direct',
    ],
    [
      'IPv6, one unique-local',
      side('a', { address: 'fd00::1', said: 'fd00::1' }),
      side('b', { address: '2001:db8::2', said: '2001:db8::2' }),
      'relay',
    ],
  ];
  test.each(cases)('%s', (_name, a, b, path) => {
    expect(decideMediaPath(a, b, NO_NETWORKS)?.path).toBe(path);
    expect(decideMediaPath(b, a, NO_NETWORKS)?.path).toBe(path);
  });

  test('an address of a local network is believed, wherever the signalling comes from', () => {
    const behindProxy = side('102', { address: '10.9.9.9', said: '192.168.1.5' });
    expect(decideMediaPath(behindProxy, LAN, NO_NETWORKS)?.path).toBe('relay');
    expect(decideMediaPath(behindProxy, LAN, new AddressSet(['192.168.0.0/16']))?.path).toBe('direct');
  });

  test('the reason says what was seen of both', () => {
    expect(decideMediaPath(NATTED, OPEN, NO_NETWORKS)?.reason).toBe(
      '102 is behind a NAT (192.168.1.5 seen as 203.0.113.7), carrier can be reached at 198.51.100.1',
    );
  });
});

describe('auto: IPv4 alone and IPv6 alone cannot send to each other', () => {
  const SIX = side('a', { address: '2001:db8::1', said: '2001:db8::1' });
  const LOCAL_SIX = side('b', { address: 'fd00::1', said: 'fd00::1' });
  const cases: readonly (readonly [string, MediaSide, MediaSide, 'direct' | 'relay'])[] = [
    ['both public', OPEN, SIX, 'relay'],
    ['both in the server’s network', LAN, LOCAL_SIX, 'relay'],
    [
      'both public, and silent yet',
      side('a', { address: '2001:db8::1' }),
      side('b', { address: '192.0.2.9' }),
      'relay',
    ],
    ['what is said counts: IPv6 signalling, IPv4 media', { ...SIX, said: '192.0.2.10' }, OPEN, 'direct'],
    ['what is said counts: IPv4 signalling, IPv6 media', { ...OPEN, said: '2001:db8::9' }, OPEN, 'relay'],
    ['held by 0.0.0.0: what was seen counts', { ...SIX, said: '0.0.0.0' }, SIX, 'direct'],
    ['an IPv4-mapped address is IPv4', side('a', { address: '::ffff:192.0.2.9' }), OPEN, 'direct'],
    ['a name may have addresses of both', side('a', { address: '192.0.2.9', said: 'media.example' }), SIX, 'direct'],
  ];
  test.each(cases)('%s', (_name, a, b, path) => {
    expect(decideMediaPath(a, b, NO_NETWORKS)?.path).toBe(path);
    expect(decideMediaPath(b, a, NO_NETWORKS)?.path).toBe(path);
  });

  test('the reason says so', () => {
    expect(decideMediaPath(OPEN, SIX, NO_NETWORKS)?.reason).toBe(
      'carrier can be reached at 198.51.100.1, a can be reached at 2001:db8::1: IPv4 and IPv6 do not meet',
    );
  });
});

describe('what is known of somebody who is called', () => {
  const called = (host: string, policy: TargetPolicy, target: Partial<Target> = {}): MediaSide =>
    sideOfTarget({ uri: sipUri({ user: '5551', host }), policy, ...target }, '5551', 'auto');
  const trunk: TargetPolicy = { peer: 'trunk', name: 'city' };
  const hop = (host: string): SipUri => sipUri({ host });

  test('a line or trunk by host name is called by a name, wherever the name stands', () => {
    const named = { name: 'city', mode: 'auto', named: true };
    expect(called('carrier.example', trunk)).toEqual(named);
    expect(called('192.0.2.9', trunk, { nextHop: hop('sbc.carrier.example') })).toEqual(named);
    expect(called('192.0.2.9', trunk, { route: [{ uri: hop('proxy.carrier.example'), params: [] }] })).toEqual(named);
  });

  test('a line or trunk by address is known by it', () => {
    const known = { name: 'city', mode: 'auto', address: '198.51.100.9' };
    expect(called('carrier.example', trunk, { nextHop: hop('198.51.100.9') })).toEqual(known);
  });

  test('of a phone whose contact is a name nothing is known', () => {
    expect(called('phone.example', { peer: 'phone' })).toEqual({ name: '5551', mode: 'auto' });
  });

  test('the reason says that a name was called', () => {
    expect(decideMediaPath(LAN, called('carrier.example', trunk), NO_NETWORKS)?.reason).toBe(
      "100 is in the server's network (10.0.0.5), city is called by a host name",
    );
  });
});

describe('modes of two parties', () => {
  const modes = ['direct', 'relay', 'auto'] as const;
  test.each(modes.flatMap((a) => modes.map((b) => [a, b] as const)))('%s and %s', (a, b) => {
    const decision = decideMediaPath({ ...NATTED, mode: a }, { ...OPEN, mode: b }, NO_NETWORKS);
    if (a === 'direct' && b === 'direct') expect(decision).toBeUndefined();
    else expect(decision?.path).toBe('relay');
    const reachable = decideMediaPath({ ...LAN, mode: a }, { ...LAN_TOO, mode: b }, NO_NETWORKS);
    expect(reachable?.path).toBe(
      a === 'direct' && b === 'direct' ? undefined : a === 'relay' || b === 'relay' ? 'relay' : 'direct',
    );
  });
});
