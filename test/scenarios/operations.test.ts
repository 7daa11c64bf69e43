/** Restart, crash, drain, reconfigure, close: what an operator does to a PBX that has calls. */
import { describe, expect, test } from 'vitest';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx } from '../../src/pbx/pbx.js';
import type { Json } from '../../src/storage/json.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import type { Storage } from '../../src/storage/storage.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN, officeScenario } from '../support/office.js';
import { RawPeer, tagIn } from '../support/raw-peer.js';
import { runScenario } from '../support/scenario.js';
import { seenBy } from '../support/wire.js';

const extensions = ['100', '101'].map((number) => ({ number, password: `secret-${number}` }));

function server(world: World, storage: Storage, options: Partial<PbxOptions> = {}) {
  return createPbx({
    domain: DOMAIN,
    listen: ['udp://192.0.2.1:5060', 'tcp://192.0.2.1:5060'],
    extensions,
    storage,
    ...world.ports,
    ...options,
  });
}

/** A store that outlives the process: what a disk is. */
function disk(): { storage: () => Storage } {
  const kept = memoryStorage();
  return { storage: () => ({ ...kept, records: kept.records, blobs: kept.blobs, close: async () => {} }) };
}

describe('kill -9 and restart', () => {
  for (const how of ['killed', 'closed'] as const) {
    test(`${how}: the other phone is reached without registering again`, () =>
      runScenario({ seed: 7, delayMs: 5 }, async (world) => {
        const { storage } = disk();
        const first = server(world, storage());
        await world.run(() => first.start());
        const alice = world.phone(`sip:100@${DOMAIN}`, { password: 'secret-100' });
        const bob = world.phone(`sip:101@${DOMAIN}`, { password: 'secret-101' });
        await world.run(() => Promise.all([alice.register(), bob.register()]));
        if (how === 'closed') await world.run(() => first.close());
        world.pbx.restart();
        const second = world.use(server(world, storage()), world.pbx);
        await world.run(() => second.start());
        const begin = world.clock.now();
        const call = alice.call('101');
        await world.until(bob.ringing);
        bob.calls[0]?.answer();
        await world.until(call.talking());
        expect(call.state.kind).toBe('talking');
        expect(seenBy(world, '101', begin)).not.toContain('>REGISTER');
        call.hangUp();
        await world.advance({ seconds: 40 });
      }));
  }

  const transports = [
    ['udp', 'a call under way goes on: hold and hang-up still pass, and it is recorded once'],
    ['tcp', 'a call of TCP phones goes on too, over new connections'],
  ] as const;
  test.each(transports)('%s: %s', (transport) =>
    runScenario({ seed: 8, delayMs: 5 }, async (world) => {
      const { storage } = disk();
      const first = server(world, storage());
      await world.run(() => first.start());
      const alice = world.phone(`sip:100@${DOMAIN}`, { password: 'secret-100', transport });
      const bob = world.phone(`sip:101@${DOMAIN}`, { password: 'secret-101', transport });
      await world.run(() => Promise.all([alice.register(), bob.register()]));
      const call = alice.call('101');
      await world.until(bob.ringing);
      bob.calls[0]?.answer();
      await world.until(call.talking());
      await world.advance({ seconds: 30 });
      world.pbx.restart();
      const second = world.use(server(world, storage()), world.pbx);
      const records: unknown[] = [];
      second.on('call.ended', ({ record }) => records.push(record));
      await world.run(() => second.start());
      expect(second.calls).toHaveLength(1);
      await world.advance({ seconds: 30 });
      expect((await world.run(() => call.hold())).kind).toBe('accepted');
      expect(bob.calls[0]?.media.remote).toContain('a=sendonly');
      bob.calls[0]?.hangUp();
      await world.until(call.ended());
      await world.advance({ seconds: 40 });
      expect(records).toMatchObject([
        { caller: '100', called: '101', legs: [{ outcome: 'answered' }, { outcome: 'answered' }] },
      ]);
      expect((records[0] as { talkMs: number }).talkMs).toBeGreaterThan(60_000);
      expect(second.calls).toEqual([]);
    }),
  );

  test('a call whose phones hung up meanwhile is found out and ended', () =>
    runScenario({ seed: 9, delayMs: 5 }, async (world) => {
      const { storage } = disk();
      const first = server(world, storage());
      await world.run(() => first.start());
      const alice = world.phone(`sip:100@${DOMAIN}`, { password: 'secret-100' });
      const bob = world.phone(`sip:101@${DOMAIN}`, { password: 'secret-101' });
      await world.run(() => Promise.all([alice.register(), bob.register()]));
      const call = alice.call('101');
      await world.until(bob.ringing);
      bob.calls[0]?.answer();
      await world.until(call.talking());
      await world.advance({ seconds: 1 });
      world.pbx.kill();
      call.hangUp();
      await world.advance({ seconds: 60 });
      world.pbx.restart();
      const second = world.use(server(world, storage()), world.pbx);
      await world.run(() => second.start());
      await world.advance({ seconds: 60 });
      expect(second.calls).toEqual([]);
      expect(bob.calls[0]?.state.kind).toBe('ended');
    }));
});

describe('drain', () => {
  officeScenario(
    'refuses new calls with 503 and Retry-After, lets old ones end, keeps registering',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const carol = await office.registered('102');
      const { call } = await office.talk(alice, bob);
      let drained = false;
      void office.pbx.drain().then(() => {
        drained = true;
      });
      await world.advance({ seconds: 1 });
      const refused = carol.call('101');
      await world.until(refused.ended());
      expect(refused.state).toMatchObject({ status: 503 });
      expect((await world.run(() => carol.register())).status).toBe(200);
      expect(drained).toBe(false);
      call.hangUp();
      await world.until(() => drained);
      await office.quiet();
    },
  );

  officeScenario('a signal ends the waiting; close() hangs up what is left', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    const hurry = new AbortController();
    const draining = office.pbx.drain({ signal: hurry.signal });
    hurry.abort();
    await world.run(() => draining);
    await world.run(() => office.pbx.close());
    await world.until(call.ended());
    await world.until(answered.ended());
    expect(office.record.leg('a')).toMatchObject({ outcome: 'answered', releasedBy: 'server' });
    expect(world.pbx.leaks()).toEqual([]);
  });
});

describe('close()', () => {
  officeScenario(
    'while a 200 waits for its ACK: BYE to both, and nothing is left at once (RFC 3261 §15.1.1 cannot be waited for)',
    {},
    async (office, world) => {
      const bob = await office.registered('101', { onCall: (call) => call.answer() });
      const caller = await RawPeer.open(world);
      const raw = caller.dial('101', { from: '<sip:100@office.test>' });
      raw.authorize(await caller.expect(407), '100', 'secret-100');
      const ok = await caller.expect('200 INVITE');
      await world.run(() => office.pbx.close());
      expect(world.pbx.leaks()).toEqual([]);
      await world.advance({ ms: 50 });
      const bye = await caller.expect('BYE');
      expect([tagIn(bye.header('From')), bye.callId]).toEqual([tagIn(ok.header('To')), ok.callId]);
      expect(bob.calls[0]?.state).toMatchObject({ kind: 'ended', by: 'other-side' });
      const before = caller.heard.length;
      await world.advance({ seconds: 40 });
      expect(caller.heard).toHaveLength(before);
      expect(office.record.leg('a')).toMatchObject({ outcome: 'answered', releasedBy: 'server' });
    },
  );

  officeScenario('while a phone rings: CANCEL to it, a final answer to the caller', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const call = alice.call('101');
    await world.until(call.ringing());
    await world.run(() => office.pbx.close());
    expect(world.pbx.leaks()).toEqual([]);
    await world.until(call.ended());
    await world.until(() => bob.calls[0]?.state.kind === 'ended');
    expect(office.records).toHaveLength(1);
  });

  officeScenario('while a phone that is gone says nothing at all: no timer is left', {}, async (office, world) => {
    const alice = await office.registered('100');
    const gone = await RawPeer.open(world);
    await gone.register('101', 'secret-101');
    const call = alice.call('101');
    await gone.expect('INVITE');
    await world.run(() => office.pbx.close());
    expect(world.pbx.leaks()).toEqual([]);
    await world.until(call.ended());
    expect(office.records).toHaveLength(1);
  });
});

describe('a journal that something else wrote to', () => {
  const junk: [string, Json][] = [
    ['no record at all', { record: null }],
    ['an empty object', {}],
    ['a text', 'junk'],
    ['null', null],
    ['a list', [1, 2]],
    ['a record without legs', { record: { id: 'x', legs: null }, inbound: {}, outbound: {} }],
  ];
  test.each(junk)('%s: the server starts, says so, and serves', (_what, value) =>
    runScenario({ seed: 10, delayMs: 5 }, async (world) => {
      const storage = memoryStorage();
      await storage.records.put('default/calls', 'node/junk', value);
      const pbx = world.use(server(world, storage), world.pbx);
      await world.run(() => pbx.start());
      expect(pbx.calls).toEqual([]);
      expect(world.log.format('error')).toContain('cannot be taken over');
      const alice = world.phone(`sip:100@${DOMAIN}`, { password: 'secret-100' });
      const bob = world.phone(`sip:101@${DOMAIN}`, { password: 'secret-101', onCall: (call) => call.answer() });
      await world.run(() => Promise.all([alice.register(), bob.register()]));
      const call = alice.call('101');
      await world.until(call.talking());
      call.hangUp();
      await world.advance({ seconds: 40 });
      expect(pbx.calls).toEqual([]);
    }),
  );

  for (const side of ['inbound', 'outbound'] as const) {
    test(`a call whose ${side} leg cannot be read: nothing of it lives on, its phones are told when they ask`, () =>
      runScenario({ seed: 12, delayMs: 5 }, async (world) => {
        const { storage } = disk();
        const first = server(world, storage());
        await world.run(() => first.start());
        const alice = world.phone(`sip:100@${DOMAIN}`, { password: 'secret-100' });
        const bob = world.phone(`sip:101@${DOMAIN}`, { password: 'secret-101', onCall: (call) => call.answer() });
        await world.run(() => Promise.all([alice.register(), bob.register()]));
        const call = alice.call('101');
        await world.until(call.talking());
        await world.advance({ seconds: 1 });
        world.pbx.restart();
        const { records } = storage();
        const [kept] = await records.scan('default/calls');
        if (kept === undefined) throw new Error('the call was not written');
        await records.put('default/calls', kept.id, {
          ...(kept.value as object),
          [side]: { legId: 'x', session: null },
        });
        const second = world.use(server(world, storage()), world.pbx);
        await world.run(() => second.start());
        expect(second.calls).toEqual([]);
        const since = world.clock.now();
        call.hangUp();
        bob.calls[0]?.hangUp();
        await world.advance({ seconds: 40 });
        for (const name of ['100', '101']) expect(seenBy(world, name, since)).toEqual(['>BYE', '<481']);
      }));
  }

  test('the calls beside it are taken over', () =>
    runScenario({ seed: 11, delayMs: 5 }, async (world) => {
      const { storage } = disk();
      const first = server(world, storage());
      await world.run(() => first.start());
      const alice = world.phone(`sip:100@${DOMAIN}`, { password: 'secret-100' });
      const bob = world.phone(`sip:101@${DOMAIN}`, { password: 'secret-101', onCall: (call) => call.answer() });
      await world.run(() => Promise.all([alice.register(), bob.register()]));
      const call = alice.call('101');
      await world.until(call.talking());
      await world.advance({ seconds: 1 });
      world.pbx.restart();
      await storage().records.put('default/calls', 'node/0-junk', { record: null });
      const second = world.use(server(world, storage()), world.pbx);
      await world.run(() => second.start());
      expect(second.calls).toHaveLength(1);
      call.hangUp();
      await world.until(() => bob.calls[0]?.state.kind === 'ended');
      await world.advance({ seconds: 40 });
    }));
});

describe('reconfigure', () => {
  officeScenario('extensions are swapped at once; calls under way go on', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call } = await office.talk(alice, bob);
    office.pbx.reconfigure({ extensions: [{ number: '100', password: 'new-password' }] });
    expect((await world.run(() => bob.register())).status).toBe(401);
    expect(call.state.kind).toBe('talking');
    call.hangUp();
    await world.advance({ seconds: 1 });
    const other = await office.registered('100', { password: 'new-password' });
    const gone = other.call('101');
    await world.until(gone.ended());
    expect(gone.state).toMatchObject({ status: 404 });
    await world.advance({ seconds: 40 });
  });

  officeScenario('a fault changes nothing', {}, async (office, world) => {
    const next = [
      { number: '100', password: 'a' },
      { number: '100', password: 'b' },
    ];
    expect(() => office.pbx.reconfigure({ extensions: next })).toThrow(/extensions\[1\]\.number/);
    await office.registered('101');
    await world.advance({ seconds: 40 });
  });
});

describe('start and close', () => {
  officeScenario('a PBX starts once', {}, async (office, world) => {
    await expect(world.run(() => office.pbx.start())).rejects.toMatchObject({ code: 'PBX_WRONG_STATE' });
  });

  test('a port that is taken: PBX_PORT_IN_USE with advice, and nothing stays open', () =>
    runScenario({ seed: 3 }, async (world) => {
      const taken = await world.run(() =>
        world.ports.network.openUdp({
          local: { address: '192.0.2.1', port: 5060 },
          onMessage: () => {},
          onError: () => {},
        }),
      );
      const pbx = server(world, memoryStorage());
      await expect(world.run(() => pbx.start())).rejects.toMatchObject({
        code: 'PBX_PORT_IN_USE',
        message: expect.stringContaining('udp://192.0.2.1:5060'),
      });
      await world.run(() => taken.close());
      expect(world.pbx.leaks()).toEqual([]);
    }));

  test('the same seed gives the same trace, byte for byte; another seed another one', async () => {
    const run = async (seed: number): Promise<string> => {
      let trace = '';
      await runScenario({ seed, delayMs: [2, 40], loss: 0.1, duplicate: 0.05, reorder: 0.1 }, async (world) => {
        const pbx = world.use(server(world, memoryStorage()), world.pbx);
        await world.run(() => pbx.start());
        const alice = world.phone(`sip:100@${DOMAIN}`, { password: 'secret-100' });
        const bob = world.phone(`sip:101@${DOMAIN}`, { password: 'secret-101', onCall: (call) => call.answer() });
        await world.run(() => Promise.all([alice.register(), bob.register()]));
        const call = alice.call('101');
        await world.until(call.talking());
        await world.advance({ seconds: 5 });
        call.hangUp();
        await world.advance({ seconds: 60 });
        trace = String(world.trace);
      });
      return trace;
    };
    const [first, again, other] = [await run(11), await run(11), await run(12)];
    expect(first.length).toBeGreaterThan(1000);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });
});
