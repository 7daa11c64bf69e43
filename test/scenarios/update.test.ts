/** UPDATE through the PBX in an established call (RFC 3311, RFC 6337 §3.3), and what only refreshes a session. */
import { describe, expect } from 'vitest';
import type { World } from '../../src/testing/world.js';
import { butOrigin } from '../support/but-origin.js';
import { officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';

const ALLOWS = ['Allow: INVITE, ACK, BYE, CANCEL, UPDATE'];
const CALLER_SDP = rawSdp('10.1.0.1', 4000);
const CALLEE_SDP = rawSdp('10.1.0.2', 5000);

/** A raw caller (100) and a raw callee (101) who talk. */
async function talking(world: World, callee: readonly string[] = ALLOWS) {
  const a = await RawPeer.open(world, { name: 'a' });
  const b = await RawPeer.open(world, { name: 'b', address: '10.1.0.2' });
  await b.register('101', 'secret-101');
  const fields = { body: CALLER_SDP, headers: ALLOWS };
  const from = a.dial('101', { from: '<sip:100@office.test>', ...fields });
  from.authorize(await a.expect(407), '100', 'secret-100', fields);
  const to = b.take(await b.expect('INVITE'));
  to.respond(200, { body: CALLEE_SDP, headers: callee });
  await b.expect('ACK');
  const ok = await a.expect('200 INVITE');
  from.learn(ok);
  from.ack();
  await world.advance({ ms: 50 });
  to.dialog.cseq = 10;
  const hangUp = async (): Promise<void> => {
    from.request('BYE');
    await a.expect('200 BYE');
    b.respond(await b.expect('BYE'), 200);
  };
  return { a, b, from, to, hangUp };
}

describe('an offer in an UPDATE', () => {
  officeScenario('reaches the other side as an UPDATE, from both sides', {}, async (office, world) => {
    const { a, b, from, to, hangUp } = await talking(world);
    const held = rawSdp('10.1.0.1', 4000, 2).replace('RTP/AVP 0\r\n', 'RTP/AVP 0\r\na=sendonly\r\n');
    from.request('UPDATE', { body: held });
    const there = await b.expect('UPDATE');
    expect(butOrigin(there.body)).toBe(butOrigin(held));
    const answer = rawSdp('10.1.0.2', 5000, 2).replace('RTP/AVP 0\r\n', 'RTP/AVP 0\r\na=recvonly\r\n');
    b.respond(there, 200, { body: answer });
    expect(butOrigin((await a.expect('200 UPDATE')).body)).toBe(butOrigin(answer));
    to.request('UPDATE', { body: rawSdp('10.1.0.2', 5002, 3) });
    const back = await a.expect('UPDATE');
    a.respond(back, 200, { body: rawSdp('10.1.0.1', 4002, 3) });
    expect((await b.expect('200 UPDATE')).body).toContain('m=audio 4002');
    await hangUp();
    await office.quiet();
  });

  officeScenario('becomes a re-INVITE to a phone that does not allow UPDATE', {}, async (office, world) => {
    const { a, b, from, hangUp } = await talking(world, ['Allow: INVITE, ACK, BYE, CANCEL']);
    from.request('UPDATE', { body: rawSdp('10.1.0.1', 4002, 2) });
    const invite = await b.expect('INVITE');
    b.respond(invite, 200, { body: CALLEE_SDP });
    expect(butOrigin((await a.expect('200 UPDATE')).body)).toBe(butOrigin(CALLEE_SDP));
    await b.expect('ACK');
    await hangUp();
    await office.quiet();
  });

  officeScenario('504 when that phone asks somebody first; the call goes on (§5.2)', {}, async (office, world) => {
    const { a, b, from, hangUp } = await talking(world, ['Allow: INVITE, ACK, BYE, CANCEL']);
    from.request('UPDATE', { body: rawSdp('10.1.0.1', 4002, 2) });
    const invite = await b.expect('INVITE');
    b.respond(invite, 180);
    await a.expect('504 UPDATE');
    b.respond(await b.expect('CANCEL'), 200);
    b.respond(invite, 487);
    await b.expect('ACK');
    await hangUp();
    await office.quiet();
    expect(office.record.leg('b1').outcome).toBe('answered');
  });

  officeScenario(
    'RFC 5407 §3.3.2: UPDATE with an offer crosses a re-INVITE: 491 both, and the call goes on',
    {},
    async (office, world) => {
      const { a, b, from, to, hangUp } = await talking(world);
      from.request('UPDATE', { body: rawSdp('10.1.0.1', 4002, 2) });
      to.invite({ body: rawSdp('10.1.0.2', 5002, 2), headers: ALLOWS });
      const update = await b.expect('UPDATE');
      b.respond(update, 491);
      await a.expect('491 UPDATE');
      const refused = await b.expect((each) => each.status !== undefined && each.status >= 300);
      expect(refused.status).toBe(491);
      to.ackFailure(refused);
      await hangUp();
      await office.quiet();
    },
  );

  officeScenario('§5.2: one without an offer is answered here and passes nowhere', {}, async (office, world) => {
    const { a, b, from, hangUp } = await talking(world);
    const before = b.received.length;
    from.request('UPDATE');
    await a.expect('200 UPDATE');
    await world.advance({ seconds: 1 });
    expect(b.received.length).toBe(before);
    await hangUp();
    await office.quiet();
  });
});

describe('a refresh (RFC 4028 §7.4)', () => {
  officeScenario(
    're-INVITE or UPDATE with what was said before is answered here, o= line and all',
    {},
    async (office, world) => {
      const { a, b, from, hangUp } = await talking(world);
      const before = b.received.length;
      const [first] = a.received.filter((each) => each.status === 200);
      from.request('INVITE', { body: CALLER_SDP });
      const again = await a.expect('200 INVITE');
      from.ack();
      from.request('UPDATE', { body: CALLER_SDP });
      expect((await a.expect('200 UPDATE')).body).toBe(first?.body);
      expect(again.body).toBe(first?.body);
      await world.advance({ seconds: 1 });
      expect(b.received.length).toBe(before);
      await hangUp();
      await office.quiet();
    },
  );
});

describe('glare of two re-INVITEs (RFC 5407 §3.3.1)', () => {
  officeScenario('both phones get 491 and try again in their own time', {}, async (office, world) => {
    const { a, b, from, to, hangUp } = await talking(world);
    from.invite();
    to.invite({ body: rawSdp('10.1.0.2', 5002, 2) });
    const crossed = await b.expect('INVITE');
    b.respond(crossed, 491);
    from.ackFailure(await a.expect('491 INVITE'));
    await b.expect('ACK');
    to.ackFailure(await b.expect('491 INVITE'));
    await world.advance({ seconds: 3 });
    from.invite();
    const passed = await b.expect('INVITE');
    b.respond(passed, 200, { body: CALLEE_SDP });
    await b.expect('ACK');
    from.learn(await a.expect('200 INVITE'));
    from.ack();
    await world.advance({ ms: 50 });
    await hangUp();
    await office.quiet();
  });
});
