import type { Clock, Millis } from '../base/clock.js';
import { UsageError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { MediaError } from './media-error.js';

/** Ports for RTP: even ones from `from` to `to`, each with the odd one above it for RTCP (RFC 3550 §11). */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Below the ports that systems give out of their own accord (32768 and up on Linux, 49152 by IANA). */
export const DEFAULT_RTP_PORTS: PortRange = { from: 20_000, to: 29_998 };

/** Longer than a peer goes on sending after it was told that the call is over. */
const DEFAULT_QUARANTINE_MS = 10_000;

export interface PortPoolOptions extends Partial<PortRange> {
  /** How long a pair that was given back is not given out again: late packets of the last call reach nobody. Default 10 s. */
  readonly quarantineMs?: number;
  readonly scheduler: Clock;
  readonly random: Random;
}

/** Two neighbouring ports on loan. */
export interface PortPair {
  /** Even. */
  readonly rtp: number;
  /** The next one. */
  readonly rtcp: number;
  /** Ends the loan; the second time does nothing. `unused`: nobody was told of the ports, so nothing can come late, and they need no rest. */
  giveBack(unused?: boolean): void;
}

/** Where the pairs of a pool are: `free + used + resting = total`. */
export interface PortPoolStats {
  readonly total: number;
  readonly free: number;
  readonly used: number;
  /** Given back, and in quarantine. */
  readonly resting: number;
}

/**
 * The pairs of ports that media may use, one pool for all that takes ports of a machine. Which pair comes next cannot be
 * guessed. There is no timer: pairs that have rested are found when one is asked for.
 */
export class PortPool {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #quarantineMs: number;
  readonly #range: PortRange;
  readonly #total: number;
  readonly #free: number[] = [];
  /** In the order in which they were given back. */
  #resting: { readonly port: number; readonly until: Millis }[] = [];
  #rested = 0;

  /** @throws UsageError (PBX_INVALID_ARGUMENT) for a range that holds no pair, or ports that nobody may use */
  constructor(options: PortPoolOptions) {
    const { from = DEFAULT_RTP_PORTS.from, to = DEFAULT_RTP_PORTS.to, quarantineMs = DEFAULT_QUARANTINE_MS } = options;
    this.#range = { from, to };
    checkRange(this.#range);
    this.#clock = options.scheduler;
    this.#random = options.random;
    this.#quarantineMs = quarantineMs;
    for (let port = from + (from % 2); port <= to; port += 2) this.#free.push(port);
    this.#total = this.#free.length;
  }

  get stats(): PortPoolStats {
    this.#wake();
    const [free, resting] = [this.#free.length, this.#resting.length - this.#rested];
    return { total: this.#total, free, used: this.#total - free - resting, resting };
  }

  /** Lends a pair. @throws MediaError (MEDIA_NO_PORT) when none is free */
  take(): PortPair {
    this.#wake();
    const last = this.#free.pop();
    if (last === undefined) throw this.#exhausted();
    // Any of those that were free: the last one takes the place of the one that was drawn.
    const place = this.#random.integer(this.#free.length + 1);
    const port = this.#free[place] ?? last;
    if (place < this.#free.length) this.#free[place] = last;
    let lent = true;
    const giveBack = (unused = false): void => {
      if (lent && unused) this.#free.push(port);
      else if (lent) this.#resting.push({ port, until: this.#clock.now() + this.#quarantineMs });
      lent = false;
    };
    return { rtp: port, rtcp: port + 1, giveBack };
  }

  #wake(): void {
    const now = this.#clock.now();
    for (let next = this.#resting[this.#rested]; next !== undefined && next.until <= now; ) {
      this.#free.push(next.port);
      next = this.#resting[++this.#rested];
    }
    // Cut off in blocks: each pair is moved a few times at most.
    if (this.#rested * 2 > this.#resting.length) {
      this.#resting = this.#resting.slice(this.#rested);
      this.#rested = 0;
    }
  }

  #exhausted(): MediaError {
    const { from, to } = this.#range;
    const { used, resting } = this.stats;
    return new MediaError(
      'MEDIA_NO_PORT',
      `no port left for media from ${from} to ${to}: ${used} pairs are in use, ${resting} were given back less than ` +
        `${this.#quarantineMs / 1000} s ago; widen the range of ports`,
    );
  }
}

function checkRange({ from, to }: PortRange): void {
  const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1024 && port <= 65_534;
  if (isPort(from) && isPort(to) && from + (from % 2) <= to) return;
  throw new UsageError(
    'PBX_INVALID_ARGUMENT',
    `found media ports from ${from} to ${to}, expected a range with an even port between 1024 and 65534`,
  );
}
