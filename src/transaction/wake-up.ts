import type { Millis } from '../base/clock.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';

/** Keeps one task of the scheduler in step with a machine's next deadline. */
export class WakeUp {
  readonly #scheduler: Scheduler;
  readonly #onDue: () => void;
  #deadline: Millis | undefined;
  #cancel: Cancel | undefined;

  constructor(scheduler: Scheduler, onDue: () => void) {
    this.#scheduler = scheduler;
    this.#onDue = onDue;
  }

  /** Sets, moves or (undefined) takes away the task. */
  set(deadline: Millis | undefined): void {
    if (deadline === this.#deadline) return;
    this.#cancel?.();
    this.#deadline = deadline;
    this.#cancel = deadline === undefined ? undefined : this.#scheduler.at(deadline, this.#fire);
  }

  readonly #fire = (): void => {
    this.#deadline = undefined;
    this.#cancel = undefined;
    this.#onDue();
  };
}
