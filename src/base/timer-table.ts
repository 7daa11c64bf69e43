import type { Millis } from './clock.js';

/** Deadlines by name: how a machine without I/O says when it wants to be woken. */
export class TimerTable<Name extends string> {
  readonly #deadlines = new Map<Name, Millis>();

  set(name: Name, deadline: Millis): void {
    this.#deadlines.set(name, deadline);
  }

  clear(name: Name): void {
    this.#deadlines.delete(name);
  }

  clearAll(): void {
    this.#deadlines.clear();
  }

  get(name: Name): Millis | undefined {
    return this.#deadlines.get(name);
  }

  /** The earliest deadline, undefined when no timer runs. */
  get next(): Millis | undefined {
    let next: Millis | undefined;
    for (const deadline of this.#deadlines.values()) if (next === undefined || deadline < next) next = deadline;
    return next;
  }

  /** Takes out the earliest timer that is due at `now`: each fires once. */
  takeDue(now: Millis): Name | undefined {
    let due: Name | undefined;
    let earliest = Number.POSITIVE_INFINITY;
    for (const [name, deadline] of this.#deadlines) {
      if (deadline <= now && deadline < earliest) {
        due = name;
        earliest = deadline;
      }
    }
    if (due !== undefined) this.#deadlines.delete(due);
    return due;
  }
}
