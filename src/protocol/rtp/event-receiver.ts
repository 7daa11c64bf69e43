import type { Millis } from '../../base/clock.js';
import { marker, payloadEnd, payloadOffset, ssrcOf, timestampOf } from './packet.js';
import { timestampDelta } from './sequence.js';
import {
  digitOf,
  EVENT_BYTES,
  LONGEST_DURATION,
  readTelephoneEvent,
  type TelephoneEvent,
} from './telephone-event.js';

/**
 * What the receiver tells of a key: `pressed` once, then `released` once. `cause` says how the end was learned: by the packet that
 * says so, by the next key, or because nothing came any more.
 */
export type KeyEvent =
  | { readonly kind: 'pressed'; readonly digit: string }
  | {
      readonly kind: 'released';
      readonly digit: string;
      /** As far as it was told. */
      readonly durationMs: number;
      readonly cause: 'end' | 'next' | 'silence';
    };

/** The key that is or was last down. */
interface Key {
  readonly ssrc: number;
  readonly digit: string;
  readonly code: number;
  /** Of its present segment, and how much of it has been told. */
  start: number;
  told: number;
  /** The length of the segments before, in timestamp units. */
  before: number;
  down: boolean;
  /** Its end was told, not guessed: no segment follows. */
  ended: boolean;
  heardAt: Millis;
}

/** No update for so long: the end got lost. Three intervals of 50 ms (RFC 4733 §2.5.1.2, §2.5.2.2) and a little for the network. */
const SILENCE_MS = 200;
/** What comes so long after the last packet of a key, or began so long before it, is no late packet: the source counts anew. */
const LATE_MS = 10_000;

/**
 * Turns telephone-event packets into keys (RFC 4733 §2.5.2), one `pressed` and one `released` for each key that was pressed, whichever of
 * its packets are lost, repeated, late or in another order. A key is known by its timestamp, not by the marker.
 * A key of which nothing arrives before the next one is told is not told any more: digits never change their order.
 */
export class EventReceiver {
  readonly #clockRate: number;
  #key: Key | undefined;
  /** The one before, whose late packets may be of another source. */
  #previous: Key | undefined;

  /** @param clockRate of telephone-event as it was agreed upon, in Hz */
  constructor(clockRate = 8000) {
    this.#clockRate = clockRate;
  }

  /** When `tick` has to be called, if nothing comes before; undefined while no key is down. */
  get nextDeadline(): Millis | undefined {
    return this.#key?.down === true ? this.#key.heardAt + SILENCE_MS : undefined;
  }

  /** Takes a telephone-event packet that `isRtp` accepts and that came at `atMs`; other payload types are the caller's to keep away. */
  receive(data: Uint8Array, atMs: Millis): readonly KeyEvent[] {
    const events: KeyEvent[] = [...this.tick(atMs)];
    const end = payloadEnd(data);
    let timestamp = timestampOf(data);
    // Several events of one packet follow each other without a gap (§2.5.2.4).
    for (let at = payloadOffset(data); at + EVENT_BYTES <= end; at += EVENT_BYTES) {
      const event = readTelephoneEvent(data, at, end);
      if (event === undefined) break;
      this.#take(event, timestamp, data, atMs, events);
      timestamp = (timestamp + event.duration) >>> 0;
    }
    return events;
  }

  /** Ends a key of which nothing has been heard for 200 ms. */
  tick(now: Millis): readonly KeyEvent[] {
    const deadline = this.nextDeadline;
    return deadline === undefined || now < deadline ? [] : this.#release('silence');
  }

  #take(event: TelephoneEvent, timestamp: number, data: Uint8Array, atMs: Millis, events: KeyEvent[]): void {
    const digit = digitOf(event.code);
    // No digit is a state: a duration of zero says nothing (§2.3.5).
    if (digit === undefined || event.duration === 0) return;
    const key = this.#key;
    const place = key === undefined ? 'next' : this.#placeOf(key, event, timestamp, data, atMs);
    if (place === 'late') return;
    if (place === 'next' || key === undefined) {
      events.push(...this.#release('next'), { kind: 'pressed', digit });
      const began = { ssrc: ssrcOf(data), digit, code: event.code, start: timestamp, told: event.duration };
      this.#previous = key;
      this.#key = { ...began, before: 0, down: true, ended: false, heardAt: atMs };
    } else {
      if (place === 'segment') {
        key.before += timestampDelta(key.start, timestamp);
        key.start = timestamp;
        key.told = 0;
      }
      key.told = Math.max(key.told, event.duration);
      key.heardAt = atMs;
    }
    if (!event.end) return;
    events.push(...this.#release('end'));
    if (this.#key !== undefined) this.#key.ended = true;
  }

  /** `same`: of the key's present segment; `segment`: of the next one; `next`: of another key; `late`: of what is over. */
  #placeOf(
    key: Key,
    event: TelephoneEvent,
    timestamp: number,
    data: Uint8Array,
    atMs: Millis,
  ): 'same' | 'segment' | 'next' | 'late' {
    const ssrc = ssrcOf(data);
    if (ssrc !== key.ssrc) return ssrc === this.#previous?.ssrc && timestamp === this.#previous.start ? 'late' : 'next';
    const ahead = timestampDelta(key.start, timestamp);
    if (ahead === 0) return 'same';
    const late = atMs - key.heardAt < LATE_MS && -ahead * 1000 < LATE_MS * this.#clockRate;
    if (ahead < 0) return late ? 'late' : 'next';
    // A long event goes on where its segment ended (§2.5.2.3): at the longest duration, or earlier with redundancy (§2.5.2.3.1).
    const adjacent = ahead % LONGEST_DURATION === 0 || (ahead === key.told && !marker(data));
    return !key.ended && event.code === key.code && adjacent ? 'segment' : 'next';
  }

  #release(cause: 'end' | 'next' | 'silence'): readonly KeyEvent[] {
    const key = this.#key;
    if (key?.down !== true) return [];
    key.down = false;
    const durationMs = Math.round(((key.before + key.told) * 1000) / this.#clockRate);
    return [{ kind: 'released', digit: key.digit, durationMs, cause }];
  }
}
