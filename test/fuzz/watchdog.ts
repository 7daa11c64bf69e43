import { Worker } from 'node:worker_threads';

/** Looks from another thread whether the fuzzer still moves, because an endless loop in a parser cannot tell of itself. */
export interface Watchdog {
  /** Before each input, and each try to make a finding small. */
  beat(index: number): void;
  close(): Promise<void>;
}

const CODE = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const place = new Int32Array(workerData.place);
let last = -1; // of the count of beats
let since = Date.now();
setInterval(() => {
  const now = Atomics.load(place, 1);
  if (now !== last) { last = now; since = Date.now(); return; }
  if (Date.now() - since < workerData.limitMs) return;
  const input = Atomics.load(place, 0);
  writeSync(2, 'HANG at input ' + input + '\\n  ' + workerData.replay + ' --only ' + input + '\\n');
  process.kill(process.pid, 'SIGKILL');
}, 500);
`;

/** Ends the process, and says at which input, when no beat comes for `limitMs`. */
export function watch(replay: string, limitMs: number): Watchdog {
  const buffer = new SharedArrayBuffer(8);
  const place = new Int32Array(buffer);
  const worker = new Worker(CODE, { eval: true, workerData: { place: buffer, limitMs, replay } });
  worker.unref();
  return {
    beat: (index) => {
      Atomics.store(place, 0, index);
      Atomics.add(place, 1, 1);
    },
    close: async () => void (await worker.terminate()),
  };
}
