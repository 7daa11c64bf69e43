import type { Millis } from './clock.js';

interface Timer<Name extends string> {
  readonly name: Name;
  deadline: Millis;
  next: Timer<Name> | undefined;
}

/**
 * Deadlines by name: how a machine without I/O says when it wants to be woken. A chain in the order of setting: a machine
 * has three timers at most, and a busy server has tens of thousands of machines, for which a Map each would be dear.
 */
export class TimerTable<Name extends string> {
  #first: Timer<Name> | undefined;

  set(name: Name, deadline: Millis): void {
    let last: Timer<Name> | undefined;
    for (let timer = this.#first; timer !== undefined; timer = timer.next) {
      if (timer.name === name) {
        timer.deadline = deadline;
        return;
      }
      last = timer;
    }
    const added: Timer<Name> = { name, deadline, next: undefined };
    if (last === undefined) this.#first = added;
    else last.next = added;
  }

  clear(name: Name): void {
    let before: Timer<Name> | undefined;
    for (let timer = this.#first; timer !== undefined; timer = timer.next) {
      if (timer.name !== name) {
        before = timer;
        continue;
      }
      if (before === undefined) this.#first = timer.next;
      else before.next = timer.next;
      return;
    }
  }

  clearAll(): void {
    this.#first = undefined;
  }

  get(name: Name): Millis | undefined {
    for (let timer = this.#first; timer !== undefined; timer = timer.next)
      if (timer.name === name) return timer.deadline;
    return undefined;
  }

  /** The earliest deadline, undefined when no timer runs. */
  get next(): Millis | undefined {
    return this.#earliest()?.deadline;
  }

  /** Takes out the earliest timer that is due at `now`: each fires once. */
  takeDue(now: Millis): Name | undefined {
    const due = this.#earliest();
    if (due === undefined || due.deadline > now) return undefined;
    this.clear(due.name);
    return due.name;
  }

  /** The one that was set first on a tie. */
  #earliest(): Timer<Name> | undefined {
    let earliest = this.#first;
    for (let timer = earliest?.next; timer !== undefined; timer = timer.next)
      if (earliest !== undefined && timer.deadline < earliest.deadline) earliest = timer;
    return earliest;
  }
}
