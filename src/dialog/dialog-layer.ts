import { ExpiringMap } from '../base/expiring-map.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import type { CredentialSource } from '../ua/credential-source.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { RequestTaker } from '../ua/request-chain.js';
import type { HostPort, Source, Target } from '../ua/target.js';
import type { Uac } from '../ua/uac.js';
import type { PeerTraits } from './allowed-formats.js';
import type { DialogContext, DialogUsage, SuccessTaker } from './context.js';
import { Dialog, type DialogId } from './dialog.js';
import { type EarlyDialogLimits, EarlyLimit } from './early-limit.js';
import { IncomingInvite } from './incoming-invite.js';
import { InviteSession, type SessionSnapshot } from './invite-session.js';
import { Negotiation } from './negotiation.js';
import { Notifier, type NotifierOptions } from './notifier.js';
import { OutgoingInvite, type OutgoingInviteHandlers, type OutgoingInviteOptions } from './outgoing-invite.js';
import type { DialogPolicies } from './policies.js';
import { ReferSubscription } from './refer-subscription.js';
import { isTooShort, tooShortHeaders } from './session-timer.js';
import { Subscriber, type SubscriberHandlers, type SubscriberOptions } from './subscriber.js';

export interface DialogLayerOptions extends DialogPolicies, Partial<EarlyDialogLimits> {
  readonly uac: Uac;
  /** The Contact that the peer at `source` is told. */
  readonly contactFor: (source: Source, user: string, address?: HostPort) => NameAddr;
  /** What a Contact that was told has become: another address, where ours has changed. Default: what it was. */
  readonly presentContact?: (contact: NameAddr) => NameAddr;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** The methods that are served, for Allow. */
  readonly allow: readonly string[];
  /** Option tags of what stands above, such as `replaces`: told in INVITEs and their 2xx (RFC 3261 §20.37). Default none. */
  readonly supported?: readonly string[];
  /** Dialogs at once; beyond it a new INVITE gets 503. Default 100,000. */
  readonly maxDialogs?: number;
}

/** Dialogs at once, unless told otherwise. */
export const DEFAULT_MAX_DIALOGS = 100_000;

/** A 2xx may come this long after an INVITE was answered or given up: 64·T1 (RFC 3261 §13.2.2.4), and T4 on its way. */
const LATE_ANSWER_MS = 37_000;

/** How long it is remembered that a dialog has ended: as long as a request about it may be on its way (64·T1). */
const REMEMBERED_MS = 32_000;

/** So many finished INVITEs, and ended dialogs, at most: what half a minute of a busy server brings. */
const REMEMBERED = 20_000;

/** How long a request takes from here to the wire, its look-up of an address included, unless a name server is slow. */
const SENDING_MS = 50;

/** All dialogs by their three identifiers: takes the requests that belong to one (RFC 3261 §12.2.2). */
export class DialogLayer implements RequestTaker {
  readonly name = 'dialogs';
  readonly #context: DialogContext;
  #policies: DialogPolicies;
  readonly #scheduler: Scheduler;
  readonly #maxDialogs: number;
  readonly #early: EarlyLimit;
  readonly #usages = new Map<string, DialogUsage>();
  readonly #invites = new Map<string, OutgoingInvite>();
  readonly #finishedInvites: ExpiringMap<string, OutgoingInvite>;
  /** Until their dialog is known: the first NOTIFY may come before the answer to the SUBSCRIBE. */
  readonly #subscribers = new Map<string, Subscriber>();
  /** Dialogs that ended a short while ago, for those who still name them (RFC 3891 §3), and for what the peer may still say. */
  readonly #ended: ExpiringMap<string, SuccessTaker | 'silent'>;
  readonly #stopStrays: () => void;
  #onIdle: (() => void) | undefined;

  constructor(options: DialogLayerOptions) {
    const { scheduler } = options;
    this.#scheduler = scheduler;
    this.#finishedInvites = new ExpiringMap({ capacity: REMEMBERED, scheduler });
    this.#ended = new ExpiringMap({ capacity: REMEMBERED, scheduler });
    this.#maxDialogs = options.maxDialogs ?? DEFAULT_MAX_DIALOGS;
    const { maxEarlyDialogs, maxEarlyDialogsInAll } = options;
    this.#early = new EarlyLimit({
      ...(maxEarlyDialogs === undefined ? {} : { maxEarlyDialogs }),
      ...(maxEarlyDialogsInAll === undefined ? {} : { maxEarlyDialogsInAll }),
    });
    this.#policies = options;
    this.#context = {
      uac: options.uac,
      scheduler: options.scheduler,
      random: options.random,
      logger: options.logger,
      allow: options.allow,
      supported: options.supported ?? [],
      policies: () => this.#policies,
      early: this.#early,
      contactFor: options.contactFor,
      presentContact: options.presentContact ?? ((contact) => contact),
      register: (dialog, usage) => this.#register(dialog.id, usage),
    };
    this.#stopStrays = options.uac.onStray((response, source) => this.#onStray(response, source));
  }

  /** New policies for new dialogs; those that live keep theirs. What is left out goes back to its default. */
  reconfigure(policies: DialogPolicies): void {
    this.#policies = policies;
  }

  /** Dialogs that live. */
  get size(): number {
    return this.#usages.size;
  }

  /** INVITEs that wait for their final response. */
  get pendingInvites(): number {
    return this.#invites.size;
  }

  /** Early dialogs of INVITEs that came in, and the provisional responses that their limits kept back. */
  get early(): { readonly live: number; readonly refused: number } {
    return { live: this.#early.live, refused: this.#early.refused };
  }

  /** True when no further call fits. */
  get full(): boolean {
    return this.#usages.size >= this.#maxDialogs;
  }

  /** Sends an INVITE (RFC 3261 §13.2). */
  invite(options: OutgoingInviteOptions, handlers: OutgoingInviteHandlers): OutgoingInvite {
    const invite = new OutgoingInvite(this.#context, options, handlers, () => {
      this.#invites.delete(key);
      const now = this.#scheduler.now();
      this.#finishedInvites.set(key, invite, now + LATE_ANSWER_MS, now);
    });
    const key = inviteKey(invite.callId, invite.localTag);
    this.#invites.set(key, invite);
    invite.start();
    return invite;
  }

  /** The IP address to which an INVITE to that target goes first; see `Uac.addressOf`. */
  addressOf(target: Target, signal: AbortSignal): Promise<string | undefined> {
    return this.#context.uac.addressOf(target, signal);
  }

  /**
   * Takes an INVITE outside any dialog (RFC 3261 §13.3). `contactUser`: the user part of our Contact in the answers.
   */
  receive(incoming: IncomingRequest, contactUser: string, peer?: PeerTraits): IncomingInvite {
    return new IncomingInvite(this.#context, incoming, contactUser, peer);
  }

  /** A session from what its `snapshot()` gave, in this process or another one. `credentials`: for challenges to its requests. */
  restore(snapshot: SessionSnapshot, credentials?: CredentialSource): InviteSession {
    const { dialog, negotiation, timer } = snapshot;
    const session = new InviteSession(
      this.#context,
      Dialog.restore(dialog, credentials === undefined ? undefined : this.#context.uac.digestFor({ credentials })),
      negotiation === undefined ? Negotiation.create(this.#context.random) : Negotiation.restore(negotiation),
    );
    if (timer !== undefined) session.timer.restore(timer);
    return session;
  }

  /** The subscription that a REFER in `dialog` creates; `id` is its CSeq number if it is not the first (RFC 3515 §2.4.6). */
  refer(dialog: Dialog, id: number | undefined): ReferSubscription {
    return new ReferSubscription(this.#context, dialog, id);
  }

  /** Answers a SUBSCRIBE outside any dialog (RFC 6665 §4.2.1); see `Notifier.accept`. */
  notifier(options: NotifierOptions, contactUser: string): Notifier | undefined {
    return Notifier.accept(this.#context, options, contactUser);
  }

  /** Subscribes to somebody's events (RFC 6665 §4.1). */
  subscribe(options: SubscriberOptions, handlers: SubscriberHandlers): Subscriber {
    const subscriber = new Subscriber(this.#context, options, handlers, () => this.#subscribers.delete(key));
    const key = inviteKey(subscriber.callId, subscriber.localTag);
    this.#subscribers.set(key, subscriber);
    subscriber.start();
    return subscriber;
  }

  /** Whether this dialog lives, early or confirmed. */
  has(id: DialogId): boolean {
    return this.#usages.has(dialogKey(id));
  }

  /** Whether this dialog has ended within the last half minute. */
  endedLately(id: DialogId): boolean {
    return this.#ended.get(dialogKey(id), this.#scheduler.now()) !== undefined;
  }

  take(incoming: IncomingRequest): boolean {
    const { toTag, fromTag, callId } = incoming.request;
    if (toTag === undefined) return this.#refuses(incoming);
    const usage = this.#usages.get(dialogKey({ callId, localTag: toTag, remoteTag: fromTag ?? '' }));
    if (usage === undefined) {
      const key = inviteKey(callId, toTag);
      if (this.#invites.get(key)?.onRequest(incoming) === true) return true;
      return this.#subscribers.get(key)?.onFirstRequest(incoming) === true;
    }
    usage.onRequest(incoming);
    return true;
  }

  /** RFC 4028 §9: an INVITE whose session interval is too short. */
  #refuses(incoming: IncomingRequest): boolean {
    const { sessionTimer } = this.#policies;
    const { request } = incoming;
    if (request.method !== 'INVITE' || sessionTimer === undefined || !isTooShort(request, sessionTimer)) return false;
    incoming.respond(422, { once: true, headers: tooShortHeaders(sessionTimer) });
    return true;
  }

  takeAck(request: SipRequest): boolean {
    const { toTag, fromTag, callId } = request;
    if (toTag === undefined) return false;
    const usage = this.#usages.get(dialogKey({ callId, localTag: toTag, remoteTag: fromTag ?? '' }));
    if (usage === undefined) return false;
    usage.onAck(request);
    return true;
  }

  /**
   * Gives the BYEs of a shutdown their time: resolves when no dialog is left. After `limitMs` the sessions that are left
   * end without waiting for anything, and it resolves once their BYEs are on their way.
   */
  idle(limitMs: number): Promise<void> {
    if (this.#usages.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#onIdle = undefined;
        resolve();
      };
      let cancel = this.#scheduler.after(limitMs, () => {
        this.#endAll();
        cancel = this.#scheduler.after(SENDING_MS, done);
      });
      this.#onIdle = done;
    });
  }

  close(): void {
    this.#onIdle?.();
    this.#endAll();
    this.#stopStrays();
    this.#usages.clear();
    this.#invites.clear();
    // What the end of the transactions brings about still comes after this.
    this.#finishedInvites.close();
    this.#ended.close();
  }

  #endAll(): void {
    for (const usage of [...this.#usages.values()]) usage.close();
    for (const subscriber of [...this.#subscribers.values()]) subscriber.close();
  }

  #register(id: DialogId, usage: DialogUsage): () => void {
    const key = dialogKey(id);
    this.#usages.set(key, usage);
    return () => {
      if (this.#usages.get(key) !== usage) return;
      this.#usages.delete(key);
      const now = this.#scheduler.now();
      this.#ended.set(key, usage.lateSuccesses ?? 'silent', now + REMEMBERED_MS, now);
      if (this.#usages.size === 0) this.#onIdle?.();
    };
  }

  /** A 2xx to an INVITE that no transaction knows any more: somebody was answered all the same (RFC 3261 §13.2.2.4). */
  #onStray(response: SipResponse, source: Source): boolean {
    const now = this.#scheduler.now();
    const { callId, fromTag, toTag, cseq } = response;
    const key = inviteKey(callId, fromTag ?? '');
    const invite = this.#invites.get(key) ?? this.#finishedInvites.get(key, now);
    // With a higher number it answers a re-INVITE in the dialog that the INVITE has made.
    if (invite !== undefined && cseq.sequence <= invite.sequence) {
      invite.onSuccess(response, source);
      return true;
    }
    const dialog = dialogKey({ callId, localTag: fromTag ?? '', remoteTag: toTag ?? '' });
    const usage = this.#usages.get(dialog);
    if (usage !== undefined) {
      usage.onStraySuccess?.(response, source);
      return usage.onStraySuccess !== undefined;
    }
    const late = this.#ended.get(dialog, now);
    if (late === undefined || late === 'silent') return false;
    late.onSuccess(response, source);
    return true;
  }
}

function dialogKey(id: DialogId): string {
  return `${id.callId}\n${id.localTag}\n${id.remoteTag}`;
}

function inviteKey(callId: string, localTag: string): string {
  return `${callId}\n${localTag}`;
}
