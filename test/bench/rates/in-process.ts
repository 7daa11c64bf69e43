/**
 * What a call or a registration costs in the server alone: no sockets, no other process, time that passes at 500 calls a second, so that every timer of
 * every transaction runs out as it would.
 *
 *   npm run bench:rates -- in-process [--work registrations] [--rounds 7] [--calls 2000] [--talk] [--bindings 50000] [--lmdb FOLDER] [--snapshot FILE]
 */
import { writeHeapSnapshot } from 'node:v8';
import { lmdb } from '../../../src/storage/lmdb/index.js';
import { memoryStorage } from '../../../src/storage/memory-storage.js';
import { Clockwork } from './clockwork.js';
import { Flags } from './flags.js';
import { LoopbackPhones } from './loopback-phones.js';
import { show, spread } from './report.js';
import { startStack } from './stack.js';

/** From one call to the next. */
const STEP_MS = 2;
/** How long transactions and answered INVITEs are kept for what may still come. */
const LINGER_MS = 37_000;

const PASSWORD = 'secret';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const flags = new Flags(process.argv.slice(2));
const registrations = flags.text('work') === 'registrations';
const what = registrations ? 'registration' : 'call';
const calls = flags.number('calls', 2_000);
const bindings = flags.number('bindings', 0);
/** They register in turn. */
const users = Math.max(1_000, bindings);
const folder = flags.text('lmdb');
const scheduler = new Clockwork();
const phones = new LoopbackPhones('127.0.0.11:5060', PASSWORD);
const stack = await startStack(
  {
    network: phones.network,
    scheduler,
    storage: folder === undefined ? memoryStorage({ clock: scheduler }) : lmdb({ path: folder, clock: scheduler }),
  },
  {
    ...{ host: '127.0.0.11', port: 5060, domain: 'bench.test', users, password: PASSWORD },
    ...{ calledUri: 'sip:bench@127.0.0.3:5090', ringingUri: 'sip:bench@127.0.0.3:5092' },
  },
);

/** CPU of a call, microseconds. */
async function round(): Promise<number> {
  const before = process.cpuUsage();
  const finished = phones.finished;
  for (let i = 0; i < calls; i++) {
    if (registrations) phones.register(users);
    else phones.call();
    await turn();
    scheduler.advance(STEP_MS);
  }
  const used = process.cpuUsage(before);
  const done = phones.finished - finished;
  if (done < calls) throw new Error(`${calls - done} of ${calls} were left undone`);
  return (used.user + used.system) / done;
}

function heap(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Established calls, and nothing of their beginnings. */
async function talk(): Promise<number> {
  phones.keepTalking = true;
  const before = heap();
  await round();
  scheduler.advance(60_000);
  await turn();
  return (heap() - before) / calls;
}

/** Phones that have registered once each, and nothing of their REGISTERs. */
async function bind(count: number): Promise<number> {
  scheduler.advance(3_600_000);
  await turn();
  const [had, before] = [stack.registrar.size, heap()];
  for (let i = 0; i < count; i++) {
    phones.register(users);
    await turn();
    scheduler.advance(STEP_MS / 10);
  }
  scheduler.advance(60_000);
  await turn();
  if (stack.registrar.size - had < count) throw new Error(`${stack.registrar.size - had} of ${count} have registered`);
  return (heap() - before) / count;
}

const empty = heap();
const rounds: number[] = [];
for (let i = 0; i < flags.number('warm', 10); i++) await round();
for (let i = 0; i < flags.number('rounds', 7); i++) rounds.push(await round());
if (rounds.length > 0)
  console.log(`CPU of a ${what}: ${show(spread(rounds), 1)} us, least ${Math.min(...rounds).toFixed(1)}`);
const lingering = Math.min(phones.finished, LINGER_MS / STEP_MS);
console.log(`heap that a ${what} leaves for ${LINGER_MS / 1000} s: ${((heap() - empty) / lingering).toFixed(0)} bytes`);
if (flags.has('talk')) {
  scheduler.advance(60_000);
  console.log(`heap of an established call: ${(await talk()).toFixed(0)} bytes`);
}
if (bindings > 0) console.log(`heap of a binding, ${bindings} of them: ${(await bind(bindings)).toFixed(0)} bytes`);
const snapshot = flags.text('snapshot');
if (snapshot !== undefined) writeHeapSnapshot(snapshot);
scheduler.advance(60_000);
if (!flags.has('talk') && stack.transactions.size + stack.dialogs.size > 0)
  throw new Error('transactions or dialogs are left');
