import type { Millis } from '../base/clock.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import { parseMailAddress } from './address.js';
import type { Slot } from './outbox-store.js';

/** A mail that waits. */
export interface Waiting {
  readonly slot: Slot;
  readonly dueAt: Millis;
  readonly giveUpAt: Millis;
}

/** The mail to one recipient, oldest first: the second is not looked at before the first is through. */
export interface RecipientQueue {
  readonly key: string;
  waiting: Waiting[];
  state: 'waiting' | 'ready' | 'sending';
  cancel: Cancel;
}

/** Who is due when. Holds no mail but what `Waiting` says of it. */
export class OutboxQueues {
  readonly #scheduler: Scheduler;
  readonly #onReady: () => void;
  readonly #queues = new Map<string, RecipientQueue>();
  #ready: RecipientQueue[] = [];

  constructor(scheduler: Scheduler, onReady: () => void) {
    this.#scheduler = scheduler;
    this.#onReady = onReady;
  }

  add(waiting: Waiting): void {
    const key = keyOf(waiting.slot);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = { key, waiting: [], state: 'waiting', cancel: () => {} };
      this.#queues.set(key, queue);
    }
    queue.waiting.push(waiting);
    if (queue.waiting.length === 1 && queue.state === 'waiting') this.#schedule(queue);
  }

  /** The queue that has been due for longest, for an attempt with its first mail; give it back with `done` or `putBack`. */
  takeReady(): RecipientQueue | undefined {
    const queue = this.#ready.shift();
    if (queue !== undefined) queue.state = 'sending';
    return queue;
  }

  /** An attempt is over: waits for what is now the first. */
  done(queue: RecipientQueue): void {
    queue.state = 'waiting';
    if (this.#queues.has(queue.key)) this.#schedule(queue);
  }

  /** An attempt was none: it is tried again after those of others, for the trouble may be with this mail alone. */
  putBack(queue: RecipientQueue): void {
    queue.state = 'ready';
    this.#ready.push(queue);
  }

  /** Takes out the mails whose last deadline has passed and that are not being sent. */
  takeExpired(now: Millis): readonly Waiting[] {
    const expired: Waiting[] = [];
    for (const queue of this.#queues.values()) {
      if (queue.state === 'sending' || !queue.waiting.some(({ giveUpAt }) => giveUpAt <= now)) continue;
      expired.push(...queue.waiting.filter(({ giveUpAt }) => giveUpAt <= now));
      queue.waiting = queue.waiting.filter(({ giveUpAt }) => giveUpAt > now);
      if (queue.state === 'waiting') this.#schedule(queue);
    }
    return expired;
  }

  /** Forgets all of them, and their timers. */
  clear(): void {
    for (const { cancel } of this.#queues.values()) cancel();
    this.#queues.clear();
    this.#ready = [];
  }

  #schedule(queue: RecipientQueue): void {
    queue.cancel();
    const [first] = queue.waiting;
    if (first === undefined) {
      this.#queues.delete(queue.key);
      return;
    }
    if (first.dueAt <= this.#scheduler.now()) this.#makeReady(queue);
    else queue.cancel = this.#scheduler.at(first.dueAt, () => this.#makeReady(queue));
  }

  #makeReady(queue: RecipientQueue): void {
    queue.state = 'ready';
    this.#ready.push(queue);
    this.#onReady();
  }
}

function keyOf({ tenantId, mail: { to } }: Slot): string {
  return `${tenantId}\0${(parseMailAddress(to)?.address ?? to).toLowerCase()}`;
}
