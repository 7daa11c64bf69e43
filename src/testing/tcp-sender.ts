import type { Millis } from '../base/clock.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { Segment, SegmentKind } from './packet.js';

/** Linux starts at 200 ms and doubles; a connection attempt starts at 1 s (RFC 6298 §2). */
const FIRST_RETRY_MS = 200;
const FIRST_SYN_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

export interface TcpSenderOptions {
  readonly scheduler: Scheduler;
  readonly transmit: (segment: Segment, data: Uint8Array, settled: (arrived: boolean) => void) => void;
  /** The size of the next segment in bytes. */
  readonly nextSegmentBytes: () => number;
  /** After so long without an arrival of one segment the connection is given up. */
  readonly giveUpMs: number;
  readonly onGiveUp: () => void;
}

const NO_DATA = new Uint8Array(0);

/** One direction of a virtual TCP connection: cuts into segments and repeats each until it arrives. */
export class TcpSender {
  readonly #options: TcpSenderOptions;
  readonly #retries = new Set<Cancel>();
  #sequence = 0;
  #underWayBytes = 0;
  #stopped = false;

  constructor(options: TcpSenderOptions) {
    this.#options = options;
  }

  /** Bytes sent and not yet arrived. */
  get underWayBytes(): number {
    return this.#underWayBytes;
  }

  /** `syn`, `syn-ack` and `fin` take a place in the order too. */
  control(kind: Exclude<SegmentKind, 'data' | 'rst'>): void {
    this.#attempt(kind, this.#sequence++, 0, NO_DATA, this.#options.scheduler.now());
  }

  data(data: Uint8Array): void {
    const now = this.#options.scheduler.now();
    for (let start = 0; start < data.length; ) {
      const end = Math.min(data.length, start + Math.max(1, this.#options.nextSegmentBytes()));
      this.#underWayBytes += end - start;
      this.#attempt('data', this.#sequence++, 0, data.slice(start, end), now);
      start = end;
    }
  }

  /** No more repetitions: the connection was reset, given up, or its host died. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#retries) cancel();
    this.#retries.clear();
    this.#underWayBytes = 0;
  }

  #attempt(kind: SegmentKind, sequence: number, attempt: number, data: Uint8Array, firstSentAt: Millis): void {
    const { scheduler, transmit, giveUpMs, onGiveUp } = this.#options;
    const sentAt = scheduler.now();
    transmit({ kind, sequence, attempt }, data, (arrived) => {
      if (this.#stopped) return;
      if (arrived) {
        this.#underWayBytes -= data.length;
        return;
      }
      const first = kind === 'syn' ? FIRST_SYN_RETRY_MS : FIRST_RETRY_MS;
      const retryAt = Math.max(scheduler.now(), sentAt + Math.min(first * 2 ** attempt, LONGEST_RETRY_MS));
      if (retryAt - firstSentAt > giveUpMs) return onGiveUp();
      const cancel = scheduler.at(retryAt, () => {
        this.#retries.delete(cancel);
        this.#attempt(kind, sequence, attempt + 1, data, firstSentAt);
      });
      this.#retries.add(cancel);
    });
  }
}
