/**
 * What the running server costs, beside its peers, on loopback UDP with sipp. The peer under test has one processor, the load the other.
 *
 *   npm run bench:rates -- calls|registrations|memory|profile|in-process|held
 *     --peers pbxkit,kamailio,npm-sip  --rates 100,500  --repeats 3  --seconds 10  --highest 600  --json FILE
 *
 * `calls` and `registrations`: CPU at each rate, the peers in turn; with `--highest FROM` also the highest clean rate, the time of a
 * set-up at half of it and the delay of the event loop at 70 %; with `--clean RATE` these two without the search, which is a minute of
 * overload. `memory`: a binding (`--bindings 50000`) and a call (`--calls 10000`).
 * On a busy machine `BENCH_NICE=-10` gives the programs of the benchmark a better place in the queue (as root).
 * `profile`: a .cpuprofile of pbxkit (`--work calls|registrations --rate 300 --file FILE`).
 * `in-process`: what a call or a registration costs in the server alone, see in-process.ts. `held`: and with how many calls under way, see held.ts.
 * `relay`: what the media relay costs, beside its own peers, see ../relay/relay.ts.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { relayBench } from '../relay/relay.js';
import { bundle } from './bundle.js';
import { Flags } from './flags.js';
import { measure, type Work } from './measure.js';
import { bindingMemory, callMemory } from './memory.js';
import { PEERS, type Peer, type PeerName, startPeer } from './peers.js';
import { atFixedRates, highestRates, line, loopDelay, type Plan, setUpTimes, warmUp } from './rates.js';
import { Report } from './report.js';
import { SippServer } from './sipp.js';

const USERS = 1_000;
const flags = new Flags(process.argv.slice(2));
const report = new Report();
const command = flags.words[0] ?? 'calls';
const seconds = flags.number('seconds', 10);
const callee = ['in-process', 'held', 'relay'].includes(command) ? undefined : new SippServer('answer');
const started: Peer[] = [];

try {
  await run();
} finally {
  await Promise.all([callee?.stop(), ...started.map(({ program }) => program.stop())]);
}
const json = flags.text('json');
if (json !== undefined) report.write(json);

async function run(): Promise<void> {
  switch (command) {
    case 'calls':
      return rates({ kind: 'calls', holdMs: 500 }, ['pbxkit', 'kamailio', 'npm-sip'], [100, 500]);
    case 'registrations':
      return rates({ kind: 'registrations', users: USERS }, ['pbxkit', 'pbxkit-lmdb', 'kamailio'], [200, 2_000]);
    case 'memory':
      return memory();
    case 'profile':
      return profile();
    case 'in-process':
    case 'held':
      return inProcess(command);
    case 'relay':
      return relayBench(flags, report);
    default:
      throw new Error(`"${command}": expected calls, registrations, memory, profile, in-process, held or relay`);
  }
}

async function rates(work: Work, names: readonly PeerName[], usual: readonly number[]): Promise<void> {
  const wanted = flags.text('peers')?.split(',').map(peerName) ?? names;
  const plan: Plan = { peers: await start(wanted), work, seconds, repeats: flags.number('repeats', 3) };
  await warmUp(plan, report);
  await atFixedRates(plan, flags.numbers('rates', usual), report);
  if (!flags.has('highest') && !flags.has('clean')) return;
  const known = flags.number('clean', 0);
  const highest = known > 0 ? known : await highestRates(plan, flags.number('highest', 400), report);
  await loopDelay(plan, Math.round(highest * 0.7), report);
  if (work.kind === 'calls') {
    await callee?.stop();
    await setUpTimes(plan, Math.round(highest / 2), report);
  }
}

async function memory(): Promise<void> {
  const bindings = flags.number('bindings', 50_000);
  const calls = flags.number('calls', 10_000);
  const [peer] = await start(['pbxkit'], bindings);
  if (peer === undefined) return;
  await warmUp({ peers: [peer], work: { kind: 'calls', holdMs: 500 }, seconds, repeats: 1 }, report);
  if (calls > 0) await callMemory(peer, calls, flags.number('rate', 300), report);
  if (bindings > 0) {
    const users = Math.min(100, bindings);
    await warmUp({ peers: [peer], work: { kind: 'registrations', users }, seconds, repeats: 1 }, report);
    await new Promise((resolve) => setTimeout(resolve, 40_000));
    await bindingMemory(peer, bindings, flags.number('register-rate', 3_000), report);
  }
}

async function profile(): Promise<void> {
  const work: Work =
    flags.text('work') === 'registrations'
      ? { kind: 'registrations', users: USERS }
      : { kind: 'calls', holdMs: flags.number('hold', 500) };
  const [peer] = await start(['pbxkit']);
  if (peer === undefined) return;
  await warmUp({ peers: [peer], work, seconds, repeats: 1 }, report);
  await peer.program.ask('profile-start');
  const sample = await measure({ peer, work, rate: flags.number('rate', 300), seconds });
  await peer.program.ask('profile-stop', path.resolve(flags.text('file') ?? 'pbxkit.cpuprofile'));
  report.note(line(sample));
}

async function inProcess(name: string): Promise<void> {
  const args = ['--expose-gc', '--enable-source-maps', await bundle(name), ...process.argv.slice(3)];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}

async function start(names: readonly PeerName[], users = USERS): Promise<readonly Peer[]> {
  for (const name of names) started.push(await startPeer(name, { users }));
  return started;
}

function peerName(text: string): PeerName {
  const name = PEERS.find((each) => each === text);
  if (name === undefined) throw new Error(`--peers: found "${text}", expected some of ${PEERS.join(', ')}`);
  return name;
}
