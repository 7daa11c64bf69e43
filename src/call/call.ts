import { NOBODY_WAITS, untilAborted } from '../base/aborted.js';
import { Mailbox } from '../base/mailbox.js';
import type { TenantId } from '../base/tenant.js';
import type { SessionEnd } from '../dialog/invite-session.js';
import { replacesDialog } from '../dialog/replaces.js';
import type { Replaces } from '../protocol/sip/header/dialog-id.js';
import { Attempt } from './attempt.js';
import type { CallLeg } from './call-leg.js';
import { type CallMedia, DIRECT_MEDIA, WatchedMedia } from './call-media.js';
import { CallLog, type CallRecord } from './call-record.js';
import type { CallIdentity, CallStart } from './call-start.js';
import type { CallContext, LiveCall } from './context.js';
import { Dialling, type DiallingHost } from './control/dialling.js';
import { HandledCall, type ServedHost } from './handled-call.js';
import { INBOUND_LEG, inboundLegStart } from './inbound-leg.js';
import { InvitedParty } from './invited-party.js';
import type { JoinFailure } from './join.js';
import type { CallSnapshot } from './journal.js';
import { legEnds } from './leg-end.js';
import type { MediaDecision } from './media-path.js';
import { sideOfCaller } from './media-side.js';
import { type Party, sideOf } from './party.js';
import { passInvite } from './passing.js';
import { ReferredParty } from './referred-party.js';
import { restoredSides } from './restored-sides.js';
import type { HandlerDestination } from './search.js';
import { Talk } from './talk.js';
import type { FoundDialog, Heir, ServedCall, ServeRequest, TransferHost, WaitingCall } from './transfer-host.js';
import type { TransferResult } from './transfer-parts.js';

type State =
  | { readonly kind: 'routing' }
  | { readonly kind: 'ringing' }
  /** Two legs talk, or one waits for the outcome of a transfer. */
  | { readonly kind: 'talking'; readonly talk: Talk }
  | {
      readonly kind: 'handled';
      readonly handled: HandledCall;
      readonly legId: string;
      readonly destination: HandlerDestination;
    }
  | { readonly kind: 'ended' };

/** One call from the caller's INVITE to the end of its last leg: a B2BUA with a dialog for each leg. */
export class Call implements LiveCall, WaitingCall, ServedCall {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly log: CallLog;
  readonly media: CallMedia;
  /** One for all legs: their events never interleave, whatever each waits for. */
  readonly mailbox = new Mailbox();
  readonly #context: CallContext;
  readonly #identity: CallIdentity;
  /** Fires when the caller has gone, or the call ends: everything that is awaited stops. */
  readonly #gone = new AbortController();
  #state: State = { kind: 'routing' };
  #legCount = 0;
  #attempt: Attempt | undefined;
  /** Of a restored call: its media went through the server, of which nothing is left. */
  #wasRelayed = false;

  private constructor(context: CallContext, identity: CallIdentity, log: CallLog) {
    const { media: policy, logger } = context;
    const { id: callId, tenantId } = identity;
    this.#context = context;
    this.#identity = identity;
    this.id = callId;
    this.tenantId = tenantId;
    this.log = log;
    this.media =
      policy?.watches === true
        ? new WatchedMedia({ policy, tenantId, callId, logger, onDecided: (decision) => log.media(decision) })
        : DIRECT_MEDIA;
  }

  /** A new call: it looks for its way at once. */
  static start(context: CallContext, start: CallStart): Call {
    const { invite, caller, id, tenantId, called, lease } = start;
    const log = new CallLog(context.scheduler, { id, tenantId, caller: caller.number, called });
    log.addLeg(inboundLegStart(INBOUND_LEG, caller, invite), lease);
    const call = new Call(context, { id, tenantId, caller, called }, log);
    call.media.leg(INBOUND_LEG, sideOfCaller(caller, invite.source, context.media?.mode));
    void call.#run(start);
    return call;
  }

  /** An established call from the journal. */
  static restore(context: CallContext, snapshot: CallSnapshot): Call {
    const { record, media } = snapshot;
    const identity = {
      id: record.id,
      tenantId: record.tenantId,
      caller: { number: record.caller },
      called: record.called,
    };
    const living = [snapshot.inbound.legId, snapshot.outbound.legId];
    const call = new Call(context, identity, CallLog.resume(context.scheduler, record, living));
    call.#legCount = record.legs.length;
    for (const { id, via, direction } of record.legs)
      if (via !== undefined && living.includes(id)) call.log.hold(id, context.occupy(record.tenantId, via, direction));
    if (media !== undefined) call.media.restore(media);
    call.#wasRelayed = media?.path === 'relay';
    const { inbound, outbound } = restoredSides(context, snapshot);
    call.#connect(inbound, outbound);
    return call;
  }

  /**
   * Asks both phones of a restored call whether they still talk, and ends it when they do not. If its media went through the server,
   * both are told where to send it now.
   */
  async probe(): Promise<void> {
    if (this.#state.kind !== 'talking') return;
    const { talk } = this.#state;
    if (!(await talk.probe())) this.end();
    else if (this.#wasRelayed && talk.live) await talk.moveMedia({ path: 'relay', reason: 'the server was restarted' });
  }

  /** The media goes by another path from now on; see `Talk`. Undefined: it does. */
  moveMedia(decision: MediaDecision, isWanted?: () => boolean): Promise<JoinFailure> {
    if (this.#state.kind === 'talking') return this.#state.talk.moveMedia(decision, isWanted);
    return Promise.resolve({ status: 481, reason: 'No Established Call' });
  }

  /** Whether its media goes through the server, and a party was told that it is at this IP address. */
  tellsMediaAt(address: string): boolean {
    return this.#state.kind === 'talking' && this.#state.talk.tellsMediaAt(address);
  }

  get state(): State['kind'] {
    return this.#state.kind;
  }

  /** The record as it stands now. */
  get record(): CallRecord {
    return this.log.record;
  }

  /** The call as plain data while two legs talk; undefined before, after, and when a handler serves it. */
  snapshot(): CallSnapshot | undefined {
    const talk = this.#state.kind === 'talking' ? this.#state.talk.snapshot() : undefined;
    return talk === undefined ? undefined : { record: this.record, ...talk };
  }

  /** Ends the call from the PBX's side: legs that talk are hung up, a caller who waits gets 480. */
  end(): void {
    switch (this.#state.kind) {
      case 'talking':
        return this.#state.talk.end();
      case 'handled':
        return this.#state.handled.end();
      default:
        this.#gone.abort(NOBODY_WAITS);
    }
  }

  bequeath(heir: Heir): boolean {
    return this.#attempt?.bequeath(heir) ?? false;
  }

  disown(heir: Heir): void {
    this.#attempt?.disown(heir);
  }

  /** The dialog of this call that a Replaces names. */
  find(replaces: Replaces): FoundDialog | undefined {
    if (this.#state.kind === 'talking') return this.#state.talk.find(replaces);
    if (this.#state.kind === 'handled') return this.#findServed(replaces, this.#state);
    if (this.#attempt?.hasDialog(replaces) !== true) return undefined;
    return { kind: 'waiting', call: this, party: this.#identity.caller };
  }

  #findServed(
    replaces: Replaces,
    { handled, destination }: Extract<State, { kind: 'handled' }>,
  ): FoundDialog | undefined {
    const { session, caller: party, called } = handled;
    const early = session === undefined;
    const named = early ? this.#attempt?.hasDialog(replaces) : replacesDialog(replaces, session.dialog.id);
    return named === true ? { kind: 'served', call: this, party, called, destination, early } : undefined;
  }

  async #run(start: CallStart): Promise<void> {
    const attempt = new Attempt({
      callId: start.id,
      ...start,
      context: this.#context,
      log: this.log,
      media: this.media,
      mailbox: this.mailbox,
      gone: this.#gone,
      nextLegId: () => this.#nextLegId(),
      onRinging: () => this.#onRinging(),
      onConnected: (inbound, outbound, onAcknowledged) => {
        const talk = this.#connect(inbound, outbound, onAcknowledged);
        // The phone may have hung up while the answer was passed on: then the call is over already.
        if (talk.live) this.#context.onAnswered(this);
        return talk;
      },
      onChanged: () => {
        this.#context.onChanged(this);
        if (this.#state.kind === 'talking') this.#state.talk.changeOver();
      },
      onHandler: (destination) => this.#serve(start, destination),
      post: (task) => this.#post(task),
      end: () => this.end(),
    });
    this.#attempt = attempt;
    await attempt.run();
    this.#attempt = undefined;
    if (this.#state.kind !== 'talking') this.#finish();
  }

  #onRinging(): void {
    if (this.#state.kind !== 'routing') return;
    this.#state = { kind: 'ringing' };
    this.#context.onRinging(this);
  }

  #nextLegId(): string {
    return `b${++this.#legCount}`;
  }

  #connect(inbound: CallLeg, outbound: CallLeg, onAcknowledged?: (sdp: string | undefined) => void): Talk {
    const context = this.#context;
    const options = {
      context,
      id: this.id,
      tenantId: this.tenantId,
      log: this.log,
      media: this.media,
      mailbox: this.mailbox,
      nextLegId: () => this.#nextLegId(),
      signal: this.#gone.signal,
      onChanged: () => context.onChanged(this),
      onTransferred: (transfer: Parameters<CallContext['onTransferred']>[1]) => context.onTransferred(this, transfer),
      serve: (host: TransferHost, request: ServeRequest) => this.#serveReferred(host, request),
      onEnded: () => this.#finish(),
    };
    const talk = new Talk(options, inbound, outbound, onAcknowledged);
    if (this.#state.kind !== 'ended') this.#state = { kind: 'talking', talk };
    return talk;
  }

  async #serve({ invite, maxForwards, caller, called }: CallStart, destination: HandlerDestination): Promise<void> {
    const party = new InvitedParty({
      invite,
      legId: INBOUND_LEG,
      log: this.log,
      onAnswered: () => this.#context.onAnswered(this),
      onRefused: () => this.#gone.abort(NOBODY_WAITS),
      onEnded: (end) => this.#onServedEnded(INBOUND_LEG, end),
    });
    const host = this.#servedHost(INBOUND_LEG, caller, {
      source: invite.source,
      maxForwards,
      headers: (target) => passInvite(invite.request, sideOf(caller), target.policy),
    });
    const handled = new HandledCall({ caller, called, host, party });
    this.#state = { kind: 'handled', handled, legId: INBOUND_LEG, destination };
    try {
      await this.#handle(handled, destination, this.#gone.signal);
      this.end();
    } finally {
      // A handler that fails before it has answered leaves the INVITE open: it then gets 500.
      this.#endServed(handled, INBOUND_LEG);
    }
  }

  /** A party that talks already is handed to a handler; resolves when that has answered or refused, and goes on by itself. */
  #serveReferred(host: TransferHost, request: ServeRequest): Promise<TransferResult> {
    const { stays, destination, called, maxForwards, source } = request;
    const { legId, party: caller } = stays;
    const refused = new AbortController();
    const party = new ReferredParty({
      host,
      ...request,
      onTaken: () => {
        this.#state = { kind: 'handled', handled, legId, destination };
      },
      onRefused: () => refused.abort(NOBODY_WAITS),
      onEnded: (end) => this.#onServedEnded(legId, end),
    });
    const served = this.#servedHost(legId, caller, { source, maxForwards, headers: () => ({}) });
    const handled = new HandledCall({ caller, called, host: served, party });
    this.#handle(handled, destination, AbortSignal.any([this.#gone.signal, refused.signal]))
      .then(() => handled.end())
      .catch((error: unknown) => {
        this.#context.logger.error({ callId: this.id, err: error }, 'a call failed');
        party.reject(500, 'Server Internal Error');
      })
      .finally(() => {
        if (handled.session === undefined) return;
        this.#endServed(handled, legId);
        if (this.#state.kind !== 'talking') this.#finish();
      });
    return party.settled;
  }

  #handle(handled: HandledCall, destination: HandlerDestination, signal: AbortSignal): Promise<void> {
    return untilAborted(destination.run(handled, signal), signal, (error) =>
      this.#context.logger.debug({ callId: this.id, err: error }, 'a call handler failed after the call had ended'),
    );
  }

  #endServed(handled: HandledCall, legId: string): void {
    if (handled.session === undefined) return;
    handled.end();
    this.log.endLeg(legId, { outcome: 'answered', releasedBy: 'server' });
  }

  #onServedEnded(legId: string, end: SessionEnd): void {
    this.log.endLeg(legId, legEnds(end).own);
    this.#gone.abort(NOBODY_WAITS);
  }

  #servedHost(
    legId: string,
    party: Party,
    dialled: Pick<DiallingHost, 'source' | 'headers' | 'maxForwards'>,
  ): ServedHost {
    const { id: callId, tenantId, log, media, mailbox } = this;
    const context = this.#context;
    return {
      ...{ callId, tenantId, log, logger: context.logger },
      dial: (session, request) => {
        const caller: CallLeg = { legId, session, party };
        const host = {
          ...{ context, callId, tenantId, log, media, mailbox, ...dialled },
          nextLegId: () => this.#nextLegId(),
          connect: (partner: CallLeg) => {
            this.#connect(caller, partner).changeOver();
            context.onChanged(this);
          },
        };
        return new Dialling(host, caller, request).run();
      },
    };
  }

  /** See `ServedCall`. */
  endTransferred(to: Party): void {
    if (this.#state.kind !== 'handled') return;
    const { handled, legId } = this.#state;
    const end = { releasedBy: 'this-party', cause: `transferred to ${to.number}` } as const;
    if (handled.session === undefined) {
      this.log.endLeg(legId, { outcome: 'cancelled', status: 487, ...end });
      return handled.reject(487);
    }
    this.log.endLeg(legId, { outcome: 'answered', ...end });
    this.end();
  }

  /** Does something in the order of the call's events; what fails there ends the call. */
  #post(task: () => void | Promise<void>): void {
    this.mailbox.run(task).catch((error: unknown) => {
      this.#context.logger.error({ callId: this.id, err: error }, 'a call failed');
      this.end();
    });
  }

  #finish(): void {
    if (this.#state.kind === 'ended') return;
    this.#state = { kind: 'ended' };
    this.#gone.abort(NOBODY_WAITS);
    this.media.end();
    this.log.endCall();
    this.#context.onEnded(this);
  }
}
