import { afterEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/logger.js';
import type { AudioSource } from '../../../src/media/audio/audio-source.js';
import { MixLimiter } from '../../../src/media/mixer/mix-limiter.js';
import { Mixer, type MixerParty } from '../../../src/media/mixer/mixer.js';
import { MediaClock } from '../../../src/media/session/media-clock.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { audioPort, joined, peak, purity, type RtpPhone, Studio, sine } from '../session/studio.js';

/** One who says a tone for ever and keeps what it hears, in blocks of its own packet time. */
class Speaker implements MixerParty {
  readonly #hz: number;
  readonly #peak: number;
  readonly #heard: Int16Array[] = [];
  readonly #block: Int16Array;
  #listener: ((pcm: Int16Array) => void) | undefined;
  #source: AudioSource | undefined;
  #at = 0;

  constructor(clock: MediaClock, options: { hz: number; peak?: number; ptimeMs?: number }) {
    const { ptimeMs = 20 } = options;
    this.#hz = options.hz;
    this.#peak = options.peak ?? 6000;
    this.#block = new Int16Array(ptimeMs * 8);
    clock.every(ptimeMs, () => this.#beat());
  }

  get heard(): Int16Array {
    return joined(this.#heard);
  }

  listen(sink: (pcm: Int16Array) => void): () => void {
    this.#listener = sink;
    return () => (this.#listener = undefined);
  }

  send(source: AudioSource): () => void {
    this.#source = source;
    return () => (this.#source = undefined);
  }

  #beat(): void {
    for (let i = 0; i < this.#block.length; i++, this.#at++) {
      this.#block[i] = Math.round(this.#peak * Math.sin((2 * Math.PI * this.#hz * this.#at) / 8000));
    }
    this.#listener?.(this.#block);
    const out = new Int16Array(this.#block.length);
    this.#source?.read(out);
    this.#heard.push(out);
  }
}

function room(): { manual: ManualClock; clock: MediaClock; mixer: Mixer } {
  const manual = new ManualClock();
  const clock = new MediaClock({ scheduler: manual, logger: silentLogger });
  return { manual, clock, mixer: new Mixer({ clock }) };
}

/** Well after the start, a second of it. */
const later = (pcm: Int16Array): Int16Array => pcm.subarray(-8000);

describe('a conference', () => {
  test('each of 32 hears all but themselves, and nothing is cut off', () => {
    const { manual, clock, mixer } = room();
    const speakers = Array.from({ length: 32 }, (_none, i) => new Speaker(clock, { hz: 300 + 50 * i, peak: 3000 }));
    for (const speaker of speakers) mixer.join(speaker);
    expect(mixer.size).toBe(32);
    manual.advanceSync(2000);
    for (const [i, speaker] of speakers.entries()) {
      const heard = later(speaker.heard);
      expect(peak(heard)).toBeLessThanOrEqual(32_767);
      expect(peak(heard)).toBeGreaterThan(8000);
      expect(purity(heard, 300 + 50 * i)).toBeLessThan(0.002);
      expect(purity(heard, 300 + 50 * ((i + 7) % 32))).toBeGreaterThan(0.02);
    }
  });

  test('three: the other two, at full volume; who is muted is not heard but hears, who is deaf hears nothing', () => {
    const { manual, clock, mixer } = room();
    const [a, b, c] = [500, 900, 1400].map((hz) => new Speaker(clock, { hz })) as [Speaker, Speaker, Speaker];
    mixer.join(a);
    const second = mixer.join(b);
    const third = mixer.join(c);
    manual.advanceSync(2000);
    expect(Math.abs(peak(later(a.heard)) - 12_000)).toBeLessThan(300);
    for (const hz of [900, 1400]) expect(purity(later(a.heard), hz)).toBeGreaterThan(0.48);
    second.muted = true;
    third.deaf = true;
    expect(second.level).toBeGreaterThan(5000);
    manual.advanceSync(2000);
    expect(second.level).toBe(0);
    expect(purity(later(a.heard), 1400)).toBeGreaterThan(0.99);
    expect(purity(later(b.heard), 500)).toBeGreaterThan(0.48);
    expect(peak(later(c.heard))).toBe(0);
  });

  test('packet times of 10, 20, 30, 40 and 60 ms in one room: no gap after the start', () => {
    const { manual, clock, mixer } = room();
    const speakers = [10, 20, 30, 40, 60].map((ptimeMs, i) => new Speaker(clock, { hz: 400 + 200 * i, ptimeMs }));
    for (const speaker of speakers) mixer.join(speaker);
    manual.advanceSync(3000);
    for (const [i, speaker] of speakers.entries()) {
      const others = speakers.map((_each, k) => 400 + 200 * k).filter((_hz, k) => k !== i);
      const heard = later(speaker.heard);
      const share = others.reduce((sum, hz) => sum + purity(heard, hz), 0);
      expect(share).toBeGreaterThan(0.99);
    }
  });

  test('who leaves is not heard any more; the room is off the beat when it is empty', () => {
    const { manual, clock, mixer } = room();
    const a = new Speaker(clock, { hz: 500 });
    const b = new Speaker(clock, { hz: 900 });
    mixer.join(a);
    const seat = mixer.join(b);
    manual.advanceSync(1000);
    seat.leave();
    seat.leave();
    const before = a.heard.length;
    manual.advanceSync(1000);
    expect(peak(a.heard.subarray(before + 800))).toBe(0);
    expect(clock.size).toBe(3);
    mixer.close();
    expect(mixer.size).toBe(0);
    expect(clock.size).toBe(2);
  });
});

describe('the limiter', () => {
  test('a mix that is too loud is turned down at once and comes back slowly, without clicks', () => {
    const limiter = new MixLimiter();
    const out = new Int16Array(160);
    const loud = new Int32Array(160).fill(100_000);
    limiter.follow(loud);
    limiter.limit(loud, undefined, out);
    expect(Math.abs(peak(out) - 29_000)).toBeLessThanOrEqual(1);
    const soft = new Int32Array(160).fill(10_000);
    const steps: number[] = [];
    let last: number | undefined;
    for (let i = 0; i < 200; i++) {
      limiter.follow(soft);
      limiter.limit(soft, undefined, out);
      for (const sample of out) {
        if (last !== undefined) steps.push(sample - last);
        last = sample;
      }
    }
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...steps)).toBeLessThanOrEqual(3);
    expect(last).toBeGreaterThan(9900);
    expect(limiter.gain).toBeGreaterThan(0.99);
  });
});

describe('over RTP', () => {
  let studio = new Studio();

  afterEach(async () => {
    await studio.close();
    expect(studio.world.leaks()).toEqual([]);
    studio = new Studio();
  });

  test('three phones, PCMA and PCMU, 20 and 30 ms, in one conference', async () => {
    const mixer = new Mixer({ clock: studio.clock });
    const phones: RtpPhone[] = [];
    for (const [i, [law, hz]] of (
      [
        ['PCMA', 500],
        ['PCMU', 900],
        ['PCMA', 1400],
      ] as const
    ).entries()) {
      const session = await studio.session();
      const phone = await studio.phone({ port: 4000 + 10 * i });
      const formats = [law === 'PCMA' ? '8 PCMA/8000' : '0 PCMU/8000'];
      const to = audioPort(session.answer(phone.offer({ formats, ptimeMs: i === 2 ? 30 : 20 })));
      mixer.join(session);
      const samples = sine(hz, 3000);
      const blocks = Array.from({ length: 150 }, (_none, k) => samples.subarray(k * 160, (k + 1) * 160));
      const { scheduler } = studio.world.ports;
      const say = (): void => {
        const block = blocks.shift();
        if (block === undefined) return;
        phone.sayPcm(block, to, law);
        scheduler.after(20, say);
      };
      say();
      phones.push(phone);
    }
    await studio.advance(3000);
    const [first, second] = phones.map((phone, i) => phone.samples(i === 1 ? 'PCMU' : 'PCMA'));
    const end = (pcm: Int16Array | undefined): Int16Array => pcm?.subarray(8000, 20_000) ?? new Int16Array(0);
    expect(purity(end(first), 900) + purity(end(first), 1400)).toBeGreaterThan(0.97);
    expect(purity(end(second), 500) + purity(end(second), 1400)).toBeGreaterThan(0.97);
    mixer.close();
  });
});
