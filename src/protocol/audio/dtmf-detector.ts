import { COLUMN_HZ, type DtmfDigit, KEYPAD, ROW_HZ } from './dtmf.js';
import { DtmfWindow, HOP, NO_KEY, WINDOW } from './dtmf-window.js';

/** A digit began or ended. Samples are counted from the start of the stream, and true to about 5 ms. */
export type DtmfEvent =
  | { readonly type: 'start'; readonly digit: DtmfDigit; readonly atSample: number }
  | { readonly type: 'end'; readonly digit: DtmfDigit; readonly atSample: number; readonly durationSamples: number };

/** So many windows in a row must hold the tones: 40 ms fill at least 6, 23 ms at most 4. */
const WINDOWS_TO_START = 5;
/** So many windows in a row without them end a digit: a pause of 40 ms empties 7, a packet of 20 ms that was lost 4. */
const WINDOWS_TO_END = 5;
/** The frequency is not measured in the first windows of a digit: they hold only part of the tones. */
const WINDOWS_OUT_OF_TUNE = 2;
/** Between the 1.5 % + 2 Hz that must be taken and the 3.5 % that must not (ITU-T Q.24). */
const MOST_DETUNING = 0.025;
/** A digit lasts while each of its tones keeps this share of the power that it had: -8 dB. */
const LASTING_POWER = 0.16;

/** From the middle of the first window that holds a digit back to its start, as a rule; in samples. */
const MIDDLE_AFTER_START = 42;
/** From the middle of the last window that still has its tones on to its end. */
const END_AFTER_MIDDLE = 12;

const NO_EVENTS: readonly DtmfEvent[] = Object.freeze([]);

/**
 * Hears DTMF in a stream of 8 kHz samples (ITU-T Q.23, Q.24). Taken: tones of 40 ms and more, each within 1.5 % + 2 Hz
 * of its frequency, from -38 dBov up, the low group at most 8 dB above and 4 dB below the high one. A gap of up to 20 ms
 * (a lost packet) is bridged, one of 40 ms parts two digits. Not taken: tones of 23 ms and less, tones 3.5 % off, and
 * speech. A start is told about 40 ms after it. Pieces may have any size; nothing is allocated but events.
 */
export class DtmfDetector {
  readonly #window = new DtmfWindow();
  /** The last samples, the window that is looked at next among them. */
  readonly #samples = new Float64Array(WINDOW);
  #filled = WINDOW - HOP;
  /** Samples of the stream up to the end of the window. */
  #heard = 0;

  /** The key that has been found in the last #run windows, how strong it was at most, and how far off in all of them. */
  #candidate = NO_KEY;
  #run = 0;
  #rowPeak = 0;
  #columnPeak = 0;
  #rowDetuning = 0;
  #columnDetuning = 0;

  /** The digit that is being heard, if any, and its key; since when; where its tones were last. */
  #digit: DtmfDigit | undefined;
  #key = NO_KEY;
  #from = 0;
  #last = 0;
  #missing = 0;
  /** What each of its tones must have to last. */
  #rowLeast = 0;
  #columnLeast = 0;
  /** The key whose digit has just ended: a softer rest of it is its echo, and not the next digit. */
  #echo = NO_KEY;

  /** The digit that is being heard. */
  get digit(): DtmfDigit | undefined {
    return this.#digit;
  }

  /** Takes samples; returns what began or ended with them. */
  process(pcm: Int16Array): readonly DtmfEvent[] {
    let events = NO_EVENTS;
    for (let i = 0; i < pcm.length; i++) {
      this.#samples[this.#filled++] = pcm[i] ?? 0;
      if (this.#filled < WINDOW) continue;
      const found = this.#nextWindow();
      if (found.length > 0) events = [...events, ...found];
    }
    return events;
  }

  /** The stream has ended, or goes on from elsewhere: a digit under way ends where its tones were last heard. */
  end(): readonly DtmfEvent[] {
    this.#candidate = NO_KEY;
    return this.#digit === undefined ? NO_EVENTS : [this.#stop(this.#digit)];
  }

  #nextWindow(): readonly DtmfEvent[] {
    this.#heard += HOP;
    this.#window.look(this.#samples, this.#digit !== undefined);
    this.#samples.copyWithin(0, HOP);
    this.#filled = WINDOW - HOP;
    this.#followCandidate();
    const digit = this.#digit;
    if (digit !== undefined) this.#followDigit();
    if (this.#run >= WINDOWS_TO_START && this.#candidate !== this.#key && this.#inTune()) {
      const before = digit === undefined ? NO_EVENTS : [this.#stop(digit)];
      return [...before, this.#start()];
    }
    if (digit === undefined || this.#missing < WINDOWS_TO_END) return NO_EVENTS;
    this.#echo = this.#key;
    this.#candidate = NO_KEY;
    return [this.#stop(digit)];
  }

  #followCandidate(): void {
    const { row, column } = this.#window;
    let { key } = this.#window;
    if (key !== this.#echo) this.#echo = NO_KEY;
    else if (row.power < this.#rowLeast || column.power < this.#columnLeast) key = NO_KEY;
    if (key !== this.#candidate) {
      this.#candidate = key;
      this.#run = 0;
      this.#rowPeak = 0;
      this.#columnPeak = 0;
      this.#rowDetuning = 0;
      this.#columnDetuning = 0;
    }
    if (key === NO_KEY) return;
    this.#run++;
    this.#rowPeak = Math.max(this.#rowPeak, row.powerAt(row.best));
    this.#columnPeak = Math.max(this.#columnPeak, column.powerAt(column.best));
    if (this.#run <= WINDOWS_OUT_OF_TUNE) return;
    this.#rowDetuning += row.detuningHz;
    this.#columnDetuning += column.detuningHz;
  }

  #inTune(): boolean {
    const most = MOST_DETUNING * (this.#run - WINDOWS_OUT_OF_TUNE);
    return (
      Math.abs(this.#rowDetuning) <= most * (ROW_HZ[rowOf(this.#candidate)] ?? 0) &&
      Math.abs(this.#columnDetuning) <= most * (COLUMN_HZ[columnOf(this.#candidate)] ?? 0)
    );
  }

  #followDigit(): void {
    const row = this.#window.row.powerAt(rowOf(this.#key));
    const column = this.#window.column.powerAt(columnOf(this.#key));
    if (row < this.#rowLeast || column < this.#columnLeast) {
      this.#missing++;
      return;
    }
    this.#missing = 0;
    this.#last = this.#heard;
    this.#rowLeast = Math.max(this.#rowLeast, row * LASTING_POWER);
    this.#columnLeast = Math.max(this.#columnLeast, column * LASTING_POWER);
  }

  #start(): DtmfEvent {
    const digit = KEYPAD[this.#candidate] ?? '0';
    const middle = this.#heard - (this.#run - 1) * HOP - WINDOW / 2;
    this.#digit = digit;
    this.#key = this.#candidate;
    this.#from = Math.max(0, middle - MIDDLE_AFTER_START);
    this.#last = this.#heard;
    this.#missing = 0;
    this.#rowLeast = this.#rowPeak * LASTING_POWER;
    this.#columnLeast = this.#columnPeak * LASTING_POWER;
    return { type: 'start', digit, atSample: this.#from };
  }

  #stop(digit: DtmfDigit): DtmfEvent {
    this.#digit = undefined;
    this.#key = NO_KEY;
    const atSample = Math.max(this.#from, this.#last - WINDOW / 2 + END_AFTER_MIDDLE);
    return { type: 'end', digit, atSample, durationSamples: atSample - this.#from };
  }
}

function rowOf(key: number): number {
  return Math.floor(key / COLUMN_HZ.length);
}

function columnOf(key: number): number {
  return key % COLUMN_HZ.length;
}
