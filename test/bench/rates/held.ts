/**
 * Whether a call costs more the more calls are under way: so many calls are established and stay, further ones come and go on top of them, and
 * the CPU of those is told, with the part of it that is garbage collection. No sockets; time passes at `--rate` calls a second.
 *
 *   npm run bench:rates -- held [--held 100,1000,10000] [--rate 200] [--rounds 5] [--snapshot FILE]
 */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { writeHeapSnapshot } from 'node:v8';
import { memoryStorage } from '../../../src/storage/memory-storage.js';
import { Clockwork } from './clockwork.js';
import { Flags } from './flags.js';
import { LoopbackPhones } from './loopback-phones.js';
import { show, spread } from './report.js';
import { startStack } from './stack.js';

/** Longer than anything of a call that has ended is kept. */
const SETTLED_MS = 60_000;

const flags = new Flags(process.argv.slice(2));
const stepMs = 1000 / flags.number('rate', 200);
/** As many calls as come while one that has ended still lingers: each round finds what the round before has left. */
const each = Math.round(37_000 / stepMs);
const scheduler = new Clockwork();
const phones = new LoopbackPhones('127.0.0.11:5060', 'secret');
const stack = await startStack(
  { network: phones.network, scheduler, storage: memoryStorage({ clock: scheduler }) },
  {
    ...{ host: '127.0.0.11', port: 5060, domain: 'bench.test', users: 0, password: 'secret' },
    ...{ calledUri: 'sip:bench@127.0.0.3:5090', ringingUri: 'sip:bench@127.0.0.3:5092' },
  },
);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const collections = { minorMs: 0, majorMs: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const { duration, detail } = entry as PerformanceEntry & { readonly detail: { readonly kind: number } };
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) collections.minorMs += duration;
    else collections.majorMs += duration;
  }
}).observe({ entryTypes: ['gc'] });

async function calls(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    phones.call();
    await turn();
    scheduler.advance(stepMs);
  }
}

async function settle(): Promise<void> {
  // In steps, because what one timer does may set another.
  for (let i = 0; i < SETTLED_MS / 1000; i++) scheduler.advance(1000);
  for (let i = 0; i < 10; i++) await turn();
}

async function heap(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Brings the number of established calls to `count`. */
async function hold(count: number): Promise<void> {
  const held = stack.calls.calls;
  for (const { id } of held.slice(count)) stack.calls.end(id);
  phones.keepTalking = true;
  await calls(count - held.length);
  phones.keepTalking = false;
  await settle();
  if (stack.calls.calls.length !== count) throw new Error(`${stack.calls.calls.length} calls are held, not ${count}`);
}

interface Cost {
  readonly cpu: number;
  readonly minor: number;
  readonly major: number;
}

/** Microseconds for each of the calls of a round. */
async function round(): Promise<Cost> {
  const { minorMs, majorMs } = collections;
  const finished = phones.finished;
  const before = process.cpuUsage();
  await calls(each);
  const used = process.cpuUsage(before);
  if (phones.finished - finished !== each) throw new Error('calls were left undone');
  await turn();
  return {
    cpu: (used.user + used.system) / each,
    minor: ((collections.minorMs - minorMs) * 1000) / each,
    major: ((collections.majorMs - majorMs) * 1000) / each,
  };
}

async function measureWith(count: number): Promise<void> {
  const had = stack.calls.calls.length;
  const heapBefore = await heap();
  await hold(count);
  const heapNow = await heap();
  await round();
  const costs: Cost[] = [];
  for (let i = 0; i < flags.number('rounds', 5); i++) costs.push(await round());
  await settle();
  const spreadOf = (part: keyof Cost): string => show(spread(costs.map((cost) => cost[part])), 0);
  const bytes = count > had ? `, each of them holds ${Math.round((heapNow - heapBefore) / (count - had))} bytes` : '';
  console.log(
    `${count} held: a further call ${spreadOf('cpu')} us, collections on the main thread ` +
      `${spreadOf('minor')} young, ${spreadOf('major')} old; heap ${Math.round(heapNow / 1e6)} MB${bytes}`,
  );
}

await calls(flags.number('warm', 10_000));
await settle();
const counts = flags.numbers('held', [100, 1_000, 10_000]);
for (const count of counts) await measureWith(count);
const snapshot = flags.text('snapshot');
if (snapshot !== undefined) writeHeapSnapshot(snapshot);
await measureWith(counts[0] ?? 0);
await hold(0);
if (stack.transactions.size + stack.dialogs.size > 0) throw new Error('transactions or dialogs are left');
