import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Network, TcpConnection } from '../../src/net/network.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { VirtualNetwork, type VirtualNetworkOptions } from '../../src/testing/virtual-network.js';

interface End {
  readonly connection: TcpConnection;
  readonly events: string[];
  readonly chunks: Uint8Array[];
  text(): string;
}

function watch(clock: ManualClock, connection: TcpConnection): End {
  const events: string[] = [];
  const chunks: Uint8Array[] = [];
  connection.handle({
    onOpen: () => events.push(`open@${clock.now()}`),
    onData: (data) => chunks.push(data),
    onClose: (error) => {
      const code = error !== undefined && 'code' in error ? ` ${String(error.code)}` : '';
      events.push(`close${code}@${clock.now()}`);
    },
  });
  return { connection, events, chunks, text: () => Buffer.concat(chunks).toString() };
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const SERVER = { address: '10.0.0.1', port: 5060 };

function setUp(options: Partial<VirtualNetworkOptions> = {}, seed = 1) {
  const clock = new ManualClock();
  const network = new VirtualNetwork({
    clock,
    random: new SeededRandom(seed),
    conditions: { delayMs: 10 },
    ...options,
  });
  const server = network.host({ name: 'server', addresses: [SERVER.address] });
  const client = network.host({ name: 'client', addresses: ['10.0.0.2'] });
  const accepted: End[] = [];
  const listen = () =>
    server.listenTcp({
      local: SERVER,
      onConnection: (connection) => accepted.push(watch(clock, connection)),
      onError: (error) => {
        throw error;
      },
    });
  const connect = (from: Network = client): End => watch(clock, from.connectTcp({ remote: SERVER, timeoutMs: 5000 }));
  return { clock, network, server, client, accepted, listen, connect };
}

describe('virtual TCP', () => {
  test('opens after a round trip; what was sent before arrives then; both ends know each other', async () => {
    const { clock, accepted, listen, connect, network } = setUp();
    await listen();
    const end = connect();
    end.connection.send(bytes('early'));
    expect(end.connection.queuedBytes).toBe(5);
    expect(end.connection.isOpen).toBe(false);
    await clock.advance(100);
    expect(end.events).toEqual(['open@20']);
    expect(end.connection.isOpen).toBe(true);
    expect(end.connection.queuedBytes).toBe(0);
    expect(accepted[0]?.text()).toBe('early');
    expect(accepted[0]?.connection.remote).toEqual(end.connection.local);
    accepted[0]?.connection.send(bytes('reply'));
    await clock.advance(10);
    expect(end.text()).toBe('reply');
    expect(network.openConnections).toBe(2);
  });

  test('end: what was sent arrives, then both close without an error', async () => {
    const { clock, accepted, listen, connect, network } = setUp();
    await listen();
    const end = connect();
    end.connection.send(bytes('last words'));
    end.connection.end();
    end.connection.send(bytes('too late'));
    await clock.advance(1000);
    expect(accepted[0]?.text()).toBe('last words');
    expect(accepted[0]?.events).toEqual(['close@30']);
    expect(end.events).toEqual(['open@20', 'close@40']);
    expect([network.openConnections, network.inFlight]).toEqual([0, 0]);
  });

  test('destroy closes at once, never within the call; the far end hears of it', async () => {
    const { clock, accepted, listen, connect } = setUp();
    await listen();
    const end = connect();
    await clock.advance(50);
    accepted[0]?.connection.destroy();
    expect(accepted[0]?.events).toEqual([]);
    await clock.settle();
    expect(accepted[0]?.events).toEqual(['close@50']);
    await clock.advance(50);
    expect(end.events).toEqual(['open@20', 'close@60']);
  });

  test('onClose comes exactly once, whoever closes and however often', async () => {
    const { clock, accepted, listen, connect } = setUp();
    await listen();
    const end = connect();
    await clock.advance(50);
    end.connection.end();
    accepted[0]?.connection.end();
    end.connection.destroy();
    end.connection.destroy();
    await clock.advance(1000);
    expect(end.events.filter((event) => event.startsWith('close'))).toHaveLength(1);
    expect(accepted[0]?.events.filter((event) => event.startsWith('close'))).toHaveLength(1);
  });

  test('nobody listens: refused; no such host: timed out; a bad local address: refused by the system', async () => {
    const { clock, connect, client, network } = setUp();
    const refused = connect();
    const lost = watch(clock, client.connectTcp({ remote: { address: '198.51.100.7', port: 1 }, timeoutMs: 3000 }));
    const bad = watch(clock, client.connectTcp({ remote: SERVER, localAddress: '10.7.7.7', timeoutMs: 3000 }));
    const noWay = watch(clock, client.connectTcp({ remote: { address: '2001:db8::1', port: 1 }, timeoutMs: 3000 }));
    expect(bad.events).toEqual([]);
    await clock.advance(10_000);
    expect(refused.events).toEqual(['close ECONNREFUSED@20']);
    expect(lost.events).toEqual(['close ETIMEDOUT@3000']);
    expect(bad.events).toEqual(['close EADDRNOTAVAIL@0']);
    expect(noWay.events).toEqual(['close ENETUNREACH@0']);
    expect([network.openConnections, network.inFlight]).toEqual([0, 0]);
  });

  test('destroying while connecting leaves nothing behind', async () => {
    const { clock, listen, connect, network, accepted } = setUp();
    const listener = await listen();
    const end = connect();
    end.connection.destroy();
    await clock.advance(10_000);
    expect(end.events).toEqual(['close@0']);
    expect(accepted[0]?.events).toEqual(['close ECONNRESET@30']);
    await listener.close();
    expect([network.openSockets, network.openConnections, network.inFlight]).toEqual([0, 0, 0]);
  });

  test('closing the listener keeps accepted connections and refuses new ones', async () => {
    const { clock, listen, connect, accepted } = setUp();
    const listener = await listen();
    const old = connect();
    await clock.advance(50);
    await listener.close();
    const fresh = connect();
    old.connection.send(bytes('still here'));
    await clock.advance(50);
    expect(accepted[0]?.text()).toBe('still here');
    expect(fresh.events).toEqual(['close ECONNREFUSED@70']);
    await listen();
  });

  test('a listening port in use is refused', async () => {
    const { listen } = setUp();
    await listen();
    await expect(listen()).rejects.toMatchObject({ code: 'PBX_PORT_IN_USE' });
  });

  test('a partition holds data back until it heals; the queue of a silent peer grows', async () => {
    const { clock, listen, connect, accepted, network, server } = setUp();
    await listen();
    const end = connect();
    await clock.advance(50);
    const heal = network.isolate(server);
    end.connection.send(new Uint8Array(100_000));
    await clock.advance(5000);
    expect(accepted[0]?.chunks).toEqual([]);
    expect(end.connection.queuedBytes).toBe(100_000 - 65_536);
    heal();
    await clock.advance(60_000);
    expect(Buffer.concat(accepted[0]?.chunks ?? [])).toHaveLength(100_000);
    expect(end.connection.queuedBytes).toBe(0);
  });

  test('a far end that stays silent is given up in the end', async () => {
    const { clock, listen, connect, network, server } = setUp({ tcpGiveUpMs: 60_000 });
    await listen();
    const end = connect();
    await clock.advance(50);
    network.isolate(server);
    await clock.advance(100_000);
    expect(end.events).toEqual(['open@20']); // idle connections notice nothing
    end.connection.send(bytes('x'));
    await clock.advance(100_000);
    expect(end.events[1]).toMatch(/^close ETIMEDOUT@/);
    expect([network.openConnections, network.inFlight]).toEqual([1, 0]);
  });

  test('a host that dies leaves a half-open connection; back again, it answers the next data with a reset', async () => {
    const { clock, listen, connect, accepted, server, network } = setUp();
    await listen();
    const end = connect();
    await clock.advance(50);
    server.kill();
    expect(network.openConnections).toBe(1);
    accepted[0]?.connection.send(bytes('from the grave'));
    await clock.advance(60_000);
    expect(end.events).toEqual(['open@20']);
    expect(accepted[0]?.events).toEqual([]);
    expect(end.text()).toBe('');
    server.revive();
    await listen();
    end.connection.send(bytes('anybody?'));
    await clock.advance(1000);
    expect(end.events).toEqual(['open@20', 'close ECONNRESET@60070']);
    expect([network.openConnections, network.inFlight]).toEqual([0, 0]);
  });

  test('a cut connection is reset at both ends', async () => {
    const { clock, listen, connect, accepted, server } = setUp();
    await listen();
    const end = connect();
    await clock.advance(50);
    server.resetConnections();
    await clock.advance(50);
    expect(accepted[0]?.events).toEqual(['close ECONNRESET@50']);
    expect(end.events).toEqual(['open@20', 'close ECONNRESET@60']);
  });

  test('a host talks to itself', async () => {
    const { clock, listen, connect, accepted, server } = setUp();
    await listen();
    const end = connect(server);
    end.connection.send(bytes('self'));
    await clock.advance(0);
    expect(accepted[0]?.text()).toBe('self');
    expect(end.events).toEqual(['open@0']);
  });

  test('segments of drawn sizes cut messages in odd places', async () => {
    const { clock, listen, connect, accepted } = setUp({ segmentBytes: [1, 7] });
    await listen();
    const end = connect();
    end.connection.send(bytes('x'.repeat(500)));
    await clock.advance(100);
    const sizes = new Set(accepted[0]?.chunks.map((chunk) => chunk.length));
    expect(Math.min(...sizes)).toBe(1);
    expect(Math.max(...sizes)).toBe(7);
    expect(accepted[0]?.text()).toHaveLength(500);
  });

  test('whatever is lost, late or cut: every byte arrives once and in order, both ways', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.double({ min: 0, max: 0.6, noNaN: true }),
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 100 })), {
          maxLength: 20,
        }),
        async (seed, loss, sends) => {
          const setup = setUp(
            { conditions: { loss, delayMs: [1, 100], duplicate: 0.2, reorder: 0.2 }, segmentBytes: [1, 64] },
            seed,
          );
          const { clock, listen, accepted, client, network } = setup;
          await listen();
          const end = watch(clock, client.connectTcp({ remote: SERVER, timeoutMs: 800_000 }));
          await clock.runUntil(() => end.connection.isOpen, 800_000);
          const other = accepted[0] as End;
          const expected = { up: '', down: '' };
          for (const [up, length, pauseMs] of sends) {
            const text = String.fromCharCode(97 + (length % 26)).repeat(length);
            expected[up ? 'up' : 'down'] += text;
            (up ? end : other).connection.send(bytes(text));
            await clock.advance(pauseMs);
          }
          await clock.runUntil(() => network.inFlight === 0, 880_000);
          expect(other.text()).toBe(expected.up);
          expect(end.text()).toBe(expected.down);
          end.connection.end();
          await clock.runUntil(() => network.inFlight === 0, 880_000);
          expect(network.openConnections).toBe(0);
        },
      ),
      { numRuns: 20 },
    );
  });
});
