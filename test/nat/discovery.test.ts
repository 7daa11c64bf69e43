import { describe, expect } from 'vitest';
import type { AddressQuestion } from '../../src/base/address-advisor.js';
import type { SocketAddress } from '../../src/base/ip.js';
import { StunDiscovery, type StunDiscoveryOptions } from '../../src/nat/discovery.js';
import type { NatEvents } from '../../src/nat/events.js';
import { parseStunServer } from '../../src/nat/stun-address.js';
import { StunNetwork } from '../../src/nat/stun-network.js';
import type { UdpSocket } from '../../src/net/network.js';
import type { Machine } from '../../src/testing/machine.js';
import type { Nat, NatKind } from '../../src/testing/nat.js';
import type { World } from '../../src/testing/world.js';
import { message } from '../protocol/stun/support.js';
import { scenario } from '../support/scenario.js';
import { ear, stunServer } from './support.js';

const LOCAL = { address: '10.0.0.2', port: 5060 };

interface Bench {
  readonly discovery: StunDiscovery;
  readonly changes: NatEvents['nat.changed'][];
  readonly socket: UdpSocket;
  /** What came to the socket and was no answer of a STUN server. */
  readonly passed: Uint8Array[];
  told(
    purpose?: 'signalling' | 'media',
    local?: SocketAddress,
    protocol?: AddressQuestion['protocol'],
  ): SocketAddress | undefined;
}

/** A socket at 10.0.0.2:5060 that asks `servers`. */
async function bench(
  world: World,
  machine: Machine,
  servers: readonly string[],
  options: Partial<StunDiscoveryOptions> = {},
): Promise<Bench> {
  const network = new StunNetwork(machine.ports.network);
  const passed: Uint8Array[] = [];
  const socket = await network.openUdp({ local: LOCAL, onMessage: (data) => passed.push(data), onError: () => {} });
  world.use(socket);
  const discovery = new StunDiscovery({
    ...machine.ports,
    servers: servers.map(parseStunServer).filter((server) => server !== undefined),
    ports: () => network.ports,
    names: machine.ports.network,
    ...options,
  });
  const changes: NatEvents['nat.changed'][] = [];
  discovery.events.on('nat.changed', (change) => changes.push(change));
  world.use(discovery);
  const told = (
    purpose: 'signalling' | 'media' = 'signalling',
    local: SocketAddress = LOCAL,
    protocol: AddressQuestion['protocol'] = 'udp',
  ): SocketAddress | undefined =>
    discovery.externalFor({ purpose, protocol, local, remote: { address: '8.8.8.8', port: 5060 } });
  return { discovery, changes, socket, passed, told };
}

function behind(world: World, kind: NatKind, publicAddress = '203.0.113.1'): { nat: Nat; machine: Machine } {
  const nat = world.nat({ publicAddress, kind });
  return { nat, machine: world.host('pbx machine', '10.0.0.2', { behind: nat }) };
}

const texts = (world: World, level: 'warn' | 'info'): string[] =>
  world.log
    .lines(level)
    .filter((line) => line.level === level)
    .map((line) => line.text);

describe('discovery by STUN', () => {
  scenario(
    'the very socket asks, and is told where it is seen; other ports get that address',
    { seed: 1, delayMs: 5 },
    async (world) => {
      const { nat, machine } = behind(world, 'full-cone');
      await stunServer(world, world.host('stun', '198.51.100.7'));
      const { discovery, changes, told } = await bench(world, machine, ['198.51.100.7:3478']);
      expect(told()).toBeUndefined();
      await world.run(() => discovery.start());
      const [mapping] = nat.mappings(world.clock.now());
      const external = { address: '203.0.113.1', port: mapping?.publicPort ?? 0 };
      expect(mapping?.inner).toEqual(LOCAL);
      expect(told()).toEqual(external);
      expect(told('media', { address: '10.0.0.2', port: 30_000 })).toEqual({ address: '203.0.113.1', port: 30_000 });
      for (const protocol of ['tcp', 'tls'] as const) {
        // The NAT has mapped the UDP port; the TCP port of that number is one that the router passes on as it is.
        expect(told('signalling', LOCAL, protocol)).toEqual({ address: '203.0.113.1', port: LOCAL.port });
      }
      expect(told('signalling', { address: '10.0.0.2', port: 5061 })).toEqual({ address: '203.0.113.1', port: 5061 });
      expect(told('signalling', { address: '2001:db8::2', port: 5060 })).toBeUndefined();
      expect(changes).toEqual([{ local: LOCAL, external, mapping: 'unknown' }]);
      expect(discovery.has('203.0.113.1')).toBe(true);
      expect(discovery.has('10.0.0.2')).toBe(false);
    },
  );

  scenario(
    'it asks again every 24 to 29 seconds, which keeps the mapping of the NAT open',
    { seed: 2, delayMs: 5 },
    async (world) => {
      const { nat, machine } = behind(world, 'full-cone');
      await stunServer(world, world.host('stun', '198.51.100.7'));
      const { discovery, changes } = await bench(world, machine, ['198.51.100.7']);
      await world.run(() => discovery.start());
      for (let second = 0; second < 600; second++) {
        await world.advance({ seconds: 1 });
        expect(nat.mappings(world.clock.now())).toHaveLength(1);
      }
      expect(changes).toHaveLength(1);
      const asked = world.trace.entries.filter(({ to }) => to.address === '198.51.100.7').map(({ sentAt }) => sentAt);
      const waits = asked.slice(1).map((at, i) => at - (asked[i] ?? 0));
      expect(Math.min(...waits)).toBeGreaterThan(24_000);
      expect(Math.max(...waits)).toBeLessThan(29_100);
      expect(new Set(waits.map(Math.round)).size).toBeGreaterThan(10);
    },
  );

  scenario(
    'a server that is gone: the next one is asked, and the last address is kept; told once',
    { seed: 3, delayMs: 5 },
    async (world) => {
      const { machine } = behind(world, 'full-cone');
      const one = world.host('one', '198.51.100.7');
      const two = world.host('two', '198.51.100.8');
      await stunServer(world, one);
      await stunServer(world, two);
      const { discovery, changes, told } = await bench(world, machine, ['198.51.100.7', '198.51.100.8']);
      await world.run(() => discovery.start());
      const before = told();
      expect(changes.map(({ mapping, previous }) => [mapping, previous])).toEqual([['unknown', undefined]]);
      expect(discovery.addresses).toMatchObject([
        { mapping: 'endpoint-independent', server: { address: '198.51.100.7' } },
      ]);
      const apart = world.network.isolate(one.host);
      await world.advance({ seconds: 60 });
      expect(discovery.addresses).toMatchObject([{ server: { address: '198.51.100.8' }, fresh: true }]);
      expect(texts(world, 'warn')).toEqual([]);
      const both = world.network.isolate(two.host);
      await world.advance({ minutes: 10 });
      expect(told()).toEqual(before);
      expect(discovery.addresses).toMatchObject([{ fresh: false }]);
      expect(texts(world, 'warn')).toEqual([
        `no STUN server answers 10.0.0.2:5060: peers outside are told ${before?.address}:${before?.port} as before`,
      ]);
      apart();
      both();
      await world.advance({ minutes: 2 });
      expect(discovery.addresses).toMatchObject([{ fresh: true }]);
      expect(texts(world, 'info')).toContain('a STUN server answers 10.0.0.2:5060 again');
      expect(texts(world, 'warn')).toHaveLength(1);
    },
  );

  scenario('the address changes: it is told, with the one before', { seed: 4, delayMs: 5 }, async (world) => {
    const { nat, machine } = behind(world, 'full-cone');
    await stunServer(world, world.host('stun', '198.51.100.7'));
    const { discovery, changes, told } = await bench(world, machine, ['198.51.100.7']);
    await world.run(() => discovery.start());
    const before = told();
    world.network.readdress(nat, '203.0.113.99');
    await world.advance({ seconds: 30 });
    expect(told()?.address).toBe('203.0.113.99');
    expect(changes).toHaveLength(2);
    expect(changes[1]).toEqual({ local: LOCAL, external: told(), previous: before, mapping: 'unknown' });
    // A new port alone is news too.
    nat.rebind();
    await world.advance({ seconds: 30 });
    expect(changes).toHaveLength(3);
  });

  scenario(
    'a symmetric NAT (RFC 4787 §4.1): the port that a server saw is nobody’s, and it is said',
    { seed: 5, delayMs: 5 },
    async (world) => {
      const { machine } = behind(world, 'symmetric');
      await stunServer(world, world.host('one', '198.51.100.7'));
      await stunServer(world, world.host('two', '198.51.100.8'));
      const { discovery, changes, told } = await bench(world, machine, ['198.51.100.7', '198.51.100.8']);
      await world.run(() => discovery.start());
      expect(told()).toEqual({ address: '203.0.113.1', port: 5060 });
      expect(discovery.addresses).toMatchObject([{ mapping: 'endpoint-dependent' }]);
      expect(changes.map(({ external }) => external.port === 5060)).toEqual([false, true]);
      expect(texts(world, 'warn').join()).toContain('10.0.0.2:5060 to every peer under another port');
      await world.advance({ minutes: 10 });
      expect(changes).toHaveLength(2);
      expect(texts(world, 'warn')).toHaveLength(1);
    },
  );

  scenario('no NAT: what is told is what the socket has', { seed: 6, delayMs: 5 }, async (world) => {
    await stunServer(world, world.host('stun', '198.51.100.7'));
    const { discovery, told } = await bench(world, world.host('open', '10.0.0.2'), ['198.51.100.7']);
    await world.run(() => discovery.start());
    expect(told()).toEqual(LOCAL);
    expect(discovery.addresses).toMatchObject([{ mapping: 'none' }]);
  });

  scenario(
    'names: SRV records where there are some (RFC 8489 §8.1), else the address and port 3478; a name service that fails keeps what was known',
    { seed: 7, delayMs: 5 },
    async (world) => {
      const { machine } = behind(world, 'full-cone');
      await stunServer(world, world.host('low', '198.51.100.7'), { listen: ['udp://0.0.0.0:4001'] });
      await stunServer(world, world.host('high', '198.51.100.8'), { listen: ['udp://0.0.0.0:4002'] });
      const plain = await stunServer(world, world.host('plain', '198.51.100.9'));
      const { dns } = world.network;
      dns.setSrv('_stun._udp.example.net', [
        { priority: 2, port: 4002, target: 'high.example.net' },
        { priority: 1, port: 4001, target: 'low.example.net' },
      ]);
      dns.set('low.example.net', ['198.51.100.7']);
      dns.set('high.example.net', ['198.51.100.8', '2001:db8::8']);
      dns.set('stun.example.org', ['198.51.100.9']);
      const { discovery } = await bench(world, machine, ['example.net', 'stun.example.org']);
      await world.run(() => discovery.start());
      expect(discovery.addresses).toMatchObject([
        { server: { address: '198.51.100.7', port: 4001 }, mapping: 'endpoint-independent' },
      ]);
      for (const name of [
        '_stun._udp.example.net',
        'example.net',
        'low.example.net',
        'stun.example.org',
        '_stun._udp.stun.example.org',
      ])
        dns.fail(name);
      world.network.isolate(world.network.find('low') ?? machine.host);
      world.network.isolate(world.network.find('high') ?? machine.host);
      await world.advance({ minutes: 30 });
      expect(discovery.addresses).toMatchObject([{ server: { address: '198.51.100.9', port: 3478 }, fresh: true }]);
      expect(plain.stats().answered).toBeGreaterThan(0);
    },
  );

  scenario(
    'names that lead nowhere: peers are told the address of the socket, and it is said once',
    { seed: 8, delayMs: 5 },
    async (world) => {
      const { machine } = behind(world, 'full-cone');
      const { discovery, told } = await bench(world, machine, ['stun.nowhere.example']);
      await world.run(() => discovery.start());
      await world.advance({ minutes: 5 });
      expect(told()).toBeUndefined();
      expect(texts(world, 'warn')).toEqual([
        'none of the STUN servers has an IPv4 address 10.0.0.2:5060: peers outside are told this address',
      ]);
    },
  );

  scenario(
    'starting takes five seconds at most, and closing leaves nothing, at any moment',
    { seed: 9, delayMs: 5 },
    async (world) => {
      const { machine } = behind(world, 'full-cone');
      const { discovery } = await bench(world, machine, ['198.51.100.66']);
      await world.run(() => discovery.start());
      expect(world.clock.now()).toBe(5000);
      discovery.close();
      expect(machine.pendingTimers).toBe(0);
      for (const wait of [0, 3, 700, 4999, 9000, 40_000]) {
        const again = new StunDiscovery({
          ...machine.ports,
          servers: [{ host: 'stun.nowhere.example' }, { host: '198.51.100.66' }],
          ports: () => [],
          names: machine.ports.network,
        });
        void again.start();
        await world.advance({ ms: wait });
        again.close();
        await world.advance({ ms: 5 });
        expect(machine.pendingTimers).toBe(0);
      }
    },
  );
});

describe('strangers', () => {
  scenario(
    'who forges answers, errors and junk changes nothing, and what is not ours is passed on',
    { seed: 10, delayMs: 50 },
    async (world) => {
      const nat = world.nat({ publicAddress: '203.0.113.1', kind: 'full-cone' });
      const machine = world.host('pbx machine', '10.0.0.2', { behind: nat });
      await stunServer(world, world.host('stun', '198.51.100.7'));
      const stranger = await ear(world, world.host('stranger', '198.51.100.66'));
      const { discovery, passed, told } = await bench(world, machine, ['198.51.100.7']);
      const started = world.run(() => discovery.start());
      await started;
      const external = told();
      if (external === undefined) throw new Error('nothing known');
      const junk = [
        message(0x0101, [0x0020, '0001a147e112a643']),
        message(0x0111, [0x0009, '000004144e6f']),
        message(0x0001),
        Buffer.from('OPTIONS sip:x SIP/2.0\r\n\r\n'),
        Buffer.from([1, 1]),
        Buffer.alloc(0),
      ];
      // All through the next question, which is on its way for a tenth of a second.
      for (let ms = 0; ms < 30_000; ms += 50) {
        for (const data of junk) stranger.send(data, external);
        await world.advance({ ms: 50 });
      }
      expect(told()).toEqual(external);
      expect(discovery.addresses).toMatchObject([{ fresh: true, server: { address: '198.51.100.7' } }]);
      expect(passed).toHaveLength(600 * junk.length);
      expect(texts(world, 'warn')).toEqual([]);
    },
  );

  scenario(
    'half the packets lost: retransmissions find the address all the same',
    { seed: 11, loss: 0.5, delayMs: [5, 40] },
    async (world) => {
      const { machine } = behind(world, 'full-cone');
      await stunServer(world, world.host('one', '198.51.100.7'));
      await stunServer(world, world.host('two', '198.51.100.8'));
      const { discovery, told } = await bench(world, machine, ['198.51.100.7', '198.51.100.8']);
      await world.run(() => discovery.start());
      await world.advance({ seconds: 60 });
      expect(told()?.address).toBe('203.0.113.1');
    },
  );

  scenario(
    'a server that says what cannot be is not believed: loopback, multicast, another family, nothing',
    { seed: 12, delayMs: 5 },
    async (world) => {
      const { machine } = behind(world, 'full-cone');
      const liar = world.host('liar', '198.51.100.7');
      const lies: Parameters<typeof message>[] = [
        [0x0101, [0x0001, '000113c47f000001']],
        [0x0101, [0x0001, '000113c4e0000001']],
        [0x0101, [0x0001, '000113c400000000']],
        [0x0101, [0x0001, `000213c4${'20'.repeat(16)}`]],
        [0x0101],
        [0x0111, [0x0009, '000005004f6f7073']],
      ];
      let asked = 0;
      const socket = await liar.ports.network.openUdp({
        local: { address: '198.51.100.7', port: 3478 },
        onMessage: (data, from) => {
          const answer = message(...(lies[asked++ % lies.length] ?? [0x0101]));
          answer.set(data.subarray(4, 20), 4);
          socket.send(answer, from);
        },
        onError: () => {},
      });
      world.use(socket);
      const { discovery, told } = await bench(world, machine, ['198.51.100.7']);
      await world.run(() => discovery.start());
      await world.advance({ minutes: 5 });
      expect(asked).toBeGreaterThan(lies.length);
      expect(told()).toBeUndefined();
      expect(texts(world, 'warn')).toHaveLength(1);
    },
  );
});
