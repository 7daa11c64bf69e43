import { AbortedError, errorText, PbxkitError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Scheduler } from '../base/scheduler.js';
import type { HeaderInit } from '../protocol/sip/headers.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { readable } from '../protocol/sip/parse-error.js';
import type { ClientHandlers, ClientTransaction } from '../transaction/layer.js';
import type { Hop, Source } from '../transport/hop.js';
import { type AnsweredChallenges, type DigestClient, removeCredentials } from './digest-client.js';
import type { FailedHops } from './failed-hops.js';
import { hopAtOnce, hopOfFlow, hopsFor, mayLeaveFlow, type NextHopResolver } from './next-hop.js';
import type { HostPort, OtherFlow, SendTarget } from './target.js';
import type { UacFailure, UacHandlers, UacRequest } from './uac-request.js';

/** What the requests under way ask of the core that owns them: one for all, because there are many. */
export interface OutgoingOwner {
  readonly resolver: NextHopResolver;
  readonly failedHops: FailedHops;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** The Contact for whoever stands at that hop. @throws UsageError when nothing is listened to */
  contactFor(hop: Hop, user: string, address: HostPort | undefined): NameAddr;
  transact(request: SipRequest, hop: Hop, handlers: ClientHandlers): ClientTransaction;
}

type Phase =
  /** `abort` ends the look-up, if one is under way. */
  | { readonly kind: 'resolving'; readonly abort: AbortController | undefined }
  | { readonly kind: 'trying'; readonly transaction: ClientTransaction; readonly hop: Hop }
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed' };

const SUCCEEDED: Phase = { kind: 'succeeded' };
const NO_FLOWS: readonly OtherFlow[] = [];
const NO_HOPS: readonly Hop[] = [];
const NO_TARGET: SendTarget = {};

/** One request of the UAC: RFC 3261 §8.1, each hop and each retry in a transaction of its own (RFC 3263 §4.3). */
export class OutgoingAttempts implements UacRequest {
  readonly #owner: OutgoingOwner;
  readonly #digest: DigestClient | undefined;
  readonly #answered: AnsweredChallenges = new Map();
  readonly #handlers: UacHandlers;
  #otherFlows: readonly OtherFlow[];
  #target: SendTarget;
  #template: SipRequest;
  #phase: Phase = { kind: 'resolving', abort: undefined };
  /** As it was sent last. */
  #sent: SipRequest | undefined;
  /** Counts the transactions: what an earlier one still tells is not heard. */
  #serial = 0;
  #hops: readonly Hop[] = NO_HOPS;
  #next = 0;
  /** Something has come by the hop that is tried now: it is alive. */
  #heard = false;
  #cancelled = false;
  /** No hop can have seen the request, the one that is tried now apart. */
  #unsent = true;

  constructor(
    owner: OutgoingOwner,
    request: SipRequest,
    target: SendTarget,
    digest: DigestClient | undefined,
    handlers: UacHandlers,
  ) {
    this.#owner = owner;
    this.#template = digest?.authorize(request) ?? request;
    this.#target = target;
    this.#digest = digest;
    this.#handlers = handlers;
    this.#otherFlows = target.otherFlows ?? NO_FLOWS;
  }

  get request(): SipRequest {
    return this.#sent ?? this.#template;
  }

  get byFlow(): boolean {
    return this.#target.flow !== undefined;
  }

  start(): void {
    const { flow } = this.#target;
    if (flow === undefined) {
      this.#resolve();
    } else {
      this.#begin([hopOfFlow(flow)]);
    }
  }

  /** The first of these hops. */
  #begin(hops: readonly Hop[]): void {
    this.#hops = hops;
    this.#next = 0;
    if (this.#isOver) this.#failLater(this.#aborted());
    else this.#tryNext({ kind: 'timeout' });
  }

  /** No further transaction is begun: it was cancelled, or has become pointless. */
  get #isOver(): boolean {
    return this.#cancelled || this.#handlers.isNeeded?.() === false;
  }

  #aborted(): AbortedError {
    return new AbortedError(`the ${this.#template.method}`, undefined);
  }

  /** Looks the hops up and tries the first. Whatever fails on the way is the request's failure, and nobody else's. */
  #resolve(): void {
    const hop = hopAtOnce(this.#template, this.#target, this.#owner.resolver);
    if (hop !== undefined && !this.#cancelled) {
      this.#begin([hop]);
      return;
    }
    const abort = new AbortController();
    this.#phase = { kind: 'resolving', abort };
    hopsFor(this.#template, this.#target, this.#owner.resolver, abort.signal)
      .then((hops) => {
        if (this.#phase.kind === 'resolving' && !this.#cancelled) this.#begin(hops);
      })
      .catch((error: unknown) => {
        if (!this.#cancelled) this.#fail(this.#unreachable(asPbxkitError(error)));
      });
  }

  cancel(headers?: HeaderInit): void {
    if (this.#cancelled || this.#template.method !== 'INVITE') return;
    this.#cancelled = true;
    if (this.#phase.kind === 'trying') this.#phase.transaction.cancel(headers);
    else if (this.#phase.kind === 'resolving') {
      this.#phase.abort?.abort();
      this.#failLater(this.#aborted());
    }
  }

  /** Ends it without an outcome: what still comes is ignored. */
  abandon(): void {
    if (this.#phase.kind === 'resolving') this.#phase.abort?.abort();
    this.#phase = { kind: 'failed' };
  }

  /** The next hop, else the next flow of the same phone (RFC 5626 §7), else the last failure. */
  #tryNext(failure: UacFailure): void {
    const hop = this.#isOver ? undefined : this.#hops[this.#next];
    if (hop === undefined) {
      this.#tryNextFlow(failure);
      return;
    }
    if (this.#next > 0) this.#withoutCredentials();
    this.#next++;
    this.#try(hop);
  }

  #tryNextFlow(failure: UacFailure): void {
    const [next, ...others] = this.#isOver ? NO_FLOWS : this.#otherFlows;
    if (next === undefined) {
      this.#fail(failure);
      return;
    }
    this.#otherFlows = others;
    const { uri, ...way } = next;
    const { route: _route, flow: _flow, flowOnly: _flowOnly, nextHop: _nextHop, ...target } = this.#target;
    this.#target = { ...target, ...way };
    this.#template = this.#template.with({ uri });
    if (way.route === undefined || way.route.length === 0) this.#template.headers.remove('Route');
    else this.#template.headers.set('Route', way.route);
    this.start();
  }

  /** The nonce of one server is a stranger's to the next, and a stranger's nonce looks like a wrong password to some. */
  #withoutCredentials(): void {
    this.#digest?.forget();
    this.#answered.clear();
    this.#template = this.#template.with({});
    removeCredentials(this.#template);
  }

  #try(hop: Hop): void {
    try {
      this.#send(hop);
    } catch (error) {
      this.#failLater(asPbxkitError(error));
    }
  }

  /** @throws what makes the request impossible to send, such as a header value that cannot be written */
  #send(hop: Hop): void {
    if (this.#sent?.cseq.sequence === this.#template.cseq.sequence) this.#renumber();
    const request = this.#forHop(hop);
    // The handlers outlive the transaction by half a minute and hold nothing of it.
    const serial = ++this.#serial;
    const current = (): boolean => this.#serial === serial && this.#phase.kind !== 'failed';
    const transaction = this.#owner.transact(request, hop, {
      onResponse: (response, source) => {
        if (current()) this.#onResponse(response, source, hop);
      },
      onTimeout: () => {
        if (current()) this.#onTimeout(hop);
      },
      onTransportError: (error) => {
        if (current()) this.#onTransportError(error, hop);
      },
    });
    this.#sent = transaction.request;
    this.#heard = false;
    this.#phase = { kind: 'trying', transaction, hop };
  }

  /**
   * Sent once more by another way, in a dialog: the peer may have had it, and would refuse the same number with 500 (RFC 3261 §12.2.2).
   * Outside of dialogs the same number says that it is the same request.
   */
  #renumber(): void {
    const { nextSequence } = this.#handlers;
    if (nextSequence === undefined) return;
    this.#template = this.#template.with({});
    this.#template.headers.set('CSeq', { sequence: nextSequence(), method: this.#template.method });
  }

  /** Contact depends on the way: another address and transport for another hop. Credentials are for who has asked for them. */
  #forHop(hop: Hop): SipRequest {
    const { contactUser, contactAddress } = this.#target;
    const stranger = this.#digest?.isFor(hop.address) === false;
    if (contactUser === undefined && !stranger) return this.#template;
    const request = this.#template.with({});
    if (stranger) removeCredentials(request);
    if (contactUser !== undefined)
      request.headers.set('Contact', [this.#owner.contactFor(hop, contactUser, contactAddress)]);
    return request;
  }

  #onResponse(response: SipResponse, source: Source, hop: Hop): void {
    const { status } = response;
    this.#heard = true;
    this.#unsent = false;
    if (status !== 503) this.#owner.failedHops.answered(hop);
    if (status < 200) {
      this.#handlers.onProvisional?.(response, source);
    } else if (status < 300) {
      if (this.#phase.kind === 'trying') this.#succeed();
      this.#handlers.onSuccess(response, source);
    } else {
      const retry =
        (status !== 401 && status !== 407) || this.#isOver ? undefined : this.#authorize(response, source, hop);
      if (retry !== undefined) {
        this.#template = retry;
        this.#handlers.onRetry?.(retry);
        this.#try(hop);
      } else if (status === 503) {
        const retryAfter = readable(() => response.headers.get('Retry-After'))?.seconds;
        if (retryAfter !== undefined) this.#putOff(hop, retryAfter);
        if (this.#hops[this.#next] === undefined) this.#fail({ kind: 'response', response, source });
        else this.#tryNext({ kind: 'response', response, source });
      } else if (status === 408 || status === 430) {
        this.#tryNextFlow({ kind: 'response', response, source });
      } else {
        this.#fail({ kind: 'response', response, source });
      }
    }
  }

  /** RFC 3263 §4.3: the next hop only if nothing was heard of this one; else somebody may be ringing already. */
  #onTimeout(hop: Hop): void {
    this.#unsent = false;
    if (this.#heard) {
      this.#fail({ kind: 'timeout' });
      return;
    }
    this.#putOff(hop);
    this.#tryNext({ kind: 'timeout' });
  }

  /** Only where there is another to try in its place. */
  #putOff(hop: Hop, seconds?: number): void {
    if (this.#hops.length > 1) this.#owner.failedHops.failed(hop, this.#owner.scheduler.now(), seconds);
  }

  /** From here on only more 2xx can come: nothing is kept of what was only needed to send it. */
  #succeed(): void {
    this.#phase = SUCCEEDED;
    this.#template = this.request;
    this.#hops = NO_HOPS;
    this.#otherFlows = NO_FLOWS;
    const { flow } = this.#target;
    this.#target = flow === undefined ? NO_TARGET : { flow };
  }

  /** The request with credentials for a challenge; undefined: it cannot or must not be answered. */
  #authorize(response: SipResponse, source: Source, hop: Hop): SipRequest | undefined {
    try {
      const again = this.#digest?.answer({
        request: this.#template,
        response,
        peer: source,
        address: hop.address,
        answered: this.#answered,
      });
      const { sequence, method } = this.#template.cseq;
      again?.headers.set('CSeq', { sequence: this.#handlers.nextSequence?.() ?? sequence + 1, method });
      return again;
    } catch (error) {
      const fields = { err: error, callId: this.#template.headers.first('Call-ID') };
      this.#owner.logger.warn(fields, `a challenge could not be answered: ${errorText(error)}`);
      return undefined;
    }
  }

  /** RFC 3261 §18.1.1: a peer that refused TCP, chosen for the size only, gets the large datagram after all. */
  #onTransportError(error: PbxkitError, hop: Hop): void {
    const switched = 'sizeSwitched' in error && error.sizeSwitched === true;
    if (!('unsent' in error && error.unsent === true)) this.#unsent = false;
    if (this.#heard || this.#isOver) this.#fail(this.#unreachable(error));
    else if (switched && hop.forceProtocol !== true) this.#try({ ...hop, forceProtocol: true });
    else if (hop.flow !== undefined && mayLeaveFlow(this.#target)) this.#resolve();
    else {
      this.#putOff(hop);
      this.#tryNext(this.#unreachable(error));
    }
  }

  /** Not inside the call that caused it: nobody hears of an outcome before `send` has returned. */
  #failLater(error: PbxkitError): void {
    this.#owner.scheduler.after(0, () => this.#fail(this.#unreachable(error)));
  }

  #unreachable(error: PbxkitError): UacFailure {
    return { kind: 'unreachable', error, unsent: this.#unsent };
  }

  #fail(failure: UacFailure): void {
    if (this.#phase.kind === 'failed' || this.#phase.kind === 'succeeded') return;
    this.#phase = { kind: 'failed' };
    try {
      this.#handlers.onFailure(failure);
    } catch (error) {
      // Often at the end of a look-up, where a fault of the user would be nobody's and end the process.
      const fields = { err: error, callId: this.#template.headers.first('Call-ID') };
      this.#owner.logger.error(fields, `the user of a request failed: ${errorText(error)}`);
    }
  }
}

function asPbxkitError(error: unknown): PbxkitError {
  if (error instanceof PbxkitError) return error;
  return new PbxkitError('SIP_NO_ROUTE', 'transport', `no hop was found: ${errorText(error)}`, { cause: error });
}
