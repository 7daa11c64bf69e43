import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DOMAIN, PASSWORD, type Peer } from './peers.js';
import { machineBusySeconds, usageOf } from './program.js';
import { SippClient, type SippLoad } from './sipp.js';

/** What is offered to a peer. */
export type Work =
  | { readonly kind: 'calls'; readonly holdMs: number }
  /** `users` phones that register again and again, each with digest. */
  | { readonly kind: 'registrations'; readonly users: number };

/** One run. */
export interface Sample {
  readonly peer: string;
  readonly rate: number;
  readonly ok: number;
  readonly failed: number;
  readonly retransmissions: number;
  readonly seconds: number;
  /** CPU of the peer for each success, milliseconds. */
  readonly userMs: number;
  readonly sysMs: number;
  /** The part of its processor that the peer used. */
  readonly core: number;
  /** The part of a processor that neither the peer nor the load used: above 0.15 the run was disturbed. */
  readonly foreign: number;
  /** INVITE to 200, milliseconds, in order; empty unless asked for. */
  readonly times: readonly number[];
}

export interface Run {
  readonly peer: Peer;
  readonly work: Work;
  readonly rate: number;
  readonly seconds: number;
  readonly times?: boolean;
}

/** Offers `rate` a second for so many seconds and reads what it cost. */
export async function measure({ peer, work, rate, seconds, times = false }: Run): Promise<Sample> {
  const before = usageOf(peer.program.pid);
  const busyBefore = machineBusySeconds();
  const ownBefore = process.cpuUsage();
  const client = new SippClient({
    ...loadOf(work),
    peer: peer.address,
    rate,
    count: Math.round(rate * seconds),
    times,
  });
  // The usage of a process that has ended cannot be read: the last look counts.
  let load = 0;
  const watch = setInterval(() => {
    const used = usageOf(client.program.pid);
    load = Math.max(load, used.userSeconds + used.sysSeconds);
  }, 250);
  const result = await client.done;
  clearInterval(watch);
  const after = usageOf(peer.program.pid);
  const own = process.cpuUsage(ownBefore);
  const user = after.userSeconds - before.userSeconds;
  const sys = after.sysSeconds - before.sysSeconds;
  const others = machineBusySeconds() - busyBefore - user - sys - load - (own.user + own.system) / 1e6;
  const each = 1000 / Math.max(1, result.ok);
  return {
    peer: peer.name,
    rate,
    ...result,
    userMs: user * each,
    sysMs: sys * each,
    core: (user + sys) / result.seconds,
    foreign: others / result.seconds,
  };
}

/** No failure, few retransmissions, and done in time. */
export function isClean(sample: Sample, run: Pick<Run, 'seconds' | 'work'>): boolean {
  const holdSeconds = run.work.kind === 'calls' ? run.work.holdMs / 1000 : 0;
  return (
    sample.failed === 0 && sample.retransmissions <= sample.ok * 0.005 && sample.seconds < run.seconds + holdSeconds + 3
  );
}

/** CPU of the peer for each success, milliseconds. */
export function cpuMs(sample: Sample): number {
  return sample.userMs + sample.sysMs;
}

/** The value below which `share` of the ordered values lie. */
export function percentile(ordered: readonly number[], share: number): number {
  return ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))] ?? Number.NaN;
}

/** What sipp is told for one kind of work. */
export function loadOf(work: Work): Pick<SippLoad, 'scenario' | 'holdMs' | 'service' | 'users'> {
  if (work.kind === 'calls') return { scenario: 'call', holdMs: work.holdMs };
  return { scenario: 'register', service: DOMAIN, users: usersFile(work.users) };
}

/** Users 10000 … as sipp reads them. */
function usersFile(count: number): string {
  const file = path.join(tmpdir(), `pbxkit-bench-users-${count}.csv`);
  const rows = Array.from({ length: count }, (_, i) => {
    const number = 10_000 + i;
    return `${number};[authentication username=${number} password=${PASSWORD}]`;
  });
  writeFileSync(file, `SEQUENTIAL\n${rows.join('\n')}\n`);
  return file;
}
