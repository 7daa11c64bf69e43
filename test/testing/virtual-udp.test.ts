import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SocketAddress } from '../../src/base/ip.js';
import type { Network, UdpSocket } from '../../src/net/network.js';
import type { LinkConditions } from '../../src/testing/link.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { VirtualNetwork } from '../../src/testing/virtual-network.js';

interface Peer {
  readonly socket: UdpSocket;
  readonly got: { readonly text: string; readonly from: SocketAddress; readonly at: number }[];
  readonly errors: Error[];
}

function setUp(conditions: LinkConditions = {}, seed = 1): { clock: ManualClock; network: VirtualNetwork } {
  const clock = new ManualClock();
  return { clock, network: new VirtualNetwork({ clock, random: new SeededRandom(seed), conditions }) };
}

async function open(clock: ManualClock, host: Network, address: string, port: number): Promise<Peer> {
  const got: Peer['got'] = [];
  const errors: Error[] = [];
  const socket = await host.openUdp({
    local: { address, port },
    onMessage: (data, from) => got.push({ text: Buffer.from(data).toString(), from, at: clock.now() }),
    onError: (error) => errors.push(error),
  });
  return { socket, got, errors };
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

describe('virtual UDP', () => {
  test('a datagram arrives after the delay, from the address that sent it', async () => {
    const { clock, network } = setUp({ delayMs: 25 });
    const a = await open(clock, network.host({ addresses: ['10.0.0.1'] }), '10.0.0.1', 5060);
    const b = await open(clock, network.host({ addresses: ['2001:db8::1', '10.0.0.2'] }), '10.0.0.2', 5062);
    a.socket.send(bytes('hello'), b.socket.local);
    await clock.advance(24.9);
    expect(b.got).toEqual([]);
    await clock.advance(0.1);
    expect(b.got).toEqual([{ text: 'hello', from: { address: '10.0.0.1', port: 5060 }, at: 25 }]);
  });

  test('the receiver owns its bytes, and the sender may reuse its own', async () => {
    const { clock, network } = setUp();
    const host = network.host({ addresses: ['10.0.0.1'] });
    let received = new Uint8Array(0);
    const socket = await host.openUdp({
      local: { address: '10.0.0.1', port: 0 },
      onMessage: (data) => {
        received = new Uint8Array(data);
        data.fill(0);
      },
      onError: () => {},
    });
    const buffer = bytes('abc');
    socket.send(buffer, socket.local);
    buffer.fill(0x7a);
    await clock.advance(1);
    expect(Buffer.from(received).toString()).toBe('abc');
    expect(Buffer.from(network.trace.entries[0]?.data ?? []).toString()).toBe('abc');
  });

  test('varying delay alone keeps the order; reorder breaks it', async () => {
    const order = async (conditions: LinkConditions): Promise<number[]> => {
      const { clock, network } = setUp(conditions);
      const a = await open(clock, network.host({ addresses: ['10.0.0.1'] }), '10.0.0.1', 1);
      const b = await open(clock, network.host({ addresses: ['10.0.0.2'] }), '10.0.0.2', 1);
      for (let i = 0; i < 200; i++) {
        a.socket.send(bytes(String(i)), b.socket.local);
        await clock.advance(5);
      }
      await clock.advance(1000);
      return b.got.map((each) => Number(each.text));
    };
    const sorted = Array.from({ length: 200 }, (_, i) => i);
    expect(await order({ delayMs: [5, 80] })).toEqual(sorted);
    const reordered = await order({ delayMs: [5, 80], reorder: 0.1 });
    expect(reordered).not.toEqual(sorted);
    expect([...reordered].sort((x, y) => x - y)).toEqual(sorted);
  });

  test('loss and duplication hold their probabilities', async () => {
    const { clock, network } = setUp({ loss: 0.2, duplicate: 0.1 });
    const a = await open(clock, network.host({ addresses: ['10.0.0.1'] }), '10.0.0.1', 1);
    const b = await open(clock, network.host({ addresses: ['10.0.0.2'] }), '10.0.0.2', 1);
    for (let i = 0; i < 2000; i++) a.socket.send(bytes(String(i)), b.socket.local);
    await clock.advance(1000);
    const distinct = new Set(b.got.map((each) => each.text)).size;
    expect(distinct).toBeGreaterThan(1500);
    expect(distinct).toBeLessThan(1700);
    expect(b.got.length - distinct).toBeGreaterThan(110);
    expect(b.got.length - distinct).toBeLessThan(210);
    expect(network.trace.entries.filter((entry) => entry.fate === 'lost')).toHaveLength(2000 - distinct);
  });

  test('datagrams beyond the path limit are lost', async () => {
    const { clock, network } = setUp({ maxDatagramBytes: 1472 });
    const a = await open(clock, network.host({ addresses: ['10.0.0.1'] }), '10.0.0.1', 1);
    const b = await open(clock, network.host({ addresses: ['10.0.0.2'] }), '10.0.0.2', 1);
    a.socket.send(new Uint8Array(1472), b.socket.local);
    a.socket.send(new Uint8Array(1473), b.socket.local);
    await clock.advance(10);
    expect(b.got).toHaveLength(1);
  });

  test('to nobody is lost without a word', async () => {
    const { clock, network } = setUp();
    const a = await open(clock, network.host({ addresses: ['10.0.0.1'] }), '10.0.0.1', 1);
    network.host({ addresses: ['10.0.0.2'] });
    a.socket.send(bytes('x'), { address: '10.0.0.2', port: 9 });
    a.socket.send(bytes('x'), { address: '198.51.100.1', port: 9 });
    await clock.advance(100);
    expect(a.errors).toEqual([]);
    expect(network.trace.entries.map((entry) => entry.fate)).toEqual(['nobody', 'nobody']);
  });

  test('failures of the call itself go to its own handler, or to the socket', async () => {
    const { clock, network } = setUp();
    const a = await open(clock, network.host({ addresses: ['10.0.0.1'] }), '10.0.0.1', 1);
    const own: Error[] = [];
    a.socket.send(bytes('x'), { address: '2001:db8::1', port: 9 }, (error) => own.push(error));
    a.socket.send(new Uint8Array(70_000), { address: '10.0.0.1', port: 9 });
    expect(own).toEqual([]);
    await clock.settle();
    expect(own).toMatchObject([{ code: 'EINVAL' }]);
    expect(a.errors).toMatchObject([{ code: 'EMSGSIZE' }]);
    await a.socket.close();
    a.socket.send(bytes('x'), { address: '10.0.0.1', port: 9 }, (error) => own.push(error));
    await clock.settle();
    expect(own).toHaveLength(2);
  });

  test('a port in use is refused as the real network refuses it; closing frees it', async () => {
    const { clock, network } = setUp();
    const host = network.host({ addresses: ['10.0.0.1', '10.0.0.2'] });
    const first = await open(clock, host, '10.0.0.1', 5060);
    await expect(open(clock, host, '10.0.0.1', 5060)).rejects.toMatchObject({
      code: 'PBX_PORT_IN_USE',
      kind: 'transport',
    });
    await expect(open(clock, host, '0.0.0.0', 5060)).rejects.toMatchObject({ code: 'PBX_PORT_IN_USE' });
    await expect(open(clock, host, '10.9.9.9', 5060)).rejects.toMatchObject({ code: 'PBX_LISTEN_FAILED' });
    await expect(open(clock, host, 'localhost', 5060)).rejects.toMatchObject({ code: 'PBX_LISTEN_FAILED' });
    await open(clock, host, '10.0.0.2', 5060);
    await open(clock, host, '::', 5060);
    await first.socket.close();
    await first.socket.close();
    await open(clock, host, '10.0.0.1', 5060);
    expect(network.openSockets).toBe(3);
  });

  test('ephemeral ports are handed out in order', async () => {
    const { clock, network } = setUp();
    const host = network.host({ addresses: ['10.0.0.1'] });
    await open(clock, host, '10.0.0.1', 49_153);
    const ports = [];
    for (let i = 0; i < 3; i++) ports.push((await open(clock, host, '10.0.0.1', 0)).socket.local.port);
    expect(ports).toEqual([49_152, 49_154, 49_155]);
  });

  test('a wildcard socket hears every address of its family and answers from a fitting one', async () => {
    const { clock, network } = setUp();
    const server = network.host({ addresses: ['10.0.0.1', '10.0.0.2'] });
    const wild = await open(clock, server, '0.0.0.0', 5060);
    const a = await open(clock, network.host({ addresses: ['10.0.0.9'] }), '10.0.0.9', 1);
    a.socket.send(bytes('one'), { address: '10.0.0.1', port: 5060 });
    a.socket.send(bytes('two'), { address: '10.0.0.2', port: 5060 });
    const local = await open(clock, server, '127.0.0.1', 7);
    local.socket.send(bytes('three'), { address: '127.0.0.1', port: 5060 });
    await clock.advance(2);
    expect(wild.got.map((each) => each.text).sort()).toEqual(['one', 'three', 'two']);
    wild.socket.send(bytes('back'), a.socket.local);
    await clock.advance(2);
    expect(a.got[0]?.from).toEqual({ address: '10.0.0.1', port: 5060 });
  });

  test('loopback stays on its host', async () => {
    const { clock, network } = setUp({ loss: 1 });
    const [a, b] = [network.host({ addresses: ['10.0.0.1'] }), network.host({ addresses: ['10.0.0.2'] })];
    const onA = await open(clock, a, '127.0.0.1', 5060);
    const onB = await open(clock, b, '127.0.0.1', 5060);
    onB.socket.send(bytes('self'), { address: '127.0.0.1', port: 5060 });
    await clock.advance(0);
    expect(onA.got).toEqual([]);
    expect(onB.got).toHaveLength(1);
    expect(a.localAddresses()).toEqual(['127.0.0.1', '10.0.0.1']);
  });

  test('partition and heal, for some or for all', async () => {
    const { clock, network } = setUp({ delayMs: 10 });
    const hosts = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => network.host({ addresses: [address] }));
    const peers = [];
    for (const host of hosts) peers.push(await open(clock, host, host.addresses[0] as string, 1));
    const [a, b, c] = peers as [Peer, Peer, Peer];
    const heal = network.partition([hosts[0] as never], [hosts[1] as never]);
    const ping = async (): Promise<number[]> => {
      const before = [b.got.length, c.got.length];
      a.socket.send(bytes('x'), b.socket.local);
      a.socket.send(bytes('x'), c.socket.local);
      await clock.advance(20);
      return [b.got.length - (before[0] ?? 0), c.got.length - (before[1] ?? 0)];
    };
    expect(await ping()).toEqual([0, 1]);
    heal();
    expect(await ping()).toEqual([1, 1]);
    network.isolate(hosts[0] as never);
    expect(await ping()).toEqual([0, 0]);
    network.heal();
    // Cut while it is under way: lost too.
    a.socket.send(bytes('x'), b.socket.local);
    await clock.advance(5);
    network.isolate(hosts[1] as never);
    await clock.advance(20);
    expect(network.trace.entries.at(-1)?.fate).toBe('partitioned');
  });

  test('links: of a pair before those of hosts before the network, two host links in a row', async () => {
    const { clock, network } = setUp({ delayMs: 1 });
    const a = network.host({ addresses: ['10.0.0.1'], link: { delayMs: 10 } });
    const b = network.host({ addresses: ['10.0.0.2'], link: { delayMs: 20, loss: 0 } });
    const c = network.host({ addresses: ['10.0.0.3'] });
    const d = network.host({ addresses: ['10.0.0.4'] });
    network.setLink(a, c, { delayMs: 100 });
    const peers = [];
    for (const host of [a, b, c, d]) peers.push(await open(clock, host, host.addresses[0] as string, 1));
    const [onA, onB, onC, onD] = peers as [Peer, Peer, Peer, Peer];
    for (const to of [onB, onC, onD]) onA.socket.send(bytes('x'), to.socket.local);
    onC.socket.send(bytes('x'), onD.socket.local);
    await clock.advance(200);
    expect([onB.got[0]?.at, onC.got[0]?.at, onD.got.map((each) => each.at)]).toEqual([30, 100, [1, 10]]);
    network.setLink(a, c, undefined);
    onC.socket.send(bytes('x'), onA.socket.local);
    await clock.advance(200);
    expect(onA.got[0]?.at).toBe(210);
  });

  test('hosts and addresses are told apart', () => {
    const { network } = setUp();
    network.host({ name: 'a', addresses: ['10.0.0.1'] });
    expect(() => network.host({ name: 'b', addresses: ['10.0.0.1'] })).toThrow(/10\.0\.0\.1 is taken/);
    expect(() => network.host({ name: 'a', addresses: ['10.0.0.2'] })).toThrow(/a host a is there/);
    expect(() => network.host({ name: 'c', addresses: [] })).toThrow(/no address/);
    expect(() => network.host({ name: 'c', addresses: ['pbx.example'] })).toThrow(/no IP address/);
    expect(network.hosts).toHaveLength(1);
  });

  test('whatever the conditions, nothing is invented: what arrives was sent, at most twice, never before its delay', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          loss: fc.double({ min: 0, max: 1, noNaN: true }),
          reorder: fc.double({ min: 0, max: 1, noNaN: true }),
          duplicate: fc.double({ min: 0, max: 1, noNaN: true }),
          low: fc.integer({ min: 0, max: 50 }),
          spread: fc.integer({ min: 0, max: 50 }),
        }),
        fc.integer(),
        async ({ loss, reorder, duplicate, low, spread }, seed) => {
          const { clock, network } = setUp({ loss, reorder, duplicate, delayMs: [low, low + spread] }, seed);
          const a = await open(clock, network.host({ addresses: ['10.0.0.1'] }), '10.0.0.1', 1);
          const b = await open(clock, network.host({ addresses: ['10.0.0.2'] }), '10.0.0.2', 1);
          const sentAt: number[] = [];
          for (let i = 0; i < 20; i++) {
            sentAt.push(clock.now());
            a.socket.send(bytes(String(i)), b.socket.local);
            await clock.advance(3);
          }
          await clock.advance(1000);
          const counts = new Map<string, number>();
          for (const { text, at } of b.got) {
            counts.set(text, (counts.get(text) ?? 0) + 1);
            expect(at).toBeGreaterThanOrEqual((sentAt[Number(text)] ?? Number.NaN) + low - 0.001);
          }
          expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(2);
          expect(network.inFlight).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  });
});
