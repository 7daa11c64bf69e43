/** 183 with a description before the answer, and several answering sources (architecture decision 10). */
import { describe, expect } from 'vitest';
import { butOrigin } from '../support/but-origin.js';
import { officeScenario } from '../support/office.js';

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
