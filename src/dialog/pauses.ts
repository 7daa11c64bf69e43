import type { Scheduler } from '../base/scheduler.js';

/** Waits that end early, all at once, when what they were for is over. */
export class Pauses {
  readonly #scheduler: Scheduler;
  /** Made when there is one: most dialogs never wait. */
  #waiting: Set<() => void> | undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Resolves after so much time, or when `end` is called. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#waiting?.delete(done);
        resolve();
      };
      const cancel = this.#scheduler.after(delayMs, done);
      this.#waiting ??= new Set();
      this.#waiting.add(done);
    });
  }

  end(): void {
    for (const done of [...(this.#waiting ?? [])]) done();
  }
}
