import type { Millis } from '../../base/clock.js';
import { type DtmfDigit, KEYPAD } from '../../protocol/audio/dtmf.js';

/** How a digit came: as an RTP event (RFC 4733), as tones in the audio, or by SIP INFO. */
export type DigitWay = 'rfc4733' | 'inband' | 'info';

/** Whether a text is one key of a telephone: 0 to 9, *, #, A to D. */
export function isDigit(text: string): text is DtmfDigit {
  return KEYPAD.some((digit) => digit === text);
}

/** Which keys count: all, none, or some. */
export type KeyChoice = 'any' | 'none' | readonly DtmfDigit[];

export function isAmong(digit: DtmfDigit, keys: KeyChoice): boolean {
  return keys === 'any' || (keys !== 'none' && keys.includes(digit));
}

/** A digit that comes a second time, by another way, within this time is the same key: an INFO may be late by a retransmission. */
const SAME_KEY_MS = 2000;

interface Seen {
  readonly digit: DtmfDigit;
  readonly at: Millis;
  readonly ways: Set<DigitWay>;
}

/** Lets each pressed key through once, by whatever ways it came. Two of one digit by one way are two keys. */
export class DigitGate {
  #seen: Seen[] = [];

  /** Whether this is news. */
  admit(digit: DtmfDigit, way: DigitWay, now: Millis): boolean {
    this.#seen = this.#seen.filter(({ at }) => now - at < SAME_KEY_MS);
    const twin = this.#seen.find((each) => each.digit === digit && !each.ways.has(way));
    if (twin !== undefined) {
      twin.ways.add(way);
      return false;
    }
    this.#seen.push({ digit, at: now, ways: new Set([way]) });
    return true;
  }
}
