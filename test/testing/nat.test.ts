import { describe, expect, test } from 'vitest';
import type { SocketAddress } from '../../src/base/ip.js';
import type { Network, UdpSocket } from '../../src/net/network.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { Nat, type NatKind, type NatOptions } from '../../src/testing/nat.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import type { VirtualHost } from '../../src/testing/virtual-host.js';
import { VirtualNetwork } from '../../src/testing/virtual-network.js';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

interface Peer {
  readonly socket: UdpSocket;
  readonly got: { readonly text: string; readonly from: SocketAddress }[];
}

async function open(host: Network, address: string, port: number): Promise<Peer> {
  const got: Peer['got'] = [];
  const socket = await host.openUdp({
    local: { address, port },
    onMessage: (data, from) => got.push({ text: Buffer.from(data).toString(), from }),
    onError: (error) => {
      throw error;
    },
  });
  return { socket, got };
}

/** A phone behind a box, and two servers outside. */
async function setUp(options: Partial<NatOptions> = {}) {
  const clock = new ManualClock();
  const network = new VirtualNetwork({ clock, random: new SeededRandom(1) });
  const nat = network.nat({ publicAddress: '203.0.113.5', ...options });
  const phoneHost = network.host({ name: 'phone', addresses: ['192.168.1.10'], behind: nat });
  const servers = network.host({ name: 'one', addresses: ['192.0.2.1'] });
  const other = network.host({ name: 'two', addresses: ['192.0.2.2'] });
  const phone = await open(phoneHost, '192.168.1.10', 5060);
  const one = await open(servers, '192.0.2.1', 5060);
  const onePlus = await open(servers, '192.0.2.1', 5062);
  const two = await open(other, '192.0.2.2', 5060);
  const deliver = async (from: Peer, to: SocketAddress, at: Peer): Promise<boolean> => {
    const before = at.got.length;
    from.socket.send(bytes('x'), to);
    await clock.advance(5);
    return at.got.length > before;
  };
  return { clock, network, nat, phoneHost, phone, one, onePlus, two, deliver };
}

describe('NAT over the virtual network', () => {
  test('outbound packets leave with the public address; answers come back', async () => {
    const { phone, one, deliver } = await setUp();
    expect(await deliver(phone, one.socket.local, one)).toBe(true);
    expect(one.got[0]?.from).toEqual({ address: '203.0.113.5', port: 40_000 });
    expect(await deliver(one, { address: '203.0.113.5', port: 40_000 }, phone)).toBe(true);
    expect(phone.got[0]?.from).toEqual(one.socket.local);
  });

  test('a private address cannot be reached from outside, nor a port without a mapping', async () => {
    const { phone, one, deliver, network } = await setUp();
    expect(await deliver(one, { address: '192.168.1.10', port: 5060 }, phone)).toBe(false);
    expect(await deliver(one, { address: '203.0.113.5', port: 5060 }, phone)).toBe(false);
    expect(network.trace.entries.map((entry) => entry.fate)).toEqual(['nobody', 'blocked']);
  });

  // RFC 4787 §4.1 (mapping) and §5 (filtering): [kind, same port to all?, same host other port gets in?, other host gets in?]
  const kinds: readonly (readonly [NatKind, boolean, boolean, boolean])[] = [
    ['full-cone', true, true, true],
    ['address-restricted', true, true, false],
    ['port-restricted', true, false, false],
    ['symmetric', false, false, false],
  ];
  test.each(kinds)('RFC 4787 §4.1, §5: %s', async (kind, samePort, otherPort, otherHost) => {
    const { phone, one, onePlus, two, deliver } = await setUp({ kind });
    await deliver(phone, one.socket.local, one);
    const mapped = one.got[0]?.from as SocketAddress;
    expect(await deliver(onePlus, mapped, phone)).toBe(otherPort);
    expect(await deliver(two, mapped, phone)).toBe(otherHost);
    await deliver(phone, two.socket.local, two);
    expect(two.got[0]?.from.port === mapped.port).toBe(samePort);
    expect(await deliver(two, two.got[0]?.from as SocketAddress, phone)).toBe(true);
    expect(await deliver(one, mapped, phone)).toBe(true);
  });

  test('RFC 4787 §4.3: a mapping ends after its idle time; outbound packets refresh it, inbound ones do not', async () => {
    const { clock, phone, one, deliver } = await setUp({ udpTimeoutMs: 30_000 });
    await deliver(phone, one.socket.local, one);
    const mapped = one.got[0]?.from as SocketAddress;
    await clock.advance(20_000);
    await deliver(phone, one.socket.local, one);
    await clock.advance(20_000);
    expect(await deliver(one, mapped, phone)).toBe(true);
    await clock.advance(10_000);
    expect(await deliver(one, mapped, phone)).toBe(false);
    await deliver(phone, one.socket.local, one);
    expect(one.got.at(-1)?.from.port).not.toBe(mapped.port);
  });

  test('rebinding: the phone shows up from a new port, the old one is dead; so with a new public address', async () => {
    const { nat, network, phone, one, deliver } = await setUp();
    await deliver(phone, one.socket.local, one);
    nat.rebind();
    expect(await deliver(one, one.got[0]?.from as SocketAddress, phone)).toBe(false);
    await deliver(phone, one.socket.local, one);
    expect(one.got[1]?.from).toEqual({ address: '203.0.113.5', port: 40_001 });
    network.readdress(nat, '203.0.113.99');
    await deliver(phone, one.socket.local, one);
    expect(one.got[2]?.from.address).toBe('203.0.113.99');
    expect(await deliver(one, one.got[2]?.from as SocketAddress, phone)).toBe(true);
    expect(await deliver(one, one.got[1]?.from as SocketAddress, phone)).toBe(false);
  });

  test('two sites may use the same private addresses', async () => {
    const { network, one, phone, deliver } = await setUp();
    const nat = network.nat({ publicAddress: '203.0.113.6' });
    const twinHost = network.host({ name: 'twin', addresses: ['192.168.1.10'], behind: nat });
    const twin = await open(twinHost, '192.168.1.10', 5060);
    await deliver(phone, one.socket.local, one);
    await deliver(twin, one.socket.local, one);
    expect(one.got.map((each) => each.from.address)).toEqual(['203.0.113.5', '203.0.113.6']);
    expect(await deliver(one, one.got[1]?.from as SocketAddress, twin)).toBe(true);
    expect(phone.got).toHaveLength(0);
  });

  test('inside one site packets go straight', async () => {
    const { network, nat, phone, deliver } = await setUp();
    const neighbour = await open(network.host({ addresses: ['192.168.1.11'], behind: nat }), '192.168.1.11', 5060);
    expect(await deliver(phone, neighbour.socket.local, neighbour)).toBe(true);
    expect(neighbour.got[0]?.from).toEqual(phone.socket.local);
    expect(nat.mappings(0)).toEqual([]);
  });

  test.each([true, false])('RFC 4787 §6: hairpinning %s', async (hairpin) => {
    const { network, nat, phone, one, deliver } = await setUp({ hairpin, kind: 'full-cone' });
    const neighbour = await open(network.host({ addresses: ['192.168.1.11'], behind: nat }), '192.168.1.11', 5060);
    await deliver(neighbour, one.socket.local, one);
    expect(await deliver(phone, one.got[0]?.from as SocketAddress, neighbour)).toBe(hairpin);
    if (hairpin) expect(neighbour.got[0]?.from.address).toBe('203.0.113.5');
  });

  test('boxes in a row (carrier-grade NAT) translate twice', async () => {
    const { network, one, deliver } = await setUp();
    const carrier = network.nat({ publicAddress: '203.0.113.50' });
    const home = network.nat({ publicAddress: '100.64.0.7', behind: carrier });
    const deep = await open(
      network.host({ name: 'deep', addresses: ['192.168.1.10'], behind: home }),
      '192.168.1.10',
      5060,
    );
    await deliver(deep, one.socket.local, one);
    expect(one.got[0]?.from.address).toBe('203.0.113.50');
    expect(await deliver(one, one.got[0]?.from as SocketAddress, deep)).toBe(true);
    expect(deep.got[0]?.from).toEqual(one.socket.local);
  });

  test('RFC 5382 §5: an idle TCP mapping ends without a word, and the connection is half-open', async () => {
    const { clock, network, phoneHost } = await setUp({ tcpTimeoutMs: 60_000 });
    const received: string[] = [];
    const closes: string[] = [];
    const server = network.find('two') as VirtualHost;
    let toPhone: ((text: string) => void) | undefined;
    await server.listenTcp({
      local: { address: '192.0.2.2', port: 5060 },
      onConnection: (connection) => {
        expect(connection.remote.address).toBe('203.0.113.5');
        toPhone = (text) => connection.send(bytes(text));
        connection.handle({ onData: () => {}, onClose: () => closes.push('server') });
      },
      onError: () => {},
    });
    const connection = phoneHost.connectTcp({ remote: { address: '192.0.2.2', port: 5060 }, timeoutMs: 5000 });
    connection.handle({
      onData: (data) => received.push(Buffer.from(data).toString()),
      onClose: () => closes.push('phone'),
    });
    await clock.advance(100);
    toPhone?.('hello');
    await clock.advance(100);
    expect(received).toEqual(['hello']);
    await clock.advance(120_000);
    toPhone?.('anybody?');
    await clock.advance(10_000);
    expect(received).toEqual(['hello']);
    expect(closes).toEqual([]);
    // The phone speaks again: another public port, which the server does not know.
    connection.send(bytes('me'));
    await clock.advance(1000);
    expect(closes).toEqual(['phone']);
  });
});

describe('Nat alone', () => {
  test('public ports are not given out twice, even when the range wraps', () => {
    const nat = new Nat({ publicAddress: '203.0.113.1', udpTimeoutMs: 10 });
    const to = { address: '192.0.2.1', port: 5060 };
    const ports = new Set<number>();
    for (let i = 0; i < 25_536; i++) ports.add(nat.outbound('udp', { address: '10.0.0.1', port: i + 1 }, to, 0).port);
    expect(ports.size).toBe(25_536);
    expect(nat.outbound('udp', { address: '10.0.0.2', port: 1 }, to, 10).port).toBe(40_000);
    expect(nat.inbound('udp', 40_001, to, 10)).toBeUndefined();
    expect(nat.inbound('udp', 40_000, to, 11)).toEqual({ address: '10.0.0.2', port: 1 });
    // The first owner's stale entry must not take the new mapping away.
    nat.outbound('udp', { address: '10.0.0.1', port: 1 }, to, 12);
    expect(nat.inbound('udp', 40_000, to, 12)).toEqual({ address: '10.0.0.2', port: 1 });
  });
});
