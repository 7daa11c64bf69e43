/**
 * Mixed load for a long time: calls, callers who give up, registrations. Every ten seconds it looks at memory, handles, timers,
 * transactions and whatever else must not grow. Fails when one of them does, or when a call or a registration fails.
 *
 *   npm run soak -- --minutes 60 [--calls 300] [--cancels 20] [--registrations 100] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { median } from '../harness.js';
import { Flags } from './flags.js';
import { loadOf } from './measure.js';
import { startPeer } from './peers.js';
import { type Holdings, type Memory, RINGING } from './server-options.js';
import { RINGING_PORT, SippClient, type SippResult, SippServer } from './sipp.js';

type Look = Memory & Holdings & { readonly second: number };

const LOOK_EVERY_MS = 10_000;
/** Until then what lingers (transactions for 32 s, answered INVITEs for 37 s) is still filling up. */
const SETTLED_SECONDS = 60;
const WARM_SECONDS = 90;
/** What may differ between the first and the last third of the time: the share, and a few more on top. */
const TOLERANCE = 1.1;
const SLACK: Readonly<Partial<Record<keyof Look, number>>> = { heapBytes: 2e6, residentBytes: 60e6, transactions: 200 };

const flags = new Flags(process.argv.slice(2));
const seconds = flags.number('minutes', 60) * 60;
const users = 1_000;
let started = performance.now();
const now = (): number => (performance.now() - started) / 1000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const answering = new SippServer('answer');
const ringing = new SippServer('ring', RINGING_PORT);
const server = await startPeer('pbxkit', { users });
const looks: Look[] = [];
const clients: SippClient[] = [];
const faults: string[] = [];
try {
  // Slowly first: code that has not been compiled yet falls behind.
  await load('warm-up', { scenario: 'call', holdMs: 1_000 }, 100, 0, WARM_SECONDS);
  started = performance.now();
  const loads = [
    load('calls', { scenario: 'call', holdMs: 5_000 }, flags.number('calls', 100), 0),
    load('cancels', { scenario: 'cancel', service: RINGING }, flags.number('cancels', 10), 1),
    load('registrations', loadOf({ kind: 'registrations', users }), flags.number('registrations', 50), 2),
  ];
  let over = false;
  const done = Promise.all(loads).finally(() => {
    over = true;
  });
  while (!over) {
    await Promise.race([done, pause(LOOK_EVERY_MS)]);
    await look();
  }
  await done;
  // Everything that a call leaves behind has a time to live of less than a minute.
  await pause(SETTLED_SECONDS * 1000);
  const last = await look();
  for (const what of ['calls', 'dialogs', 'transactions', 'records'] as const) {
    if (last[what] > 0) faults.push(`${last[what]} ${what} are left at the end`);
  }
  faults.push(...growth());
} finally {
  await Promise.all([answering.stop(), ringing.stop(), server.program.stop()]);
}
const json = flags.text('json');
if (json !== undefined) writeFileSync(json, `${JSON.stringify({ seconds, looks, faults }, undefined, 2)}\n`);
for (const fault of faults) console.error(`FAILED: ${fault}`);
if (faults.length === 0) console.log('flat, and nothing failed');
process.exitCode = faults.length === 0 ? 0 : 1;

/** One kind of load for the whole time. */
async function load(
  what: string,
  how: Pick<ConstructorParameters<typeof SippClient>[0], 'scenario' | 'holdMs' | 'service' | 'users'>,
  rate: number,
  index: number,
  lasts = seconds,
): Promise<void> {
  if (rate === 0) return;
  const client = new SippClient({
    ...how,
    ...{ peer: server.address, rate, count: Math.round(rate * lasts), index, patienceSeconds: 120 },
  });
  clients.push(client);
  const result: SippResult = await client.done;
  console.log(`${what}: ${result.ok} done, ${result.failed} failed, ${result.retransmissions} retransmissions`);
  if (result.failed > 0) faults.push(`${result.failed} of ${result.ok + result.failed} ${what} failed`);
}

async function look(): Promise<Look> {
  const memory = await server.program.ask<Memory>('memory', 'uncollected');
  const holdings = await server.program.ask<Holdings>('holdings');
  const found: Look = { second: Math.round(now()), ...memory, ...holdings };
  looks.push(found);
  const failed = clients.reduce((sum, client) => sum + client.failed, 0);
  const { second, heapBytes, residentBytes, calls, dialogs, transactions, bindings, timers, handles } = found;
  console.log(
    `${second} s: heap ${mb(heapBytes)} MB, resident ${mb(residentBytes)} MB, calls ${calls}, dialogs ${dialogs}, ` +
      `transactions ${transactions}, bindings ${bindings}, timers ${timers}, handles ${handles}, failed ${failed}`,
  );
  return found;
}

/** What was more in the last third of the time under load than in the first. */
function growth(): readonly string[] {
  const loaded = looks.filter(({ second }) => second >= SETTLED_SECONDS && second <= seconds);
  const third = Math.floor(loaded.length / 3);
  if (third < 2) return [];
  const grown: string[] = [];
  for (const what of [
    'heapBytes',
    'residentBytes',
    'dialogs',
    'transactions',
    'timers',
    'handles',
    'records',
  ] as const) {
    const first = median(loaded.slice(0, third).map((each) => each[what]));
    const last = median(loaded.slice(-third).map((each) => each[what]));
    if (last > first * TOLERANCE + (SLACK[what] ?? 20)) grown.push(`${what} grew from ${first} to ${last}`);
  }
  return grown;
}

function mb(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
