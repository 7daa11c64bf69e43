/** What a party that is transferred to a served number is offered, where its media is looked for, and what it has when that fails. */
import { describe, expect } from 'vitest';
import type { CallControl } from '../../src/call/control/call-control.js';
import { tone } from '../../src/media/audio/tone.js';
import { chord } from '../../src/protocol/audio/tones.js';
import { sipUri } from '../../src/protocol/sip/uri.js';
import { DOMAIN, type Office, officeScenario } from '../support/office.js';
import { rtpOf, targetOf } from '../support/rtp-of-call.js';
import { seenBy } from '../support/wire.js';

const NOTE = tone({ steps: [{ sines: chord([440]) }] });
const HALF_A_SECOND = new Int16Array(4_000);
const to = (number: string) => sipUri({ user: number, host: DOMAIN });

describe('a party behind a NAT (RFC 7362 §4)', () => {
  for (const who of ['the caller', 'the callee'] as const)
    officeScenario(`${who} is heard from the box's address, and hears the server`, {}, async (office, world) => {
      const served: CallControl[] = [];
      office.pbx.onCall('700', async (call) => {
        await call.answer();
        served.push(call);
        await call.play(NOTE);
      });
      const behind = (each: string) => (each === who ? { behindNat: 'port-restricted' as const } : {});
      const alice = await office.registered('100', behind('the caller'));
      const bob = await office.registered('101', behind('the callee'));
      const { call, answered } = await office.talk(alice, bob);
      const [stays, leaving] = who === 'the caller' ? [call, answered] : [answered, call];
      const rtp = await rtpOf(world, stays);
      const transfer = leaving.transfer({ to: to('700') });
      await world.run(() => transfer.settled);
      expect(transfer.result).toBe(200);
      await rtp.talk(HALF_A_SECOND, targetOf(stays));
      expect(served[0]?.audio?.stats).toMatchObject({
        strangers: 0,
        remote: { address: expect.stringMatching(/^203\.0\.113\./) },
      });
      expect(rtp.heard.length).toBeGreaterThan(15);
      stays.hangUp();
      await office.over();
    });

  for (const who of ['the caller', 'the callee'] as const)
    officeScenario(
      `${who} is held, and hears the music`,
      { pbx: { media: { holdMusic: NOTE } } },
      async (office, world) => {
        const behind = (each: string) => (each === who ? { behindNat: 'port-restricted' as const } : {});
        const alice = await office.registered('100', behind('the caller'));
        const bob = await office.registered('101', behind('the callee'));
        const { call, answered } = await office.talk(alice, bob);
        const [held, holder] = who === 'the caller' ? [call, answered] : [answered, call];
        const rtp = await rtpOf(world, held);
        expect((await world.run(() => holder.hold())).kind).toBe('accepted');
        await rtp.talk(HALF_A_SECOND, targetOf(held));
        expect(rtp.heard.length).toBeGreaterThan(15);
        held.hangUp();
        await office.over();
      },
    );
});

describe('the party does not take the server’s audio, or not as it should', () => {
  /** 101 transfers 100 to 700, whose handler does `serve`. */
  async function referred(office: Office, serve: (call: CallControl) => Promise<void>) {
    office.pbx.onCall('700', serve);
    const { call, answered } = await office.talk(await office.registered('100'), await office.registered('101'));
    return { stays: call, leaving: answered, before: targetOf(call), onModify: call.onModify };
  }

  for (const how of ['hangUp', 'reject'] as const)
    officeScenario(
      `it leaves the re-INVITE unanswered, and the handler gives up (${how}): that is cancelled, and both may change things`,
      {},
      async (office, world) => {
        const { stays, leaving, before, onModify } = await referred(office, async (call) => {
          const answering = call.answer().catch(() => {});
          await new Promise<void>((resolve) => world.ports.scheduler.after(500, resolve));
          if (how === 'hangUp') call.hangUp();
          else call.reject(486);
          await answering;
        });
        stays.onModify = () => {};
        const begin = world.clock.now();
        const transfer = leaving.transfer({ to: to('700') });
        await world.run(() => transfer.settled);
        await world.advance({ seconds: 1 });
        expect(transfer.result).toBe(how === 'hangUp' ? 480 : 486);
        expect(seenBy(world, '100', begin)).toEqual(['<INVITE', '>100', '<CANCEL', '>200', '>487', '<ACK']);
        stays.onModify = onModify;
        expect((await world.run(() => leaving.hold())).kind).toBe('accepted');
        expect(targetOf(stays)).toEqual(before);
        stays.hangUp();
        await office.over();
      },
    );

  officeScenario('a 200 without a description: both talk on as before', {}, async (office, world) => {
    const { stays, leaving, before, onModify } = await referred(office, (call) => call.answer().catch(() => {}));
    stays.onModify = (modify) => {
      stays.onModify = onModify;
      stays.media.heard(modify.sdp);
      void modify.accept(undefined);
    };
    const transfer = leaving.transfer({ to: to('700') });
    await world.run(() => transfer.settled);
    await world.advance({ seconds: 1 });
    expect([transfer.result, leaving.state.kind, stays.state.kind]).toEqual([480, 'talking', 'talking']);
    expect(targetOf(stays)).toEqual(before);
    stays.hangUp();
    await office.over();
  });

  officeScenario(
    'it then does not take back what held before: nobody is left talking to nobody',
    {},
    async (office, world) => {
      const { stays, leaving } = await referred(office, (call) => call.answer().catch(() => {}));
      let asked = 0;
      stays.onModify = (modify) => (asked++ === 0 ? void modify.accept(undefined) : modify.reject(488));
      const transfer = leaving.transfer({ to: to('700') });
      await world.run(() => transfer.settled);
      await world.until(stays.ended());
      await world.until(leaving.ended());
      expect(asked).toBe(2);
      await office.over();
      expect(office.record.leg('a')).toMatchObject({ releasedBy: 'server' });
    },
  );
});

describe('a secured stream is not made a clear one, nor a clear one secured (RFC 3264 §8.3.4)', () => {
  const key = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)}`;
  const refused = 'm=audio 0 RTP/SAVP 0\r\n';
  const cases: readonly (readonly [string, (sdp: string) => string, RegExp])[] = [
    [
      'RTP/SAVPF',
      (sdp) => `${sdp.replace('RTP/AVP', 'RTP/SAVPF').replace('a=sendrecv\r\n', '')}${key}\r\n`,
      /^m=audio [1-9]\d* RTP\/SAVP .*a=crypto:/ms,
    ],
    ['RTP/AVP behind a refused RTP/SAVP', (sdp) => sdp.replace('m=', `${refused}m=`), /^m=audio [1-9]\d* RTP\/AVP /m],
  ];
  for (const [name, change, expected] of cases)
    officeScenario(name, {}, async (office, world) => {
      office.pbx.onCall('700', (call) => call.answer().catch(() => {}));
      const { call: stays, answered: leaving } = await office.talk(
        await office.registered('100'),
        await office.registered('101'),
      );
      leaving.onModify = (modify, media) => void modify.accept(media.say(change(media.local ?? '')));
      expect((await world.run(() => stays.reinvite(change(stays.media.local ?? '')))).kind).toBe('accepted');
      const offers: (string | undefined)[] = [];
      stays.onModify = (modify) => {
        offers.push(modify.sdp);
        modify.reject(488);
      };
      const transfer = leaving.transfer({ to: to('700') });
      await world.run(() => transfer.settled);
      expect(offers).toEqual([expect.stringMatching(expected)]);
      expect(offers[0]?.match(/^m=audio [1-9]/gm)).toHaveLength(1);
      stays.hangUp();
      await office.over();
    });
});
