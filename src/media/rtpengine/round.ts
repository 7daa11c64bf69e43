import type { Millis } from '../../base/clock.js';
import type { Cancel, Scheduler } from '../../base/scheduler.js';

/** How a round goes. */
export interface RoundOptions<Member> {
  readonly scheduler: Scheduler;
  /** From the end of one visit to the next of the same member. */
  readonly intervalMs: number;
  /** So many visits at once at most; with more members than that allows the interval grows. */
  readonly atOnce: number;
  /** Never rejects. */
  readonly visit: (member: Member) => Promise<void>;
}

/** Visits each of its members again and again, a bounded number at a time. Without members nothing is scheduled. */
export class Round<Member> {
  readonly #options: RoundOptions<Member>;
  /** When each is due; in that order, because the interval is the same for all. */
  readonly #due = new Map<Member, Millis>();
  readonly #visited = new Set<Member>();
  readonly #left = new Set<Member>();
  #cancel: Cancel = () => undefined;

  constructor(options: RoundOptions<Member>) {
    this.#options = options;
  }

  /** The first visit comes after one interval. */
  add(member: Member): void {
    this.#left.delete(member);
    if (this.#due.has(member) || this.#visited.has(member)) return;
    this.#due.set(member, this.#options.scheduler.now() + this.#options.intervalMs);
    if (this.#due.size === 1) this.#arm();
  }

  remove(member: Member): void {
    this.#due.delete(member);
    if (this.#visited.has(member)) this.#left.add(member);
    if (this.#due.size === 0) this.#cancel();
  }

  clear(): void {
    for (const member of [...this.#due.keys(), ...this.#visited]) this.remove(member);
  }

  #arm(): void {
    this.#cancel();
    const [next] = this.#due.values();
    if (next === undefined || this.#visited.size >= this.#options.atOnce) return;
    this.#cancel = this.#options.scheduler.at(next, () => this.#go());
  }

  #go(): void {
    const now = this.#options.scheduler.now();
    for (const [member, due] of this.#due) {
      if (due > now || this.#visited.size >= this.#options.atOnce) break;
      this.#due.delete(member);
      this.#visited.add(member);
      void this.#options.visit(member).finally(() => this.#back(member));
    }
    this.#arm();
  }

  #back(member: Member): void {
    this.#visited.delete(member);
    if (!this.#left.delete(member)) this.#due.set(member, this.#options.scheduler.now() + this.#options.intervalMs);
    this.#arm();
  }
}
