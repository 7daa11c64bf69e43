import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Baresip, PLAYED_LEVEL_DB } from './support/baresip.js';
import { Lab } from './support/lab.js';
import { anyPossible, interopTest } from './support/programs.js';
import { until } from './support/recorded.js';
import { isPcmu, soundOf } from './support/rtp.js';
import { extensions, type SipServer, startServer } from './support/server.js';
import { firstSound, measureTone } from './support/tone.js';
import { Capture } from './support/tshark.js';

const NEEDS = ['baresip'] as const;
const ALICE_HZ = 440;
const BOB_HZ = 700;

describe('baresip, two phones', () => {
  const lab = new Lab();
  let server: SipServer;
  beforeAll(async () => {
    if (anyPossible(NEEDS)) server = await startServer(lab, { extensions: extensions(100, 8) });
  });
  afterAll(() => lab.close());

  /** Two registered phones. */
  async function pair(
    own: Lab,
    transport: 'udp' | 'tcp',
    numbers: readonly [string, string],
  ): Promise<readonly [Baresip, Baresip]> {
    const [alice, bob] = await Promise.all([
      Baresip.start(own, { number: numbers[0], server, transport, toneHz: ALICE_HZ }),
      Baresip.start(own, { number: numbers[1], server, transport, toneHz: BOB_HZ }),
    ]);
    await Promise.all([alice.registered(), bob.registered()]);
    return [alice, bob];
  }

  /** One calls, the other answers; resolves when both are in the call. */
  async function call(from: Baresip, to: Baresip, number: string): Promise<void> {
    await from.dial(number);
    await to.event('CALL_INCOMING');
    await to.command('accept');
    await Promise.all([from.event('CALL_ESTABLISHED'), to.event('CALL_ESTABLISHED')]);
  }

  function heardMore(phone: Baresip, seconds: number): Promise<boolean> {
    const before = phone.heardSeconds();
    return until(() => phone.heardSeconds() >= before + seconds, `${seconds} s more of sound`);
  }

  /** Lets the call go on for some seconds, told by the phone's own sound clock. */
  function tick(phone: Baresip, seconds: number): Promise<boolean> {
    const before = phone.encodedSeconds();
    return until(() => phone.encodedSeconds() >= before + seconds, `${seconds} s to pass`);
  }

  /** The recording's first and last second hold the other's tone, as loud as it was played. */
  function expectTone(phone: Baresip, hz: number): void {
    const sound = phone.heard();
    for (const from of [firstSound(sound) + 0.2, -1.2]) {
      const tone = measureTone(sound, from, 1);
      expect(Math.abs(tone.hz - hz) / hz, `heard ${tone.hz} Hz, played ${hz} Hz`).toBeLessThan(0.02);
      expect(Math.abs(tone.levelDb - PLAYED_LEVEL_DB), `heard ${tone.levelDb} dB`).toBeLessThan(1.5);
      expect(tone.purity).toBeGreaterThan(0.9);
    }
  }

  for (const [transport, alice, bob] of [
    ['udp', '100', '101'],
    ['tcp', '102', '103'],
  ] as const) {
    interopTest(
      `register with digest over ${transport}, call, talk: each hears the other's tone; the caller hangs up`,
      { needs: NEEDS, concurrent: true },
      async (own) => {
        const [a, b] = await pair(own, transport, [alice, bob]);
        await call(a, b, bob);
        await Promise.all([heardMore(a, 2), heardMore(b, 2)]);
        await a.command('hangup');
        await b.event('CALL_CLOSED');
        expectTone(a, BOB_HZ);
        expectTone(b, ALICE_HZ);
      },
    );
  }

  interopTest(
    'H1: hold: sendonly reaches the other phone and no sound passes; resume brings both back; the called one hangs up',
    { needs: [...NEEDS, 'tshark'], concurrent: true },
    async (own) => {
      const [a, b] = await pair(own, 'udp', ['104', '105']);
      const capture = await Capture.start(own, `udp portrange ${a.rtpPort}-${b.rtpPort + 20}`);
      await call(a, b, '105');
      await Promise.all([heardMore(a, 1), heardMore(b, 1)]);

      const [fromA, fromB] = [a.child.lines.mark(), b.child.lines.mark()];
      await a.command('hold');
      await b.child.lines.wait((line) => line === 'a=sendonly', { from: fromB, what: 'a=sendonly at the held phone' });
      await a.child.lines.wait((line) => line === 'a=recvonly', { from: fromA, what: 'a=recvonly in its answer' });
      await a.child.lines.wait((line) => line.startsWith('ACK '), { from: fromA, what: 'the ACK of the hold' });
      const held = (await capture.seen()).length;
      await tick(a, 1.5);
      const onHold = (await capture.seen()).slice(held).filter(({ payload }) => isPcmu(payload));
      // one or two packets may have been under way
      expect(onHold.length, 'RTP packets during 1.5 s on hold').toBeLessThan(4);

      const resume = b.child.lines.mark();
      await a.command('resume');
      await b.child.lines.wait((line) => line === 'a=sendrecv', { from: resume, what: 'a=sendrecv at the held phone' });
      await b.child.lines.wait((line) => line.startsWith('ACK '), { from: resume, what: 'the ACK of the resume' });
      const resumed = (await capture.seen()).length;
      await tick(a, 2);
      const after = (await capture.seen()).slice(resumed);
      // baresip 1.0.0 records nothing it hears after a hold: what arrives at its port is measured instead
      for (const [phone, hz] of [
        [a, BOB_HZ],
        [b, ALICE_HZ],
      ] as const) {
        const tone = measureTone(soundOf(after.filter(({ to }) => phone.ownsRtp(to))), -1, 1);
        expect(Math.abs(tone.hz - hz) / hz, `after the hold ${tone.hz} Hz, played ${hz} Hz`).toBeLessThan(0.02);
        expect(Math.abs(tone.levelDb - PLAYED_LEVEL_DB)).toBeLessThan(1.5);
      }
      await b.command('hangup');
      await a.event('CALL_CLOSED');
    },
  );
});
