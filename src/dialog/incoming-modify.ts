import { UsageError } from '../base/errors.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Negotiation } from './negotiation.js';
import { SDP_TYPE, sessionDescription } from './session-body.js';

interface Parts {
  readonly incoming: IncomingRequest;
  readonly contact: NameAddr;
  readonly allow: readonly string[];
  readonly negotiation: Negotiation;
  readonly onAccepted: (offered: boolean, send: () => void, onAck: (sdp: string | undefined) => void) => void;
  readonly onSettled: () => void;
}

/** A re-INVITE that waits for our answer (RFC 3261 §14.2). Exactly one of `accept` and `reject` ends it. */
export class IncomingModify {
  /** The offer; undefined when the peer asks us to make one. */
  readonly sdp: string | undefined;
  readonly #parts: Parts;
  readonly #abort = new AbortController();
  #state: 'open' | 'answered' | 'ended' = 'open';
  #acknowledged: ((sdp: string | undefined) => void) | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.sdp = sessionDescription(parts.incoming.request);
    if (this.sdp !== undefined) parts.negotiation.offered(this.sdp);
    parts.incoming.transaction.onCancel(() => this.#refuse(487));
  }

  /** Fires when the peer cancels the re-INVITE, or the session ends: nobody waits for the answer any more. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Answers 200 with `sdp`: the answer, or an offer if the re-INVITE had none. Resolves when the ACK has come, to the
   * answer in it; to undefined also when the session ended before.
   */
  accept(sdp: string | undefined): Promise<string | undefined> {
    if (this.#state === 'ended') return Promise.resolve(undefined);
    if (this.#state === 'answered') throw new UsageError('SIP_WRONG_STATE', 'this re-INVITE is answered already');
    this.#state = 'answered';
    const { incoming, contact, allow, negotiation, onAccepted, onSettled } = this.#parts;
    const body =
      sdp === undefined ? undefined : this.sdp === undefined ? negotiation.offer(sdp) : negotiation.answer(sdp);
    if (body === undefined) negotiation.withdraw();
    const response = incoming.respond(200, {
      headers: { Contact: [contact], Allow: allow },
      ...(body === undefined ? {} : { body, contentType: SDP_TYPE }),
    });
    onSettled();
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
    this.#parts.onSettled();
  }

  /** The session has ended. @internal */
  end(): void {
    this.#refuse(487);
  }

  #refuse(status: number): void {
    this.#acknowledged?.(undefined);
    this.reject(status);
    this.#state = 'ended';
    this.#abort.abort();
  }
}
