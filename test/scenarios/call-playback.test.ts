/** What `call.play` gives: prompts in sequence that are paused, gone on with, sought in, stopped, and barged into. */
import { describe, expect } from 'vitest';
import type { CallControl } from '../../src/call/control/call-control.js';
import type { Sound } from '../../src/media/audio/audio-source.js';
import { tone } from '../../src/media/audio/tone.js';
import type { Playing, PlayResult } from '../../src/media/session/playing.js';
import { toneDbov } from '../../src/protocol/audio/goertzel.js';
import { chord } from '../../src/protocol/audio/tones.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import type { World } from '../../src/testing/world.js';
import type { RtpPhone } from '../media/session/studio.js';
import { type Office, officeScenario } from '../support/office.js';
import { rtpOf } from '../support/rtp-of-call.js';
import { pressed, samplesOf } from '../support/served-by-example.js';

const NOTES = [440, 1_000];
/** A second of a note. */
const note = (hz: number): Sound => tone({ steps: [{ sines: chord([hz]) }] }, { durationMs: 1_000 });
const ENDLESS = tone({ steps: [{ sines: chord([440]) }] });
const forever = (call: CallControl): Promise<void> =>
  new Promise((resolve) => call.signal.addEventListener('abort', () => resolve(), { once: true }));

/** A caller of 700, and what it hears. */
async function caller(office: Office, world: World): Promise<{ readonly call: PhoneCall; readonly rtp: RtpPhone }> {
  const alice = await office.registered('100');
  const call = alice.call('700');
  await world.until(call.talking());
  return { call, rtp: await rtpOf(world, call) };
}

/** Lets 300 ms pass, and tells which note was heard in the last 100 of them; undefined for silence. */
async function hearsAfter300Ms(world: World, rtp: RtpPhone): Promise<number | undefined> {
  await world.advance({ ms: 300 });
  const last = samplesOf(rtp.heard.filter(({ at }) => at > world.clock.now() - 100));
  return NOTES.find((hz) => toneDbov(last, hz) > -30);
}

/** Serves 700 by playing, and gives what is played and how it ended. */
function playing(office: Office, play: (call: CallControl) => Playing) {
  const seen: { playing?: Playing; readonly results: PlayResult[] } = { results: [] };
  office.pbx.onCall('700', async (call) => {
    await call.answer();
    seen.playing = play(call);
    seen.results.push(await seen.playing);
    await forever(call);
  });
  const now = (): Playing => seen.playing ?? expect.fail('nothing is played');
  return { now, results: seen.results };
}

describe('a playback', () => {
  officeScenario('stands still and goes on where it was', {}, async (office, world) => {
    const { now, results } = playing(office, (call) => call.play([note(440), note(1_000)]));
    const { call, rtp } = await caller(office, world);
    expect(await hearsAfter300Ms(world, rtp)).toBe(440);
    now().pause();
    const stood = now().positionMs;
    expect(stood).toBeGreaterThan(250);
    expect([now().paused, await hearsAfter300Ms(world, rtp)]).toEqual([true, undefined]);
    await world.advance({ seconds: 5 });
    expect(now().positionMs).toBe(stood);
    now().resume();
    expect([now().paused, await hearsAfter300Ms(world, rtp)]).toEqual([false, 440]);
    await world.advance({ ms: 500 });
    expect(await hearsAfter300Ms(world, rtp)).toBe(1_000);
    await world.advance({ seconds: 2 });
    expect(results).toEqual([{ kind: 'finished', positionMs: 2_000 }]);
    expect(now().positionMs).toBe(2_000);
    call.hangUp();
    await office.quiet();
  });

  officeScenario(
    'goes on from another place of its prompts, forth, back, and behind the end',
    {},
    async (office, world) => {
      const { now, results } = playing(office, (call) => call.play([note(440), note(1_000)]));
      const { call, rtp } = await caller(office, world);
      expect(await hearsAfter300Ms(world, rtp)).toBe(440);
      now().seek(1_200);
      expect(await hearsAfter300Ms(world, rtp)).toBe(1_000);
      now().seek(100);
      expect(await hearsAfter300Ms(world, rtp)).toBe(440);
      now().pause();
      now().seek(1_500);
      expect([await hearsAfter300Ms(world, rtp), now().positionMs]).toEqual([undefined, 1_500]);
      now().resume();
      expect(await hearsAfter300Ms(world, rtp)).toBe(1_000);
      expect(() => now().seek(Number.NaN)).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
      expect(results).toEqual([]);
      now().seek(10_000);
      await world.advance({ ms: 100 });
      expect(results).toMatchObject([{ kind: 'finished' }]);
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario('is stopped: the handler goes on', {}, async (office, world) => {
    const { now, results } = playing(office, (call) => call.play(ENDLESS));
    const { call, rtp } = await caller(office, world);
    expect(await hearsAfter300Ms(world, rtp)).toBe(440);
    now().stop();
    expect(await hearsAfter300Ms(world, rtp)).toBeUndefined();
    expect(results).toMatchObject([{ kind: 'stopped' }]);
    now().resume();
    now().seek(0);
    expect(await hearsAfter300Ms(world, rtp)).toBeUndefined();
    call.hangUp();
    await office.quiet();
  });

  officeScenario('is barged into by a key, also while it stands still', {}, async (office, world) => {
    const { now, results } = playing(office, (call) => call.play(ENDLESS, { interruptedBy: ['5'] }));
    const { call } = await caller(office, world);
    await world.advance({ ms: 300 });
    now().pause();
    await pressed(world, call, '15');
    expect(results).toMatchObject([{ kind: 'interrupted', digit: '5' }]);
    call.hangUp();
    await office.quiet();
  });

  officeScenario('that another one has followed steers that one no more', {}, async (office, world) => {
    const played: Playing[] = [];
    office.pbx.onCall('700', async (call) => {
      await call.answer();
      played.push(call.play(note(440)), call.play(ENDLESS));
      await forever(call);
    });
    const { call, rtp } = await caller(office, world);
    await world.advance({ ms: 100 });
    const [first, second] = played;
    first?.pause();
    first?.stop();
    expect(await hearsAfter300Ms(world, rtp)).toBe(440);
    expect([first?.paused, second?.paused]).toEqual([false, false]);
    expect(await first).toMatchObject({ kind: 'stopped', positionMs: 0 });
    call.hangUp();
    await office.quiet();
  });

  officeScenario('that nobody awaits harms nobody, whatever becomes of it', {}, async (office, world) => {
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    process.on('unhandledRejection', onError);
    try {
      office.pbx.onCall('700', async (call) => {
        void call.play(ENDLESS);
        await call.answer();
        void call.play('/there/is/no/such/file.wav');
        await new Promise((resolve) => call.events.on('digit', resolve));
        void call.play(ENDLESS);
        await forever(call);
      });
      const { call } = await caller(office, world);
      for (let i = 0; i < 2_000 && world.log.lines('warn').length < 2; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        await world.advance({ ms: 20 });
      }
      const warned = world.log.lines('warn').map(({ fields }) => (fields['err'] as { code?: string }).code);
      expect(warned).toEqual(['PBX_WRONG_STATE', 'ENOENT']);
      await pressed(world, call, '1');
      call.hangUp();
      await office.quiet();
      await new Promise((resolve) => setImmediate(resolve));
      expect([errors, world.log.lines('warn').length]).toEqual([[], 2]);
    } finally {
      process.off('unhandledRejection', onError);
    }
  });
});
