import { UsageError } from '../base/errors.js';
import type { HeaderInit } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Source } from '../ua/target.js';
import { NO_CODEC } from './allowed-formats.js';
import type { Negotiation } from './negotiation.js';
import { SDP_TYPE, sessionDescription } from './session-body.js';

interface Parts {
  readonly incoming: IncomingRequest;
  /** See `IncomingModify.moved`. Default false. */
  readonly moved?: boolean;
  /** Undefined where the response refreshes no target: that to a PRACK. */
  readonly contact: NameAddr | undefined;
  readonly allow: readonly string[];
  readonly negotiation: Negotiation;
  /** What the 2xx carries besides. */
  readonly headers?: () => HeaderInit;
  /** Of a re-INVITE: our 2xx waits for its ACK. */
  readonly onAccepted?: (offered: boolean, send: () => void, onAck: (sdp: string | undefined) => void) => void;
  readonly onSettled: (accepted: boolean) => void;
}

/**
 * Something that the peer wants to change, and that waits for our answer: a re-INVITE (RFC 3261 §14.2), or an offer in an
 * UPDATE (RFC 3311 §5.2) or PRACK (RFC 3262 §5). Exactly one of `accept` and `reject` ends it.
 */
export class IncomingModify {
  /** The offer, as far as its formats are allowed on this leg; undefined when the peer asks us to make one. */
  readonly sdp: string | undefined;
  /** `INVITE`, `UPDATE` or `PRACK`: all but the first want an answer soon, because the peer repeats them until then. */
  readonly method: string;
  /** Where it came from. */
  readonly source: Source;
  /** It comes from another host than the peer's last description that was accepted. */
  readonly moved: boolean;
  /** No audio format of the offer is allowed: it can only be refused. */
  readonly silent: boolean;
  readonly #parts: Parts;
  readonly #abort = new AbortController();
  #state: 'open' | 'answered' | 'ended' = 'open';
  #acknowledged: ((sdp: string | undefined) => void) | undefined;

  constructor(parts: Parts) {
    const { incoming, negotiation } = parts;
    this.#parts = parts;
    this.method = incoming.request.method;
    this.source = incoming.source;
    this.moved = parts.moved === true;
    const sdp = sessionDescription(incoming.request);
    const taken = sdp === undefined ? undefined : negotiation.offered(sdp);
    this.sdp = taken?.sdp;
    this.silent = taken?.silent === true;
    if (this.method === 'INVITE') incoming.transaction.onCancel(() => this.#refuse(487));
  }

  /** Fires when the peer cancels the re-INVITE, or the session ends: nobody waits for the answer any more. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Answers 200 with `sdp`: the answer, or an offer if the re-INVITE had none. Resolves when the ACK has come, to the
   * answer in it; to undefined also when the session ended before, and at once where no ACK follows.
   */
  accept(sdp: string | undefined): Promise<string | undefined> {
    if (this.#state === 'ended') return Promise.resolve(undefined);
    if (this.#state === 'answered') throw new UsageError('SIP_WRONG_STATE', `this ${this.method} is answered already`);
    this.#state = 'answered';
    const { incoming, contact, allow, headers, onAccepted, onSettled } = this.#parts;
    const body = this.#say(sdp);
    const response = incoming.respond(200, {
      headers: { Contact: contact === undefined ? undefined : [contact], Allow: allow, ...headers?.() },
      ...(body === undefined ? {} : { body, contentType: SDP_TYPE }),
    });
    onSettled(true);
    if (onAccepted === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#acknowledged = resolve;
      const offered = this.sdp === undefined;
      onAccepted(offered, () => incoming.transaction.respond(response), resolve);
      if (this.#abort.signal.aborted) resolve(undefined);
      else this.#abort.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
  }

  /** Answers with a failure; the session goes on as it was. */
  reject(status: number, reason?: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'answered';
    if (this.sdp !== undefined) this.#parts.negotiation.withdraw();
    this.#parts.incoming.respond(status, reason === undefined ? {} : { reason });
    this.#parts.onSettled(false);
  }

  /** Refuses what can only be refused; true when it did. @internal */
  refusesSilence(): boolean {
    if (this.silent) this.reject(488, NO_CODEC);
    return this.silent;
  }

  /** The session has ended. @internal */
  end(): void {
    this.#refuse(this.method === 'INVITE' ? 487 : 481);
  }

  /** Its owner failed with it: nothing is left open here, and whoever catches the error answers. @internal */
  abandon(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    if (this.sdp !== undefined) this.#parts.negotiation.withdraw();
    this.#abort.abort();
    this.#parts.onSettled(false);
  }

  #say(sdp: string | undefined): string | undefined {
    const { negotiation } = this.#parts;
    if (sdp !== undefined) return this.sdp === undefined ? negotiation.offer(sdp) : negotiation.answer(sdp);
    if (this.sdp !== undefined) negotiation.withdraw();
    return undefined;
  }

  #refuse(status: number): void {
    this.#acknowledged?.(undefined);
    this.reject(status);
    this.#state = 'ended';
    this.#abort.abort();
  }
}
