import { type DtmfDigit, dtmfTone } from '../../protocol/audio/dtmf.js';
import { ToneGenerator, type ToneSpec } from '../../protocol/audio/tones.js';
import { type AudioSource, SAMPLE_RATE, SAMPLES_A_MS, type Sound } from './audio-source.js';
import { sequence } from './sequence.js';

/**
 * A tone, such as `tonePlan('de').busy`; with `durationMs` it ends then at the latest.
 * @throws UsageError (PBX_INVALID_ARGUMENT) from `open`, for a tone that cannot be made
 */
export function tone(spec: ToneSpec, options: { readonly durationMs?: number } = {}): Sound {
  const { durationMs = Number.POSITIVE_INFINITY } = options;
  return { open: (startMs = 0) => new ToneSource(spec, startMs, durationMs) };
}

/** Digits as a phone sounds them (ITU-T Q.23), 100 ms each with as much pause. */
export function dtmf(
  digits: readonly DtmfDigit[],
  options: { readonly durationMs?: number; readonly gapMs?: number } = {},
): Sound {
  const { durationMs: ms = 100, gapMs: pauseMs = 100 } = options;
  return sequence(...digits.map((digit) => tone(dtmfTone(digit, { ms, pauseMs }))));
}

class ToneSource implements AudioSource {
  readonly #generator: ToneGenerator;
  #left: number;
  readonly overshoot: number;

  constructor(spec: ToneSpec, startMs: number, durationMs: number) {
    const { rounds, restMs, beyondMs } = skipped(spec, Math.min(startMs, durationMs));
    this.#generator = new ToneGenerator(
      rounds === 0 ? spec : { ...spec, repeat: (spec.repeat ?? 0) - rounds },
      SAMPLE_RATE,
    );
    this.#left = Math.round(Math.max(0, durationMs - startMs) * SAMPLES_A_MS);
    this.#generator.fill(new Int16Array(Math.round(restMs * SAMPLES_A_MS)));
    const late = Math.max(0, startMs - durationMs) + beyondMs;
    this.overshoot = Math.round(late * SAMPLES_A_MS);
    if (late > 0) this.#left = 0;
  }

  get ended(): boolean {
    return this.#left === 0 || this.#generator.ended;
  }

  read(out: Int16Array): number {
    const count = this.#generator.fill(out.length > this.#left ? out.subarray(0, this.#left) : out);
    this.#left -= count;
    return count;
  }

  close(): void {
    this.#left = 0;
  }
}

/** Where `startMs` lies in a tone: so many whole rounds of its steps, and a rest of less than one round. */
function skipped(spec: ToneSpec, startMs: number): { rounds: number; restMs: number; beyondMs: number } {
  const roundMs = spec.steps.reduce((sum, { ms = Number.POSITIVE_INFINITY }) => sum + ms, 0);
  if (!Number.isFinite(roundMs)) {
    // A tone without end sounds the same everywhere behind its last change.
    const changes = spec.steps.slice(0, -1).reduce((sum, { ms = 0 }) => sum + ms, 0);
    return { rounds: 0, restMs: Math.min(startMs, changes), beyondMs: 0 };
  }
  const whole = Math.floor(startMs / roundMs);
  const restMs = startMs - whole * roundMs;
  if (spec.repeat === undefined) return { rounds: 0, restMs, beyondMs: 0 };
  const beyondMs = Math.max(0, startMs - spec.repeat * roundMs);
  return beyondMs > 0 ? { rounds: 0, restMs: 0, beyondMs } : { rounds: whole, restMs, beyondMs: 0 };
}
