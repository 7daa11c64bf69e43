import { UsageError } from '../../base/errors.js';
import { timestampDelta } from './sequence.js';
import { codeOf, EVENT_BYTES, LONGEST_DURATION, writeTelephoneEvent } from './telephone-event.js';

export interface EventSenderOptions {
  /** Of telephone-event as it was agreed upon, in Hz; default 8000. */
  readonly clockRate?: number;
  /** The time from one `tick` to the next; default 20. */
  readonly ptimeMs?: number;
  /** The power of the tone without its sign, 0 to 63 (dBm0); default 10. */
  readonly volume?: number;
}

export interface PressOptions {
  /** How long each key is down; at least 40, default 100. */
  readonly durationMs?: number;
  /** From one key to the next; at least 40, default 100. */
  readonly gapMs?: number;
}

/** A packet to be sent in place of audio. */
export interface EventPacket {
  readonly marker: boolean;
  /** When the event, or its present segment, began: the same for all its packets. */
  readonly timestamp: number;
  /** Four bytes, written over at the next tick. */
  readonly payload: Uint8Array;
}

interface Press {
  readonly code: number;
  /** Both in timestamp units. */
  readonly duration: number;
  readonly gap: number;
}

/**
 * `idle`: nothing to say. `tone`: the key is down. `repeat`: the last packet of the event or segment is sent again. `gap`: the key is up,
 * and the next one has to wait.
 */
type Phase = 'idle' | 'tone' | 'repeat' | 'gap';

/** The last packet of an event or segment is sent so many times (RFC 4733 §2.5.1.4). */
const FINAL_PACKETS = 3;
/** ITU-T Q.24: shorter tones and pauses need not be recognized. */
const SHORTEST_MS = 40;
const MOST_WAITING = 256;
const LONGEST_MS = 60_000;

/** Keys to be pressed, as telephone-event packets (RFC 4733 §2.5.1): one at most for each tick of the stream that they interrupt. */
export class EventSender {
  readonly #clockRate: number;
  readonly #frame: number;
  readonly #volume: number;
  readonly #waiting: Press[] = [];
  readonly #payload = new Uint8Array(EVENT_BYTES);
  #phase: Phase = 'idle';
  #press: Press = { code: 0, duration: 0, gap: 0 };
  /** Of the present segment. */
  #start = 0;
  /** What was told in the segments before. */
  #told = 0;
  #duration = 0;
  #end = false;
  #sent = 0;
  #marker = false;
  /** Whether the key went up before its time. */
  #released = false;
  /** When the key went up. */
  #up = 0;

  constructor(options: EventSenderOptions = {}) {
    const { clockRate = 8000, ptimeMs = 20, volume = 10 } = options;
    this.#clockRate = clockRate;
    this.#frame = this.#units(ptimeMs);
    this.#volume = volume;
  }

  /** False when every key has been told and the last pause is over. */
  get busy(): boolean {
    return this.#phase !== 'idle' || this.#waiting.length > 0;
  }

  /**
   * Presses keys one after the other, behind those that wait.
   * @throws UsageError (PBX_INVALID_ARGUMENT) for a digit that is none, times out of range, or more than 256 keys that wait
   */
  press(digits: string, options: PressOptions = {}): void {
    const duration = this.#units(checkedMs('durationMs', options.durationMs ?? 100));
    const gap = this.#units(checkedMs('gapMs', options.gapMs ?? 100));
    const presses = [...digits].map((digit): Press => {
      const code = codeOf(digit);
      if (code === undefined) throw invalid(`digit ${JSON.stringify(digit)}, expected 0-9, *, #, A-D or !`);
      return { code, duration, gap };
    });
    if (this.#waiting.length + presses.length > MOST_WAITING) throw invalid(`more than ${MOST_WAITING} keys at once`);
    this.#waiting.push(...presses);
  }

  /** The keys that wait are forgotten; the one that is down goes up at the next tick. */
  cancel(): void {
    this.#waiting.length = 0;
    this.#released = true;
  }

  /**
   * What leaves at this tick; undefined: audio as usual.
   * @param timestamp of the audio packet that would leave now
   */
  tick(timestamp: number): EventPacket | undefined {
    if (this.#phase === 'gap' && timestampDelta(this.#up, timestamp) >= this.#press.gap) this.#phase = 'idle';
    if (this.#phase === 'idle') this.#begin(timestamp);
    if (this.#phase === 'repeat') return this.#repeat();
    if (this.#phase === 'tone') return this.#report(timestamp);
    return undefined;
  }

  #begin(timestamp: number): void {
    const press = this.#waiting.shift();
    if (press === undefined) return;
    this.#press = press;
    this.#phase = 'tone';
    this.#start = timestamp;
    this.#told = 0;
    this.#marker = true;
    this.#released = false;
  }

  #report(timestamp: number): EventPacket {
    // An audio packet of this timestamp would cover one frame more.
    const elapsed = Math.max(0, timestampDelta(this.#start, timestamp)) + this.#frame;
    // Never more than the key was down, even where the repeats of a segment have made this report late.
    const duration = this.#released ? elapsed : Math.min(elapsed, this.#press.duration - this.#told);
    const over = this.#released || duration < elapsed || elapsed === this.#press.duration - this.#told;
    this.#end = over && duration <= LONGEST_DURATION;
    this.#duration = Math.min(duration, LONGEST_DURATION);
    this.#sent = 1;
    if (this.#end || duration > LONGEST_DURATION) this.#phase = 'repeat';
    const packet = this.#packet(this.#marker);
    this.#marker = false;
    return packet;
  }

  #repeat(): EventPacket {
    const packet = this.#packet(false);
    this.#sent++;
    if (this.#sent < FINAL_PACKETS) return packet;
    if (this.#end) {
      this.#phase = 'gap';
      this.#up = (this.#start + this.#duration) >>> 0;
    } else {
      this.#phase = 'tone';
      this.#told += LONGEST_DURATION;
      this.#start = (this.#start + LONGEST_DURATION) >>> 0;
    }
    return packet;
  }

  #packet(marker: boolean): EventPacket {
    const { code } = this.#press;
    writeTelephoneEvent(this.#payload, { code, end: this.#end, volume: this.#volume, duration: this.#duration });
    return { marker, timestamp: this.#start, payload: this.#payload };
  }

  #units(ms: number): number {
    return Math.round((ms * this.#clockRate) / 1000);
  }
}

function checkedMs(name: string, ms: number): number {
  if (!(ms >= SHORTEST_MS && ms <= LONGEST_MS)) {
    throw invalid(`${name} ${ms}, expected ${SHORTEST_MS} to ${LONGEST_MS}`);
  }
  return ms;
}

function invalid(problem: string): UsageError {
  return new UsageError('PBX_INVALID_ARGUMENT', `telephone-event: found ${problem}`);
}
