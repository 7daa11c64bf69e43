/** `pbx.broadcast`: one sound for many calls, read and encoded once. */
import { describe, expect, test, vi } from 'vitest';
import { type AudioSource, SAMPLES_A_MS, type Sound } from '../../src/media/audio/audio-source.js';
import { tone } from '../../src/media/audio/tone.js';
import { createPbx } from '../../src/pbx/pbx.js';
import { toneDbov } from '../../src/protocol/audio/goertzel.js';
import { chord } from '../../src/protocol/audio/tones.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import type { RtpPhone } from '../media/session/studio.js';
import { officeScenario } from '../support/office.js';
import { rtpOf } from '../support/rtp-of-call.js';
import { pressed, samplesOf } from '../support/served-by-example.js';

/** 440 Hz without end, and how often and how much of it was asked for. */
function counted() {
  const asked = { opened: 0, samples: 0 };
  const note = tone({ steps: [{ sines: chord([440]) }] });
  const sound: Sound = {
    open: () => {
      asked.opened++;
      const source = note.open();
      const read = (out: Int16Array): number => {
        asked.samples += out.length;
        return source.read(out);
      };
      return { read, close: () => source.close(), ended: false } satisfies AudioSource;
    },
  };
  return { asked, sound };
}

describe('a broadcast', () => {
  officeScenario(
    'is read and encoded once, however many hear it, and stands still for nobody',
    {},
    async (office, world) => {
      const { asked, sound } = counted();
      const music = office.pbx.broadcast(sound);
      office.pbx.onCall('500', async (call) => {
        await call.answer();
        await call.play(music);
      });
      const calls: PhoneCall[] = [];
      for (const number of ['100', '101', '102', '103', '104'])
        calls.push((await office.registered(number)).call('500'));
      for (const call of calls) await world.until(call.talking());
      const ears: RtpPhone[] = [];
      for (const call of calls) ears.push(await rtpOf(world, call));
      await world.advance({ ms: 200 });
      expect(music.size).toBe(5);
      const before = asked.samples;
      const samples = vi.spyOn(music, 'copy');
      await world.advance({ seconds: 2 });
      expect(asked.opened).toBe(1);
      expect(asked.samples - before).toBe(2_000 * SAMPLES_A_MS);
      // All five phones speak one law: samples are taken to be encoded once for each block, and never for a phone.
      expect(samples.mock.calls.length).toBeGreaterThan(95);
      expect(samples.mock.calls.length).toBeLessThan(105);
      for (const { heard } of ears) {
        expect(heard.length).toBeGreaterThan(95);
        expect(toneDbov(samplesOf(heard.slice(-50)), 440)).toBeGreaterThan(-30);
      }
      for (const call of calls) call.hangUp();
      await office.quiet();
      const stood = asked.samples;
      await world.advance({ seconds: 5 });
      expect([music.size, asked.samples]).toEqual([0, stood]);
    },
  );

  officeScenario(
    'is played like any sound: paused, barged into, and ended by its close()',
    {},
    async (office, world) => {
      const music = office.pbx.broadcast(counted().sound);
      const results: string[] = [];
      office.pbx.onCall('500', async (call) => {
        await call.answer();
        const first = call.play(music, { interruptedBy: ['#'] });
        call.events.on('digit', ({ digit }) => {
          if (digit === '1') first.pause();
          if (digit === '2') first.resume();
        });
        results.push((await first).kind);
        results.push((await call.play(music)).kind);
      });
      const alice = await office.registered('100');
      const call = alice.call('500');
      await world.until(call.talking());
      const rtp = await rtpOf(world, call);
      const level = async (): Promise<number> => {
        await world.advance({ ms: 400 });
        return toneDbov(samplesOf(rtp.heard.filter(({ at }) => at > world.clock.now() - 200)), 440);
      };
      expect(await level()).toBeGreaterThan(-30);
      await pressed(world, call, '1');
      expect(await level()).toBeLessThan(-60);
      await pressed(world, call, '2');
      expect(await level()).toBeGreaterThan(-30);
      await pressed(world, call, '#');
      expect([results, music.size]).toEqual([['interrupted'], 1]);
      music.close();
      await world.until(call.ended());
      expect([results, music.size]).toEqual([['interrupted', 'finished'], 0]);
      await office.quiet();
    },
  );

  officeScenario('that cannot be played says so to who plays it', {}, async (office, world) => {
    const errors: unknown[] = [];
    const music = office.pbx.broadcast({
      open: () => ({ read: () => 0, close: () => {}, ended: true, failure: new Error('the stream has gone') }),
    });
    office.pbx.onCall('500', async (call) => {
      await call.answer();
      await call.play(music).then(
        () => {},
        (error: unknown) => errors.push(error),
      );
    });
    const alice = await office.registered('100');
    const call = alice.call('500');
    await world.until(call.ended());
    expect(errors).toEqual([new Error('the stream has gone')]);
    await office.quiet();
  });

  for (const { where, blocks } of [
    { where: 'at its start', blocks: 0 },
    { where: 'in its midst', blocks: 50 },
  ]) {
    officeScenario(`whose sound throws ${where} ends for all who hear it, and says why`, {}, async (office, world) => {
      const errors: unknown[] = [];
      let left = blocks;
      const read = (out: Int16Array): number => {
        if (left-- <= 0) throw new Error('the file has gone');
        return out.length;
      };
      const music = office.pbx.broadcast({ open: () => ({ read, close: () => {}, ended: false }) });
      office.pbx.onCall('500', async (call) => {
        await call.answer();
        await call.play(music).then(
          () => {},
          (error: unknown) => errors.push(error),
        );
      });
      const alice = await office.registered('100');
      const call = alice.call('500');
      await world.until(call.ended(), { seconds: 20 });
      expect(errors).toEqual([new Error('the file has gone')]);
      expect(music.failure).toEqual(new Error('the file has gone'));
      await office.quiet();
    });
  }

  officeScenario('ends with the PBX, whoever listens', {}, async (office, world) => {
    const music = office.pbx.broadcast(counted().sound);
    const heard = music.listen();
    await world.advance({ ms: 100 });
    await world.run(() => office.pbx.close());
    // The scenario checks that no timer is left.
    expect([heard.ended, music.size]).toEqual([true, 0]);
  });

  test('after close(): PBX_WRONG_STATE', async () => {
    const pbx = createPbx({ domain: 'office.example' });
    await pbx.close();
    expect(() => pbx.broadcast('music.wav')).toThrow(expect.objectContaining({ code: 'PBX_WRONG_STATE' }));
  });
});
