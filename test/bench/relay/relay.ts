import { bundle } from '../rates/bundle.js';
import type { Flags } from '../rates/flags.js';
import { machineBusySeconds, Program, usageOf } from '../rates/program.js';
import { type Report, type Spread, show, spread } from '../rates/report.js';
import { buildPump, PUMP_ADDRESS, type Pumped, pump } from './pump.js';
import type { RelayedCall, RelayMemory } from './relayed-call.js';
import { Rtpengine } from './rtpengine.js';

/** The processor of the relay under test. */
const RELAY_CPU = 1;
const PEERS = ['pbxkit', 'plain', 'rtpengine'] as const;
type PeerName = (typeof PEERS)[number];

interface RelayPeer {
  readonly name: PeerName;
  readonly address: string;
  readonly program: Program;
  /** All calls that are set up. */
  readonly calls: readonly RelayedCall[];
  grow(wanted: number): Promise<void>;
}

interface Sample extends Pumped {
  readonly calls: number;
  /** CPU of the relay for each packet that came through, microseconds. */
  readonly cpuUs: number;
  /** The part of its processor that the relay used, and the part of one that neither it nor the pump nor we used. */
  readonly core: number;
  readonly foreign: number;
}

/**
 * RTP of G.711 calls (20 ms) through relays, each pinned to one processor in its turn, the pump on the other.
 *
 *   npm run bench:rates -- relay --peers pbxkit,plain,rtpengine --calls 100,400 --seconds 10 --repeats 3 --highest 600 --memory 400
 *
 * CPU for each packet, loss and delay at fixed numbers of calls; with `--highest FROM` the highest number without loss and with a median
 * delay under 1 ms, in steps of 100; with `--memory N` what a call takes of our relay.
 */
export async function relayBench(flags: Flags, report: Report): Promise<void> {
  const names = flags.text('peers')?.split(',').map(peerName) ?? PEERS;
  const program = buildPump();
  const peers: RelayPeer[] = [];
  try {
    const plan = { program, seconds: flags.number('seconds', 10), repeats: flags.number('repeats', 3) };
    if (flags.has('memory') && names.includes('pbxkit')) await memory(flags.number('memory', 400), program, report);
    for (const name of names) peers.push(await start(name));
    for (const calls of flags.numbers('calls', [100, 400])) await atFixedCalls(peers, calls, plan, report);
    if (flags.has('highest')) await highest(peers, flags.number('highest', 600), plan, report);
  } finally {
    await Promise.all(peers.map((peer) => peer.program.stop()));
  }
}

interface Plan {
  readonly program: string;
  readonly seconds: number;
  readonly repeats: number;
}

/** The peers in turn, A B C A B C, so that noise of the machine hits them alike; each is warmed up before. */
async function atFixedCalls(peers: readonly RelayPeer[], calls: number, plan: Plan, report: Report): Promise<void> {
  const samples = new Map<RelayPeer, Sample[]>(peers.map((peer) => [peer, []]));
  for (const peer of peers) await measure(peer, calls, { ...plan, seconds: Math.min(3, plan.seconds) });
  for (let i = 0; i < plan.repeats; i++) {
    for (const peer of peers) {
      const sample = await measure(peer, calls, plan);
      report.note(line(peer, sample));
      samples.get(peer)?.push(sample);
    }
  }
  const plain = [...samples].find(([{ name }]) => name === 'plain')?.[1];
  for (const [peer, found] of samples) {
    const cpu = spread(found.map(({ cpuUs }) => cpuUs));
    const ratio = peer.name === 'plain' || plain === undefined ? undefined : ratioOf(found, plain);
    const lost = found.reduce((sum, { sent, received }) => sum + sent - received, 0);
    const [p50, p99] = [spread(found.map(({ p50Us }) => p50Us / 1000)), spread(found.map(({ p99Us }) => p99Us / 1000))];
    const beside = ratio === undefined ? '' : `; it/plain ${show(ratio, 2)}`;
    const text = `${show(cpu, 2)} µs${beside}; lost ${lost}; p50 ${show(p50, 2)}, p99 ${show(p99, 2)} ms`;
    const aim = peer.name === 'pbxkit' ? '≤ 1.15 of plain; p99 ≤ 5 ms at 400' : undefined;
    report.add(`relay, ${calls} calls: CPU of a packet, ${peer.name}`, text, { cpu, ratio, lost, samples: found }, aim);
  }
}

function ratioOf(found: readonly Sample[], plain: readonly Sample[]): Spread {
  return spread(found.map(({ cpuUs }, i) => cpuUs / (plain[i]?.cpuUs ?? Number.NaN)));
}

/** The highest number of calls without loss and with a median delay under 1 ms: up by a hundred until one fails twice. */
async function highest(peers: readonly RelayPeer[], from: number, plan: Plan, report: Report): Promise<void> {
  for (const peer of peers) {
    let clean: Sample | undefined;
    for (let calls = from; calls <= 2_000; calls += 100) {
      const isClean = (sample: Sample): boolean => sample.received === sample.sent && sample.p50Us < 1_000;
      let sample = await measure(peer, calls, plan);
      if (!isClean(sample)) sample = await measure(peer, calls, plan);
      report.note(`${isClean(sample) ? 'clean' : 'unclean'}: ${line(peer, sample)}`);
      if (!isClean(sample)) break;
      clean = sample;
    }
    const text = clean === undefined ? `below ${from}` : `${clean.calls} calls, core ${clean.core.toFixed(2)}`;
    report.add(
      `relay: most calls without loss, ${peer.name}`,
      text,
      clean,
      peer.name === 'pbxkit' ? '≥ 800' : undefined,
    );
  }
}

/**
 * What a call takes of our relay: a program of its own carries `calls`, then as many again, which alone have media then. What Node.js
 * sets aside for so many packets a second is there by the first measurement, and belongs to no call.
 */
async function memory(calls: number, program: string, report: Report): Promise<void> {
  const peer = await start('pbxkit');
  try {
    const plan = { program, seconds: 5, repeats: 1 };
    await measure(peer, calls, plan);
    const before = await peer.program.ask<RelayMemory>('memory');
    await measure(peer, calls, plan, calls);
    const after = await peer.program.ask<RelayMemory>('memory');
    const each = (of: keyof RelayMemory): number => (after[of] - before[of]) / calls / 1024;
    const text = `${each('residentBytes').toFixed(1)} KB resident, ${each('heapBytes').toFixed(1)} KB heap`;
    report.add(`relay: memory of a call, ${calls} of them`, text, { before, after, calls }, '≤ 40 KB');
  } finally {
    await peer.program.stop();
  }
}

/** Media through `calls` calls, those from number `first` on. */
async function measure(peer: RelayPeer, calls: number, { program, seconds }: Plan, first = 0): Promise<Sample> {
  await peer.grow(first + calls);
  const [before, busyBefore, ownBefore] = [usageOf(peer.program.pid), machineBusySeconds(), process.cpuUsage()];
  const began = performance.now();
  const pumped = await pump(program, peer.address, peer.calls.slice(first, first + calls), seconds);
  const took = (performance.now() - began) / 1000;
  const [after, own] = [usageOf(peer.program.pid), process.cpuUsage(ownBefore)];
  const used = after.userSeconds - before.userSeconds + after.sysSeconds - before.sysSeconds;
  const others = machineBusySeconds() - busyBefore - used - pumped.cpuSeconds - (own.user + own.system) / 1e6;
  return {
    ...pumped,
    calls,
    cpuUs: (used / Math.max(1, pumped.received)) * 1e6,
    core: used / seconds,
    foreign: others / took,
  };
}

function line({ name }: RelayPeer, sample: Sample): string {
  const { calls, cpuUs, sent, received, wrong, silentLegs, late, p50Us, p99Us, core, foreign } = sample;
  const faults = `lost ${sent - received}, wrong ${wrong}, silent legs ${silentLegs}, pump late ${late}`;
  const delay = `p50 ${(p50Us / 1000).toFixed(2)} ms, p99 ${(p99Us / 1000).toFixed(2)} ms`;
  return `${name} ${calls}: ${cpuUs.toFixed(2)} µs, ${faults}, ${delay}, core ${core.toFixed(2)}, others ${foreign.toFixed(2)}`;
}

async function start(name: PeerName): Promise<RelayPeer> {
  const address = `127.0.0.${21 + PEERS.indexOf(name)}`;
  const calls: RelayedCall[] = [];
  if (name === 'rtpengine') {
    const engine = new Rtpengine({ address, peer: PUMP_ADDRESS, cpu: RELAY_CPU });
    await engine.ready();
    const grow = async (wanted: number): Promise<void> => void calls.push(...(await engine.setUp(wanted)));
    return { name, address, program: engine.program, calls, grow };
  }
  const file = await bundle(`${name}-relay`, 'relay');
  const args = ['--expose-gc', file, address, PUMP_ADDRESS];
  const program = new Program({ command: process.execPath, args, cpu: RELAY_CPU, ipc: true });
  const grow = async (wanted: number): Promise<void> =>
    void calls.push(...(await program.ask<RelayedCall[]>('set-up', wanted)));
  return { name, address, program, calls, grow };
}

function peerName(text: string): PeerName {
  const name = PEERS.find((each) => each === text);
  if (name === undefined) throw new Error(`--peers: found "${text}", expected some of ${PEERS.join(', ')}`);
  return name;
}
