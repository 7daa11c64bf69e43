import { PbxkitError, UsageError } from '../../base/errors.js';
import { answerDirection, directionFrom, receives, type SdpDirection, sends } from './direction.js';
import { continueFrom, sameDescription, withOrigin } from './edit.js';
import type { SdpOrigin } from './fields.js';
import type { Sdp } from './lines.js';
import { isRtp, isSecure, mediaSummary, type SdpStream } from './media.js';

/** The other side broke the rules of offer and answer; 488 or BYE is the way out. */
export class SdpNegotiationError extends PbxkitError {
  /** The SIP status for a request that carried the fault. */
  readonly status = 488;

  constructor(message: string) {
    super('SDP_NEGOTIATION', 'remote', message);
  }
}

export type OfferAnswerState = 'stable' | 'offer-sent' | 'offer-received';

/** What is worth keeping of a negotiation: plain data. */
export interface OfferAnswerSnapshot {
  readonly state: OfferAnswerState;
  readonly local?: Sdp;
  readonly remote?: Sdp;
  readonly pending?: Sdp;
  readonly lastSent?: Sdp;
}

/**
 * One side of an offer/answer exchange (RFC 3264) over the life of a dialog: whose turn it is and what was agreed. Holds no
 * time and does no I/O. What it is given to send it returns with the `o=` line that must leave: always the identity of the
 * first description sent (or of `origin`), the version one higher exactly when something else has changed (§8).
 *
 * A method called out of turn with a description of ours throws UsageError (SDP_NEGOTIATION, misuse); a description of theirs
 * that is out of turn or breaks the rules throws SdpNegotiationError (SDP_NEGOTIATION, remote) and changes nothing.
 */
export class OfferAnswer {
  readonly #origin: SdpOrigin | undefined;
  #state: OfferAnswerState;
  #local: Sdp | undefined;
  #remote: Sdp | undefined;
  #pending: Sdp | undefined;
  /** Also of offers that were refused: their version numbers are used up. */
  #lastSent: Sdp | undefined;

  constructor(options: { readonly origin?: SdpOrigin; readonly snapshot?: OfferAnswerSnapshot } = {}) {
    this.#origin = options.origin;
    this.#state = options.snapshot?.state ?? 'stable';
    this.#local = options.snapshot?.local;
    this.#remote = options.snapshot?.remote;
    this.#pending = options.snapshot?.pending;
    this.#lastSent = options.snapshot?.lastSent;
  }

  get state(): OfferAnswerState {
    return this.#state;
  }

  /** Ours, as last agreed. */
  get local(): Sdp | undefined {
    return this.#local;
  }

  /** Theirs, as last agreed. */
  get remote(): Sdp | undefined {
    return this.#remote;
  }

  /** The offer that waits for its answer. */
  get pending(): Sdp | undefined {
    return this.#pending;
  }

  /** Whether a first exchange is complete. */
  get established(): boolean {
    return this.#local !== undefined && this.#remote !== undefined;
  }

  /** Returns the offer as it must be sent. */
  sendOffer(offer: Sdp): Sdp {
    this.#requireOurs('stable', 'send an offer');
    const problem = checkNextOffer(offer, this.#local);
    if (problem !== undefined) throw new UsageError('SDP_NEGOTIATION', `our offer: ${problem}; see padMedia`);
    const stamped = this.#stamp(offer);
    this.#pending = stamped;
    this.#state = 'offer-sent';
    return stamped;
  }

  receiveAnswer(answer: Sdp): void {
    this.#requireTheirs('offer-sent', 'an answer');
    const offer = this.#pending as Sdp;
    const problem = checkAnswer(offer, answer);
    if (problem !== undefined) throw new SdpNegotiationError(`the answer: ${problem}`);
    this.#agree(offer, answer);
  }

  receiveOffer(offer: Sdp): void {
    this.#requireTheirs('stable', 'an offer');
    const problem = checkNextOffer(offer, this.#remote);
    if (problem !== undefined) throw new SdpNegotiationError(`the offer: ${problem}`);
    this.#pending = offer;
    this.#state = 'offer-received';
  }

  /** Returns the answer as it must be sent. */
  sendAnswer(answer: Sdp): Sdp {
    this.#requireOurs('offer-received', 'send an answer');
    const offer = this.#pending as Sdp;
    const problem = checkAnswer(offer, answer);
    if (problem !== undefined) throw new UsageError('SDP_NEGOTIATION', `our answer: ${problem}; see fitAnswer`);
    const stamped = this.#stamp(answer);
    this.#agree(stamped, offer);
    return stamped;
  }

  /** The pending offer was refused (488, 491) or its transaction failed: all is as it was before (RFC 6337 §3.4). */
  rollback(): void {
    this.#pending = undefined;
    this.#state = 'stable';
  }

  snapshot(): OfferAnswerSnapshot {
    return {
      state: this.#state,
      ...(this.#local === undefined ? {} : { local: this.#local }),
      ...(this.#remote === undefined ? {} : { remote: this.#remote }),
      ...(this.#pending === undefined ? {} : { pending: this.#pending }),
      ...(this.#lastSent === undefined ? {} : { lastSent: this.#lastSent }),
    };
  }

  #agree(local: Sdp, remote: Sdp): void {
    this.#local = local;
    this.#remote = remote;
    this.#pending = undefined;
    this.#state = 'stable';
  }

  #stamp(sdp: Sdp): Sdp {
    let stamped = sdp;
    if (this.#lastSent !== undefined) stamped = continueFrom(sdp, this.#lastSent);
    else if (this.#origin !== undefined) stamped = withOrigin(sdp, this.#origin);
    this.#lastSent = stamped;
    return stamped;
  }

  #requireOurs(state: OfferAnswerState, act: string): void {
    if (this.#state !== state) {
      throw new UsageError('SDP_NEGOTIATION', `cannot ${act}: the exchange is ${this.#state}, it must be ${state}`);
    }
  }

  #requireTheirs(state: OfferAnswerState, what: string): void {
    if (this.#state !== state) {
      throw new SdpNegotiationError(`${what} came while the exchange is ${this.#state}, expected ${state}`);
    }
  }
}

/**
 * What is wrong with an answer, or undefined (RFC 3264 §6): count and types of the streams, streams refused in the offer stay
 * refused, secure streams stay secure. Directions that §6.1 forbids are let through, because phones send them (so does the
 * example of RFC 4317 §3.2); `agreedDirection` reads them safely, and `strict` reports them.
 */
export function checkAnswer(offer: Sdp, answer: Sdp, options: { readonly strict?: boolean } = {}): string | undefined {
  if (offer.media.length !== answer.media.length) {
    return `found ${answer.media.length} m= lines, expected ${offer.media.length} as in the offer (RFC 3264 §6)`;
  }
  const answered = mediaSummary(answer);
  for (const offered of mediaSummary(offer)) {
    const stream = answered[offered.index] as SdpStream;
    const problem =
      checkStream(offered, stream) ?? (options.strict === true ? checkStrictly(offered, stream) : undefined);
    if (problem !== undefined) return `m= line ${offered.index + 1}: ${problem}`;
  }
  return undefined;
}

function checkStream(offered: SdpStream, answered: SdpStream): string | undefined {
  if (offered.type.toLowerCase() !== answered.type.toLowerCase()) {
    return `found type ${answered.type}, expected ${offered.type} (RFC 3264 §6.1)`;
  }
  if (!answered.active) return undefined;
  if (!offered.active) return 'accepts a stream that was offered with port 0 (RFC 3264 §8.2)';
  if (isSecure(offered.protocol) !== isSecure(answered.protocol)) {
    return `found ${answered.protocol}, expected ${offered.protocol}`;
  }
  return undefined;
}

function checkStrictly(offered: SdpStream, answered: SdpStream): string | undefined {
  if (!answered.active) return undefined;
  if (offered.protocol.toUpperCase() !== answered.protocol.toUpperCase()) {
    return `found ${answered.protocol}, expected ${offered.protocol}`;
  }
  if (answerDirection(offered.direction, answered.direction) !== answered.direction) {
    return `found ${answered.direction} in answer to ${offered.direction} (RFC 3264 §6.1)`;
  }
  if (answered.address === undefined) return 'has no c= line (RFC 8866 §5.7)';
  if (isRtp(offered.protocol) && !sharesFormat(offered, answered))
    return 'shares no format with the offer (RFC 3264 §6.1)';
  return undefined;
}

function sharesFormat(offered: SdpStream, answered: SdpStream): boolean {
  const known = new Set(offered.codecs.map(codecKey));
  return (
    answered.codecs.some((codec) => known.has(codecKey(codec))) ||
    answered.formats.some((format) => offered.formats.includes(format))
  );
}

function codecKey(codec: { readonly name: string; readonly clockRate: number; readonly channels: number }): string {
  return `${codec.name.toLowerCase()}/${codec.clockRate}/${codec.channels}`;
}

/** What is wrong with an offer that follows `previous` of the same party, or undefined (RFC 3264 §8). */
export function checkNextOffer(offer: Sdp, previous: Sdp | undefined): string | undefined {
  if (previous === undefined || offer.media.length >= previous.media.length) return undefined;
  return `found ${offer.media.length} m= lines, expected at least ${previous.media.length}: they may only be added (RFC 3264 §8)`;
}

/** The direction that both descriptions permit, as the owner of `local` sees it: send only what the other will receive. */
export function agreedDirection(local: SdpDirection, remote: SdpDirection): SdpDirection {
  return directionFrom({ send: sends(local) && receives(remote), receive: receives(local) && sends(remote) });
}

/** Whether a new description differs from the one before in anything but its `o=` line. */
export function isChanged(next: Sdp, previous: Sdp | undefined): boolean {
  return previous === undefined || !sameDescription(next, previous);
}
