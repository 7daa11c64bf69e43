import { ExpiringMap } from '../base/expiring-map.js';
import type { Scheduler } from '../base/scheduler.js';
import { mergeKey } from '../transaction/key.js';
import type { ServerTransaction, TransactionLayer } from '../transaction/layer.js';
import { TRANSACTION_TIMEOUT } from '../transaction/timers.js';
import type { Refusal } from './refusal.js';

const CAPACITY = 20_000;

/**
 * Finds requests that were forked on the way and came by two branches: RFC 3261 §8.2.2.2. Retransmissions never come
 * here, and a digest retry has a new CSeq.
 */
export class MergedRequests {
  /** The transaction of the first, by what both have in common. */
  readonly #seen = new ExpiringMap<string, string>({ capacity: CAPACITY });
  readonly #transactions: Pick<TransactionLayer, 'lastStatus'>;
  readonly #scheduler: Scheduler;

  constructor(transactions: Pick<TransactionLayer, 'lastStatus'>, scheduler: Scheduler) {
    this.#transactions = transactions;
    this.#scheduler = scheduler;
  }

  /**
   * 482 for the second of two. Deviates: one that was challenged does not count, because some clients send the
   * request with credentials under the CSeq that it had without.
   */
  check({ id, request }: ServerTransaction): Refusal | undefined {
    const key = mergeKey(request);
    if (key === undefined) return undefined;
    const now = this.#scheduler.now();
    const first = this.#seen.get(key, now);
    // The same id: the first was answered once and forgotten, and has come again.
    const status = first === undefined || first === id ? undefined : this.#transactions.lastStatus(first);
    if (status !== undefined && status !== 401 && status !== 407) return { status: 482 };
    this.#seen.set(key, id, now + TRANSACTION_TIMEOUT, now);
    return undefined;
  }

  /** It has been answered once and for all: who sends requests under a forged address may not push the memory of others out. */
  forget(transaction: ServerTransaction): void {
    const key = mergeKey(transaction.request);
    if (key !== undefined && this.#seen.get(key, this.#scheduler.now()) === transaction.id) this.#seen.delete(key);
  }
}
