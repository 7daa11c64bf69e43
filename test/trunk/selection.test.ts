import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.js';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import type { TrunkManagerOptions } from '../../src/trunk/manager-options.js';
import { type AttemptFailure, failsOver, type Selected, type SelectionStrategy } from '../../src/trunk/selection.js';
import { TrunkManager } from '../../src/trunk/trunk-manager.js';
import type { TrunkOptions } from '../../src/trunk/trunk-options.js';

const TENANT = 'default';

/** Trunks that are never asked whether they live: choosing needs no network. */
async function manager(
  trunks: readonly Partial<TrunkOptions>[],
  options: Partial<Pick<TrunkManagerOptions, 'isOpen'>> = {},
): Promise<{ readonly trunks: TrunkManager; readonly clock: ManualClock }> {
  const clock = new ManualClock();
  const made = new TrunkManager({
    uac: { request: () => Promise.reject(new Error('nothing is sent here')), digestFor: () => undefined },
    resolver: { resolve: async () => [{ protocol: 'udp', address: '198.51.100.1', port: 5060 }] },
    records: new MemoryRecords({ clock }),
    scheduler: clock,
    random: new SeededRandom(7),
    logger: silentLogger,
    ...options,
  });
  await made.configure(TENANT, {
    trunks: trunks.map((each, i) => ({ name: `t${i + 1}`, server: `198.51.100.${i + 1}`, qualifySeconds: 0, ...each })),
  });
  return { trunks: made, clock };
}

const names = ['t1', 't2', 't3'];
const THREE = [{}, {}, {}];
const BUSY: AttemptFailure = { kind: 'response', status: 503, retryAfterSeconds: 120 };
const SILENT: AttemptFailure = { kind: 'timeout' };

function pick(
  trunks: TrunkManager,
  strategy: SelectionStrategy,
  wanted: readonly string[] = names,
): Selected | undefined {
  return trunks.select(TENANT, { names: wanted, number: '1', strategy }).next();
}

const counted = (chosen: readonly (Selected | undefined)[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const each of chosen) counts[each?.name ?? 'none'] = (counts[each?.name ?? 'none'] ?? 0) + 1;
  return counts;
};

describe('strategies', () => {
  test('round robin: 300 calls over three are 100 each, in turn', async () => {
    const { trunks } = await manager(THREE);
    const chosen = Array.from({ length: 300 }, () => pick(trunks, 'round-robin'));
    expect(counted(chosen)).toEqual({ t1: 100, t2: 100, t3: 100 });
    expect(chosen.slice(0, 6).map((each) => each?.name)).toEqual(['t1', 't2', 't3', 't1', 't2', 't3']);
  });

  test('priority: the lowest, and the next when it is full', async () => {
    const { trunks } = await manager([{ priority: 2 }, { priority: 1, maxCalls: 2 }, { priority: 2 }]);
    expect(Array.from({ length: 5 }, () => pick(trunks, 'priority')?.name)).toEqual(['t2', 't2', 't1', 't3', 't1']);
  });

  test('least used: by the calls that are up', async () => {
    const { trunks } = await manager(THREE);
    const held = Array.from({ length: 6 }, () => pick(trunks, 'least-used'));
    expect(counted(held)).toEqual({ t1: 2, t2: 2, t3: 2 });
    for (const each of held) if (each?.name === 't2') each.target.lease?.release('answered');
    expect([pick(trunks, 'least-used')?.name, pick(trunks, 'least-used')?.name]).toEqual(['t2', 't2']);
  });

  test('weighted: shares by weight', async () => {
    const { trunks } = await manager([{ weight: 6 }, { weight: 3 }, { weight: 1 }]);
    const counts = counted(Array.from({ length: 2000 }, () => pick(trunks, 'weighted')));
    expect(counts['t1']).toBeGreaterThan(1100);
    expect(counts['t1']).toBeLessThan(1300);
    expect(counts['t3']).toBeGreaterThan(140);
    expect(counts['t3']).toBeLessThan(260);
  });

  test('a group holds lines and trunks of that name', async () => {
    const { trunks } = await manager([{ group: 'a' }, {}, { group: 'a' }]);
    const selection = trunks.select(TENANT, { group: 'a', number: '1' });
    expect([selection.next()?.name, selection.next(SILENT)?.name, selection.next(SILENT)]).toEqual([
      't1',
      't3',
      undefined,
    ]);
  });
});

describe('who is passed over, and why', () => {
  test('unknown, full, too many in a second, somebody else’s, out of hours', async () => {
    const open = new Set(['day']);
    const { trunks, clock } = await manager(
      [
        { maxCalls: 1 },
        { maxCallsPerSecond: 2 },
        { owner: '101' },
        { timeCondition: 'night' },
        { timeCondition: 'day' },
      ],
      { isOpen: (tenantId, condition) => tenantId === TENANT && open.has(condition) },
    );
    const wanted = ['t9', 't1', 't2', 't3', 't4', 't5'];
    const select = (caller?: string) =>
      trunks.select(TENANT, { names: wanted, number: '1', ...(caller === undefined ? {} : { caller }) });
    for (let i = 0; i < 5; i++) select().next();
    const selection = select();
    expect(selection.next()?.name).toBe('t5');
    expect(selection.skipped).toEqual([
      { name: 't9', reason: 'unknown' },
      { name: 't1', reason: 'full' },
      { name: 't2', reason: 'rate' },
      { name: 't3', reason: 'not-owner' },
      { name: 't4', reason: 'out-of-hours' },
    ]);
    expect(select('101').next()?.name).toBe('t3');
    await clock.advance(1000);
    expect(select().next()?.name).toBe('t2');
    open.delete('day');
    const closed = select();
    expect(counted([closed.next(), closed.next(SILENT)])).toEqual({ t2: 1, none: 1 });
  });
});

describe('failing over (C10, RFC 3263 §4.3)', () => {
  test.each<[string, AttemptFailure, boolean]>([
    ['silence', SILENT, true],
    ['a transport error', { kind: 'unreachable' }, true],
    ['503 with Retry-After', BUSY, true],
    ['500', { kind: 'response', status: 500 }, true],
    ['408 before anything rang', { kind: 'response', status: 408 }, true],
    ['408 after ringing', { kind: 'response', status: 408, rang: true }, false],
    ['503 after ringing', { kind: 'response', status: 503, rang: true }, false],
    ['silence after ringing', { kind: 'timeout', rang: true }, false],
    ...[302, 404, 480, 484, 486, 487, 600, 603, 604, 607].map((status): [string, AttemptFailure, boolean] => [
      `${status}`,
      { kind: 'response', status },
      false,
    ]),
  ])('%s', (_, failure, expected) => {
    expect(failsOver(failure)).toBe(expected);
  });

  test('never after 603: the second is not even counted', async () => {
    const { trunks } = await manager(THREE);
    const selection = trunks.select(TENANT, { names, number: '1' });
    selection.next()?.target.lease?.release('rejected');
    expect(selection.next({ kind: 'response', status: 603 })).toBeUndefined();
    expect(trunks.trunks(TENANT).map(({ inUse }) => inUse.out)).toEqual([0, 0, 0]);
  });

  test('each is tried once; one that failed is tried last by the next calls, for as long as it asked', async () => {
    const { trunks, clock } = await manager(THREE);
    const selection = trunks.select(TENANT, { names, number: '1' });
    expect([selection.next()?.name, selection.next(BUSY)?.name, selection.next(SILENT)?.name]).toEqual([
      't1',
      't2',
      't3',
    ]);
    expect(selection.next(SILENT)).toBeUndefined();
    expect(selection.skipped.map(({ reason }) => reason)).toEqual(['failed', 'failed', 'failed']);
    // All have failed: the one that was chosen longest ago, rather than none.
    expect(pick(trunks, 'round-robin')?.name).toBe('t1');
    await clock.advance(31_000);
    expect([pick(trunks, 'round-robin')?.name, pick(trunks, 'round-robin')?.name]).toEqual(['t2', 't3']);
    expect(pick(trunks, 'round-robin')?.name).toBe('t2');
    await clock.advance(90_000);
    expect(pick(trunks, 'round-robin')?.name).toBe('t1');
  });

  test('no 503 puts a trunk off for more than five minutes', async () => {
    const { trunks, clock } = await manager([{ priority: 1 }, { priority: 2 }]);
    const selection = trunks.select(TENANT, { names: ['t1', 't2'], number: '1', strategy: 'priority' });
    selection.next();
    selection.next({ kind: 'response', status: 503, retryAfterSeconds: 2 ** 31 });
    await clock.advance(299_000);
    expect(pick(trunks, 'priority', ['t1', 't2'])?.name).toBe('t2');
    await clock.advance(1_000);
    expect(pick(trunks, 'priority', ['t1', 't2'])?.name).toBe('t1');
  });
});

describe('leases', () => {
  test('count in and out apart, and are given back once however often they are released', async () => {
    const { trunks } = await manager([{ maxCalls: 1, maxInboundCalls: 2 }]);
    const out = pick(trunks, 'round-robin', ['t1']);
    const [a, b] = [trunks.admit(TENANT, 't1'), trunks.admit(TENANT, 't1')];
    expect([trunks.admit(TENANT, 't1'), pick(trunks, 'round-robin', ['t1'])]).toEqual([undefined, undefined]);
    expect(trunks.trunks(TENANT)[0]?.inUse).toEqual({ out: 1, in: 2 });
    for (let i = 0; i < 3; i++) {
      a?.release('answered');
      out?.target.lease?.release('busy');
    }
    expect(trunks.trunks(TENANT)[0]?.inUse).toEqual({ out: 0, in: 1 });
    b?.release('failed');
    expect(trunks.admit(TENANT, 'nobody')).toBeUndefined();
  });

  test('calls that are up count on when the limits change', async () => {
    const { trunks } = await manager([{ maxCalls: 3 }]);
    pick(trunks, 'round-robin', ['t1']);
    await trunks.setTrunk(TENANT, { name: 't1', server: '198.51.100.77', qualifySeconds: 0, maxCalls: 1 });
    expect(pick(trunks, 'round-robin', ['t1'])).toBeUndefined();
    expect(trunks.trunks(TENANT)[0]?.inUse.out).toBe(1);
  });

  test('calls that are up count on when the trunk goes and comes back', async () => {
    const { trunks } = await manager([{ maxCalls: 1 }]);
    const held = pick(trunks, 'round-robin', ['t1']);
    await trunks.remove(TENANT, 't1');
    await trunks.setTrunk(TENANT, { name: 't1', server: '198.51.100.1', qualifySeconds: 0, maxCalls: 1 });
    expect(pick(trunks, 'round-robin', ['t1'])).toBeUndefined();
    held?.target.lease?.release('answered');
    expect(pick(trunks, 'round-robin', ['t1'])?.name).toBe('t1');
  });

  test('for any history: what is in use is what is held, and never more than allowed', async () => {
    const step = fc.oneof(
      fc.record({
        act: fc.constant('take' as const),
        strategy: fc.constantFrom<SelectionStrategy>('round-robin', 'priority', 'least-used', 'weighted'),
      }),
      fc.record({ act: fc.constant('release' as const), which: fc.nat(20) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { trunks } = await manager([{ maxCalls: 2 }, { maxCalls: 3, priority: 1 }, { maxCalls: 1, weight: 5 }]);
        const held: Selected[] = [];
        const all: Selected[] = [];
        for (const each of steps) {
          if (each.act === 'take') {
            const selected = pick(trunks, each.strategy);
            if (selected === undefined) expect(held).toHaveLength(6);
            else {
              held.push(selected);
              all.push(selected);
            }
          } else {
            const selected = all[each.which];
            selected?.target.lease?.release('answered');
            if (selected !== undefined && held.includes(selected)) held.splice(held.indexOf(selected), 1);
          }
          const used = Object.fromEntries(trunks.trunks(TENANT).map(({ name, inUse }) => [name, inUse.out]));
          const expected = counted(held);
          expect(used).toEqual(Object.fromEntries(names.map((name) => [name, expected[name] ?? 0])));
        }
      }),
    );
  });
});
