import type { Cancel } from '../base/scheduler.js';
import type { EventValue, SubscriptionState } from '../protocol/sip/header/event.js';
import { createRequest, type SipRequest, type SipResponse } from '../protocol/sip/message.js';
import { type NameAddr, withTag } from '../protocol/sip/name-addr.js';
import { getParam } from '../protocol/sip/params.js';
import { readable } from '../protocol/sip/parse-error.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { SendTarget } from '../ua/target.js';
import type { UacFailure, UacRequest } from '../ua/uac-request.js';
import type { DialogContext, DialogUsage } from './context.js';
import { Dialog } from './dialog.js';
import { sendInDialog } from './dialog-request.js';
import { sameEvent } from './notifier.js';

export interface SubscriberOptions {
  /** The Request-URI: whose events. */
  readonly uri: Uri;
  readonly target: SendTarget;
  /** Without a tag. */
  readonly from: NameAddr;
  readonly to: NameAddr;
  /** The user part of our Contact. */
  readonly contactUser: string;
  readonly event: EventValue;
  /** Media types that are understood, for Accept; at least one. */
  readonly accept: readonly string[];
  /** 0: the state is asked for once (RFC 6665 §4.4.3). Default 3600. */
  readonly expiresSeconds?: number;
}

/** Why a subscription is over. */
export type SubscriptionEnd =
  /** The notifier ended it. `retryAfterMs`: when to subscribe again; undefined: do not (RFC 6665 §4.1.3). */
  | { readonly kind: 'terminated'; readonly reason: string; readonly retryAfterMs: number | undefined }
  /** The SUBSCRIBE, or its refresh, failed. */
  | { readonly kind: 'failed'; readonly failure: UacFailure }
  /** No NOTIFY came within 64·T1 (RFC 6665 §4.1.2.4, Timer N). */
  | { readonly kind: 'silent' }
  /** By `end()`. */
  | { readonly kind: 'ended' };

export interface SubscriberHandlers {
  /** A NOTIFY; it has been answered with 200. */
  onNotify(request: SipRequest, state: SubscriptionState): void;
  /** Once, and then nothing follows. */
  onEnded(end: SubscriptionEnd): void;
}

/** Timer N: 64·T1 (RFC 6665 §4.1.2.4). */
const TIMER_N_MS = 32_000;
const DEFAULT_SECONDS = 3600;
/** Reasons after which nobody should subscribe again (RFC 6665 §4.1.3). */
const FINAL_REASONS = new Set(['rejected', 'noresource', 'invariant']);

/**
 * The subscriber's side of one subscription: RFC 6665 §4.1. The dialog begins with the first NOTIFY, whether the answer to
 * the SUBSCRIBE has come or not; NOTIFYs of further forks are refused (§4.4.1).
 */
export class Subscriber implements DialogUsage {
  readonly callId: string;
  readonly localTag: string;
  readonly #context: DialogContext;
  readonly #options: SubscriberOptions;
  readonly #target: SendTarget;
  readonly #handlers: SubscriberHandlers;
  readonly #forget: () => void;
  #request: UacRequest | undefined;
  #dialog: Dialog | undefined;
  #unregister: () => void = () => {};
  #state: 'live' | 'leaving' | 'over' = 'live';
  #cancelTimerN: Cancel = () => {};
  #cancelRefresh: Cancel = () => {};
  #refreshing = false;

  /** `forget`: no NOTIFY outside a dialog is expected any more. @internal use `DialogLayer.subscribe` */
  constructor(context: DialogContext, options: SubscriberOptions, handlers: SubscriberHandlers, forget: () => void) {
    this.#context = context;
    this.#options = options;
    const digest = context.uac.digestFor(options.target);
    this.#target = digest === undefined ? options.target : { ...options.target, digest };
    this.#handlers = handlers;
    this.#forget = forget;
    this.callId = context.random.token(128);
    this.localTag = context.random.token(64);
  }

  /** @internal */
  start(): void {
    const { uri, from, to, contactUser, expiresSeconds = DEFAULT_SECONDS } = this.#options;
    const request = createRequest({
      method: 'SUBSCRIBE',
      uri,
      headers: {
        'Max-Forwards': 70,
        From: withTag(from, this.localTag),
        To: to,
        'Call-ID': this.callId,
        CSeq: { sequence: 1, method: 'SUBSCRIBE' },
        ...this.#headers(expiresSeconds),
      },
    });
    this.#armTimerN();
    this.#request = this.#context.uac.send(request, Object.assign({}, this.#target, { contactUser }), {
      isNeeded: () => this.#state !== 'over',
      onSuccess: (response) => this.#onAccepted(response),
      onFailure: (failure) => this.#finish({ kind: 'failed', failure }),
    });
  }

  /** Ends it: SUBSCRIBE with Expires 0 (RFC 6665 §4.1.2.3); the last NOTIFY is still told. */
  end(): void {
    if (this.#state !== 'live') return;
    if (this.#dialog === undefined) return this.#finish({ kind: 'ended' });
    this.#state = 'leaving';
    this.#subscribe(this.#dialog, 0);
  }

  /** A NOTIFY for which there is no dialog yet. False: it belongs to no subscription. @internal */
  onFirstRequest(incoming: IncomingRequest): boolean {
    const { request, source } = incoming;
    const sent = this.#request?.request;
    if (request.method !== 'NOTIFY' || this.#dialog !== undefined || sent === undefined || this.#state === 'over') {
      return false;
    }
    if (!sameEvent(request, this.#options.event)) {
      incoming.respond(489);
      return true;
    }
    const dialog = Dialog.subscriber(sent, request, source, {
      behindNat: this.#options.target.flow !== undefined,
      digest: this.#target.digest,
    });
    this.#dialog = dialog;
    this.#forget();
    this.#unregister = this.#context.register(dialog, this);
    this.onRequest(incoming);
    return true;
  }

  onRequest(incoming: IncomingRequest): void {
    const { request } = incoming;
    const dialog = this.#dialog;
    if (dialog === undefined || this.#state === 'over') incoming.respond(481);
    else if (!dialog.acceptSequence(request)) incoming.respond(500, { reason: 'CSeq Out Of Order' });
    else if (request.method !== 'NOTIFY') incoming.respond(405, { headers: { Allow: this.#context.allow } });
    else if (!sameEvent(request, this.#options.event)) incoming.respond(489);
    else this.#onNotify(incoming, dialog);
  }

  onAck(): void {}

  close(): void {
    this.#finish({ kind: 'ended' });
  }

  #onNotify(incoming: IncomingRequest, dialog: Dialog): void {
    const { request, source } = incoming;
    const state = readable(() => request.headers.get('Subscription-State'));
    if (state === undefined) {
      incoming.respond(400, { reason: 'Bad Subscription-State' });
      return;
    }
    incoming.respond(200);
    dialog.refreshTarget(request, source);
    this.#cancelTimerN();
    this.#handlers.onNotify(request, state);
    if (state.state === 'terminated') return this.#onTerminated(state);
    const expires = seconds(getParam(state.params, 'expires'));
    if (expires !== undefined) this.#refreshAfter(expires);
  }

  #onTerminated(state: SubscriptionState): void {
    if (this.#state === 'leaving') return this.#finish({ kind: 'ended' });
    const reason = getParam(state.params, 'reason') ?? '';
    const wait = seconds(getParam(state.params, 'retry-after')) ?? 0;
    // "deactivated" and "timeout" give retry-after no meaning: at once.
    const now = reason === 'deactivated' || reason === 'timeout';
    const retryAfterMs = FINAL_REASONS.has(reason) ? undefined : now ? 0 : wait * 1000;
    this.#finish({ kind: 'terminated', reason, retryAfterMs });
  }

  #onAccepted(response: SipResponse): void {
    if (this.#state === 'over' || this.#dialog !== undefined) return;
    const expires = readable(() => response.headers.get('Expires'));
    if (expires !== undefined) this.#refreshAfter(expires);
  }

  /** Refreshes in time for a retransmission or two to be lost (RFC 6665 §4.1.2.2). */
  #refreshAfter(expires: number): void {
    this.#cancelRefresh();
    if (this.#state !== 'live' || expires === 0) return;
    const delayMs = Math.max(expires * 500, expires * 1000 - TIMER_N_MS);
    this.#cancelRefresh = this.#context.scheduler.after(delayMs, () => {
      if (this.#dialog !== undefined && !this.#refreshing) {
        this.#subscribe(this.#dialog, this.#options.expiresSeconds ?? DEFAULT_SECONDS);
      }
    });
  }

  #subscribe(dialog: Dialog, expires: number): void {
    this.#refreshing = true;
    this.#armTimerN();
    const request = dialog.createRequest('SUBSCRIBE', { headers: this.#headers(expires) });
    sendInDialog(this.#context, dialog, request, {
      isNeeded: () => this.#state !== 'over',
      onSuccess: (response) => {
        this.#refreshing = false;
        const granted = readable(() => response.headers.get('Expires'));
        if (granted !== undefined) this.#refreshAfter(granted);
      },
      onFailure: (failure) => {
        this.#refreshing = false;
        this.#finish(this.#state === 'leaving' ? { kind: 'ended' } : { kind: 'failed', failure });
      },
    });
  }

  #armTimerN(): void {
    this.#cancelTimerN();
    this.#cancelTimerN = this.#context.scheduler.after(TIMER_N_MS, () =>
      this.#finish(this.#state === 'leaving' ? { kind: 'ended' } : { kind: 'silent' }),
    );
  }

  #headers(expires: number) {
    const { event, accept } = this.#options;
    return { Event: event, Expires: expires, Accept: accept.join(', '), Allow: this.#context.allow };
  }

  #finish(end: SubscriptionEnd): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#cancelTimerN();
    this.#cancelRefresh();
    this.#forget();
    this.#unregister();
    this.#handlers.onEnded(end);
  }
}

/** Digits of a parameter, bounded as the grammar bounds them. */
function seconds(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  return Number(text);
}
