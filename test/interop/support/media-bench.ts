import type { SocketAddress } from '../../../src/base/ip.js';
import { SystemRandom } from '../../../src/base/random.js';
import { SystemScheduler } from '../../../src/base/scheduler.js';
import { RtpEngine } from '../../../src/media/rtpengine/rtpengine.js';
import { NodeNetwork } from '../../../src/net/node-network.js';
import type { BenchHost, MediaBench } from '../../../src/testing/media-bench.js';

const HOSTS: Readonly<Record<BenchHost, string>> = {
  a: '127.0.0.2',
  b: '127.0.0.3',
  c: '127.0.0.4',
  stranger: '127.0.0.66',
};

/** Real sockets on the loopback addresses around rtpengine. */
export function realMediaBench(instances: readonly string[], learnElsewhere = false): MediaBench {
  const network = new NodeNetwork();
  const scheduler = new SystemScheduler({
    onError: (error) => {
      throw error;
    },
  });
  const times = { oneWayMs: 500, callMs: 1_200 };
  const engine = new RtpEngine({
    network,
    scheduler,
    random: new SystemRandom(),
    instances,
    pingSeconds: 0.5,
    pollSeconds: 0.2,
    timeouts: times,
    learnElsewhere,
  });
  const closing: (() => Promise<void>)[] = [];
  return {
    engine,
    times,
    openPeer: async (host, family = 4) => {
      const received: { data: Uint8Array; from: SocketAddress }[] = [];
      const socket = await network.openUdp({
        local: { address: family === 4 ? HOSTS[host] : '::1', port: 0 },
        onMessage: (data, from) => received.push({ data, from }),
        onError: (error) => {
          throw error;
        },
      });
      closing.push(() => socket.close());
      return { local: socket.local, received, send: (data, to) => socket.send(data, to) };
    },
    elapse: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    close: async () => {
      await engine.delete('contract');
      await engine.close();
      await Promise.all(closing.map((close) => close()));
    },
  };
}
