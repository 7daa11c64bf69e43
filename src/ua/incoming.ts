import type { TenantId } from '../base/tenant.js';
import type { HeaderInit } from '../protocol/sip/headers.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import { responseTo } from '../protocol/sip/respond.js';
import type { ServerTransaction } from '../transaction/layer.js';
import type { Source } from '../transport/hop.js';

export interface RespondOptions {
  /** Default: the usual phrase of the status. */
  readonly reason?: string;
  readonly headers?: HeaderInit;
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
  /** Default: the one `toTag` of this request; another one for an early dialog of another leg. */
  readonly toTag?: string;
  /**
   * True: sent once, and the request is forgotten (RFC 3261 §8.2.7). For every answer that needs no credentials: who sends
   * requests under a forged address then makes us neither remember nor repeat anything.
   */
  readonly once?: boolean;
}

/** A request that came in, with what is needed to answer it. */
export class IncomingRequest {
  readonly transaction: ServerTransaction;
  readonly tenantId: TenantId;
  readonly #headers: HeaderInit;
  readonly #onForgotten: ((transaction: ServerTransaction) => void) | undefined;
  #withdrawn = false;
  #abort: AbortController | undefined;

  /** `headers` go on every response, such as Server. `onForgotten`: it has been answered once, and is no more. */
  constructor(
    transaction: ServerTransaction,
    tenantId: TenantId,
    headers: HeaderInit = {},
    onForgotten?: (transaction: ServerTransaction) => void,
  ) {
    this.transaction = transaction;
    this.tenantId = tenantId;
    this.#headers = headers;
    this.#onForgotten = onForgotten;
  }

  get request(): SipRequest {
    return this.transaction.request;
  }

  get source(): Source {
    return this.transaction.source;
  }

  /** The local tag of every answer to this request (RFC 3261 §8.2.6.2). */
  get toTag(): string {
    return this.transaction.toTag;
  }

  /** A final response has been given. */
  get answered(): boolean {
    return this.transaction.answered;
  }

  /** The peer has cancelled it (RFC 3261 §9.2). */
  get cancelled(): boolean {
    return this.transaction.cancelled;
  }

  /** Fires when the peer cancels: for whatever a taker waits for meanwhile. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      if (this.cancelled) abort.abort();
      else this.transaction.onCancel(() => abort.abort());
    }
    return this.#abort.signal;
  }

  /**
   * Builds a response (RFC 3261 §8.2.6) and sends it. Returned as sent, for the retransmission of a 2xx. A request that the
   * chain has answered for a taker (487 after CANCEL, while the taker was still undecided) stays as it is: the response
   * is returned unsent.
   * @throws UsageError SIP_WRONG_STATE when the final response has already been given.
   */
  respond(status: number, options: RespondOptions = {}): SipResponse {
    const { once = false, toTag = once ? this.transaction.statelessTag : this.toTag } = options;
    const { headers: own, reason, body, contentType } = options;
    const headers = own === undefined ? this.#headers : Object.assign({}, this.#headers, own);
    const response = responseTo(this.request, status, { toTag, headers, reason, body, contentType });
    if (this.#withdrawn) return response;
    if (once) {
      this.transaction.respondOnce(response);
      this.#onForgotten?.(this.transaction);
    } else this.transaction.respond(response);
    return response;
  }

  /** Answers for good, whoever may answer later: the chain's way to end a cancelled request. */
  withdraw(status: number): void {
    if (!this.answered) this.respond(status);
    this.#withdrawn = true;
  }
}
