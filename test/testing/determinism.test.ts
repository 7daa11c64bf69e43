import { describe, expect, test } from 'vitest';
import type { UdpSocket } from '../../src/net/network.js';
import { createWorld } from '../../src/testing/world.js';

/** Five seconds of random traffic, UDP and TCP, through NAT, loss and partitions. Returns everything that was sent. */
async function storm(seed: number): Promise<string> {
  const world = createWorld({
    seed,
    loss: 0.1,
    delayMs: [5, 60],
    reorder: 0.1,
    duplicate: 0.05,
    segmentBytes: [1, 200],
  });
  const nat = world.nat({ publicAddress: '203.0.113.5', kind: 'symmetric' });
  const machines = [
    world.pbx,
    world.host('a', '10.0.0.1', { behind: nat }),
    world.host('b', '10.0.0.2', { behind: nat }),
    world.host('c', '198.51.100.3'),
  ];
  const sockets: UdpSocket[] = [];
  for (const machine of machines) {
    const { network, scheduler, random } = machine.ports;
    const socket = await network.openUdp({
      local: { address: machine.host.addresses[0] as string, port: 5060 },
      onMessage: (data, from) => {
        // Answers take a few awaits of their own: their order must not depend on chance.
        void (async () => {
          for (let i = data.length % 5; i > 0; i--) await Promise.resolve();
          if (data.length > 1) socket.send(data.subarray(0, data.length >> 1), from);
        })();
      },
      onError: () => {},
    });
    sockets.push(socket);
    await network.listenTcp({
      local: { address: machine.host.addresses[0] as string, port: 5060 },
      onConnection: (connection) => {
        connection.handle({ onData: (data) => connection.send(data.subarray(0, data.length >> 1)), onClose: () => {} });
      },
      onError: () => {},
    });
    const talk = (): void => {
      const target = sockets[random.integer(sockets.length)] as UdpSocket;
      if (random.integer(4) > 0) socket.send(random.bytes(random.integer(300)), target.local);
      else {
        const connection = network.connectTcp({ remote: target.local, timeoutMs: 4000 });
        connection.handle({ onData: () => {}, onClose: () => {} });
        connection.send(random.bytes(random.integer(500)));
        scheduler.after(500, () => connection.end());
      }
      scheduler.after(random.integer(100), talk);
    };
    talk();
  }
  await world.advance({ seconds: 2 });
  const heal = world.network.isolate(world.pbx.host);
  await world.advance({ seconds: 1 });
  heal();
  nat.rebind();
  world.pbx.host.resetConnections();
  (sockets[3] as UdpSocket).send(new Uint8Array(1), { address: '203.0.113.5', port: 40_000 });
  await world.advance({ seconds: 2 });
  return world.trace.toString();
}

describe('determinism', () => {
  test('the same seed gives the same trace byte for byte, another seed another', async () => {
    const first = await storm(42);
    expect(first.split('\n').length).toBeGreaterThan(1000);
    const wanted = ['delivered', 'lost', 'partitioned', 'blocked', 'nobody', 'duplicate', 'rst', 'fin', 'seen as'];
    expect(wanted.filter((word) => !first.includes(` ${word} `))).toEqual([]);
    expect(await storm(42)).toBe(first);
    expect(await storm(43)).not.toBe(first);
  });

  test('traffic on one path does not disturb what happens on another', async () => {
    const run = async (disturbed: boolean): Promise<(readonly [string, number])[]> => {
      const world = createWorld({ seed: 5, loss: 0.2, delayMs: [5, 60] });
      const got: (readonly [string, number])[] = [];
      const open = (name: string, address: string, onMessage: (data: Uint8Array) => void): Promise<UdpSocket> =>
        world.host(name, address).ports.network.openUdp({
          local: { address, port: 1 },
          onMessage,
          onError: () => {},
        });
      const a = await open('a', '10.0.0.1', () => {});
      const b = await open('b', '10.0.0.2', (data) => got.push([String(data[0]), world.clock.now()]));
      const c = await open('c', '10.0.0.3', () => {});
      for (let i = 0; i < 100; i++) {
        a.send(new Uint8Array([i]), b.local);
        if (disturbed) c.send(new Uint8Array(10), b.local.port === 1 ? a.local : b.local);
        await world.advance({ ms: 7 });
      }
      return got;
    };
    expect(await run(true)).toEqual(await run(false));
  });
});
