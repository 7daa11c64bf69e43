/** The program behind `main.ts`. */
import { silentLogger } from '../../../src/base/logger.js';
import { SystemRandom } from '../../../src/base/random.js';
import { SystemScheduler } from '../../../src/base/scheduler.js';
import { pcm } from '../../../src/media/audio/sounds.js';
import { Mixer } from '../../../src/media/mixer/mixer.js';
import { PortPool } from '../../../src/media/port-pool.js';
import { Recorder } from '../../../src/media/recording/recorder.js';
import { MediaClock } from '../../../src/media/session/media-clock.js';
import { MediaSession } from '../../../src/media/session/media-session.js';
import { Player } from '../../../src/media/session/player.js';
import type { Network } from '../../../src/net/network.js';
import { NodeNetwork } from '../../../src/net/node-network.js';
import { DtmfDetector } from '../../../src/protocol/audio/dtmf-detector.js';

const ADDRESS = '127.0.0.41';
const PTIME_MS = 20;
const RTP_BYTES = 172;

function numberFlag(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

/** Notes when each socket sends RTP. */
function timed(network: Network, sendings: Map<number, number[]>): Network {
  return new Proxy(network, {
    get(target, name) {
      if (name !== 'openUdp') return Reflect.get(target, name);
      return async (options: Parameters<Network['openUdp']>[0]) => {
        const socket = await target.openUdp(options);
        const times: number[] = [];
        sendings.set(socket.local.port, times);
        return {
          local: socket.local,
          close: () => socket.close(),
          send: (...args: Parameters<typeof socket.send>) => {
            if (args[0].length === RTP_BYTES) times.push(performance.now());
            socket.send(...args);
          },
        };
      };
    },
  });
}

async function playersAndRecorders(streams: number, seconds: number): Promise<Record<string, number>> {
  const scheduler = new SystemScheduler({ onError: (error) => console.error(error) });
  const sendings = new Map<number, number[]>();
  const network = timed(new NodeNetwork(), sendings);
  const clock = new MediaClock({ scheduler, logger: silentLogger });
  const random = new SystemRandom();
  const ports = new PortPool({ scheduler, random });
  const common = { network, scheduler, random, logger: silentLogger, clock, ports, address: ADDRESS };
  const sessions: MediaSession[] = [];
  let recorded = 0;
  const voice = Int16Array.from({ length: 8000 }, (_none, i) => Math.round(8000 * Math.sin(i / 3)));
  for (let i = 0; i < streams / 2; i++) {
    const [a, b] = [await MediaSession.open(common), await MediaSession.open(common)];
    a.accept(b.answer(a.offer()));
    for (const session of [a, b]) {
      void new Player(session).play(pcm(voice), { loop: true });
      void new Recorder(session).record({
        write: (bytes) => {
          recorded += bytes.length;
        },
        patch: () => {},
        close: () => {},
      });
      sessions.push(session);
    }
  }
  await new Promise<void>((resolve) => scheduler.after(1000, resolve));
  for (const times of sendings.values()) times.length = 0;
  const before = process.cpuUsage();
  const from = performance.now();
  await new Promise<void>((resolve) => scheduler.after(seconds * 1000, resolve));
  const { user, system } = process.cpuUsage(before);
  const ms = performance.now() - from;
  const late = lateness([...sendings.values()].filter((times) => times.length > 0));
  const lost = sessions.reduce((sum, session) => sum + session.stats.received.lost, 0);
  await Promise.all(sessions.map((session) => session.close()));
  return {
    streams,
    core: (user + system) / 1000 / ms,
    within2ms: late.filter((each) => each <= 2).length / late.length,
    p50Ms: late[Math.floor(late.length * 0.5)] ?? 0,
    p99Ms: late[Math.floor(late.length * 0.99)] ?? 0,
    maxMs: late.at(-1) ?? 0,
    skippedBeats: clock.skippedBeats,
    lost,
    recordedBytes: recorded,
  };
}

/** How far each packet is from its slot, sorted: slots are 20 ms apart and lie where they fit a stream's packets best. */
function lateness(streams: readonly (readonly number[])[]): number[] {
  const all: number[] = [];
  for (const times of streams) {
    const offsets = times.map((at, i) => at - i * PTIME_MS).sort((a, b) => a - b);
    const middle = offsets[offsets.length >> 1] ?? 0;
    for (const offset of offsets) all.push(Math.abs(offset - middle));
  }
  return all.sort((a, b) => a - b);
}

/** How many streams one core carries, by the CPU that a second of so many takes. */
function capacity(streams: number, second: () => void): number {
  second();
  const before = process.cpuUsage();
  for (let i = 0; i < 5; i++) second();
  const { user, system } = process.cpuUsage(before);
  return Math.round((streams * 5) / ((user + system) / 1e6));
}

function conferenceParties(): number {
  const tasks: (() => void)[] = [];
  const clock = {
    every: (_periodMs: number, task: (beat: number) => void) => {
      tasks.push(() => task(0));
      return () => {};
    },
  };
  const voice = Int16Array.from({ length: 160 }, (_none, i) => Math.round(3000 * Math.sin(i / 3)));
  const out = new Int16Array(160);
  const parties: (() => void)[] = [];
  for (let room = 0; room < 4; room++) {
    const mixer = new Mixer({ clock });
    for (let i = 0; i < 32; i++) {
      mixer.join({
        listen: (sink) => {
          parties.push(() => sink(voice));
          return () => {};
        },
        send: (source) => {
          parties.push(() => void source.read(out));
          return () => {};
        },
      });
    }
  }
  return capacity(128, () => {
    for (let beat = 0; beat < 50; beat++) {
      for (const party of parties) party();
      for (const task of tasks) task();
    }
  });
}

function detectors(): number {
  const noise = Int16Array.from({ length: 160 }, (_none, i) => Math.round(3000 * Math.sin(i * i)));
  const all = Array.from({ length: 100 }, () => new DtmfDetector());
  return capacity(100, () => {
    for (let beat = 0; beat < 50; beat++) for (const detector of all) detector.process(noise);
  });
}

const streams = await playersAndRecorders(numberFlag('streams', 200), numberFlag('seconds', 10));
console.log(
  JSON.stringify({ ...streams, conferencePartiesPerCore: conferenceParties(), detectorsPerCore: detectors() }),
);
process.exit(0);
