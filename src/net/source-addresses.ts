import type { Clock, Millis } from '../base/clock.js';
import type { Network } from './network.js';

/** Which address of ours a destination is reached from; undefined: nobody says. */
export type SourceFor = (destination: string) => string | undefined;

/** Routes change with a lease or a tunnel. */
const KEEP_MS = 60_000;
/** That there is none is soon not so any more: an interface is down, a lease is being renewed. */
const KEEP_NONE_MS = 1_000;
/** Destinations that are remembered; then all are forgotten. */
const MOST_KNOWN = 4096;

/** What the system says of its routes, remembered for a minute, and that there is none for a second: to ask it costs a socket. */
export class SourceAddresses {
  readonly #network: Pick<Network, 'sourceAddressFor'>;
  readonly #clock: Clock;
  readonly #known = new Map<string, string>();
  readonly #none = new Set<string>();
  #until: Millis = Number.NEGATIVE_INFINITY;
  #noneUntil: Millis = Number.NEGATIVE_INFINITY;

  constructor({ network, clock }: { readonly network: Pick<Network, 'sourceAddressFor'>; readonly clock: Clock }) {
    this.#network = network;
    this.#clock = clock;
  }

  readonly for: SourceFor = (destination) => {
    const now = this.#clock.now();
    if (now >= this.#until || this.#known.size >= MOST_KNOWN) {
      this.#known.clear();
      this.#until = now + KEEP_MS;
    }
    const known = this.#known.get(destination);
    if (known !== undefined) return known;
    if (now >= this.#noneUntil || this.#none.size >= MOST_KNOWN) {
      this.#none.clear();
      this.#noneUntil = now + KEEP_NONE_MS;
    }
    if (this.#none.has(destination)) return undefined;
    const found = this.#network.sourceAddressFor?.(destination);
    if (found === undefined) this.#none.add(destination);
    else this.#known.set(destination, found);
    return found;
  };
}
