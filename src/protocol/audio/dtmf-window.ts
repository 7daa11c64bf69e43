import { COLUMN_HZ, ROW_HZ } from './dtmf.js';
import { GoertzelBank } from './goertzel.js';
import { FULL_SCALE } from './pcm.js';

const RATE = 8_000;
/** The stream is looked at through a Hann window of 20 ms, every 5 ms. In samples. */
export const WINDOW = 160;
export const HOP = 40;
/** No key: what was heard is no digit. */
export const NO_KEY = -1;

const TURN = 2 * Math.PI;

/** Of the weaker tone: -38 dBov, which is -32 dBm0. */
const LEAST_POWER = FULL_SCALE ** 2 * powerRatio(-38);
/** Low group over high group, and the other way round, in dB: 8 and 4 (ITU-T Q.24), and what measuring costs. */
const NORMAL_TWIST = powerRatio(8.5);
const REVERSE_TWIST = powerRatio(4.5);
/** The two tones' share of all that is heard: a window that holds two thirds of a tone and else silence has it. */
const LEAST_PURITY = 0.7;
/** What of it the low group has at least, where the high one is louder by the most that it may be. */
const LEAST_ROW_SHARE = LEAST_PURITY / (1 + REVERSE_TWIST);
/** The strongest tone of a group over each other place in it; beside a tone 1.5 % off these are 9 dB down. */
const LEAST_LEAD = powerRatio(6);
/** Beyond this share of its frequency a tone is not one of the group. */
const WIDEST_DETUNING = 0.03;

const HANN = Float64Array.from({ length: WINDOW }, (_none, i) => 0.5 - 0.5 * Math.cos((TURN * (i + 0.5)) / WINDOW));
/** The power of a sine, per |X|² of its windowed block. */
const TONE_SCALE = 2 / HANN.reduce((sum, weight) => sum + weight, 0) ** 2;
/** The power of all that is heard, per energy of the windowed block. */
const TOTAL_SCALE = 1 / HANN.reduce((sum, weight) => sum + weight ** 2, 0);

/**
 * Looks at one window of a stream after the other, and says which key of the keypad it holds, if it holds one. The
 * frequency of a tone is measured by how far its phase has come since the window before.
 */
export class DtmfWindow {
  /** The place of the digit in `KEYPAD`, or `NO_KEY`. */
  key = NO_KEY;
  readonly row = new ToneGroup(ROW_HZ);
  readonly column = new ToneGroup(COLUMN_HZ);
  readonly #block = new Float64Array(WINDOW);

  /**
   * @param samples the window, `HOP` samples further on in the stream than the last one
   * @param lasting a digit is under way: all powers are wanted, whether this is one or not
   */
  look(samples: Float64Array, lasting: boolean): void {
    const total = this.#weigh(samples) * TOTAL_SCALE;
    this.key = NO_KEY;
    if (total < LEAST_POWER) {
      this.row.clear();
      this.column.clear();
      return;
    }
    this.row.measure(this.#block);
    // most of what is heard is speech: its high group need not be measured
    if (!lasting && this.row.power < total * LEAST_ROW_SHARE) {
      this.column.clear();
      return;
    }
    this.column.measure(this.#block);
    if (this.#isDigit(total)) this.key = this.row.best * COLUMN_HZ.length + this.column.best;
  }

  /** Fills the block; returns its energy. */
  #weigh(samples: Float64Array): number {
    let energy = 0;
    for (let i = 0; i < WINDOW; i++) {
      const value = (samples[i] ?? 0) * (HANN[i] ?? 0);
      this.#block[i] = value;
      energy += value * value;
    }
    return energy;
  }

  #isDigit(total: number): boolean {
    const { row, column } = this;
    return (
      row.leads &&
      column.leads &&
      Math.min(row.power, column.power) >= LEAST_POWER &&
      row.power <= column.power * NORMAL_TWIST &&
      column.power <= row.power * REVERSE_TWIST &&
      row.power + column.power >= total * LEAST_PURITY
    );
  }
}

/** The low or the high group: its strongest tone. Powers are mean squares of samples. */
class ToneGroup {
  /** The place of the strongest in the group. */
  best = 0;
  /** It stands out from its neighbours. */
  leads = false;
  power = 0;
  /** How far it is from its frequency, in Hz; 0 in the first window that it leads. */
  detuningHz = 0;
  readonly #hz: readonly number[];
  readonly #bank: GoertzelBank;
  readonly #powers: Float64Array;
  #phase = 0;
  #known = false;

  constructor(hz: readonly number[]) {
    this.#hz = hz;
    this.#bank = new GoertzelBank(hz, RATE);
    this.#powers = new Float64Array(hz.length);
  }

  /** The power found at a place of the group, as if the tone were in tune. */
  powerAt(place: number): number {
    return this.#powers[place] ?? 0;
  }

  clear(): void {
    this.leads = false;
    this.power = 0;
    this.#powers.fill(0);
    this.#known = false;
  }

  measure(block: Float64Array): void {
    this.#bank.measure(block);
    let best = 0;
    for (let i = 0; i < this.#powers.length; i++) {
      this.#powers[i] = this.#bank.power(i) * TONE_SCALE;
      if (this.powerAt(i) > this.powerAt(best)) best = i;
    }
    const most = this.powerAt(best);
    this.leads = true;
    for (let i = 0; i < this.#powers.length; i++) {
      if (i !== best && this.powerAt(i) * LEAST_LEAD > most) this.leads = false;
    }
    const hz = this.#hz[best] ?? 0;
    const phase = this.#bank.phase(best);
    const turned = this.#known && best === this.best ? phase - this.#phase - (TURN * hz * HOP) / RATE : 0;
    this.detuningHz = ((turned - TURN * Math.round(turned / TURN)) * RATE) / (TURN * HOP);
    this.best = best;
    this.#phase = phase;
    this.#known = true;
    this.power = most / responseAt(Math.min(Math.abs(this.detuningHz), hz * WIDEST_DETUNING));
  }
}

/** What a Hann window leaves of the power of a tone that is so many Hz off. */
function responseAt(hz: number): number {
  const x = (hz * WINDOW) / RATE;
  if (x === 0) return 1;
  const amplitude = Math.sin(Math.PI * x) / (Math.PI * x * (1 - x * x));
  return amplitude * amplitude;
}

function powerRatio(db: number): number {
  return 10 ** (db / 10);
}
