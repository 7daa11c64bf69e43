import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { main } from '../../examples/talking-clock/main.js';
import { toneDbov } from '../../src/protocol/audio/goertzel.js';
import { writeTone } from '../interop/support/wav.js';
import type { Heard } from '../media/session/studio.js';
import { rtpOf, targetOf } from '../support/rtp-of-call.js';
import { scenario } from '../support/scenario.js';
import { dialled, OFFICE, phoneOf, pressed, samplesOf } from '../support/served-by-example.js';

/** 14:23 where this runs. */
const TIME = new Date(2026, 4, 5, 14, 23);

/** How often a tone begins. */
function beepsAt(heard: readonly Heard[], hz: number): number {
  let beeps = 0;
  let last = false;
  for (const packet of heard) {
    const sounds = toneDbov(samplesOf([packet]), hz) > -22;
    if (sounds && !last) beeps++;
    last = sounds;
  }
  return beeps;
}

scenario(
  'talking-clock: counts the time out, 1 tells it again, # ends the call',
  { seed: 1, delayMs: 5 },
  async (world) => {
    const pbx = world.use(await world.run(() => main({ ...OFFICE, ...world.ports }, { now: () => TIME })));
    const call = await dialled(world, '610');
    const rtp = await rtpOf(world, call);
    await world.advance({ seconds: 6 });
    expect([400, 800, 1_200].map((hz) => beepsAt(rtp.heard, hz))).toEqual([2, 2, 3]);
    const before = rtp.heard.length;
    await pressed(world, call, '1');
    await world.advance({ seconds: 6 });
    expect([400, 800, 1_200].map((hz) => beepsAt(rtp.heard.slice(before), hz))).toEqual([2, 2, 3]);
    await pressed(world, call, '#');
    expect(call.state).toMatchObject({ kind: 'ended', by: 'other-side' });
    await world.advance({ seconds: 40 });
    expect([pbx.calls, pbx.stats().media.ports.used]).toEqual([[], 0]);
  },
);

scenario(
  'talking-clock: 2 and a number connect, and the server is out of the media',
  { seed: 1, delayMs: 5 },
  async (world) => {
    const pbx = world.use(await world.run(() => main({ ...OFFICE, ...world.ports }, { now: () => TIME })));
    const bob = await phoneOf(world, '101');
    const incoming = bob.incoming();
    const call = await dialled(world, '610');
    // Keys during the beeps end them.
    await pressed(world, call, '2101');
    const answered = await world.run(() => incoming);
    answered.answer();
    await world.advance({ seconds: 1 });
    expect(targetOf(call).address).toBe('10.0.0.1');
    expect(pbx.stats().media.ports.used).toBe(0);
    answered.hangUp();
    await world.advance({ seconds: 40 });
    expect([call.state.kind, pbx.calls]).toEqual(['ended', []]);
  },
);

scenario('talking-clock: with a folder it speaks by its files', { seed: 1, delayMs: 5 }, async (world) => {
  const prompts = mkdtempSync(path.join(tmpdir(), 'pbxkit-clock-'));
  try {
    const files = { 'time-is': 500, '14': 600, '23': 700 };
    for (const [name, hz] of Object.entries(files)) {
      writeTone(path.join(prompts, `${name}.wav`), { hz, levelDb: -13, seconds: 0.4 });
    }
    const pbx = world.use(await world.run(() => main({ ...OFFICE, ...world.ports }, { prompts, now: () => TIME })));
    const call = await dialled(world, '610');
    const rtp = await rtpOf(world, call);
    const hears = (hz: number): number => rtp.heard.findIndex((packet) => toneDbov(samplesOf([packet]), hz) > -22);
    // Files are read in real time: the world goes on until the last of them was heard; a missing one ends the call.
    for (let i = 0; i < 2_000 && hears(700) < 0; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      await world.advance({ ms: 20 });
    }
    const order = [500, 600, 700].map(hears);
    expect(order.every((at, i) => at > (order[i - 1] ?? -1))).toBe(true);
    call.hangUp();
    await world.advance({ seconds: 40 });
    expect([pbx.calls, pbx.stats().media.ports.used]).toEqual([[], 0]);
  } finally {
    rmSync(prompts, { recursive: true, force: true });
  }
});
