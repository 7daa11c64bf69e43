/** A party of a call is transferred to a number that the host app serves (RFC 5589 §6, §7): its dialog goes on, with the server's audio. */
import { describe, expect } from 'vitest';
import type { CallControl } from '../../src/call/control/call-control.js';
import type { CallSnapshot } from '../../src/call/journal.js';
import { tone } from '../../src/media/audio/tone.js';
import type { PbxOptions } from '../../src/pbx/options.js';
import { chord } from '../../src/protocol/audio/tones.js';
import { sipUri } from '../../src/protocol/sip/uri.js';
import { DOMAIN, type Office, officeScenario } from '../support/office.js';
import { rtpOf, targetOf } from '../support/rtp-of-call.js';
import { pressed } from '../support/served-by-example.js';
import { seenBy } from '../support/wire.js';

const PBX = '192.0.2.1';
const NOTE = tone({ steps: [{ sines: chord([440]) }] });
const to = (number: string) => sipUri({ user: number, host: DOMAIN });
const forever = (call: CallControl): Promise<void> =>
  new Promise((resolve) => call.signal.addEventListener('abort', () => resolve(), { once: true }));

/** 100 calls 101; both are told apart by who transfers whom. */
async function talking(office: Office, transferor: 'the caller' | 'the callee' = 'the callee') {
  const [alice, bob] = [await office.registered('100'), await office.registered('101')];
  const { call, answered } = await office.talk(alice, bob);
  const [leaving, stays] = transferor === 'the callee' ? [answered, call] : [call, answered];
  const [leavesAt, staysAt] = transferor === 'the callee' ? ['101', '100'] : ['100', '101'];
  return { alice, bob, leaving, stays, leavesAt, staysAt };
}

describe('blind', () => {
  for (const path of ['direct', 'relay'] as const)
    for (const who of ['the caller', 'the callee'] as const) {
      officeScenario(
        `${who} transfers (${path}): the other one keeps its dialog, hears the server, and presses keys`,
        { pbx: { media: { path } } },
        async (office, world) => {
          const keys: string[] = [];
          const served: unknown[] = [];
          office.pbx.onCall('700', async (call) => {
            served.push([call.caller.number, call.called]);
            call.ring();
            await call.answer();
            const playing = call.play(NOTE);
            keys.push(await call.collect({ maxDigits: 2 }));
            playing.stop();
            await forever(call);
          });
          const { leaving, stays, leavesAt, staysAt } = await talking(office, who);
          const rtp = await rtpOf(world, stays);
          const begin = world.clock.now();
          const transfer = leaving.transfer({ to: to('700') });
          await world.run(() => transfer.settled);
          await world.until(leaving.ended());
          expect(transfer.told).toEqual(['100 Trying', '180 Ringing', '200 OK']);
          expect(seenBy(world, leavesAt, begin).slice(-2)).toEqual(['<BYE', '>200']);
          expect(seenBy(world, staysAt, begin)).toEqual(['<INVITE', '>200', '<ACK']);
          expect(served).toEqual([[staysAt, '700']]);
          await world.advance({ seconds: 1 });
          expect(targetOf(stays).address).toBe(PBX);
          expect(rtp.heard.length).toBeGreaterThan(40);
          await pressed(world, stays, '12');
          expect(keys).toEqual(['12']);
          expect((await world.run(() => stays.hold())).kind).toBe('accepted');
          stays.hangUp();
          await office.over();
          const gone = who === 'the callee' ? 'b1' : 'a';
          expect(office.record.transfers).toEqual([
            { kind: 'blind', fromLeg: gone, to: '700', status: 200, at: expect.any(Number) },
          ]);
          expect(office.record.legs.map(({ id, outcome, releasedBy }) => [id, outcome, releasedBy])).toEqual([
            ['a', 'answered', 'this-party'],
            ['b1', 'answered', 'this-party'],
          ]);
        },
      );
    }

  officeScenario('the call ends with the function', {}, async (office, world) => {
    office.pbx.onCall('700', async (call) => {
      await call.early();
      await call.play(tone({ steps: [{ sines: chord([440]) }] }, { durationMs: 500 }));
    });
    const { leaving, stays } = await talking(office);
    leaving.transfer({ to: to('700') });
    await world.until(stays.ended());
    expect(stays.state).toMatchObject({ by: 'other-side' });
    await office.over();
    expect(office.record.leg('a')).toMatchObject({ releasedBy: 'server' });
  });

  for (const [name, handler, told] of [
    ['refuses', (call: CallControl) => call.reject(486), '486 Busy Here'],
    ['does nothing', () => {}, '480 Temporarily Unavailable'],
    ['fails', () => Promise.reject(new Error('a bug of the handler')), '500 Server Internal Error'],
  ] as const) {
    officeScenario(`a handler that ${name}: the transferor is told, and both talk on`, {}, async (office, world) => {
      const signals: AbortSignal[] = [];
      office.pbx.onCall('700', async (call) => {
        signals.push(call.signal);
        call.ring();
        await new Promise<void>((resolve) => world.ports.scheduler.after(500, resolve));
        await handler(call);
      });
      const { leaving, stays, staysAt } = await talking(office);
      const begin = world.clock.now();
      const transfer = leaving.transfer({ to: to('700') });
      await world.run(() => transfer.settled);
      await world.advance({ seconds: 1 });
      expect(transfer.told).toEqual(['100 Trying', '180 Ringing', told]);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      expect(seenBy(world, staysAt, begin)).toEqual([]);
      expect([leaving.state.kind, stays.state.kind]).toEqual(['talking', 'talking']);
      expect((await world.run(() => stays.hold())).kind).toBe('accepted');
      expect(leaving.media.remote).toContain('a=sendonly');
      expect(office.pbx.stats().media.ports.used).toBe(0);
      stays.hangUp();
      await office.quiet();
      expect(office.record.transfers).toMatchObject([{ kind: 'blind', to: '700', status: Number(told.slice(0, 3)) }]);
    });
  }

  officeScenario(
    'a party that does not take the server’s audio talks on with the transferor',
    {},
    async (office, world) => {
      const errors: unknown[] = [];
      office.pbx.onCall('700', (call) => call.answer().catch((error: unknown) => void errors.push(error)));
      const { leaving, stays } = await talking(office);
      const { onModify } = stays;
      stays.onModify = (modify) => modify.reject(488);
      const transfer = leaving.transfer({ to: to('700') });
      await world.run(() => transfer.settled);
      expect(transfer.result).toBe(488);
      expect(errors).toMatchObject([{ code: 'CALL_ENDED' }]);
      stays.onModify = onModify;
      expect((await world.run(() => leaving.hold())).kind).toBe('accepted');
      stays.hangUp();
      await office.over();
    },
  );

  officeScenario(
    'a handler that gives up while its answer is under way: both talk on as before',
    {},
    async (office, world) => {
      office.pbx.onCall('700', async (call) => {
        const answering = call.answer().catch(() => {});
        await new Promise<void>((resolve) => world.ports.scheduler.after(3, resolve));
        call.hangUp();
        await answering;
      });
      const { leaving, stays } = await talking(office);
      const before = targetOf(stays);
      const transfer = leaving.transfer({ to: to('700') });
      await world.run(() => transfer.settled);
      await world.advance({ seconds: 1 });
      expect([transfer.result, leaving.state.kind, stays.state.kind]).toEqual([480, 'talking', 'talking']);
      expect(targetOf(stays)).toEqual(before);
      stays.hangUp();
      await office.over();
    },
  );

  officeScenario('the transferor hangs up first: the handler answers all the same', {}, async (office, world) => {
    office.pbx.onCall('700', async (call) => {
      await new Promise<void>((resolve) => world.ports.scheduler.after(2_000, resolve));
      await call.answer();
      await call.play(NOTE);
    });
    const { leaving, stays } = await talking(office);
    const rtp = await rtpOf(world, stays);
    leaving.transfer({ to: to('700') });
    await world.advance({ ms: 500 });
    leaving.hangUp();
    await world.advance({ seconds: 3 });
    expect([stays.state.kind, rtp.heard.length > 40]).toEqual(['talking', true]);
    stays.hangUp();
    await office.over();
  });

  officeScenario(
    'the transferor hangs up first, and the handler refuses: it is called back',
    {},
    async (office, world) => {
      office.pbx.onCall('700', async (call) => {
        await new Promise<void>((resolve) => world.ports.scheduler.after(2_000, resolve));
        call.reject(486);
      });
      const { bob, leaving, stays } = await talking(office);
      leaving.transfer({ to: to('700') });
      await world.advance({ ms: 500 });
      leaving.hangUp();
      const again = bob.incoming();
      const recalled = await world.run(() => again);
      recalled.answer();
      await world.advance({ seconds: 1 });
      expect([recalled.state.kind, stays.state.kind]).toEqual(['talking', 'talking']);
      stays.hangUp();
      await office.over();
    },
  );

  officeScenario('the party hangs up while the handler rings: its signal fires', {}, async (office, world) => {
    const fired: boolean[] = [];
    office.pbx.onCall('700', async (call) => {
      call.ring();
      await forever(call);
      fired.push(call.signal.aborted);
    });
    const { leaving, stays } = await talking(office);
    leaving.transfer({ to: to('700') });
    await world.advance({ seconds: 1 });
    stays.hangUp();
    await world.until(leaving.ended());
    expect(fired).toEqual([true]);
    await office.over();
  });

  officeScenario('the handler dials on: the two talk end to end, and hang up', {}, async (office, world) => {
    const outcomes: string[] = [];
    office.pbx.onCall('700', async (call) => {
      outcomes.push((await call.dial('103')).kind);
      outcomes.push((await call.dial('102')).kind);
    });
    const carol = await office.registered('102');
    const incoming = carol.incoming();
    const { leaving, stays } = await talking(office);
    leaving.transfer({ to: to('700') });
    const third = await world.run(() => incoming);
    third.answer();
    await world.advance({ seconds: 1 });
    expect([targetOf(stays).address, targetOf(third).address]).toEqual(['10.0.0.1', '10.0.0.2']);
    third.hangUp();
    await world.until(stays.ended());
    await office.over();
    expect(outcomes).toEqual(['unreachable', 'answered']);
    expect(office.record.legs.map(({ number, outcome }) => [number, outcome])).toEqual([
      ['100', 'answered'],
      ['101', 'answered'],
      ['102', 'answered'],
    ]);
  });

  const kept = new Map<string, CallSnapshot>();
  const journal: PbxOptions['journal'] = {
    load: () => Promise.resolve([]),
    save: (snapshot) => Promise.resolve(void kept.set(snapshot.record.id, snapshot)),
    remove: (_tenant, id) => Promise.resolve(void kept.delete(id)),
  };
  officeScenario(
    'the journal forgets a call that a handler serves, and knows it again when two talk',
    { pbx: { journal } },
    async (office, world) => {
      office.pbx.onCall('700', async (call) => {
        await call.answer();
        await call.collect({ maxDigits: 1 });
        await call.dial('102');
      });
      await office.registered('102', { onCall: (incoming) => incoming.answer() });
      const { leaving, stays } = await talking(office);
      expect(kept.size).toBe(1);
      const transfer = leaving.transfer({ to: to('700') });
      await world.run(() => transfer.settled);
      await world.advance({ seconds: 1 });
      expect(kept.size).toBe(0);
      await pressed(world, stays, '1');
      await world.advance({ seconds: 1 });
      expect([...kept.values()].map(({ inbound, outbound }) => [inbound.legId, outbound.legId])).toEqual([['a', 'b2']]);
      stays.hangUp();
      await office.quiet();
      expect(kept.size).toBe(0);
    },
  );
});

describe('attended', () => {
  officeScenario(
    'the transferor is served there: the other one is served anew, and the transferor is out',
    {},
    async (office, world) => {
      const served: string[] = [];
      office.pbx.onCall('700', async (call) => {
        served.push(call.caller.number);
        await call.answer();
        await call.play(NOTE);
      });
      const { bob, leaving, stays } = await talking(office);
      const rtp = await rtpOf(world, stays);
      await world.run(() => leaving.hold());
      const asking = bob.call('700');
      await world.until(asking.talking());
      await world.advance({ seconds: 1 });
      const transfer = leaving.transfer({ to: to('700'), replacing: asking });
      await world.run(() => transfer.settled);
      await world.until(leaving.ended());
      await world.until(asking.ended());
      expect(transfer.result).toBe(200);
      await world.advance({ seconds: 1 });
      expect(served).toEqual(['101', '100']);
      expect(rtp.heard.length).toBeGreaterThan(40);
      stays.hangUp();
      await office.over();
      expect(office.records.map(({ legs }) => legs.map(({ releasedBy, cause }) => [releasedBy, cause]))).toEqual([
        [['this-party', 'transferred to 100']],
        [
          ['this-party', undefined],
          ['this-party', 'transferred to 700'],
        ],
      ]);
    },
  );

  officeScenario('a dialog of somebody else with the server cannot be named: 481', {}, async (office, world) => {
    office.pbx.onCall('700', async (call) => {
      await call.answer();
      await forever(call);
    });
    const { leaving, stays } = await talking(office);
    const carol = await office.registered('102');
    const theirs = carol.call('700');
    await world.until(theirs.talking());
    const transfer = leaving.transfer({ to: to('700'), replacing: theirs });
    await world.run(() => transfer.settled);
    expect([transfer.result, theirs.state.kind, stays.state.kind]).toEqual([481, 'talking', 'talking']);
    stays.hangUp();
    theirs.hangUp();
    await office.over();
  });

  officeScenario(
    'a phone sends the waiting transferor to a handler: that serves who was transferred',
    {},
    async (office, world) => {
      const served: string[] = [];
      office.pbx.onCall('700', async (call) => {
        served.push(call.caller.number);
        await call.answer();
        await forever(call);
      });
      const { bob, leaving, stays } = await talking(office);
      const carol = await office.registered('102', { onCall: (incoming) => incoming.ring() });
      const incoming = carol.incoming();
      const asking = bob.call('102');
      const rings = await world.run(() => incoming);
      await world.until(asking.ringing());
      const transfer = leaving.transfer({ to: to('102'), replacing: asking });
      await world.run(() => transfer.answered);
      rings.redirect(to('700'));
      await world.run(() => transfer.settled);
      await world.until(asking.ended());
      expect([transfer.result, asking.state]).toMatchObject([200, { status: 487 }]);
      await world.advance({ seconds: 1 });
      expect([served, stays.state.kind, targetOf(stays).address]).toEqual([['100'], 'talking', PBX]);
      stays.hangUp();
      await office.over();
    },
  );
});

describe('a call that comes to a handler otherwise', () => {
  officeScenario(
    'a phone redirects there (RFC 3261 §21.3.3): 181, and the handler serves the caller',
    {},
    async (office, world) => {
      office.pbx.onCall('700', async (call) => {
        await call.answer();
        await call.play(NOTE);
      });
      const alice = await office.registered('100');
      await office.registered('101', { onCall: (incoming) => incoming.redirect(to('700')) });
      const begin = world.clock.now();
      const call = alice.call('101');
      await world.until(call.talking());
      const rtp = await rtpOf(world, call);
      await world.advance({ seconds: 1 });
      expect(rtp.heard.length).toBeGreaterThan(40);
      expect(seenBy(world, '100', begin)).toContain('<181');
      call.hangUp();
      await office.over();
    },
  );
});
