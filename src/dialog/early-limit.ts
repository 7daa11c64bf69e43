/** How many early dialogs INVITEs that came in may have: a callee that answers under ever new To tags makes them. */
export interface EarlyDialogLimits {
  /** Of one INVITE; a further provisional response is not passed on. Default 32. */
  readonly maxEarlyDialogs: number;
  /** In all; a further provisional response is not passed on, the answer always is. Default 20,000. */
  readonly maxEarlyDialogsInAll: number;
}

/** What holds where nothing is said. */
export const DEFAULT_EARLY_DIALOG_LIMITS: EarlyDialogLimits = Object.freeze({
  maxEarlyDialogs: 32,
  maxEarlyDialogsInAll: 20_000,
});

/** The count that both limits are held against. */
export class EarlyLimit {
  readonly #limits: EarlyDialogLimits;
  #live = 0;
  #refused = 0;

  constructor(limits: Partial<EarlyDialogLimits> = {}) {
    this.#limits = { ...DEFAULT_EARLY_DIALOG_LIMITS, ...limits };
  }

  /** Early dialogs that live. */
  get live(): number {
    return this.#live;
  }

  /** Provisional responses that were not passed on. */
  get refused(): number {
    return this.#refused;
  }

  /** Whether an INVITE with `own` early dialogs may have one more; counts the refusal. */
  allows(own: number): boolean {
    if (own < this.#limits.maxEarlyDialogs && this.#live < this.#limits.maxEarlyDialogsInAll) return true;
    this.#refused++;
    return false;
  }

  /** Counts one; the returned function takes it back, once. */
  enter(): () => void {
    this.#live++;
    let left = false;
    return () => {
      if (!left) this.#live--;
      left = true;
    };
  }
}
