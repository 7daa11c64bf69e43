/** The server under test as a process of its own: answers questions about itself over the channel to its parent. */
import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { SystemScheduler } from '../../../src/base/scheduler.js';
import { DEFAULT_TENANT } from '../../../src/base/tenant.js';
import { NodeNetwork } from '../../../src/net/node-network.js';
import { lmdb } from '../../../src/storage/lmdb/index.js';
import { memoryStorage } from '../../../src/storage/memory-storage.js';
import type { Holdings, LoopDelay, Memory, ServerOptions } from './server-options.js';
import { startStack } from './stack.js';

const options = JSON.parse(process.argv[2] ?? '{}') as ServerOptions;
const scheduler = new SystemScheduler({ onError: (error) => console.error(error) });
const storage = options.lmdb === undefined ? memoryStorage() : lmdb({ path: options.lmdb });
const stack = await startStack({ network: new NodeNetwork(), scheduler, storage }, options);

let delay: IntervalHistogram | undefined;
let profile: Session | undefined;

const answers: Readonly<Record<string, (detail: unknown) => unknown>> = {
  memory: (how) => memoryNow(how === 'uncollected'),
  holdings: holdingsNow,
  'delay-start': () => {
    delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
  },
  'delay-stop': (): LoopDelay => {
    delay?.disable();
    const ms = (nanoseconds: number): number => Math.round(nanoseconds / 1e4) / 100;
    return { p50: ms(delay?.percentile(50) ?? 0), p99: ms(delay?.percentile(99) ?? 0), max: ms(delay?.max ?? 0) };
  },
  'profile-start': async () => {
    profile = new Session();
    profile.connect();
    await profile.post('Profiler.enable');
    await profile.post('Profiler.setSamplingInterval', { interval: 200 });
    await profile.post('Profiler.start');
  },
  /** Writes a .cpuprofile to the file that `detail` names. */
  'profile-stop': async (file) => {
    const result = await profile?.post('Profiler.stop');
    profile?.disconnect();
    await writeFile(String(file), JSON.stringify(result?.profile));
  },
};

/** A collection stops the server for as long as a full one takes, which under load is long. */
function memoryNow(uncollected: boolean): Memory {
  if (!uncollected) {
    globalThis.gc?.();
    globalThis.gc?.();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + external, residentBytes: rss };
}

async function holdingsNow(): Promise<Holdings> {
  const journal = await storage.records.scan(`${DEFAULT_TENANT}/calls`, { limit: 100_000 });
  return {
    calls: stack.calls.calls.length,
    dialogs: stack.dialogs.size,
    transactions: stack.transactions.size,
    bindings: stack.registrar.size,
    timers: scheduler.pending,
    handles: process.getActiveResourcesInfo().length,
    records: journal.length,
  };
}

process.on('message', ({ id, question, detail }: { id: number; question: string; detail: unknown }) => {
  void Promise.resolve(answers[question]?.(detail)).then((answer) => process.send?.({ id, answer }));
});
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));
