/** Flow T6: an INVITE with Replaces takes somebody's place (RFC 3891). */
import { describe, expect } from 'vitest';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import { replacesOf } from '../../src/testing/phone-transfer.js';
import { sipSightings } from '../../src/testing/sightings.js';
import type { World } from '../../src/testing/world.js';
import { type Office, officeScenario } from '../support/office.js';
import { type RawCall, RawPeer, rawSdp, type WireMessage } from '../support/raw-peer.js';
import { headerOf, seenBy } from '../support/wire.js';

/** 100 talks to 101; 103 is a raw peer that knows what it should not. */
async function talking(office: Office) {
  const { world } = office;
  const alice = await office.registered('100');
  const bob = await office.registered('101');
  const peer = await RawPeer.open(world);
  const { call, answered } = await office.talk(alice, bob);
  return { alice, bob, peer, call, answered };
}

/** An INVITE of 103 with these header lines, authenticated. */
async function dial(peer: RawPeer, headers: readonly string[], body = rawSdp()): Promise<RawCall> {
  const raw = peer.dial('101', { from: '<sip:103@office.test>', headers, body });
  raw.authorize(await peer.expect('407 INVITE'), '103', 'secret-103', { headers, body });
  return raw;
}

function final(peer: RawPeer, raw: RawCall): Promise<WireMessage> {
  return peer.expect((message) => (message.status ?? 0) >= 200 && message.cseq === raw.dialog.cseq);
}

const hears = (side: PhoneCall): string | undefined => side.media.remote?.match(/c=IN IP4 (\S+)/)?.[1];

async function refused(world: World, peer: RawPeer, headers: readonly string[]): Promise<number | undefined> {
  const raw = await dial(peer, headers);
  const answer = await final(peer, raw);
  raw.ackFailure(answer);
  await world.advance({ ms: 100 });
  return answer.status;
}

describe('what phones are told', () => {
  officeScenario(
    'RFC 3891 §7.2, RFC 3261 §20.37: Supported names replaces, in INVITEs and their 2xx',
    {},
    async (office) => {
      const { call } = await talking(office);
      const fromPbx = sipSightings(office.world.trace).filter(({ fromHost, again }) => fromHost === 'pbx' && !again);
      const tags = fromPbx.map((each) => [each.title, headerOf(each, 'Supported')]);
      expect(tags).toContainEqual(['INVITE', '100rel, timer, replaces, norefersub']);
      expect(tags).toContainEqual(['200 OK', '100rel, timer, replaces, norefersub']);
      call.hangUp();
      await office.quiet();
    },
  );
});

describe('T6: what cannot be replaced (RFC 3891 §3)', () => {
  officeScenario('nobody’s dialog: 481', {}, async (office, world) => {
    const { peer, call } = await talking(office);
    expect(await refused(world, peer, ['Replaces: nobody;to-tag=1;from-tag=2'])).toBe(481);
    const { callId } = call.dialogId;
    expect(await refused(world, peer, [`Replaces: ${callId};to-tag=1;from-tag=2`])).toBe(481);
    expect(call.state.kind).toBe('talking');
    call.hangUp();
    await office.quiet();
  });

  officeScenario('Replaces twice, unreadable, or with Join: 400', {}, async (office, world) => {
    const { peer, call } = await talking(office);
    const good = `Replaces: ${replacesOf(call)}`;
    expect(await refused(world, peer, [good, good])).toBe(400);
    expect(await refused(world, peer, ['Replaces: abc'])).toBe(400);
    expect(await refused(world, peer, [good, good.replace('Replaces', 'Join')])).toBe(400);
    expect(call.state.kind).toBe('talking');
    call.hangUp();
    await office.quiet();
  });

  officeScenario('early-only on a dialog that is confirmed: 486', {}, async (office, world) => {
    const { peer, call } = await talking(office);
    expect(await refused(world, peer, [`Replaces: ${replacesOf(call)};early-only`])).toBe(486);
    expect(call.state.kind).toBe('talking');
    call.hangUp();
    await office.quiet();
  });

  officeScenario('a dialog that has ended: 603', {}, async (office, world) => {
    const { peer, call, answered } = await talking(office);
    const named = replacesOf(call);
    answered.hangUp();
    await world.until(call.ended());
    await world.advance({ seconds: 1 });
    expect(await refused(world, peer, [`Replaces: ${named}`])).toBe(603);
    await office.quiet();
  });

  officeScenario('the early dialog of a caller: 481', {}, async (office, world) => {
    const alice = await office.registered('100');
    await office.registered('101');
    const peer = await RawPeer.open(world);
    const call = alice.call('101');
    await world.until(call.ringing());
    expect(await refused(world, peer, [`Replaces: ${replacesOf(call)}`])).toBe(481);
    call.cancel();
    await office.quiet();
  });

  officeScenario('without a password: 407, and nothing happens', {}, async (office, world) => {
    const { peer, call } = await talking(office);
    const raw = peer.dial('101', { from: '<sip:103@office.test>', headers: [`Replaces: ${replacesOf(call)}`] });
    raw.ackFailure(await peer.expect('407 INVITE'));
    await world.advance({ seconds: 1 });
    expect(call.state.kind).toBe('talking');
    call.hangUp();
    await office.quiet();
  });

  officeScenario(
    'where the host forbids it: 403',
    { pbx: { calls: { transfers: ({ kind }) => kind !== 'replaced' } } },
    async (office, world) => {
      const { peer, call } = await talking(office);
      expect(await refused(world, peer, [`Replaces: ${replacesOf(call)}`])).toBe(403);
      call.hangUp();
      await office.quiet();
    },
  );
});

describe('T6: the newcomer takes the place (RFC 3891 §4)', () => {
  for (const who of ['caller', 'callee'] as const) {
    officeScenario(`of the ${who}`, {}, async (office, world) => {
      const { peer, call, answered } = await talking(office);
      const [gone, stays] = who === 'caller' ? [call, answered] : [answered, call];
      const [goneAt, staysAt] = who === 'caller' ? ['100', '101'] : ['101', '100'];
      const begin = world.clock.now();
      const raw = await dial(peer, [`Replaces: ${replacesOf(gone)}`, 'Require: replaces']);
      const ok = await final(peer, raw);
      expect(ok.status).toBe(200);
      raw.learn(ok);
      raw.ack();
      await world.until(gone.ended());
      await world.advance({ seconds: 1 });
      expect(ok.body).toContain(`c=IN IP4 ${who === 'caller' ? '10.0.0.2' : '10.0.0.1'}`);
      expect(hears(stays)).toBe('10.1.0.1');
      expect(seenBy(world, goneAt, begin)).toEqual(['<BYE', '>200']);
      expect(seenBy(world, staysAt, begin)).toEqual(['<INVITE', '>200', '<ACK']);
      stays.hangUp();
      peer.respond(await peer.expect('BYE'), 200, { contact: '' });
      await office.quiet();
      expect(office.record.legs).toHaveLength(3);
      expect(office.record.legs.every((leg) => leg.outcome === 'answered')).toBe(true);
      expect(office.record.transfers).toMatchObject([{ kind: 'replaced', to: '103', status: 200 }]);
    });
  }

  officeScenario('and wants to be offered something: the answer comes in its ACK', {}, async (office, world) => {
    const { peer, call, answered } = await talking(office);
    const raw = await dial(peer, [`Replaces: ${replacesOf(answered)}`], '');
    const ok = await final(peer, raw);
    expect(ok.body).toContain('c=IN IP4 10.0.0.1');
    raw.learn(ok);
    raw.ack({ body: rawSdp() });
    await world.until(answered.ended());
    await world.advance({ seconds: 1 });
    expect(hears(call)).toBe('10.1.0.1');
    call.hangUp();
    peer.respond(await peer.expect('BYE'), 200, { contact: '' });
    await office.quiet();
  });

  officeScenario('the other party refuses its description: 488, and both talk on', {}, async (office, world) => {
    const { peer, call, answered } = await talking(office);
    call.onModify = (modify) => modify.reject(488);
    expect(await refused(world, peer, [`Replaces: ${replacesOf(answered)}`])).toBe(488);
    expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
    answered.hangUp();
    await office.quiet();
    expect(office.record.legs.map(({ number, outcome }) => [number, outcome])).toEqual([
      ['100', 'answered'],
      ['101', 'answered'],
      ['103', 'failed'],
    ]);
  });

  officeScenario(
    'gives up while the other party is asked: the two talk on, to each other',
    {},
    async (office, world) => {
      const { peer, call, answered } = await talking(office);
      let answer = (): void => {};
      call.onModify = (modify, media) => {
        answer = () => void modify.accept(media.answer(modify.sdp ?? ''));
        call.onModify = (next) => void next.accept(media.answer(next.sdp ?? ''));
      };
      const raw = await dial(peer, [`Replaces: ${replacesOf(answered)}`]);
      await world.advance({ ms: 50 });
      raw.cancel();
      await peer.expect('200 CANCEL');
      raw.ackFailure(await peer.expect('487 INVITE'));
      answer();
      await world.advance({ seconds: 10 });
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      expect(hears(call)).toBe('10.0.0.2');
      answered.hangUp();
      await office.quiet();
      expect(office.record.legs.map(({ number, outcome }) => [number, outcome])).toEqual([
        ['100', 'answered'],
        ['101', 'answered'],
        ['103', 'cancelled'],
      ]);
    },
  );

  officeScenario('the other party hangs up meanwhile: 487, and everything ends', {}, async (office, world) => {
    const { peer, call, answered } = await talking(office);
    call.onModify = () => {};
    const raw = await dial(peer, [`Replaces: ${replacesOf(answered)}`]);
    await world.advance({ ms: 50 });
    call.hangUp();
    const answer = await final(peer, raw);
    expect(answer.status).toBe(487);
    raw.ackFailure(answer);
    await world.until(answered.ended());
    await office.quiet();
  });
});

describe('REFER outside a call', () => {
  officeScenario('of an extension: 403; of a stranger: 407', {}, async (office, world) => {
    const peer = await RawPeer.open(world);
    const raw = peer.dial('101', { from: '<sip:103@office.test>' });
    raw.ackFailure(await peer.expect('407 INVITE'));
    raw.request('REFER', { headers: ['Refer-To: <sip:102@office.test>'], uri: 'sip:101@office.test' });
    expect((await peer.expect((message) => message.cseqMethod === 'REFER')).status).toBe(407);
    const bob = await office.registered('101');
    expect(await world.run(() => bob.request('REFER', '101', { 'Refer-To': '<sip:102@office.test>' }))).toBe(403);
    await office.quiet();
  });
});
