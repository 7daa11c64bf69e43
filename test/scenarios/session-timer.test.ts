/** Session timers through the PBX (RFC 4028): one for each leg, and a phone that has vanished ends its call. */
import { describe, expect } from 'vitest';
import type { World } from '../../src/testing/world.js';
import { butOrigin } from '../support/but-origin.js';
import { officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';

const CALLEE_SDP = rawSdp('10.1.0.2', 5000);

async function talking(world: World, caller: readonly string[], callee: readonly string[]) {
  const a = await RawPeer.open(world, { name: 'a' });
  const b = await RawPeer.open(world, { name: 'b', address: '10.1.0.2' });
  await b.register('101', 'secret-101');
  const from = a.dial('101', { from: '<sip:100@office.test>', headers: caller });
  from.authorize(await a.expect(407), '100', 'secret-100', { headers: caller });
  const invite = await b.expect('INVITE');
  const to = b.take(invite);
  to.respond(200, { body: CALLEE_SDP, headers: callee });
  await b.expect('ACK');
  const ok = await a.expect('200 INVITE');
  from.learn(ok);
  from.ack();
  await world.advance({ ms: 50 });
  to.dialog.cseq = 10;
  return { a, b, from, to, invite, ok };
}

const TIMER = ['Supported: timer', 'Allow: INVITE, ACK, BYE, UPDATE'];

describe('each leg has a timer of its own', () => {
  officeScenario('what one leg agrees says nothing of the other; refreshes pass nowhere', {}, async (office, world) => {
    const { a, b, from, to, invite, ok } = await talking(
      world,
      [...TIMER, 'Session-Expires: 600;refresher=uac'],
      ['Require: timer', 'Session-Expires: 900;refresher=uas'],
    );
    expect(ok.header('Session-Expires')).toBe('600;refresher=uac');
    expect(invite.header('Session-Expires')).toBe('1800');
    const before = [a.received.length, b.received.length];
    for (let i = 0; i < 6; i++) {
      await world.advance({ seconds: 300 });
      from.request('UPDATE', { headers: [...TIMER, 'Session-Expires: 600;refresher=uac'] });
      await a.expect('200 UPDATE');
      to.request('UPDATE', { headers: ['Supported: timer', 'Session-Expires: 900;refresher=uac'] });
      expect((await b.expect('200 UPDATE')).header('Session-Expires')).toBe('900;refresher=uac');
    }
    expect([a.received.length, b.received.length]).toEqual(before.map((count) => count + 6));
    from.request('BYE');
    await a.expect('200 BYE');
    b.respond(await b.expect('BYE'), 200);
    await office.quiet();
  });

  officeScenario('a caller that stops refreshing: both legs end, the record says why', {}, async (office, world) => {
    const { a, b } = await talking(world, [...TIMER, 'Session-Expires: 90;refresher=uac'], TIMER);
    await world.advance({ seconds: 59 });
    expect(office.pbx.calls).toHaveLength(1);
    const bye = await a.expect('BYE');
    a.respond(bye, 200);
    b.respond(await b.expect('BYE'), 200);
    await office.quiet();
    expect(office.record.leg('a')).toMatchObject({
      outcome: 'answered',
      releasedBy: 'network',
      cause: 'the phone no longer refreshes the session',
    });
  });

  officeScenario(
    'a callee that has vanished is found out by our refresh, though it knew no timer',
    { pbx: { calls: { sessionTimer: { seconds: 200 } } } },
    async (office, world) => {
      const { a, b } = await talking(world, TIMER, []);
      expect(a.received.find((each) => each.status === 200)?.header('Session-Expires')).toBe('200;refresher=uac');
      await world.advance({ seconds: 95 });
      const refresh = await b.expect('INVITE');
      expect(refresh.body).toBe(b.received.find((each) => each.method === 'INVITE')?.body);
      // Nobody answers it: 32 s later the call is over.
      a.respond(await a.expect('BYE'), 200);
      await office.quiet();
      expect(office.record.leg('b1')).toMatchObject({ releasedBy: 'network', cause: 'the phone no longer answers' });
      expect(office.record.leg('b1').endedAt).toBeDefined();
    },
  );

  officeScenario(
    'phones that know no timer are refreshed by a re-INVITE each, and hear nothing of one another',
    {},
    async (office, world) => {
      const { a, b, from } = await talking(world, [], []);
      for (let round = 0; round < 2; round++) {
        await world.advance({ seconds: 890 });
        const toCallee = await b.expect('INVITE');
        b.respond(toCallee, 200, { body: CALLEE_SDP });
        await b.expect('ACK');
        const toCaller = await a.expect('INVITE');
        a.respond(toCaller, 200, { body: rawSdp() });
        await a.expect('ACK');
        expect(butOrigin(toCaller.body)).toBe(butOrigin(CALLEE_SDP));
      }
      expect(b.heard.filter((each) => each === 'INVITE')).toHaveLength(3);
      from.dialog.cseq = 20;
      from.request('BYE');
      await a.expect('200 BYE');
      b.respond(await b.expect('BYE'), 200);
      await office.quiet();
    },
  );

  officeScenario('a new description in the answer to a refresh reaches the other phone', {}, async (office, world) => {
    const { a, b, from } = await talking(world, TIMER, []);
    await world.advance({ seconds: 890 });
    const refresh = await b.expect('INVITE');
    const moved = rawSdp('10.1.0.2', 5002, 2);
    b.respond(refresh, 200, { body: moved });
    await b.expect('ACK');
    const told = await a.expect('INVITE');
    expect(butOrigin(told.body)).toBe(butOrigin(moved));
    a.respond(told, 200, { body: rawSdp() });
    await a.expect('ACK');
    from.dialog.cseq = 20;
    from.request('BYE');
    await a.expect('200 BYE');
    b.respond(await b.expect('BYE'), 200);
    await office.quiet();
  });

  officeScenario('`false`: no word of timers', { pbx: { calls: { sessionTimer: false } } }, async (office, world) => {
    const { a, b, from, invite, ok } = await talking(world, TIMER, []);
    expect([invite.header('Session-Expires'), ok.header('Session-Expires')]).toEqual([undefined, undefined]);
    await world.advance({ minutes: 60 });
    expect([a.heard.includes('INVITE'), b.heard.filter((each) => each === 'INVITE').length]).toEqual([false, 1]);
    from.request('BYE');
    await a.expect('200 BYE');
    b.respond(await b.expect('BYE'), 200);
    await office.quiet();
  });

  officeScenario('`reconfigure`: for new calls', {}, async (office, world) => {
    office.pbx.reconfigure({ calls: { sessionTimer: { seconds: 400, minSeconds: 300 } } });
    const { a, b, from, invite, ok } = await talking(world, [...TIMER, 'Session-Expires: 350'], []);
    expect([invite.header('Session-Expires'), ok.header('Session-Expires')]).toEqual(['400', '350;refresher=uac']);
    from.request('BYE');
    await a.expect('200 BYE');
    b.respond(await b.expect('BYE'), 200);
    await office.quiet();
  });
});

describe('between phones over a wire that loses', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const conditions = { delayMs: [2, 40], loss: 0.15, duplicate: 0.08, reorder: 0.1 } as const;
    const pbx = { calls: { sessionTimer: { seconds: 120 } } };
    officeScenario(
      `the call lives as long as its phones: seed ${seed}`,
      { seed, pbx, ...conditions },
      async (office, world) => {
        const alice = await office.phone('100');
        const bob = await office.phone('101', { onCall: (call) => call.answer() });
        for (const phone of [alice, bob]) {
          let status = 0;
          for (let attempt = 0; attempt < 5 && status !== 200; attempt++) {
            ({ status } = await world.run(() => phone.register()));
          }
        }
        const call = alice.call('101');
        await world.until(call.talking());
        await world.advance({ minutes: 10 });
        expect([call.state.kind, bob.calls[0]?.state.kind]).toEqual(['talking', 'talking']);
        await world.run(() => bob.close());
        await world.until(call.ended(), { minutes: 5 });
        await world.advance({ seconds: 80 });
        expect(office.record.leg('b1')).toMatchObject({ releasedBy: 'network' });
      },
    );
  }
});
