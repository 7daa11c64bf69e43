import type { Cancel, Scheduler } from '../../base/scheduler.js';
import type { DtmfDigit } from '../../protocol/audio/dtmf.js';

export interface CollectOptions {
  /** Ends with so many digits. Default: no limit but that of the other options. */
  readonly maxDigits?: number;
  /** Digits that end it and are not part of the result. Default `#`. */
  readonly terminators?: string;
  /** How long the first digit may take, in milliseconds. Default 10000. */
  readonly firstDigitMs?: number;
  /** How long each further digit may take. Default 4000. */
  readonly betweenDigitsMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * What was dialled, and why it ended there: `enough` digits, a `terminator`, nothing more in time (`timeout`), the caller's
 * signal (`stopped`), or the end of the media (`closed`).
 */
export interface CollectResult {
  readonly digits: string;
  readonly reason: 'enough' | 'terminator' | 'timeout' | 'stopped' | 'closed';
  readonly terminator?: DtmfDigit;
}

/** Nobody dials more ahead than this; older digits stay, newer ones are lost. */
const MOST_KEPT = 64;
const FIRST_DIGIT_MS = 10_000;
const BETWEEN_DIGITS_MS = 4000;

interface Collecting {
  readonly options: CollectOptions;
  readonly resolve: (result: CollectResult) => void;
  readonly onAbort: () => void;
  digits: string;
  cancel: Cancel | undefined;
}

/** The digits that nobody has asked for yet, and whoever asks for them: what is dialled ahead of a question counts for it. */
export class DigitCollector {
  readonly #scheduler: Scheduler;
  #waiting: DtmfDigit[] = [];
  #current: Collecting | undefined;
  #closed = false;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Takes the next digit. */
  push(digit: DtmfDigit): void {
    if (this.#current !== undefined) this.#take(this.#current, digit);
    else if (this.#waiting.length < MOST_KEPT) this.#waiting.push(digit);
  }

  /** Forgets what was dialled and not asked for. */
  clear(): void {
    this.#waiting = [];
  }

  /** Collects digits. Whoever still collects is ended with what there is. Never rejects. */
  collect(options: CollectOptions = {}): Promise<CollectResult> {
    this.#end(this.#current, 'stopped');
    return new Promise((resolve) => {
      const collecting: Collecting = {
        options,
        resolve,
        onAbort: () => this.#end(collecting, 'stopped'),
        digits: '',
        cancel: undefined,
      };
      this.#current = collecting;
      if (this.#closed) return this.#end(collecting, 'closed');
      if (options.signal?.aborted === true) return this.#end(collecting, 'stopped');
      options.signal?.addEventListener('abort', collecting.onAbort, { once: true });
      this.#wait(collecting, options.firstDigitMs ?? FIRST_DIGIT_MS);
      while (this.#current === collecting && this.#waiting.length > 0) {
        this.#take(collecting, this.#waiting.shift() as DtmfDigit);
      }
    });
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#end(this.#current, 'closed');
  }

  #take(collecting: Collecting, digit: DtmfDigit): void {
    const { terminators = '#', maxDigits = Number.POSITIVE_INFINITY, betweenDigitsMs } = collecting.options;
    if (terminators.includes(digit)) {
      this.#end(collecting, 'terminator', digit);
      return;
    }
    collecting.digits += digit;
    if (collecting.digits.length >= maxDigits) this.#end(collecting, 'enough');
    else this.#wait(collecting, betweenDigitsMs ?? BETWEEN_DIGITS_MS);
  }

  #wait(collecting: Collecting, ms: number): void {
    collecting.cancel?.();
    collecting.cancel = this.#scheduler.after(ms, () => this.#end(collecting, 'timeout'));
  }

  #end(collecting: Collecting | undefined, reason: CollectResult['reason'], terminator?: DtmfDigit): void {
    if (collecting === undefined || collecting !== this.#current) return;
    this.#current = undefined;
    collecting.cancel?.();
    collecting.options.signal?.removeEventListener('abort', collecting.onAbort);
    collecting.resolve({ digits: collecting.digits, reason, ...(terminator === undefined ? {} : { terminator }) });
  }
}
