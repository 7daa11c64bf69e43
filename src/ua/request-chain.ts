import { errorText } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import type { HeaderInit } from '../protocol/sip/headers.js';
import type { SipRequest } from '../protocol/sip/message.js';
import { MAX_PARTS } from '../protocol/sip/multipart.js';
import { SipParseError } from '../protocol/sip/parse-error.js';
import type { ServerTransaction, TransactionHandlers } from '../transaction/layer.js';
import type { Source } from '../transport/hop.js';
import { checkInviteBody } from './body-check.js';
import { type Capabilities, capabilityHeaders } from './capabilities.js';
import { IncomingRequest } from './incoming.js';
import { MergedRequests } from './merged-requests.js';
import type { Refusal } from './refusal.js';
import { checkMethod, checkRequire, checkScheme } from './request-check.js';

/** One link of the chain: guards, dialogs, registrar, presence, calls, in the order in which `pbx` puts them. */
export interface RequestTaker {
  /** For the log. */
  readonly name: string;
  /**
   * `true`: mine, I answer it, now or later. `false`: not mine, ask the next. A promise holds up this request only; a
   * CANCEL that comes before it settles is answered at once, and the INVITE 487: whoever took it then finds
   * `incoming.cancelled`.
   */
  take(incoming: IncomingRequest): boolean | Promise<boolean>;
  /** An ACK to a 2xx. `true`: mine. */
  takeAck?(request: SipRequest, source: Source): boolean;
}

/** What the chain needs of `TransactionLayer`. */
export interface RequestSource {
  handle(handlers: Pick<TransactionHandlers, 'onRequest' | 'onAck'>): void;
  lastStatus(id: string): number | undefined;
}

export interface UasOptions extends Capabilities {
  readonly transactions: RequestSource;
  readonly logger: Logger;
  readonly scheduler: Scheduler;
  readonly takers: readonly RequestTaker[];
  /** Which virtual server a request is for; undefined: none, it is answered 404. */
  readonly tenantOf: (request: SipRequest, source: Source) => TenantId | undefined;
  /** Schemes of Request-URIs that are served. Default `sip` and `tel`; `sips` belongs here once a TLS transport listens. */
  readonly schemes?: readonly string[];
  /** The Server header of every response; default: none, so that a scanner learns nothing. */
  readonly server?: string;
  readonly limits?: Partial<RequestLimits>;
}

/** What requests may cost while a taker waits: for a directory, a store, a router of the host. */
export interface RequestLimits {
  /** Requests that wait; a further one outside dialogs is answered 503. Default 10,000. */
  readonly maxPending: number;
  /** Octets of their bodies together; a further request with a body is answered 503. Default 64 MiB. */
  readonly maxPendingBodyBytes: number;
  /** Parts of a multipart body of an INVITE; beyond it 413. Parts within parts are not looked into. Default 64, and no more than that. */
  readonly maxBodyParts: number;
  /** What a 503 says in Retry-After, in seconds. Default 5. */
  readonly retryAfterSeconds: number;
}

/** What holds where `limits` says nothing. */
export const DEFAULT_REQUEST_LIMITS: RequestLimits = Object.freeze({
  maxPending: 10_000,
  maxPendingBodyBytes: 64 * 1024 * 1024,
  maxBodyParts: MAX_PARTS,
  retryAfterSeconds: 5,
});

/** What waits now, and what a limit has refused since the start. */
export interface RequestStats {
  readonly pending: number;
  readonly pendingBodyBytes: number;
  /** Requests that were answered 503. */
  readonly refused: number;
  /** INVITEs whose body had too many parts. */
  readonly tooManyParts: number;
}

/**
 * Requests whose body is a session description (RFC 3261 §13.2.1, RFC 3262 §5, RFC 3311 §5.1). Deviates from RFC 3261
 * §8.2.3: what other requests bring along, such as a report in a BYE, is left aside, because they mean the same without.
 */
const NEGOTIATING: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'PRACK']);

/** UAS core: the general checks of RFC 3261 §8.2, then the chain of takers. */
export class Uas {
  readonly #options: UasOptions;
  readonly #schemes: readonly string[];
  readonly #headers: HeaderInit;
  readonly #merged: MergedRequests;
  readonly #limits: RequestLimits;
  #pending = 0;
  #pendingBodyBytes = 0;
  #refused = 0;
  #tooManyParts = 0;

  constructor(options: UasOptions) {
    this.#options = options;
    this.#schemes = options.schemes ?? ['sip', 'tel'];
    this.#headers = options.server === undefined ? {} : { Server: options.server };
    this.#merged = new MergedRequests(options.transactions, options.scheduler);
    this.#limits = { ...DEFAULT_REQUEST_LIMITS, ...options.limits };
    options.transactions.handle({
      onRequest: (transaction) => this.#onRequest(transaction),
      onAck: (request, source) => this.#onAck(request, source),
    });
  }

  stats(): RequestStats {
    return {
      pending: this.#pending,
      pendingBodyBytes: this.#pendingBodyBytes,
      refused: this.#refused,
      tooManyParts: this.#tooManyParts,
    };
  }

  readonly #forget = (transaction: ServerTransaction): void => this.#merged.forget(transaction);

  #onRequest(transaction: ServerTransaction): void {
    const { request, source } = transaction;
    const tenantId = this.#options.tenantOf(request, source);
    const incoming = new IncomingRequest(transaction, tenantId ?? '', this.#headers, this.#forget);
    try {
      // A request within a dialog belongs to the dialog, wherever its URI points: 481 if there is none, not 404.
      const nobody = tenantId === undefined && request.toTag === undefined;
      const refusal = this.#check(transaction) ?? (nobody ? { status: 404 } : undefined);
      if (refusal !== undefined) incoming.respond(refusal.status, { once: true, ...refusal });
      else this.#enter(incoming);
    } catch (error) {
      this.#fail(incoming, error, 'the checks');
    }
  }

  #check(transaction: ServerTransaction): Refusal | undefined {
    const { request } = transaction;
    return (
      checkMethod(request, this.#options) ??
      checkScheme(request, this.#schemes) ??
      this.#merged.check(transaction) ??
      checkRequire(request, this.#options) ??
      (NEGOTIATING.has(request.method) ? checkInviteBody(request, this.#limits.maxBodyParts) : undefined) ??
      this.#checkPending(request)
    );
  }

  /** Requests within dialogs are let through: a call that hangs up frees more than it costs. */
  #checkPending(request: SipRequest): Refusal | undefined {
    const { maxPending, maxPendingBodyBytes, retryAfterSeconds } = this.#limits;
    if (request.toTag !== undefined) return undefined;
    const { length } = request.body;
    if (this.#pending < maxPending && (length === 0 || this.#pendingBodyBytes + length <= maxPendingBodyBytes))
      return undefined;
    this.#refused++;
    return { status: 503, headers: { 'Retry-After': String(retryAfterSeconds) } };
  }

  #enter(incoming: IncomingRequest): void {
    const progress = { taken: false };
    if (incoming.request.method === 'INVITE') {
      incoming.transaction.onCancel(() => {
        if (!progress.taken) incoming.withdraw(487);
      });
    }
    this.#offer(incoming, 0, progress);
  }

  /** Asks the takers from `index` on. Stays synchronous as long as they are, so that most requests cost no promise. */
  #offer(incoming: IncomingRequest, index: number, progress: { taken: boolean }): void {
    const { takers } = this.#options;
    for (let i = index; i < takers.length; i++) {
      if (incoming.answered) return;
      const taker = takers[i] as RequestTaker;
      let taken: boolean | Promise<boolean>;
      try {
        taken = taker.take(incoming);
      } catch (error) {
        this.#fail(incoming, error, taker.name);
        return;
      }
      if (taken === true) {
        progress.taken = true;
        return;
      }
      if (taken !== false) {
        const { length } = incoming.request.body;
        this.#pending++;
        this.#pendingBodyBytes += length;
        const settle = (): void => {
          this.#pending--;
          this.#pendingBodyBytes -= length;
        };
        taken
          .then(
            (mine) => {
              settle();
              progress.taken = mine;
              if (!mine) this.#offer(incoming, i + 1, progress);
            },
            (error: unknown) => {
              settle();
              throw error;
            },
          )
          .catch((error) => this.#fail(incoming, error, taker.name));
        return;
      }
    }
    this.#leave(incoming);
  }

  /** Nobody took it. */
  #leave(incoming: IncomingRequest): void {
    const { request } = incoming;
    if (incoming.answered) return;
    const once = true;
    if (request.toTag !== undefined || request.method === 'BYE') incoming.respond(481, { once });
    else if (request.method === 'OPTIONS') incoming.respond(200, { once, headers: capabilityHeaders(this.#options) });
    else incoming.respond(404, { once });
  }

  /** A header that cannot be read is the sender's fault, anything else is ours. */
  #fail(incoming: IncomingRequest, error: unknown, where: string): void {
    const fields = { err: error, callId: incoming.request.headers.first('Call-ID'), taker: where };
    const theirs = error instanceof SipParseError;
    if (theirs && error.limit === 'bodyParts') this.#tooManyParts++;
    if (theirs) this.#options.logger.info(fields, `a malformed request reached ${where}: ${errorText(error)}`);
    else this.#options.logger.error(fields, `${where} failed: ${errorText(error)}`);
    if (!incoming.answered) incoming.respond(theirs ? error.status : 500, { once: theirs });
  }

  #onAck(request: SipRequest, source: Source): void {
    for (const taker of this.#options.takers) {
      try {
        if (taker.takeAck?.(request, source) === true) return;
      } catch (error) {
        const fields = { err: error, callId: request.headers.first('Call-ID'), taker: taker.name };
        this.#options.logger.error(fields, `${taker.name} failed with an ACK: ${errorText(error)}`);
        return;
      }
    }
  }
}
