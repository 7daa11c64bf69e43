import type { LinkConditions } from '../../src/testing/link.js';
import { createWorld, type World } from '../../src/testing/world.js';
import { EdgeProxy } from '../support/edge-proxy.js';
import { Actor } from './actor.js';
import { actOnce, type Stage } from './acts.js';
import { bindingFaults, callFaults } from './invariants.js';
import { drawPlan, type Plan } from './plan.js';
import { SERVER_ADDRESSES, Server } from './server.js';
import { strandedCalls } from './stranded.js';

/** What a seed showed. */
export interface SimulationResult {
  readonly seed: number;
  readonly plan: Plan;
  /** Empty: every invariant held. */
  readonly faults: readonly string[];
  readonly world: World;
  readonly calls: number;
  readonly answered: number;
  readonly acts: ReadonlyMap<string, number>;
}

const EDGE = '198.51.100.1';
const CALM: LinkConditions = { delayMs: [1, 3] };
/** Longer than every timer of a transaction, and than a re-INVITE that nobody answers. */
const QUIET = { seconds: 130 };

/**
 * One seed from the first packet to the last timer: an office is drawn, things happen in it, the network heals, everyone
 * hangs up, and what must hold then is checked. Never throws for what the PBX does: it is among the faults.
 */
export async function simulate(seed: number): Promise<SimulationResult> {
  const world = createWorld({ seed, addresses: SERVER_ADDRESSES, ...CALM });
  const plan = drawPlan(world.random.fork('plan'));
  world.pbx.host.link = plan.link;
  const server = new Server(world, plan);
  const faults: string[] = [];
  const done = new Map<string, number>();
  try {
    await server.start();
    const actors = await makeActors(world, plan);
    await play({ world, plan, server, actors, random: world.random.fork('acts'), done });
    faults.push(...(await endOf(world, plan, server, actors)));
  } catch (error) {
    faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  faults.push(...server.witness.finish());
  return { seed, plan, faults, world, calls: server.started.size, answered: server.answered.size, acts: done };
}

async function makeActors(world: World, plan: Plan): Promise<readonly Actor[]> {
  if (plan.phones.some(({ edge }) => edge)) await EdgeProxy.open(world, { address: EDGE });
  const actors: Actor[] = [];
  for (const [index, phone] of plan.phones.entries()) {
    const { place, edge, name, link, number } = phone;
    const nat =
      place.kind === 'nat' ? world.nat({ publicAddress: `203.0.113.${index + 1}`, kind: place.nat }) : undefined;
    const address = { open: `10.0.0.${index + 1}`, nat: `192.168.${index + 1}.10`, ipv6: `2001:db8::${index + 100}` };
    const machine = world.machine({
      name,
      addresses: [address[place.kind]],
      link,
      ...(nat === undefined ? {} : { behind: nat }),
    });
    const server = { address: edge ? EDGE : SERVER_ADDRESSES[place.kind === 'ipv6' ? 1 : 0], port: 5060 };
    const numbers = plan.numbers.filter((each) => each !== number);
    const actor = new Actor({ world, plan: phone, machine, nat, server, numbers });
    await actor.boot();
    void actor.register(600);
    actors.push(actor);
  }
  return actors;
}

async function play(stage: Stage): Promise<void> {
  const { world, plan, random } = stage;
  await world.advance({ seconds: 2 });
  const end = world.clock.now() + plan.durationMs;
  while (world.clock.now() < end) {
    // Some things happen at one moment.
    if (!random.chance(0.15)) await world.advance({ ms: random.between(1, plan.paceMs) });
    await actOnce(stage);
  }
}

/** The network heals, everyone hangs up and leaves; each step is looked at when its time has run out. */
async function endOf(world: World, plan: Plan, server: Server, actors: readonly Actor[]): Promise<readonly string[]> {
  world.network.heal();
  world.network.conditions = CALM;
  for (const host of world.network.hosts) host.link = undefined;
  await world.advance({ seconds: 1 });
  for (const { calls } of actors) for (const call of calls) call.hangUp();
  await world.advance(QUIET);
  // Both phones of such a call lost their memory, or hung up while they were cut off: nobody is left who could end it.
  const mayForget = plan.partitions || actors.some(({ crashes }) => crashes > 0);
  const forgotten = mayForget ? (server.pbx?.calls ?? []) : [];
  for (const { id } of forgotten) server.pbx?.endCall(id);
  if (forgotten.length > 0) await world.advance(QUIET);
  // What was under way to a phone when everyone hung up may ring or be answered there when no one can tell it the end.
  const stranded = strandedCalls(world, actors);
  for (const call of stranded) call.hangUp();
  if (stranded.length > 0) await world.advance(QUIET);
  const faults = [...callFaults(world, server, actors), ...(await bindingFaults(world, server, actors))];
  await registerAll(world, actors, 600);
  faults.push(...registeredFaults(actors, 'until'), ...(await bindingFaults(world, server, actors)));
  await registerAll(world, actors, 0);
  await world.advance({ seconds: 40 });
  faults.push(...registeredFaults(actors, 'none'), ...(await bindingFaults(world, server, actors)));
  for (const { plan } of actors) {
    const left = (await world.run(() => server.pbx?.bindings(plan.number))) ?? [];
    if (left.length > 0) faults.push(`${left.length} binding(s) of ${plan.number} left`);
  }
  for (const { phone } of actors) await world.run(() => phone?.close());
  // What a dead phone left behind on a connection is closed as idle.
  await world.advance(world.pbx.host.openConnections > 0 ? { minutes: 150 } : { seconds: 5 });
  if (world.pbx.pendingTimers > 0) faults.push(`timers that nobody needs: ${world.pbx.leaks().join('; ')}`);
  await world.close();
  faults.push(...world.leaks());
  return faults;
}

/** Each phone once, and once more where a connection had died without a word. */
async function registerAll(world: World, actors: readonly Actor[], expiresSeconds: number): Promise<void> {
  await world.run(() => Promise.all(actors.map((actor) => actor.register(expiresSeconds))));
  const failed = actors.filter(({ registration }) => registration.kind === 'unknown');
  await world.run(() => Promise.all(failed.map((actor) => actor.register(expiresSeconds))));
}

function registeredFaults(actors: readonly Actor[], expected: 'until' | 'none'): readonly string[] {
  return actors
    .filter(({ registration }) => registration.kind !== expected)
    .map(({ plan, registration }) => `${plan.name}: a REGISTER on a calm network came to ${registration.kind}`);
}
