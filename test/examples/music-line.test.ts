import { expect } from 'vitest';
import { main } from '../../examples/music-line/main.js';
import { toneDbov } from '../../src/protocol/audio/goertzel.js';
import type { RtpPhone } from '../media/session/studio.js';
import { rtpOf } from '../support/rtp-of-call.js';
import { scenario } from '../support/scenario.js';
import { dialled, OFFICE, samplesOf } from '../support/served-by-example.js';

/** C D E F G. */
const NOTES = [261.6, 293.7, 329.6, 349.2, 392];

/** Which note a phone hears in the 160 ms from `at` on. */
function noteAt({ heard }: RtpPhone, at: number): number | undefined {
  const samples = samplesOf(heard.filter((packet) => packet.at >= at && packet.at < at + 160));
  const levels = NOTES.map((hz) => ({ hz, level: toneDbov(samples, hz) })).sort((a, b) => b.level - a.level);
  return levels.find(({ level }) => level > -30)?.hz;
}

scenario(
  'music-line: who dials later hears the same note as who listens already',
  { seed: 1, delayMs: 5 },
  async (world) => {
    const pbx = world.use(await world.run(() => main({ ...OFFICE, ...world.ports })));
    const first = await dialled(world, '500', '100');
    const one = await rtpOf(world, first);
    await world.advance({ ms: 1_500 });
    const second = await dialled(world, '500', '101');
    const two = await rtpOf(world, second);
    const start = world.clock.now() + 200;
    await world.advance({ seconds: 4 });
    const windows = Array.from({ length: 36 }, (_, i) => start + i * 100);
    const [heard, also] = [one, two].map((phone) => windows.map((at) => noteAt(phone, at)));
    // Where a note begins one of them may be a packet ahead.
    expect(heard?.filter((note, i) => note !== undefined && note === also?.[i]).length).toBeGreaterThan(27);
    expect(new Set(heard).size).toBeGreaterThan(3);
    first.hangUp();
    second.hangUp();
    await world.advance({ seconds: 40 });
    expect([pbx.calls, pbx.stats().media.ports.used]).toEqual([[], 0]);
  },
);
