import { Worker } from 'node:worker_threads';

/** Looks from another thread whether the fuzzer still moves, because an endless loop in a parser cannot tell of itself. */
export interface Watchdog {
  /** Before each input. */
  beat(index: number): void;
  close(): Promise<void>;
}

const CODE = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const place = new Int32Array(workerData.place);
let last = -1;
let since = Date.now();
setInterval(() => {
  const now = Atomics.load(place, 0);
  if (now !== last) { last = now; since = Date.now(); return; }
  if (Date.now() - since < workerData.limitMs) return;
  writeSync(2, 'HANG at input ' + now + '\\n  ' + workerData.replay + ' --only ' + now + '\\n');
  process.kill(process.pid, 'SIGKILL');
}, 500);
`;

/** Ends the process, and says at which input, when no beat comes for `limitMs`. */
export function watch(replay: string, limitMs: number): Watchdog {
  const buffer = new SharedArrayBuffer(4);
  const place = new Int32Array(buffer);
  const worker = new Worker(CODE, { eval: true, workerData: { place: buffer, limitMs, replay } });
  worker.unref();
  return {
    beat: (index) => void Atomics.store(place, 0, index),
    close: async () => void (await worker.terminate()),
  };
}
