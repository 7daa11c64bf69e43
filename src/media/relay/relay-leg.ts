import { continueFrom } from '../../protocol/sdp/edit.js';
import { parseSdp, type Sdp, sdpText } from '../../protocol/sdp/lines.js';

/** What is known of one leg of a call, whomever it is paired with. */
export class RelayLeg {
  readonly id: string;
  #seenAt: string | undefined;
  #calledAt: string | undefined;
  #told: string | undefined;

  constructor(id: string) {
    this.id = id;
  }

  /** The host that its signalling was seen to come from. */
  get signalling(): string | undefined {
    return this.#seenAt;
  }

  /** The host by which it can be reached, as far as the signalling tells. */
  get host(): string | undefined {
    return this.#seenAt ?? this.#calledAt;
  }

  seenAt(host: string | undefined): void {
    if (host !== undefined) this.#seenAt = host;
  }

  calledAt(host: string | undefined): void {
    if (host !== undefined) this.#calledAt = host;
  }

  /**
   * The text of what this leg is told. Whoever stands behind the relay, to the leg it is one session: what follows the first description
   * has its `o=` line, the version one higher exactly when something else has changed (RFC 3264 §8).
   */
  tell(sdp: Sdp): string {
    const told = this.#told === undefined ? sdp : continueFrom(sdp, parseSdp(this.#told));
    this.#told = sdpText(told);
    return this.#told;
  }
}
