/** 183 with a description before the answer, and several answering sources (architecture decision 10). */
import { describe, expect } from 'vitest';
import { sipUri } from '../../src/protocol/sip/uri.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import type { World } from '../../src/testing/world.js';
import { butOrigin } from '../support/but-origin.js';
import { DOMAIN, type Office, officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';
import { Voices } from '../support/voices.js';

describe('early media (RFC 3960, flow G1)', () => {
  officeScenario('183 and 200 carry the same description under the same To tag', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101', { onCall: (call) => call.earlyMedia() });
    const next = bob.incoming();
    const call = alice.call('101');
    const answered = await world.run(() => next);
    await world.until(call.ringing());
    await world.advance({ seconds: 2 });
    const [early] = call.progress;
    expect(early?.status).toBe(183);
    expect(butOrigin(early?.sdp)).toBe(butOrigin(answered.media.local));
    answered.answer();
    await world.until(call.talking());
    expect(call.session?.dialog.id.remoteTag).toBe(early?.tag);
    expect(call.media.remote).toBe(early?.sdp);
    call.hangUp();
    await office.quiet();
  });

  officeScenario('two phones with early media: one To tag never sees two answers', {}, async (office, world) => {
    const alice = await office.registered('100');
    const one = await office.registered('101', { onCall: (call) => call.earlyMedia() });
    const two = await office.registered('101', { onCall: (call) => call.earlyMedia() });
    const calls = Promise.all([one.incoming(), two.incoming()]);
    const call = alice.call('101');
    const [, second] = await world.run(() => calls);
    await world.advance({ seconds: 1 });
    const seen = new Map(call.progress.map(({ tag, sdp }) => [tag, sdp]));
    expect(call.progress).toHaveLength(2);
    expect(seen.size).toBe(2);
    second?.answer();
    await world.until(call.talking());
    const tag = call.session?.dialog.id.remoteTag ?? '';
    expect(butOrigin(seen.get(tag))).toBe(butOrigin(second?.media.local));
    call.hangUp();
    await office.quiet();
  });
});

/** Two phones of 101: the first sends early media, the second does what `second` says. */
async function forked(office: Office, world: World, second: (call: PhoneCall) => void) {
  const alice = await office.registered('100');
  const one = await office.registered('101', { onCall: (each) => each.earlyMedia() });
  const two = await office.registered('101', { onCall: second });
  const calls = Promise.all([one.incoming(), two.incoming()]);
  const call = alice.call('101');
  const [first, other] = await world.run(() => calls);
  await world.advance({ seconds: 1 });
  return { call, first, other };
}

describe('the phone whose early media is heard fails while another one rings (RFC 3960 §3.2)', () => {
  for (const path of ['direct', 'relay'] as const) {
    officeScenario(
      `early media of the other one is told again, heard, and answered under its own tag (${path})`,
      { pbx: { media: { path } } },
      async (office, world) => {
        const { call, first, other } = await forked(office, world, (each) => each.earlyMedia());
        const voices = await Voices.of(world, call, first, other);
        const told = call.progress.length;
        first.reject(486);
        await world.advance({ seconds: 1 });
        expect(call.progress.slice(told).map(({ status }) => status)).toEqual([183]);
        const tag = call.progress.at(-1)?.tag;
        const before = call.progress.find((each) => each.tag === tag)?.sdp;
        expect(before).toBeDefined();
        if (path === 'direct') expect(butOrigin(before)).toBe(butOrigin(other.media.local));
        await voices.speak(500);
        expect(voices.heard(call, other)).toBeGreaterThan(15);
        other.answer();
        await world.until(call.talking());
        expect(call.session?.dialog.id.remoteTag).toBe(tag);
        await voices.speak(500);
        expect(voices.heard(call, other)).toBeGreaterThan(35);
        expect(voices.heard(other, call)).toBeGreaterThan(15);
        call.hangUp();
        await office.quiet();
        expect(office.pbx.stats().media.ports.used).toBe(0);
      },
    );
  }

  officeScenario(
    'the other one only rings: 180 under a tag of its own, which its 200 has too',
    {},
    async (office, world) => {
      const { call, first, other } = await forked(office, world, (each) => each.ring());
      const before = call.progress.length;
      const firstTag = call.progress.find(({ sdp }) => sdp !== undefined)?.tag;
      first.reject(500);
      await world.advance({ seconds: 1 });
      expect(call.progress.slice(before)).toEqual([{ status: 180, tag: expect.any(String), sdp: undefined }]);
      const tag = call.progress.at(-1)?.tag;
      expect(tag).not.toBe(firstTag);
      other.answer();
      await world.until(call.talking());
      expect(call.session?.dialog.id.remoteTag).toBe(tag);
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario('the other one rings later: likewise then', {}, async (office, world) => {
    const { call, first, other } = await forked(office, world, () => {});
    const before = call.progress.length;
    first.reject(486);
    await world.advance({ seconds: 1 });
    expect(call.progress).toHaveLength(before);
    other.ring();
    await world.advance({ seconds: 1 });
    expect(call.progress.slice(before).map(({ status }) => status)).toEqual([180]);
    expect(call.progress.at(-1)?.tag).not.toBe(call.progress[0]?.tag);
    call.cancel();
    await office.quiet();
  });

  officeScenario('one without early media fails: the caller is told nothing', {}, async (office, world) => {
    const { call, first, other } = await forked(office, world, (each) => each.ring());
    const before = call.progress.length;
    other.reject(486);
    await world.advance({ seconds: 1 });
    expect(call.progress).toHaveLength(before);
    first.answer();
    await world.until(call.talking());
    call.hangUp();
    await office.quiet();
  });

  officeScenario('a redirection after early media: who rings there has a tag of its own', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101', { onCall: (each) => each.earlyMedia() });
    await office.registered('102', { onCall: (each) => each.ring() });
    const incoming = bob.incoming();
    const call = alice.call('101');
    const first = await world.run(() => incoming);
    await world.advance({ seconds: 1 });
    first.redirect(sipUri({ user: '102', host: DOMAIN }));
    await world.advance({ seconds: 1 });
    const rings = call.progress.findLast(({ status }) => status === 180);
    expect(rings?.tag).toBeDefined();
    expect(rings?.tag).not.toBe(call.progress[0]?.tag);
    call.cancel();
    await office.quiet();
  });

  for (const [knows, second] of [
    ['199', 'rings'],
    ['199', 'early media'],
    ['nothing', 'early media'],
  ] as const) {
    officeScenario(
      `a caller without 100rel that knows ${knows}, while the other phone has ${second} (RFC 6228 §5)`,
      {},
      async (office, world) => {
        const onCall = (each: PhoneCall): void => (second === 'rings' ? each.ring() : each.earlyMedia());
        const one = await office.registered('101', { onCall: (each) => each.earlyMedia() });
        const two = await office.registered('101', { onCall });
        const calls = Promise.all([one.incoming(), two.incoming()]);
        const caller = await RawPeer.open(world, { name: 'caller' });
        const fields = { headers: knows === '199' ? ['Supported: 199'] : [], body: rawSdp() };
        const raw = caller.dial('101', { from: '<sip:100@office.test>', ...fields });
        raw.authorize(await caller.expect(407), '100', 'secret-100', fields);
        const [first, other] = await world.run(() => calls);
        const early = await caller.expect((each) => butOrigin(each.body) === butOrigin(first.media.local));
        await world.advance({ seconds: 1 });
        caller.skip();
        first.reject(486);
        await world.advance({ seconds: 1 });
        if (knows === '199') {
          const over = await caller.expect('199 INVITE');
          expect([over.header('To'), over.body]).toEqual([early.header('To'), '']);
          expect(over.header('Reason')).toBe('SIP;cause=486');
        }
        const next = await caller.expect((each) => each.cseqMethod === 'INVITE');
        expect([next.status, butOrigin(next.body)]).toEqual(
          second === 'rings' ? [180, ''] : [183, butOrigin(other.media.local)],
        );
        expect(next.header('To')).not.toBe(early.header('To'));
        raw.cancel();
        await office.quiet();
      },
    );
  }
});
