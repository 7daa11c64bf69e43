/** Transferors that vanish, or want nothing more to do with what they asked for: found by simulation. */
import { describe, expect } from 'vitest';
import { officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';

describe('RFC 6665 §4.2.2, RFC 3515 §2.4: a transferor that no longer knows its REFER', () => {
  for (const status of [481, 404, 500]) {
    officeScenario(
      `its ${status} to the first NOTIFY ends the subscription, the last NOTIFY waiting behind it`,
      {},
      async (office, world) => {
        const bob = await office.registered('101', { onCall: (call) => call.answer() });
        const peer = await RawPeer.open(world);
        const raw = peer.dial('101', { from: '<sip:100@office.test>' });
        raw.authorize(await peer.expect(407), '100', 'secret-100');
        raw.learn(await peer.expect('200 INVITE'));
        raw.ack();
        await world.advance({ seconds: 1 });
        raw.request('REFER', { headers: ['Refer-To: <sip:199@office.test>'] });
        const first = await peer.expect('NOTIFY');
        // Nobody has that number: the outcome is known before the first NOTIFY is answered.
        await world.advance({ ms: 100 });
        peer.respond(first, status, { contact: '' });
        await world.advance({ seconds: 2 });
        expect(world.log.lines('error')).toEqual([]);
        expect(peer.heard.filter((each) => each === 'NOTIFY')).toHaveLength(1);
        if (office.pbx.calls.length > 0) {
          raw.request('BYE');
          await peer.expect('200 BYE');
        }
        await office.quiet();
        expect(bob.calls[0]?.state.kind).toBe('ended');
        expect(office.pbx.stats().dialogs.live).toBe(0);
      },
    );
  }
});
