/** Branch offices joined by a trunk server (product facts, part 2: L-MSS and T-MSS): by registration, with loss and restarts. */
import { describe, expect } from 'vitest';
import type { CallRecord } from '../../src/call/call-record.js';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import type { Machine } from '../../src/testing/machine.js';
import type { World } from '../../src/testing/world.js';
import { scenario } from '../support/scenario.js';

const HEAD = '192.0.2.1';
const BRANCHES = [
  { name: 'branch-a', prefix: '2', address: '10.1.0.1' },
  { name: 'branch-b', prefix: '3', address: '10.2.0.1' },
] as const;
type Branch = (typeof BRANCHES)[number];
/** What a line asks for: the longest that a branch may be away after the head has forgotten it. */
const INTERVAL = 120;

interface Site {
  readonly pbx: Pbx;
  readonly records: CallRecord[];
}

async function site(
  world: World,
  machine: Machine,
  options: Partial<PbxOptions> & { readonly domain: string },
): Promise<Site> {
  const { network, scheduler, random, logger } = machine.ports;
  const pbx = world.use(createPbx({ ...options, network, scheduler, random, logger }), machine);
  const records: CallRecord[] = [];
  pbx.on('call.ended', ({ record }) => records.push(record));
  await world.run(() => pbx.start());
  return { pbx, records };
}

/** The head: both branches register here, and what begins with a branch's digit goes to it. */
function head(world: World): Promise<Site> {
  return site(world, world.pbx, {
    domain: 'head.test',
    listen: [`udp://${HEAD}:5060`, `tcp://${HEAD}:5060`],
    extensions: BRANCHES.map(({ name }) => ({ number: name, password: `secret-${name}`, kind: 'server' as const })),
    registration: { minSeconds: 30 },
    dialPlan: {
      called: BRANCHES.map(({ name, prefix }) => ({ prefix, route: { kind: 'peer', peer: name } as const })),
    },
  });
}

/** A branch: its own numbers stay, everything else that a branch could have goes to the head. */
function branch(world: World, { name, prefix, address }: Branch, transport: 'udp' | 'tcp'): Promise<Site> {
  const other = BRANCHES.filter((each) => each.name !== name).map((each) => each.prefix);
  return site(world, world.host(name, address), {
    domain: `${name}.test`,
    listen: [`udp://${address}:5060`, `tcp://${address}:5060`],
    extensions: ['01', '02'].map((number) => ({
      number: `${prefix}${number}`,
      password: 'x',
      name: `Person ${prefix}${number}`,
    })),
    lines: [
      {
        name: 'head',
        server: `sip:${HEAD};transport=${transport}`,
        domain: 'head.test',
        username: name,
        password: `secret-${name}`,
        expiresSeconds: INTERVAL,
        showsCaller: true,
        assertsIdentity: true,
      },
    ],
    dialPlan: { called: other.map((each) => ({ prefix: each, route: { kind: 'line', line: 'head' } as const })) },
  });
}

function phone(world: World, number: string, at: Branch) {
  return world.phone(`sip:${number}@${at.name}.test`, { password: 'x', server: { address: at.address, port: 5060 } });
}

async function threeSites(world: World, transport: 'udp' | 'tcp' = 'udp') {
  const t = await head(world);
  const [a, b] = [await branch(world, BRANCHES[0], transport), await branch(world, BRANCHES[1], transport)];
  await world.until(() => [a, b].every(({ pbx }) => pbx.lines[0]?.state.kind === 'registered'));
  const [alice, bob] = [phone(world, '201', BRANCHES[0]), phone(world, '301', BRANCHES[1])];
  await world.run(() => Promise.all([alice.register(), bob.register()]));
  return { t, a, b, alice, bob };
}

describe('branches that register at the head', () => {
  for (const transport of ['udp', 'tcp'] as const) {
    scenario(
      `${transport}: an extension calls one of the other branch; who calls is kept`,
      { seed: 1, delayMs: 5 },
      async (world) => {
        const { t, a, b, alice, bob } = await threeSites(world, transport);
        const next = bob.incoming();
        const call = alice.call('301');
        const answered = await world.run(() => next);
        expect(answered.invite.request.from).toMatchObject({ uri: { user: '201' }, displayName: 'Person 201' });
        answered.answer();
        await world.until(call.talking());
        await world.advance({ seconds: 2 });
        answered.hangUp();
        await world.until(call.ended());
        await world.advance({ seconds: 40 });
        expect([a, t, b].map(({ records }) => records.map(({ caller, called }) => [caller, called]))).toEqual(
          Array(3).fill([['201', '301']]),
        );
        expect(t.records[0]?.legs.map(({ via, outcome }) => [via, outcome])).toEqual([
          ['branch-a', 'answered'],
          ['branch-b', 'answered'],
        ]);
      },
    );
  }

  scenario('a number that nobody has does not go round in circles', { seed: 2, delayMs: 5 }, async (world) => {
    const { t, a, b, alice } = await threeSites(world);
    // The other branch sends what it does not know back to the head, and the head knows where it came from.
    b.pbx.reconfigure({ dialPlan: { called: [{ prefix: '3999', route: { kind: 'line', line: 'head' } }] } });
    const call = alice.call('3999');
    await world.until(call.ended());
    expect(call.state).toMatchObject({ kind: 'ended' });
    await world.advance({ seconds: 40 });
    expect([a, t, b].map(({ records }) => records.length)).toEqual([1, 1, 1]);
  });

  scenario(
    'a stranger who calls himself a branch is asked for its password',
    { seed: 3, delayMs: 5 },
    async (world) => {
      const { bob } = await threeSites(world);
      const stranger = world.phone('sip:branch-a@head.test', { password: 'guessed', name: 'stranger' });
      await world.run(() => stranger.start());
      const call = stranger.call('301');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 407 });
      expect(bob.calls).toHaveLength(0);
    },
  );
});

describe('under loss, and when the head dies', () => {
  for (const [seed, transport] of [
    [11, 'udp'],
    [12, 'tcp'],
    [13, 'udp'],
  ] as const) {
    scenario(
      `seed ${seed}, ${transport}: calls work again within one registration interval, and none is left over`,
      { seed, delayMs: [5, 40], loss: transport === 'udp' ? 0.05 : 0 },
      async (world) => {
        const { a, b, alice, bob } = await threeSites(world, transport);
        const talk = async () => {
          const next = bob.incoming();
          const call = alice.call('301');
          const answered = await world.run(() => next);
          answered.answer();
          await world.until(call.talking());
          return { call, answered };
        };
        const { call: before, answered: beforeFar } = await talk();
        await world.advance({ seconds: 3 });
        world.pbx.restart();
        const t = await head(world);
        await world.advance({ seconds: INTERVAL + 5 });
        expect([a, b].map(({ pbx }) => pbx.lines[0]?.state.kind)).toEqual(['registered', 'registered']);
        const { call } = await talk();
        await world.advance({ seconds: 2 });
        call.hangUp();
        // The head kept no journal: hanging up finds that the call is gone there.
        before.hangUp();
        beforeFar.hangUp();
        await world.advance({ minutes: 2 });
        expect([a, b, t].map(({ pbx }) => pbx.calls.length)).toEqual([0, 0, 0]);
        for (const { records } of [a, b]) {
          expect(records).toHaveLength(2);
          for (const { legs } of records) expect(legs.every(({ endedAt }) => endedAt !== undefined)).toBe(true);
        }
        expect(t.records).toHaveLength(1);
      },
    );
  }
});
