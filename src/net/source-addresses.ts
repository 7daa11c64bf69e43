import type { Clock, Millis } from '../base/clock.js';
import type { Network } from './network.js';

/** Which address of ours a destination is reached from; undefined: nobody says. */
export type SourceFor = (destination: string) => string | undefined;

/** Routes change with a lease or a tunnel. */
const KEEP_MS = 60_000;
/** Destinations that are remembered; then all are forgotten. */
const MOST_KNOWN = 4096;

/** What the system says of its routes, remembered for a minute: to ask it costs a socket. */
export class SourceAddresses {
  readonly #network: Pick<Network, 'sourceAddressFor'>;
  readonly #clock: Clock;
  readonly #known = new Map<string, string | undefined>();
  #until: Millis = Number.NEGATIVE_INFINITY;

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
    if (known !== undefined || this.#known.has(destination)) return known;
    const found = this.#network.sourceAddressFor?.(destination);
    this.#known.set(destination, found);
    return found;
  };
}
