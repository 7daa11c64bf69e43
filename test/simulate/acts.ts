import { sipUri } from '../../src/protocol/sip/uri.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import type { SeededRandom } from '../../src/testing/seeded-random.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN } from '../support/office.js';
import type { Actor } from './actor.js';
import { type Plan, pick } from './plan.js';
import type { Server } from './server.js';

/** What the acts of a simulation work on. */
export interface Stage {
  readonly world: World;
  readonly plan: Plan;
  readonly actors: readonly Actor[];
  readonly server: Server;
  readonly random: SeededRandom;
  /** How often each act was done. */
  readonly done: Map<string, number>;
}

type Act = (stage: Stage) => void | Promise<void>;

/** Weight and act, by name. What is not possible at the moment does nothing. */
const ACTS: Readonly<Record<string, { readonly weight: number; readonly act: Act; readonly needs?: keyof Plan }>> = {
  call: { weight: 30, act: placeCall },
  cancel: { weight: 8, act: cancel },
  'hang up': { weight: 10, act: hangUp },
  'hang up both': { weight: 5, act: hangUpBoth },
  modify: { weight: 16, act: (stage) => modify(stage, anyTalking(stage)) },
  'modify both': { weight: 6, act: modifyBoth },
  transfer: { weight: 5, act: transfer },
  'transfer attended': { weight: 8, act: transferAttended },
  register: { weight: 8, act: register },
  unregister: { weight: 3, act: ({ actors, random }) => void pick(random, actors).register(0) },
  'remove all': { weight: 1, act: removeAll },
  'end call': { weight: 2, act: endCall },
  'new nat mapping': { weight: 2, act: rebind },
  'reset connections': { weight: 2, act: ({ actors, random }) => pick(random, actors).machine.host.resetConnections() },
  'cut off': { weight: 3, act: cutOff, needs: 'partitions' },
  'crash a phone': { weight: 2, act: crash, needs: 'crashes' },
  restart: { weight: 1, act: restart, needs: 'restarts' },
};

/** One random act. */
export async function actOnce(stage: Stage): Promise<void> {
  const { plan, random, done } = stage;
  const possible = Object.entries(ACTS).filter(([, { needs }]) => needs === undefined || plan[needs] === true);
  let left = random.fraction() * possible.reduce((sum, [, { weight }]) => sum + weight, 0);
  for (const [name, { weight, act }] of possible) {
    left -= weight;
    if (left >= 0) continue;
    done.set(name, (done.get(name) ?? 0) + 1);
    return act(stage);
  }
}

function placeCall({ actors, plan, random }: Stage): void {
  const caller = pick(random, actors).phone;
  const number = random.chance(0.05) ? '199' : pick(random, plan.numbers);
  const lateOffer = random.chance(0.2);
  const limited = random.chance(0.03);
  caller?.call(number, { lateOffer, ...(limited ? { maxForwards: random.integer(2) } : {}) });
}

function cancel({ actors, random }: Stage): void {
  const waiting = actors
    .flatMap(({ calls }) => calls)
    .filter((call) => call.direction === 'out' && call.state.kind !== 'talking');
  if (waiting.length > 0) pick(random, waiting).cancel();
}

function hangUp(stage: Stage): void {
  const all = stage.actors.flatMap(({ calls }) => calls);
  if (all.length > 0) pick(stage.random, all).hangUp();
}

function hangUpBoth(stage: Stage): void {
  const call = anyTalking(stage);
  if (call === undefined) return;
  otherSide(stage, call)?.hangUp();
  call.hangUp();
}

function modifyBoth(stage: Stage): void {
  const call = anyTalking(stage);
  if (call === undefined) return;
  modify(stage, call);
  modify(stage, otherSide(stage, call));
}

/** Hold, resume, the same again, or a re-INVITE that asks for an offer. */
function modify({ random }: Stage, call: PhoneCall | undefined): void {
  if (call?.state.kind !== 'talking') return;
  switch (random.integer(4)) {
    case 0:
      void call.hold();
      break;
    case 1:
      void call.resume();
      break;
    case 2:
      void call.reinvite();
      break;
    default:
      void call.reinvite(call.media.offer());
  }
}

/** Blind: to a number, or to one that does not exist. */
function transfer(stage: Stage): void {
  const { plan, random } = stage;
  const number = random.chance(0.1) ? '199' : pick(random, plan.numbers);
  anyTalking(stage)?.transfer({ to: sipUri({ user: number, host: DOMAIN }) });
}

/** A phone that talks to two brings them together; now and then somebody names a dialog that is not its own. */
function transferAttended({ actors, plan, random }: Stage): void {
  const talking = actors.map(({ calls }) => calls.filter(({ state }) => state.kind === 'talking'));
  const able = talking.filter((calls) => calls.length > 1);
  const [first, second] = able.length > 0 ? pick(random, able) : [talking.flat()[0], talking.flat().at(-1)];
  if (first === undefined || second === undefined || first === second) return;
  first.transfer({ to: sipUri({ user: pick(random, plan.numbers), host: DOMAIN }), replacing: second });
}

function register({ actors, random }: Stage): void {
  void pick(random, actors).register(pick(random, [10, 20, 60, 600]));
}

/** All contacts of the number are gone: what its other phones believe of theirs is worth nothing now. */
function removeAll({ actors, random }: Stage): void {
  const actor = pick(random, actors);
  void actor.register(0, '*').then(() => doubt(actors, actor));
}

/** What the other phones of a number believe of their registrations. */
function doubt(actors: readonly Actor[], actor: Actor): void {
  for (const other of actors) if (other !== actor && other.plan.number === actor.plan.number) other.doubt();
}

function endCall({ server, random }: Stage): void {
  const calls = server.pbx?.calls ?? [];
  if (calls.length > 0) server.pbx?.endCall(pick(random, calls).id);
}

function rebind({ actors, random }: Stage): void {
  pick(random, actors).nat?.rebind();
}

function cutOff({ world, actors, random }: Stage): void {
  const host = random.chance(0.2) ? world.pbx.host : pick(random, actors).machine.host;
  const heal = world.network.isolate(host);
  world.clock.after(random.chance(0.5) ? random.between(50, 3000) : random.between(3000, 45_000), heal);
}

async function crash({ world, actors, random }: Stage): Promise<void> {
  const actor = pick(random, actors);
  if (actor.phone === undefined) return;
  actor.crash();
  // It may have been about to remove all.
  doubt(actors, actor);
  if (random.chance(0.7)) await world.advance({ ms: random.between(0, 4000) });
  await actor.boot();
  if (random.chance(0.8)) void actor.register(60);
}

async function restart({ world, server, random }: Stage): Promise<void> {
  if (random.chance(0.6)) server.kill();
  else await server.close();
  if (random.chance(0.7)) await world.advance({ ms: random.between(0, 8000) });
  await server.start();
}

function anyTalking({ actors, random }: Stage): PhoneCall | undefined {
  const talking = actors.flatMap(({ calls }) => calls).filter((call) => call.state.kind === 'talking');
  return talking.length === 0 ? undefined : pick(random, talking);
}

/** The phone's call at the far end of the PBX's call, if it talks. */
function otherSide({ actors, server }: Stage, call: PhoneCall): PhoneCall | undefined {
  const own = call.session?.dialog.callId;
  const record = server.pbx?.calls.find(({ legs }) => legs.some(({ sipCallId }) => sipCallId === own));
  const others = record?.legs.map(({ sipCallId }) => sipCallId).filter((id) => id !== own) ?? [];
  return actors
    .flatMap(({ calls }) => calls)
    .find((each) => each.session !== undefined && others.includes(each.session.dialog.callId));
}
