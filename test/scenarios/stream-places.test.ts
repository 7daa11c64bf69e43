/** RFC 3264 §8: each stream keeps its place in a dialog, also when the server joins parties whose streams stand in other places. */
import { expect } from 'vitest';
import { parseSdp } from '../../src/protocol/sdp/lines.js';
import { directionOf, mediaSummary } from '../../src/protocol/sdp/media.js';
import { sipUri } from '../../src/protocol/sip/uri.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import { DOMAIN, officeScenario } from '../support/office.js';

const VIDEO = 'm=video 26000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n';

/** What a phone says that has refused audio in the first place, then offers video, then its audio. */
function audioLast(sdp: string | undefined): string {
  const [session, audio] = (sdp ?? '').split(/^m=/m);
  return `${session}m=audio 0 RTP/AVP 0\r\n${VIDEO}m=${audio}`;
}

/** The streams of a description in use or not: `audio`, `video 0`. */
function streams(sdp: string | undefined): string[] {
  return mediaSummary(parseSdp(sdp ?? '')).map(({ type, active }) => (active ? type : `${type} 0`));
}

/** Where a phone's audio is wanted. */
function audioPort(sdp: string | undefined): number | undefined {
  return mediaSummary(parseSdp(sdp ?? '')).find(({ active, type }) => active && type === 'audio')?.port;
}

/** The phone takes no offer, and makes its own when it is asked for one. */
function offersItself(): (call: PhoneCall) => void {
  let asked = 0;
  return (call) => (asked++ === 0 ? call.reject(488) : call.answer());
}

for (const path of ['direct', 'relay'] as const) {
  officeScenario(
    `dial() of a phone that makes the offer: the caller’s audio stays where it was, in holds too (${path})`,
    { pbx: { media: { path } } },
    async (office, world) => {
      office.pbx.onCall('700', async (call) => {
        await call.answer();
        await call.collect({ maxDigits: 1, firstDigitMs: 1_000 });
        await call.dial('101');
      });
      const alice = await office.registered('100');
      const bob = await office.registered('101', { onCall: offersItself() });
      const call = alice.call('700');
      await world.until(call.talking());
      expect((await world.run(() => call.reinvite(audioLast(call.media.local)))).kind).toBe('accepted');
      const offers: string[][] = [];
      const { onModify } = call;
      call.onModify = (modify, media) => {
        offers.push(streams(modify.sdp));
        onModify(modify, media);
      };
      await world.advance({ seconds: 3 });
      const answered = bob.calls.at(-1) ?? expect.fail('nobody was called');
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      expect(offers[0]).toEqual(['audio 0', 'video 0', 'audio']);
      expect(streams(answered.media.remote)).toEqual(['audio']);
      if (path === 'direct') {
        expect(audioPort(answered.media.remote)).toBe(audioPort(call.media.local));
        expect(audioPort(call.media.remote)).toBe(audioPort(answered.media.local));
      }
      // The called phone holds and goes on: it has one stream, the caller three.
      expect((await world.run(() => answered.hold())).kind).toBe('accepted');
      expect(streams(call.media.remote)).toEqual(['audio 0', 'video 0', 'audio']);
      expect(directionOf(parseSdp(call.media.remote ?? ''), 2)).toBe('sendonly');
      expect(streams(answered.media.remote)).toEqual(['audio']);
      expect((await world.run(() => answered.resume())).kind).toBe('accepted');
      // And the caller, whose places are not the called phone's.
      expect((await world.run(() => call.hold())).kind).toBe('accepted');
      expect(streams(answered.media.remote)[0]).toBe('audio');
      expect(directionOf(parseSdp(answered.media.remote ?? ''), 0)).toBe('sendonly');
      expect(streams(call.media.remote)).toEqual(['audio 0', 'video 0', 'audio']);
      call.hangUp();
      await office.quiet();
      expect(office.pbx.stats().media.ports.used).toBe(0);
    },
  );
}

officeScenario('an attended transfer of a phone with three streams to one with one', {}, async (office, world) => {
  const [alice, bob, carol] = [
    await office.registered('100'),
    await office.registered('101'),
    await office.registered('102'),
  ];
  const { call, answered } = await office.talk(alice, bob);
  answered.onModify = (modify, media) => void modify.accept(media.say(audioLast(media.local)));
  expect((await world.run(() => call.reinvite(audioLast(call.media.local)))).kind).toBe('accepted');
  const { call: asking, answered: third } = await office.talk(bob, carol);
  const offers: string[][] = [];
  const { onModify } = third;
  third.onModify = (modify, media) => {
    offers.push(streams(modify.sdp));
    onModify(modify, media);
  };
  const transfer = answered.transfer({ to: sipUri({ user: '102', host: DOMAIN }), replacing: asking });
  await world.run(() => transfer.settled);
  await world.advance({ seconds: 1 });
  expect(transfer.result).toBe(200);
  expect(offers[0]?.[0]).toBe('audio');
  expect(streams(call.media.remote)).toEqual(['audio 0', 'video 0', 'audio']);
  expect(audioPort(third.media.remote)).toBe(audioPort(call.media.local));
  expect(audioPort(call.media.remote)).toBe(audioPort(third.media.local));
  call.hangUp();
  await office.quiet();
});
