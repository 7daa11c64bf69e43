import type { Source } from '../ua/target.js';

/** From which host the peer of a dialog speaks, and whether that is where its media is looked for. */
export class PeerHost {
  #seen: string | undefined;
  /** Where it was when a description of it was last accepted. */
  #described: string | undefined;

  /** `source`: of the message that has made the dialog; undefined after a restart. */
  constructor(source: Source | undefined) {
    this.#seen = source?.remote.address;
    this.#described = this.#seen;
  }

  /** The IP address that it was last seen to speak from. */
  get seen(): string | undefined {
    return this.#seen;
  }

  /** A request of it has come. True: from another host than the last description that was accepted, whatever it describes. */
  see(source: Source): boolean {
    this.#seen = source.remote.address;
    this.#described ??= this.#seen;
    return this.#described !== this.#seen;
  }

  /** A description that came from there has been accepted. */
  describedFrom(source: Source): void {
    this.#described = source.remote.address;
  }
}
