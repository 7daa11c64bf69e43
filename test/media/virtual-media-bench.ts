import type { SocketAddress } from '../../src/base/ip.js';
import type { MediaEngine } from '../../src/media/media-engine.js';
import type { Machine, WorldPorts } from '../../src/testing/machine.js';
import type { BenchHost, MediaBench } from '../../src/testing/media-bench.js';
import { createWorld } from '../../src/testing/world.js';

const ADDRESSES: Readonly<Record<BenchHost, readonly [v4: string, v6: string]>> = {
  a: ['203.0.113.1', '2001:db8::1:1'],
  b: ['203.0.113.2', '2001:db8::1:2'],
  c: ['203.0.113.3', '2001:db8::1:3'],
  stranger: ['203.0.113.66', '2001:db8::1:66'],
};

/** An engine that is made and ended by a bench. */
export interface BenchEngine extends MediaEngine {
  close(): Promise<void>;
}

/** Parties and an engine on a virtual network, on the machine 192.0.2.1 that has an IPv6 address too. */
export function virtualMediaBench(make: (ports: WorldPorts, times: MediaBench['times']) => BenchEngine): MediaBench {
  const world = createWorld({ seed: 'media engine contract', addresses: ['192.0.2.1', '2001:db8::1'] });
  const machines = new Map<BenchHost, Machine>();
  const times = { oneWayMs: 3_000, callMs: 10_000 };
  const engine = make(world.ports, times);
  return {
    engine,
    times,
    openPeer: async (host, family = 4) => {
      const [v4, v6] = ADDRESSES[host];
      const machine = machines.get(host) ?? world.machine({ name: host, addresses: [v4, v6] });
      machines.set(host, machine);
      const received: { data: Uint8Array; from: SocketAddress }[] = [];
      const socket = await machine.ports.network.openUdp({
        local: { address: family === 4 ? v4 : v6, port: 0 },
        onMessage: (data, from) => received.push({ data, from }),
        onError: (error) => {
          throw error;
        },
      });
      return { local: socket.local, received, send: (data, to) => socket.send(data, to) };
    },
    elapse: (ms) => world.advance({ ms }),
    close: async () => {
      await world.run(() => engine.close());
      await world.close();
    },
  };
}
