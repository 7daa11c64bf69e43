/**
 * Tasks by key: those of one key run one at a time, in the order in which they came. A key is held only while a task of it runs, and the
 * first task begins at once.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Settles as `task` does; a failing task does not stop the next. */
  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const result = before === undefined ? task() : before.then(task);
    const done = (): void => {
      if (this.#last.get(key) === last) this.#last.delete(key);
    };
    const last = result.then(done, done);
    this.#last.set(key, last);
    return result;
  }

  /** Resolves when everything that was posted until now has run. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
