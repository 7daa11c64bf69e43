/** Many lines, and changes to them at run time. */
import { describe, expect } from 'vitest';
import type { Random } from '../../src/base/random.js';
import type { World } from '../../src/testing/world.js';
import type { LineOptions } from '../../src/trunk/line-options.js';
import type { WireMessage } from '../support/raw-peer.js';
import { scenario } from '../support/scenario.js';
import { contactOf, registersOf, scriptedRegistrar, trunkStack } from '../support/trunks.js';

const TENANT = 'default';
const DAY_MS = 24 * 3_600_000;

const lineOf = (number: number, options: Partial<LineOptions> = {}): LineOptions => ({
  name: `${number}`,
  server: '198.51.100.1',
  username: `${number}`,
  password: 'secret',
  ...options,
});

const accountOf = (request: WireMessage): string => /sip:(\d+)@/.exec(request.header('To') ?? '')?.[1] ?? '';

/** The most that fall into any window of `ms`. */
function densest(times: readonly number[], ms: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while ((times[last] ?? 0) - (times[first] ?? 0) >= ms) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** Draws the middle each time. */
function middle(world: World): Random {
  const { random } = world.ports;
  return {
    bytes: (count) => random.bytes(count),
    token: (bits) => random.token(bits),
    integer: (below) => Math.floor(below / 2),
  };
}

const lines = Array.from({ length: 200 }, (_, i) => lineOf(1000 + i));

function timesByLine(registers: readonly WireMessage[]): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const each of registers) times.set(accountOf(each), [...(times.get(accountOf(each)) ?? []), each.at]);
  return times;
}

describe('200 lines for a day', () => {
  scenario('the exact number of REGISTERs, where chance draws the middle', { seed: 200 }, async (world) => {
    const carrier = await scriptedRegistrar(world, () => ({ status: 200 }));
    const { trunks } = await trunkStack(world, { random: middle(world) });
    await world.run(() => trunks.configure(TENANT, { lines }));
    await world.advance({ ms: DAY_MS - world.clock.now() });
    // The first within 20 s; then every 3,300 s and 52 ms: the half slot of the pace, and the wire there and back.
    const times = timesByLine(registersOf(carrier));
    let expected = 0;
    for (let i = 0; i < 200; i++) {
      const first = 100 * i + 51;
      const own = times.get(`${1000 + i}`) ?? [];
      expect(Math.abs((own[0] ?? 0) - first)).toBeLessThan(2);
      expected += 1 + Math.floor((DAY_MS - first) / 3_300_052);
      expect(own).toHaveLength(27);
    }
    expect(registersOf(carrier)).toHaveLength(expected);
    expect(expected).toBe(5_400);
  });

  scenario('with chance: each refresh in its time, none in a burst', { seed: 201 }, async (world) => {
    const carrier = await scriptedRegistrar(world, () => ({ status: 200 }));
    const { trunks, told } = await trunkStack(world);
    await world.run(() => trunks.configure(TENANT, { lines }));
    await world.advance({ ms: DAY_MS - world.clock.now() });
    const all = registersOf(carrier);
    for (const times of timesByLine(all).values()) {
      // Granted 3600 s each time: refreshed after 3120 to 3480 s, and a moment for the pace and the wire. The last is not missing.
      for (const [i, at] of times.entries()) {
        const wait = (times[i + 1] ?? DAY_MS) - at;
        if (i + 1 < times.length) expect(wait).toBeGreaterThanOrEqual(3_120_000);
        expect(wait).toBeLessThanOrEqual(3_481_000);
      }
    }
    // Of 26 refreshes on average the last falls behind the end of the day for every eighth line.
    expect(all.length).toBeGreaterThan(5_300);
    expect(all.length).toBeLessThan(5_400);
    expect(told).toHaveLength(200);

    const times = all.map(({ at }) => at).sort((a, b) => a - b);
    // Ten a second at most, also at the start, which takes the 20 s that 200 lines need.
    expect(densest(times, 1_000)).toBeLessThanOrEqual(11);
    expect(times[199]).toBeGreaterThan(19_000);
    expect(times[199]).toBeLessThan(21_000);
    // The first refreshes already come over six minutes: one in two seconds.
    const later = times.slice(200);
    expect(densest(later, 1_000)).toBeLessThanOrEqual(6);
    expect(densest(later, 10_000)).toBeLessThanOrEqual(16);
  });

  scenario('a carrier that was away for an hour is not stormed when it is back', { seed: 202 }, async (world) => {
    let away = true;
    const carrier = await scriptedRegistrar(world, () => (away ? undefined : { status: 200 }));
    const { trunks, told } = await trunkStack(world);
    await world.run(() => trunks.configure(TENANT, { lines }));
    await world.advance({ minutes: 60 });
    away = false;
    carrier.received.length = 0;
    await world.advance({ minutes: 32 });
    expect(told.filter((each) => each.startsWith('line.registered'))).toHaveLength(200);
    const times = registersOf(carrier).map(({ at }) => at);
    expect(densest(times, 1_000)).toBeLessThanOrEqual(11);
    // Those whose retransmissions were under way, and a share of the half hour.
    expect(densest(times, 60_000)).toBeLessThanOrEqual(60);
  });
});

describe('configure', () => {
  scenario(
    'unchanged lines notice nothing, changed ones take leave and come anew, others go',
    { seed: 210 },
    async (world) => {
      const carrier = await scriptedRegistrar(world, () => ({ status: 200 }));
      const { trunks, told, records } = await trunkStack(world);
      await world.run(() => trunks.configure(TENANT, { lines: [lineOf(1), lineOf(2), lineOf(3)] }));
      await world.advance({ seconds: 5 });
      carrier.received.length = 0;
      told.length = 0;
      await world.run(() =>
        trunks.configure(TENANT, { lines: [lineOf(1), lineOf(2, { displayName: 'Two' }), lineOf(4)] }),
      );
      await world.advance({ seconds: 5 });
      const said = registersOf(carrier).map((each) => `${accountOf(each)} ${each.header('Expires')}`);
      expect(said.sort()).toEqual(['2 0', '2 3600', '3 0', '4 3600']);
      expect([...told].sort()).toEqual([
        'line.registered 2',
        'line.registered 4',
        'line.unregistered 2',
        'line.unregistered 3',
      ]);
      expect(trunks.lines(TENANT).map(({ name, state }) => `${name} ${state.kind}`)).toEqual([
        '1 registered',
        '2 registered',
        '4 registered',
      ]);
      expect((await records.scan(`${TENANT}/lines`)).map(({ id }) => id)).toEqual(['1', '2', '4']);
    },
  );

  scenario('refuses the whole of it for one bad line, and changes nothing', { seed: 211 }, async (world) => {
    const carrier = await scriptedRegistrar(world, () => ({ status: 200 }));
    const { trunks } = await trunkStack(world);
    await world.run(() => trunks.configure(TENANT, { lines: [lineOf(1)] }));
    await world.advance({ seconds: 5 });
    const bad: [Partial<LineOptions>, string][] = [
      [{ server: 'two words' }, 'lines[1].server: found "two words"'],
      [{ server: 'sip:u@host' }, 'lines[1].server'],
      [
        { server: 'sip:host;transport=ws' },
        'lines[1].server: found "sip:host;transport=ws", expected transport=udp, tcp or tls',
      ],
      [{ username: '1@host' }, 'lines[1].username'],
      [{ password: '' }, 'lines[1].password: found a text of 0 characters'],
      [{ expiresSeconds: 59 }, 'lines[1].expiresSeconds: found 59'],
      [{ authorizationId: 'a\r\nb' }, 'lines[1].authorizationId'],
      [{ proxy: '' }, 'lines[1].proxy'],
      [{ name: 'a b' }, 'lines[1].name: found "a b"'],
      [{ name: '1' }, 'lines[1].name: found "1", expected a name of its own: lines[0] has it already'],
    ];
    for (const [options, message] of bad) {
      const lines = [lineOf(1, { displayName: 'changed' }), lineOf(2, options)];
      await expect(world.run(() => trunks.configure(TENANT, { lines }))).rejects.toThrow(message);
    }
    await world.advance({ seconds: 5 });
    expect(registersOf(carrier)).toHaveLength(1);
  });

  scenario(
    'a line that is removed and comes at once anew waits for the goodbye, and gets a token of its own',
    { seed: 212 },
    async (world) => {
      const carrier = await scriptedRegistrar(world, () => ({ status: 200 }));
      const { trunks } = await trunkStack(world);
      await world.run(() => trunks.setLine(TENANT, lineOf(1)));
      await world.advance({ seconds: 5 });
      await world.run(() => Promise.all([trunks.remove(TENANT, '1'), trunks.setLine(TENANT, lineOf(1))]));
      await world.advance({ seconds: 5 });
      const all = registersOf(carrier);
      expect(all.map((each) => each.header('Expires'))).toEqual(['3600', '0', '3600']);
      expect(contactOf(all[2]).user).not.toBe(contactOf(all[0]).user);
      expect(await world.run(() => trunks.remove(TENANT, '2'))).toBe(false);
    },
  );

  scenario(
    'changed twice in a moment: the last word counts, and each goodbye is said',
    { seed: 213 },
    async (world) => {
      const carrier = await scriptedRegistrar(world, () => ({ status: 200 }));
      const { trunks } = await trunkStack(world);
      await world.run(() => trunks.setLine(TENANT, lineOf(1)));
      await world.advance({ seconds: 5 });
      await world.run(() =>
        Promise.all([
          trunks.setLine(TENANT, lineOf(1, { displayName: 'A' })),
          trunks.setLine(TENANT, lineOf(1, { displayName: 'B' })),
        ]),
      );
      await world.advance({ seconds: 5 });
      expect(registersOf(carrier).at(-1)?.header('To')).toContain('"B"');
      expect(trunks.lines(TENANT).map(({ state }) => state.kind)).toEqual(['registered']);
    },
  );

  scenario('tenants do not see each other’s lines; a closed manager takes none', { seed: 214 }, async (world) => {
    await scriptedRegistrar(world, () => ({ status: 200 }));
    const { trunks } = await trunkStack(world);
    await world.run(() => trunks.configure('a', { lines: [lineOf(1)] }));
    await world.run(() => trunks.configure('b', { lines: [lineOf(1)] }));
    await world.run(() => trunks.configure('a', { lines: [] }));
    expect([trunks.lines('a').length, trunks.lines('b').length]).toEqual([0, 1]);
    await expect(world.run(() => trunks.resume('a', '1'))).rejects.toMatchObject({ code: 'PBX_INVALID_ARGUMENT' });
    await world.run(() => trunks.close());
    await expect(world.run(() => trunks.setLine('a', lineOf(1)))).rejects.toMatchObject({ code: 'PBX_WRONG_STATE' });
  });

  scenario('closed while a line is being loaded: nothing is sent', { seed: 215 }, async (world) => {
    const carrier = await scriptedRegistrar(world, () => ({ status: 200 }));
    const { trunks } = await trunkStack(world);
    const setting = trunks.setLine(TENANT, lineOf(1));
    await world.run(() => trunks.close());
    await setting;
    await world.advance({ seconds: 5 });
    expect(carrier.received).toEqual([]);
  });
});
