/** Lines that the carrier refuses: suspended, kept so over restarts, resumed by command or by other credentials. Never removed. */
import { describe, expect } from 'vitest';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import type { RecordStore } from '../../src/storage/record-store.js';
import type { World } from '../../src/testing/world.js';
import type { LineOptions } from '../../src/trunk/line-options.js';
import { scenario } from '../support/scenario.js';
import {
  contactOf,
  type Reply,
  registersOf,
  scriptedRegistrar,
  type TrunkStack,
  trunkStack,
} from '../support/trunks.js';

const LINE: LineOptions = { name: '1234', server: '198.51.100.1', username: '1234', password: 'wrong-one' };
const TENANT = 'acme';

const REFUSED: Reply = {
  status: 401,
  headers: ['WWW-Authenticate: Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"'],
};

/** Runs until the line has used up its attempts. */
async function suspended(world: World, records: RecordStore): Promise<TrunkStack> {
  const stack = await trunkStack(world, { records });
  await world.run(() => stack.trunks.configure(TENANT, { lines: [LINE] }));
  await world.until(() => stack.told.includes('line.suspended 1234'), { minutes: 60 });
  return stack;
}

/** The program ends and begins anew, over the same records, with these lines. */
async function restarted(world: World, before: TrunkStack, lines: readonly LineOptions[]): Promise<TrunkStack> {
  await world.run(() => before.trunks.close());
  const machine = world.host(`restarted-${world.machines.length}`, `192.0.2.${world.machines.length + 10}`);
  const stack = await trunkStack(world, { machine, records: before.records });
  await world.run(() => stack.trunks.configure(TENANT, { lines }));
  return stack;
}

describe('a line that was refused too often', () => {
  scenario('is still suspended after a restart, and says why and since when', { seed: 1 }, async (world) => {
    const carrier = await scriptedRegistrar(world, () => REFUSED);
    const first = await suspended(world, new MemoryRecords({ clock: world.clock }));
    const state = first.trunks.lines(TENANT)[0]?.state;
    const since = world.clock.wallTime();
    const sent = registersOf(carrier).length;
    const second = await restarted(world, first, [LINE]);
    await world.advance({ minutes: 24 * 60 });
    expect(second.trunks.lines(TENANT)).toMatchObject([{ name: '1234', state }]);
    expect(state).toMatchObject({ kind: 'suspended', at: since, fault: { kind: 'wrong-password', status: 401 } });
    expect(registersOf(carrier)).toHaveLength(sent);
    expect(second.told).toEqual([]);
  });

  scenario('resume lets it try again, with all its attempts, also after a restart', { seed: 2 }, async (world) => {
    const carrier = await scriptedRegistrar(world, () => REFUSED);
    const first = await suspended(world, new MemoryRecords({ clock: world.clock }));
    const sent = registersOf(carrier).length;
    expect(await world.run(() => first.trunks.resume(TENANT, '1234'))).toBe(true);
    expect(await world.run(() => first.trunks.resume(TENANT, '1234'))).toBe(false);
    const second = await restarted(world, first, [LINE]);
    await world.advance({ minutes: 24 * 60 });
    // One attempt may have been under way when the first program ended.
    expect(registersOf(carrier).length - sent).toBeGreaterThanOrEqual(10);
    expect(registersOf(carrier).length - sent).toBeLessThanOrEqual(12);
    expect(second.told.at(-1)).toBe('line.suspended 1234');
  });

  scenario('other credentials begin anew: at run time', { seed: 3 }, async (world) => {
    let right = false;
    await scriptedRegistrar(world, () => (right ? { status: 200 } : REFUSED));
    const { trunks, told } = await suspended(world, new MemoryRecords({ clock: world.clock }));
    right = true;
    await world.run(() => trunks.configure(TENANT, { lines: [{ ...LINE, password: 'right-one' }] }));
    await world.advance({ seconds: 5 });
    expect(told.slice(-2)).toEqual(['line.suspended 1234', 'line.registered 1234']);
  });

  scenario('other credentials begin anew: in the configuration of the next start', { seed: 4 }, async (world) => {
    let right = false;
    const carrier = await scriptedRegistrar(world, () => (right ? { status: 200 } : REFUSED));
    const first = await suspended(world, new MemoryRecords({ clock: world.clock }));
    right = true;
    const second = await restarted(world, first, [{ ...LINE, authorizationId: '1234@carrier' }]);
    await world.advance({ seconds: 5 });
    expect(second.told).toEqual(['line.registered 1234']);
    // The token outlives all of it: the carrier's registrar knows the line by it.
    expect(new Set(registersOf(carrier).map((each) => contactOf(each).user)).size).toBe(1);
    const third = await restarted(world, second, [{ ...LINE, authorizationId: '1234@carrier' }]);
    await world.advance({ seconds: 5 });
    expect(third.told).toEqual(['line.registered 1234']);
  });

  scenario('a change that the carrier does not see does not resume it', { seed: 5 }, async (world) => {
    const carrier = await scriptedRegistrar(world, () => REFUSED);
    const first = await suspended(world, new MemoryRecords({ clock: world.clock }));
    const sent = registersOf(carrier).length;
    await world.run(() => first.trunks.configure(TENANT, { lines: [{ ...LINE, expiresSeconds: 600 }] }));
    await world.advance({ minutes: 60 });
    expect(registersOf(carrier)).toHaveLength(sent);
    expect(first.trunks.lines(TENANT)[0]?.state.kind).toBe('suspended');
  });

  scenario('the store holds neither password nor digest', { seed: 6 }, async (world) => {
    await scriptedRegistrar(world, () => REFUSED);
    const records = new MemoryRecords({ clock: world.clock });
    const { trunks } = await suspended(world, records);
    const stored = await records.scan(`${TENANT}/lines`);
    expect(stored.map(({ id }) => id)).toEqual(['1234']);
    expect(JSON.stringify(stored)).not.toContain('wrong-one');
    expect(Object.keys(stored[0]?.value as object)).toEqual(['token', 'suspended']);
    await world.run(() => trunks.remove(TENANT, '1234'));
    expect(await records.scan(`${TENANT}/lines`)).toEqual([]);
  });

  scenario(
    'a store that fails: suspended and told all the same; resume fails and changes nothing',
    { seed: 7 },
    async (world) => {
      const carrier = await scriptedRegistrar(world, () => ({ status: 403 }));
      const records = new MemoryRecords({ clock: world.clock });
      const { trunks, told } = await trunkStack(world, { records });
      await world.run(() => trunks.configure(TENANT, { lines: [LINE] }));
      await records.close();
      await world.advance({ minutes: 60 });
      expect(told).toEqual(['line.suspended 1234']);
      await expect(world.run(() => trunks.resume(TENANT, '1234'))).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
      expect(trunks.lines(TENANT)[0]?.state.kind).toBe('suspended');
      await world.advance({ minutes: 60 });
      expect(registersOf(carrier)).toHaveLength(1);
      expect(world.log.format('error')).toContain('the suspension could not be stored');
    },
  );

  scenario('told once it is stored: who hears of it and reads the store finds it', { seed: 8 }, async (world) => {
    await scriptedRegistrar(world, () => ({ status: 403 }));
    const records = new MemoryRecords({ clock: world.clock });
    const { trunks } = await trunkStack(world, { records });
    let found: unknown;
    trunks.on('line.suspended', async ({ tenantId, line, reason }) => {
      found = [(await records.get(`${tenantId}/lines`, line))?.value, reason.kind];
    });
    await world.run(() => trunks.configure(TENANT, { lines: [LINE] }));
    await world.advance({ minutes: 1 });
    expect(found).toMatchObject([{ suspended: { fault: { kind: 'forbidden', status: 403 } } }, 'forbidden']);
  });
});
