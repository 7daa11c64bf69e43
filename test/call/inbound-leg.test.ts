/** What the caller sees before the answer. */
import { describe, expect } from 'vitest';
import { butOrigin } from '../support/but-origin.js';
import { officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';
import { seenBy } from '../support/wire.js';

describe('provisional responses towards the caller', () => {
  officeScenario(
    '180 once, 181 and 182 as they come, 199 and 100 never (RFC 6228, RFC 3261 §16.7)',
    {},
    async (office, world) => {
      const peer = await RawPeer.open(world);
      await peer.register('101', 'secret-101');
      const alice = await office.registered('100');
      const begin = world.clock.now();
      const call = alice.call('101');
      const raw = peer.take(await peer.expect('INVITE'));
      for (const status of [100, 180, 180, 181, 182, 199, 180]) {
        raw.respond(status, status === 100 ? { contact: '' } : {});
        await world.advance({ ms: 20 });
      }
      raw.respond(486);
      await world.until(call.ended());
      await office.quiet();
      expect(seenBy(world, '100', begin).filter((each) => /^<1/.test(each))).toEqual(['<180', '<181', '<182']);
    },
  );

  officeScenario(
    '§13.2.1: with a late offer a description in an unreliable 183 is no offer, and is left out',
    {},
    async (office, world) => {
      const peer = await RawPeer.open(world);
      await peer.register('101', 'secret-101');
      const alice = await office.registered('100');
      const call = alice.call('101', { lateOffer: true });
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(183, { body: rawSdp() });
      await world.until(call.ringing());
      expect(call.progress).toMatchObject([{ status: 183, sdp: undefined }]);
      raw.respond(200, { body: rawSdp() });
      await world.until(call.talking());
      expect(butOrigin((await peer.expect('ACK')).body)).toBe(butOrigin(call.media.local));
      call.hangUp();
      peer.respond(await peer.expect('BYE'), 200);
      await office.quiet();
    },
  );

  officeScenario(
    'early media that changes, and an answer that differs: each under a To tag of its own',
    {},
    async (office, world) => {
      const peer = await RawPeer.open(world);
      await peer.register('101', 'secret-101');
      const alice = await office.registered('100');
      const call = alice.call('101');
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(183, { body: rawSdp('10.1.0.1', 4000) });
      raw.respond(183, { body: rawSdp('10.1.0.1', 4002) });
      await world.advance({ ms: 50 });
      raw.respond(200, { body: rawSdp('10.1.0.1', 4004) });
      await world.until(call.talking());
      const told = [
        ...call.progress.map(({ tag, sdp }) => [tag, sdp]),
        [call.session?.dialog.id.remoteTag, call.media.remote],
      ];
      expect(told.map(([, sdp]) => butOrigin(sdp))).toEqual(
        [4000, 4002, 4004].map((port) => butOrigin(rawSdp('10.1.0.1', port))),
      );
      expect(new Set(told.map(([tag]) => tag)).size).toBe(3);
      call.hangUp();
      peer.respond(await peer.expect('BYE'), 200);
      await office.quiet();
    },
  );
});
