/** A branch office whose line is an extension of another PBX of ours: peers by registration (product facts, part 2: L-MSS and T-MSS). */
import { describe, expect } from 'vitest';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import type { Machine } from '../../src/testing/machine.js';
import type { World } from '../../src/testing/world.js';
import type { InboundPeer } from '../../src/trunk/inbound.js';
import type { LineOptions } from '../../src/trunk/line-options.js';
import { Uas } from '../../src/ua/request-chain.js';
import { officeScenario } from '../support/office.js';
import { type TrunkStack, trunkStack } from '../support/trunks.js';

const TENANT = 'branch';
const LINE: LineOptions = {
  name: 'head-office',
  server: '192.0.2.1',
  domain: 'office.test',
  username: '100',
  password: 'secret-100',
};

/** Refuses every INVITE with 486, and keeps what it came in on. */
async function branch(
  world: World,
  machine: Machine,
  options: Partial<LineOptions> = {},
  records = new MemoryRecords({ clock: world.clock }),
): Promise<TrunkStack & { readonly came: (InboundPeer | undefined)[] }> {
  const stack = await trunkStack(world, { machine, records });
  const came: (InboundPeer | undefined)[] = [];
  const { scheduler, logger } = machine.ports;
  new Uas({
    transactions: stack.transactions,
    logger,
    scheduler,
    allow: ['INVITE', 'ACK', 'CANCEL'],
    supported: [],
    tenantOf: () => TENANT,
    takers: [
      {
        name: 'branch',
        take: (incoming) => {
          if (incoming.request.method !== 'INVITE') return false;
          came.push(stack.trunks.identify(incoming.request, incoming.source));
          incoming.respond(486);
          return true;
        },
      },
    ],
  });
  await world.run(() => stack.trunks.configure(TENANT, { lines: [{ ...LINE, ...options }] }));
  await world.until(() => stack.told.includes('line.registered head-office'));
  await world.advance({ seconds: 1 });
  return { ...stack, came };
}

describe('a line at another pbxkit', () => {
  officeScenario('is called by its token, from the address of the other PBX', {}, async (office, world) => {
    const { trunks, came } = await branch(world, world.host('branch', '10.2.0.1'));
    const bindings = await office.pbx.bindings('100');
    expect(bindings.map(({ contact }) => contact)).toEqual([
      expect.stringMatching(/^sip:[0-9a-f]{24}@10\.2\.0\.1:5060$/),
    ]);
    const call = (await office.registered('101')).call('100');
    await world.until(() => call.state.kind === 'ended');
    expect(came).toMatchObject([{ name: 'head-office', certainty: 'token', fromPeer: true }]);
    await world.run(() => trunks.close());
    expect(await office.pbx.bindings('100')).toEqual([]);
  });

  officeScenario('behind a NAT: one binding, at the public address', {}, async (office, world) => {
    const nat = world.nat({ publicAddress: '203.0.113.1', kind: 'port-restricted' });
    const { came } = await branch(world, world.host('branch', '192.168.1.2', { behind: nat }));
    const bindings = await office.pbx.bindings('100');
    expect(bindings.map(({ contact }) => contact)).toEqual([expect.stringMatching(/@203\.0\.113\.1:\d+$/)]);
    const call = (await office.registered('101')).call('100');
    await world.until(() => call.state.kind === 'ended');
    expect(came).toMatchObject([{ certainty: 'token' }]);
  });

  officeScenario(
    'behind a NAT by TCP: called by the connection; when that is cut the line registers anew',
    {},
    async (office, world) => {
      const nat = world.nat({ publicAddress: '203.0.113.1', kind: 'port-restricted' });
      const machine = world.host('branch', '192.168.1.2', { behind: nat });
      const { came } = await branch(world, machine, { server: 'sip:192.0.2.1;transport=tcp' });
      const alice = await office.registered('101');
      const first = alice.call('100');
      await world.until(() => first.state.kind === 'ended');
      expect(came).toMatchObject([{ certainty: 'token' }]);
      await world.advance({ seconds: 60 });
      machine.host.resetConnections();
      await world.advance({ seconds: 2 });
      const second = alice.call('100');
      await world.until(() => second.state.kind === 'ended');
      expect(came).toHaveLength(2);
      expect(await office.pbx.bindings('100')).toHaveLength(1);
    },
  );

  officeScenario('killed and restarted: the same token takes the old binding’s place', {}, async (office, world) => {
    const records = new MemoryRecords({ clock: world.clock });
    const machine = world.host('branch', '10.2.0.1');
    await branch(world, machine, {}, records);
    const [before] = await office.pbx.bindings('100');
    machine.restart();
    const { came } = await branch(world, machine, {}, records);
    const after = await office.pbx.bindings('100');
    expect(after.map(({ contact }) => contact)).toEqual([before?.contact]);
    const call = (await office.registered('101')).call('100');
    await world.until(() => call.state.kind === 'ended');
    expect(came).toHaveLength(1);
  });
});
