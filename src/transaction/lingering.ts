import type { Millis } from '../base/clock.js';
import type { Scheduler } from '../base/scheduler.js';
import type { SipResponse } from '../protocol/sip/message.js';
import type { Source } from '../transport/hop.js';
import type { SentResponse } from './port.js';
import { T4 } from './timers.js';
import { WakeUp } from './wake-up.js';

/** What is left of a server transaction once it has its final response, and an INVITE its ACK or a 2xx. */
export interface LingeringServer {
  readonly id: string;
  readonly ends: Millis;
  /** What the request gets when it comes again; undefined: nothing, it is only known. */
  readonly repeated: SentResponse | undefined;
  /** Of the final response. */
  readonly status: number;
  readonly toTag: string | undefined;
  /** Who is told of its end; may grow until then. */
  terminatedListeners: readonly (() => void)[];
}

/** What is left of a client transaction once its user has the final response. */
export interface LingeringClient {
  readonly key: string;
  readonly ends: Millis;
  /** Whom each further 2xx to an INVITE is told (RFC 6026 §7.2); undefined: further responses are only known. */
  readonly onResponse: ((response: SipResponse, source: Source) => void) | undefined;
  readonly onTerminated: (() => void) | undefined;
}

/**
 * What is left of transactions for the time in which their messages may come again, without what their users needed: on a busy server
 * these are nearly all there are. They stay for T4 (timers I, K) or for 64*T1 (J, L, M): two queues, in which the first to come is the
 * first to go, so that one task of the scheduler serves each.
 */
export class Lingering<T extends { readonly ends: Millis }> {
  readonly #scheduler: Scheduler;
  readonly #short: Queue<T>;
  readonly #long: Queue<T>;

  constructor(scheduler: Scheduler, onEnd: (item: T) => void) {
    this.#scheduler = scheduler;
    this.#short = new Queue(scheduler, onEnd);
    this.#long = new Queue(scheduler, onEnd);
  }

  add(item: T): void {
    const queue = item.ends - this.#scheduler.now() > T4 ? this.#long : this.#short;
    queue.add(item);
  }

  clear(): void {
    this.#short.clear();
    this.#long.clear();
  }
}

class Queue<T extends { readonly ends: Millis }> {
  readonly #onEnd: (item: T) => void;
  readonly #scheduler: Scheduler;
  readonly #wakeUp: WakeUp;
  #items: T[] = [];
  #first = 0;

  constructor(scheduler: Scheduler, onEnd: (item: T) => void) {
    this.#onEnd = onEnd;
    this.#scheduler = scheduler;
    this.#wakeUp = new WakeUp(scheduler, () => this.#onDue());
  }

  add(item: T): void {
    this.#items.push(item);
    if (this.#items.length === this.#first + 1) this.#wakeUp.set(item.ends);
  }

  clear(): void {
    this.#items = [];
    this.#first = 0;
    this.#wakeUp.set(undefined);
  }

  #onDue(): void {
    const now = this.#scheduler.now();
    const items = this.#items;
    let item = items[this.#first];
    while (item !== undefined && item.ends <= now) {
      this.#first++;
      this.#onEnd(item);
      if (items !== this.#items) return;
      item = items[this.#first];
    }
    // Now and then, so that it costs nothing by the item.
    if (this.#first * 2 >= items.length) {
      items.splice(0, this.#first);
      this.#first = 0;
    }
    this.#wakeUp.set(item?.ends);
  }
}
