import { ExpiringMap } from '../base/expiring-map.js';
import type { Scheduler } from '../base/scheduler.js';
import { mergeKey } from '../transaction/key.js';
import type { ServerTransaction } from '../transaction/layer.js';
import { TRANSACTION_TIMEOUT } from '../transaction/timers.js';
import type { Refusal } from './refusal.js';

const CAPACITY = 20_000;

/**
 * Finds requests that were forked on the way and came by two branches: RFC 3261 §8.2.2.2. Retransmissions never come
 * here, and a digest retry has a new CSeq.
 */
export class MergedRequests {
  readonly #seen = new ExpiringMap<string, ServerTransaction>({ capacity: CAPACITY });
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /**
   * 482 for the second of two. Deviates: one that was challenged does not count, because some clients send the
   * request with credentials under the CSeq that it had without.
   */
  check(transaction: ServerTransaction): Refusal | undefined {
    const key = mergeKey(transaction.request);
    if (key === undefined) return undefined;
    const now = this.#scheduler.now();
    const first = this.#seen.get(key, now);
    if (first !== undefined && first.state !== 'terminated' && !isChallenged(first)) return { status: 482 };
    this.#seen.set(key, transaction, now + TRANSACTION_TIMEOUT, now);
    transaction.onTerminated(() => {
      if (this.#seen.get(key, this.#scheduler.now()) === transaction) this.#seen.delete(key);
    });
    return undefined;
  }
}

function isChallenged(transaction: ServerTransaction): boolean {
  const status = transaction.lastResponse?.status;
  return status === 401 || status === 407;
}
