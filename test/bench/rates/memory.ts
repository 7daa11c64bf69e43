import { cpuMs, loadOf, measure, type Sample } from './measure.js';
import type { Peer } from './peers.js';
import { line } from './rates.js';
import type { Report } from './report.js';
import type { Holdings, Memory } from './server-options.js';
import { SippClient } from './sipp.js';

/** Transactions linger for 32 s; after this nothing is left but what lasts. */
const SETTLED_MS = 40_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const memoryOf = (peer: Peer): Promise<Memory> => peer.program.ask<Memory>('memory');
const holdingsOf = (peer: Peer): Promise<Holdings> => peer.program.ask<Holdings>('holdings');

/** What one binding takes: `count` phones register at `rate`, and 40 s after the last one the heap is looked at. */
export async function bindingMemory(peer: Peer, count: number, rate: number, report: Report): Promise<void> {
  const before = await memoryOf(peer);
  const had = await holdingsOf(peer);
  const load = loadOf({ kind: 'registrations', users: count });
  const result = await new SippClient({ ...load, peer: peer.address, rate, count }).done;
  report.note(`${result.ok} registered, ${result.failed} failed, ${result.retransmissions} retransmissions`);
  await pause(SETTLED_MS);
  const after = await memoryOf(peer);
  const holdings = await holdingsOf(peer);
  const added = holdings.bindings - had.bindings;
  const bytes = (after.heapBytes - before.heapBytes) / added;
  const text = `${Math.round(bytes)} bytes; resident ${mb(after.residentBytes)} MB`;
  report.add(`heap for each of ${added} bindings`, text, { bytes, before, after, holdings }, '≤ 2048 bytes');
}

/**
 * What one established call takes, with `count` of them, and whether calls on top of them cost more CPU than before they were there. Each look
 * at the CPU comes after a run that is not counted: half a minute of silence, and the collections that a look at the heap begins with, make the
 * next calls dearer for some seconds, however many are under way.
 */
export async function callMemory(peer: Peer, count: number, rate: number, report: Report): Promise<void> {
  const work = { kind: 'calls', holdMs: 500 } as const;
  const look = async (): Promise<Sample> => {
    await measure({ peer, work, rate: 200, seconds: 10 });
    const sample = await measure({ peer, work, rate: 200, seconds: 10 });
    report.note(line(sample));
    return sample;
  };
  const few = await look();
  await pause(SETTLED_MS);
  const before = await memoryOf(peer);
  const rampSeconds = count / rate;
  const client = new SippClient({
    ...{ scenario: 'call', peer: peer.address, rate, count, index: 1 },
    holdMs: rampSeconds * 1000 + SETTLED_MS + 40_000,
    patienceSeconds: 120,
  });
  try {
    await pause(rampSeconds * 1000 + SETTLED_MS);
    const after = await memoryOf(peer);
    const holdings = await holdingsOf(peer);
    const bytes = (after.heapBytes - before.heapBytes) / holdings.calls;
    const text = `${Math.round(bytes)} bytes; resident ${mb(after.residentBytes)} MB`;
    report.add(`heap for each of ${holdings.calls} calls`, text, { bytes, before, after, holdings }, '≤ 12288 bytes');
    const many = await look();
    const ratio = cpuMs(many) / cpuMs(few);
    const cpu = `${cpuMs(few).toFixed(3)} → ${cpuMs(many).toFixed(3)} ms, ${ratio.toFixed(2)}`;
    report.add(`CPU of a call with 100, with ${holdings.calls} under way`, cpu, { few, many, ratio }, '0.85–1.15');
  } finally {
    await client.program.stop();
  }
}

function mb(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
