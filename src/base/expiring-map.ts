import type { Millis } from './clock.js';
import type { Cancel, Scheduler } from './scheduler.js';

interface Entry<Value> {
  readonly value: Value;
  readonly expires: Millis;
}

const SWEEP_MS = 1_000;
const WHOLE_SWEEP_MS = 30_000;
const FULL_SWEEP_MS = 10_000;

export interface ExpiringMapOptions {
  readonly capacity: number;
  /** Sweeps even when nothing is set any more: for values that hold much. */
  readonly scheduler?: Scheduler;
}

/**
 * A bounded map whose entries end by themselves: without a scheduler there is no timer, and expired entries are swept by later calls.
 * Beyond `capacity` the entry that was set longest ago makes room.
 */
export class ExpiringMap<Key, Value> {
  readonly #entries = new Map<Key, Entry<Value>>();
  readonly #capacity: number;
  readonly #scheduler: Scheduler | undefined;
  #cancel: Cancel | undefined;
  #closed = false;
  #nextSweep: Millis = Number.NEGATIVE_INFINITY;
  #nextWholeSweep: Millis = Number.NEGATIVE_INFINITY;
  #nextFullSweep: Millis = Number.NEGATIVE_INFINITY;

  constructor(options: ExpiringMapOptions) {
    this.#capacity = options.capacity;
    this.#scheduler = options.scheduler;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key, now: Millis): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expires > now) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: Key, value: Value, expires: Millis, now: Millis): void {
    if (this.#closed) return;
    this.#entries.delete(key);
    this.#sweep(now);
    if (this.#entries.size >= this.#capacity) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) this.#entries.delete(oldest.value);
    }
    this.#entries.set(key, { value, expires });
    if (this.#cancel === undefined) this.#wakeAt(expires);
  }

  delete(key: Key): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Forgets everything, and takes nothing more: no timer comes about any longer. */
  close(): void {
    this.#closed = true;
    this.clear();
  }

  #wakeAt(deadline: Millis): void {
    this.#cancel = this.#scheduler?.at(deadline, () => this.#onDue());
  }

  /** Drops what was set longest ago and has expired, and comes back for the next one, once a second at most. */
  #onDue(): void {
    this.#cancel = undefined;
    const now = this.#scheduler?.now() ?? 0;
    for (const [key, { expires }] of this.#entries) {
      if (expires > now) return this.#wakeAt(Math.max(expires, now + SWEEP_MS));
      this.#entries.delete(key);
    }
  }

  /**
   * Looks at most once a second, at the entries set longest ago and no further than the first that lives; at all of them only
   * once in a while, or when the map is full, and then again soon only if that was of use. A map of tens of thousands must not
   * cost its whole size each second.
   */
  #sweep(now: Millis): void {
    if (now < this.#nextSweep) return;
    this.#nextSweep = now + SWEEP_MS;
    const before = this.#entries.size;
    const full = before >= this.#capacity;
    const whole = now >= (full ? this.#nextFullSweep : this.#nextWholeSweep);
    let living = 0;
    for (const [key, entry] of this.#entries) {
      if (entry.expires <= now) this.#entries.delete(key);
      else if (!whole) break;
      else living++;
    }
    if (!whole) return;
    this.#nextWholeSweep = now + WHOLE_SWEEP_MS;
    this.#nextFullSweep = now + (full && living === before ? FULL_SWEEP_MS : SWEEP_MS);
  }
}
