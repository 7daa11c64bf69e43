/**
 * Runs tasks one at a time, in the order in which they came. One mailbox serves all legs of a call, so that no two
 * events of a call interleave, whatever each awaits.
 */
export class Mailbox {
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** Tasks that run or wait. */
  get size(): number {
    return this.#waiting;
  }

  /** Settles as `task` does; a failing task does not stop the next. */
  run<T>(task: () => T | Promise<T>): Promise<T> {
    this.#waiting++;
    const result = this.#tail.then(task);
    this.#tail = result.then(
      () => this.#done(),
      () => this.#done(),
    );
    return result;
  }

  /** Resolves when everything that was posted until now has run. */
  idle(): Promise<void> {
    return this.#tail;
  }

  #done(): void {
    this.#waiting--;
  }
}
