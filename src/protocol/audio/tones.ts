import { UsageError } from '../../base/errors.js';
import { FULL_SCALE, gainFactor, saturate } from './pcm.js';

/** A turn of a sine in this many parts, between which a straight line is off by a hundredth of a sample's step. */
const TURN = 4_096;
const SINE = Float64Array.from({ length: TURN + 1 }, (_none, i) => Math.sin((2 * Math.PI * i) / TURN));

/** One sine of a tone. */
export interface Sine {
  /** Hz. */
  readonly hz: number;
  /** Its level in dBov (RFC 6464 §3): -3 is a sine of full scale. 0 dBm0 is about -6 dBov. */
  readonly dbov: number;
}

/** One stretch of a cadence. */
export interface ToneStep {
  /** What sounds at once; none: a pause. */
  readonly sines: readonly Sine[];
  /** How long; absent: for ever. */
  readonly ms?: number;
}

/** A tone as plain data: steps in turn, and how often. */
export interface ToneSpec {
  readonly steps: readonly ToneStep[];
  /** How many times the steps are played; absent: again and again. */
  readonly repeat?: number;
}

/** The level of a tone that says nothing else: -10 dBm0 (ITU-T E.180 §7: -10 ± 5 dBm0). */
export const TONE_DBOV = -16;

/** Sines that together have the level `dbov`, each the same share of it. */
export function chord(hz: readonly number[], dbov = TONE_DBOV): readonly Sine[] {
  const each = dbov - 10 * Math.log10(Math.max(1, hz.length));
  return hz.map((one) => ({ hz: one, dbov: each }));
}

/** One stretch of sound, once: what is heard before a recording, by default 0.3 s of 1,000 Hz. */
export function beep(options: { readonly hz?: number; readonly ms?: number; readonly dbov?: number } = {}): ToneSpec {
  const { hz = 1_000, ms = 300, dbov = TONE_DBOV } = options;
  return { steps: [{ sines: chord([hz], dbov), ms }], repeat: 1 };
}

interface Step {
  readonly samples: number;
  /** From one sample to the next, in parts of a turn; one a sine. */
  readonly strides: Float64Array;
  readonly peaks: Float64Array;
  /** Where each sine is, in the same parts. */
  readonly phases: Float64Array;
}

/**
 * Plays a tone into buffers of any size; where they are cut is not heard. Each step starts at a zero crossing. Filling
 * allocates nothing.
 */
export class ToneGenerator {
  readonly #steps: readonly Step[];
  #rounds: number;
  #step = 0;
  /** Samples of the step that have been played. */
  #at = 0;

  /**
   * @param rate samples a second
   * @throws UsageError (PBX_INVALID_ARGUMENT) for a length or repeat that is no number, a step of no length, a
   * frequency that the rate cannot carry
   */
  constructor(spec: ToneSpec, rate = 8_000) {
    this.#steps = spec.steps.map((step, i) => stepOf(step, rate, `steps[${i}]`));
    this.#rounds = spec.repeat ?? Number.POSITIVE_INFINITY;
    if (!(this.#rounds >= 0)) throw wrong('repeat', spec.repeat, 'a number from 0');
    if (this.#steps.length === 0) throw wrong('steps', 'none', 'at least one');
  }

  get ended(): boolean {
    return this.#rounds <= 0;
  }

  /** Fills `out` and returns how many samples belong to the tone; where it ends within them, the rest is silence. */
  fill(out: Int16Array): number {
    let filled = 0;
    while (filled < out.length && !this.ended) {
      const step = this.#steps[this.#step];
      if (step === undefined) break;
      const until = Math.min(out.length, filled + step.samples - this.#at);
      this.#at += until - filled;
      while (filled < until) out[filled++] = nextSample(step);
      if (this.#at >= step.samples) this.#nextStep(step);
    }
    out.fill(0, filled);
    return filled;
  }

  #nextStep(step: Step): void {
    step.phases.fill(0);
    this.#at = 0;
    this.#step++;
    if (this.#step < this.#steps.length) return;
    this.#step = 0;
    this.#rounds--;
  }
}

function nextSample({ strides, peaks, phases }: Step): number {
  let sum = 0;
  for (let i = 0; i < phases.length; i++) {
    const phase = phases[i] ?? 0;
    sum += (peaks[i] ?? 0) * sineAt(phase);
    const next = phase + (strides[i] ?? 0);
    // small phases stay exact, however long the tone lasts
    phases[i] = next >= TURN ? next - TURN : next;
  }
  return saturate(Math.round(sum));
}

function sineAt(phase: number): number {
  const place = Math.floor(phase);
  const value = SINE[place] ?? 0;
  return value + (phase - place) * ((SINE[place + 1] ?? 0) - value);
}

function stepOf({ sines, ms }: ToneStep, rate: number, path: string): Step {
  const samples = ms === undefined ? Number.POSITIVE_INFINITY : Math.round((ms * rate) / 1_000);
  if (!(samples >= 1)) throw wrong(`${path}.ms`, ms, 'a length of at least one sample');
  for (const { hz, dbov } of sines) {
    if (!(hz > 0 && hz < rate / 2)) throw wrong(`${path}.sines`, `${hz} Hz`, `a frequency below ${rate / 2} Hz`);
    if (!(dbov <= 0)) throw wrong(`${path}.sines`, `${dbov} dBov`, 'a level of at most 0 dBov');
  }
  return {
    samples,
    strides: Float64Array.from(sines, ({ hz }) => (TURN * hz) / rate),
    peaks: Float64Array.from(sines, ({ dbov }) => FULL_SCALE * Math.SQRT2 * gainFactor(dbov)),
    phases: new Float64Array(sines.length),
  };
}

function wrong(path: string, found: unknown, expected: string): UsageError {
  return new UsageError('PBX_INVALID_ARGUMENT', `tone ${path}: found ${String(found)}, expected ${expected}`);
}
