/** Transfers asked for by real phones: baresip blind (T1), linphone after a consultation (T4); rows 37 of the checklist. */
import { describe, expect } from 'vitest';
import { Baresip } from './support/baresip.js';
import { Linphone } from './support/linphone.js';
import { interopTest } from './support/programs.js';
import { until } from './support/recorded.js';
import { DOMAIN, extensions, startServer } from './support/server.js';
import { measureTone } from './support/tone.js';
import { Capture } from './support/tshark.js';

const HZ = { '100': 440, '101': 700, '102': 1000 } as const;

function heardMore(phone: Baresip, seconds: number): Promise<boolean> {
  const before = phone.heardSeconds();
  return until(() => phone.heardSeconds() >= before + seconds, `${seconds} s more of sound`);
}

/** Resolves when the last second that a phone heard is this tone. */
function hearsTone(phone: Baresip, hz: number): Promise<boolean> {
  return until(() => {
    if (phone.heardSeconds() < 2) return false;
    const tone = measureTone(phone.heard(), -1.2, 1);
    return Math.abs(tone.hz - hz) / hz < 0.02;
  }, `a second of ${hz} Hz`);
}

function texts(seen: readonly { readonly payload: Buffer }[]): string[] {
  return seen.map(({ payload }) => payload.toString('latin1'));
}

describe('real phones transfer', () => {
  interopTest('T1: baresip hands its caller to another baresip', { needs: ['baresip', 'tshark'] }, async (own) => {
    const server = await startServer(own, { extensions: extensions(100, 3) });
    const capture = await Capture.start(own, `udp port ${server.port}`);
    const phones = await Promise.all(
      (['100', '101', '102'] as const).map((number) => Baresip.start(own, { number, server, toneHz: HZ[number] })),
    );
    const [alice, bob, carol] = phones as [Baresip, Baresip, Baresip];
    await Promise.all(phones.map((phone) => phone.registered()));
    await alice.dial('101');
    await bob.event('CALL_INCOMING');
    await bob.command('accept');
    await Promise.all([alice.event('CALL_ESTABLISHED'), bob.event('CALL_ESTABLISHED')]);
    await heardMore(alice, 1);
    await bob.command('transfer', `sip:102@${DOMAIN}`);
    await carol.event('CALL_INCOMING');
    await carol.command('accept');
    await bob.event('CALL_CLOSED');
    await Promise.all([hearsTone(alice, HZ['102']), hearsTone(carol, HZ['100'])]);
    await carol.command('hangup');
    await alice.event('CALL_CLOSED');
    const wire = texts(await capture.seen());
    expect(wire.filter((text) => text.startsWith('SIP/2.0 202')).length).toBeGreaterThan(0);
    expect(wire.filter((text) => /^NOTIFY /.test(text)).some((text) => text.includes('SIP/2.0 200 OK'))).toBe(true);
  });

  interopTest(
    'T4: linphone talks to both, then joins them',
    { needs: ['linphone-daemon', 'baresip', 'tshark'] },
    async (own) => {
      const server = await startServer(own, { extensions: extensions(100, 3) });
      const capture = await Capture.start(own, `udp port ${server.port}`);
      const linphone = await Linphone.start(own, { number: '100', server });
      const [bob, carol] = await Promise.all([
        Baresip.start(own, { number: '101', server, toneHz: HZ['101'] }),
        Baresip.start(own, { number: '102', server, toneHz: HZ['102'] }),
      ]);
      await Promise.all([linphone.register(), bob.registered(), carol.registered()]);
      const call = async (own: number, phone: Baresip, number: string): Promise<void> => {
        linphone.call(`sip:${number}@${server.host}:${server.port}`);
        await phone.event('CALL_INCOMING');
        await phone.command('accept');
        await phone.event('CALL_ESTABLISHED');
        await linphone.talking(own);
      };
      await call(1, bob, '101');
      await linphone.pause(1);
      await call(2, carol, '102');
      linphone.transfer(1, 2);
      // baresip's player does not start again after a hold in which nothing came: its word for the packets is taken.
      await Promise.all([
        bob.child.lines.wait((line) => carol.ownsRtp(Number(/receiving from 127\.0\.0\.1:(\d+)/.exec(line)?.[1])), {
          from: 0,
          what: 'sound from the other phone',
        }),
        hearsTone(carol, HZ['101']),
      ]);
      await bob.command('hangup');
      await carol.event('CALL_CLOSED');
      const refers = texts(await capture.seen()).filter((text) => text.startsWith('REFER '));
      expect(refers.some((text) => /^Refer-To:.*Replaces=/im.test(text))).toBe(true);
    },
  );
});
