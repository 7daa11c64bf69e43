import type { Random } from '../base/random.js';
import { type Narrowed, narrow } from './allowed-formats.js';
import { LocalDescription, type LocalDescriptionSnapshot } from './local-description.js';

/** The descriptions that both sides hold to, as they stood on the wire; of an offer of the peer what was taken of it. */
export interface Agreed {
  readonly local: string;
  readonly remote: string;
}

/** A negotiation as plain data. */
export interface NegotiationSnapshot {
  readonly speaker: LocalDescriptionSnapshot;
  readonly agreed?: Agreed;
  /** See `Negotiation.create`. */
  readonly codecs?: readonly string[];
}

type Open =
  | { readonly by: 'nobody' }
  | { readonly by: 'us'; readonly local: string; readonly before: LocalDescription }
  | { readonly by: 'peer'; readonly remote: string };

const NOTHING_OPEN: Open = { by: 'nobody' };

/**
 * What the two sides of one dialog have said about the session, and whose turn it is: one offer at a time, and each is
 * answered, refused or withdrawn (RFC 3264 §4, RFC 6337 §4). Whatever message carries them is the callers' business.
 */
export class Negotiation {
  #speaker: LocalDescription;
  readonly #codecs: readonly string[] | undefined;
  #agreed: Agreed | undefined;
  #open: Open = NOTHING_OPEN;

  private constructor(speaker: LocalDescription, agreed: Agreed | undefined, codecs: readonly string[] | undefined) {
    this.#speaker = speaker;
    this.#agreed = agreed;
    this.#codecs = codecs;
  }

  /**
   * A new leg. `codecs`: the audio formats that may stand in what leaves on it, and that are taken of the peer's offers; all when
   * absent.
   */
  static create(random: Random, codecs?: readonly string[]): Negotiation {
    return new Negotiation(LocalDescription.create(random), undefined, codecs);
  }

  static restore(snapshot: NegotiationSnapshot): Negotiation {
    const { speaker, agreed, codecs } = snapshot;
    return new Negotiation(LocalDescription.restore(speaker), agreed, codecs);
  }

  /** What was agreed last. A refused offer changes nothing of it. */
  get agreed(): Agreed | undefined {
    return this.#agreed;
  }

  /** Who has made an offer that waits for its answer. */
  get open(): Open['by'] {
    return this.#open.by;
  }

  /** A description as it may stand on this leg: with the allowed audio formats alone. */
  narrow(sdp: string): Narrowed {
    return narrow(sdp, this.#codecs);
  }

  /** An offer of ours leaves; the text as it must be sent. */
  offer(sdp: string): string {
    const before = this.#speaker.fork();
    const local = this.#write(sdp);
    this.#open = { by: 'us', local, before };
    return local;
  }

  /** The peer has answered our offer; without a description the offer is taken as answered by what was said before. */
  answered(sdp: string | undefined): void {
    const remote = sdp ?? this.#agreed?.remote;
    if (this.#open.by === 'us' && remote !== undefined) this.#agreed = { local: this.#open.local, remote };
    this.#open = NOTHING_OPEN;
  }

  /** The peer has made an offer; what is taken of it. */
  offered(sdp: string): Narrowed {
    const taken = this.narrow(sdp);
    this.#open = { by: 'peer', remote: taken.sdp };
    return taken;
  }

  /** Our answer to the peer’s offer leaves; the text as it must be sent. */
  answer(sdp: string): string {
    const local = this.#write(sdp);
    if (this.#open.by === 'peer') this.#agreed = { local, remote: this.#open.remote };
    this.#open = NOTHING_OPEN;
    return local;
  }

  /** A description that is neither: the answer shown before it counts (RFC 6337 §3.1.1). */
  preview(sdp: string): string {
    return this.#write(sdp);
  }

  /**
   * The open offer was refused, or whoever made it has gone. `unsent`: it is ours and has never left. Then the next one takes
   * its version, because that is one higher than the version that the peer was told last (RFC 3264 §8).
   */
  withdraw(unsent = false): void {
    const open = this.#open;
    if (unsent && open.by === 'us' && this.#speaker.sent === open.local) this.#speaker = open.before.fork();
    this.#open = NOTHING_OPEN;
  }

  /** The same in another dialog of the same INVITE. */
  fork(): Negotiation {
    const fork = new Negotiation(this.#speaker.fork(), this.#agreed, this.#codecs);
    fork.#open = this.#open;
    return fork;
  }

  snapshot(): NegotiationSnapshot {
    return {
      speaker: this.#speaker.snapshot(),
      ...(this.#agreed === undefined ? {} : { agreed: this.#agreed }),
      ...(this.#codecs === undefined ? {} : { codecs: this.#codecs }),
    };
  }

  #write(sdp: string): string {
    return this.#speaker.write(this.narrow(sdp).sdp);
  }
}
