import { untilAborted } from '../base/aborted.js';
import { Mailbox } from '../base/mailbox.js';
import type { TenantId } from '../base/tenant.js';
import type { Abandoned, IncomingInvite } from '../dialog/incoming-invite.js';
import type { SessionEnd } from '../dialog/invite-session.js';
import type { Answer, OutgoingInviteOptions } from '../dialog/outgoing-invite.js';
import { formatUri, sipUri } from '../protocol/sip/uri.js';
import { Bridge, type BridgeSide } from './bridge.js';
import { CallLog, type CallRecord, type LegEnd, type ReleasedBy } from './call-record.js';
import type { CallContext, LiveCall } from './context.js';
import type { OutboundLeg } from './fork.js';
import { HandledCall } from './handled-call.js';
import { legIdentity } from './identity.js';
import { INBOUND_LEG, InboundLeg } from './inbound-leg.js';
import type { CallSnapshot } from './journal.js';
import { legEnds } from './leg-end.js';
import { inboundOutcome, outcome } from './outcome.js';
import { type Party, sideOf } from './party.js';
import { passInvite, passReason } from './passing.js';
import { restoredSides } from './restored-sides.js';
import type { Destination } from './route.js';
import { type Refusal, Search } from './search.js';

export interface CallStart {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly caller: Party;
  /** The number that was dialled. */
  readonly called: string;
  readonly invite: IncomingInvite;
  /** What the outbound legs are sent with. */
  readonly maxForwards: number;
}

type Identity = Pick<CallStart, 'id' | 'tenantId' | 'caller' | 'called'>;
type HandlerDestination = Extract<Destination, { kind: 'handler' }>;

type State =
  | { readonly kind: 'routing' }
  | { readonly kind: 'ringing' }
  | { readonly kind: 'bridged'; readonly bridge: Bridge; readonly inbound: BridgeSide; readonly outbound: BridgeSide }
  | { readonly kind: 'handled'; readonly handled: HandledCall }
  | { readonly kind: 'ended' };

/** One call from the caller's INVITE to the end of its last leg: a B2BUA with a dialog for each leg. */
export class Call implements LiveCall {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly #context: CallContext;
  readonly #identity: Identity;
  readonly #log: CallLog;
  /** One for all legs: their events never interleave, whatever each waits for. */
  readonly #mailbox = new Mailbox();
  /** Fires when the caller has gone, or the call ends: everything that is awaited stops. */
  readonly #gone = new AbortController();
  #state: State = { kind: 'routing' };
  #legCount = 0;

  private constructor(context: CallContext, identity: Identity, log: CallLog) {
    this.#context = context;
    this.#identity = identity;
    this.id = identity.id;
    this.tenantId = identity.tenantId;
    this.#log = log;
  }

  /** A new call: it looks for its way at once. */
  static start(context: CallContext, start: CallStart): Call {
    const { invite, caller, id, tenantId, called } = start;
    const log = new CallLog(context.scheduler, { id, tenantId, caller: caller.number, called });
    log.addLeg({
      id: INBOUND_LEG,
      direction: 'inbound',
      number: caller.number,
      ...(caller.displayName === undefined ? {} : { displayName: caller.displayName }),
      uri: formatUri(invite.request.from.uri),
      sipCallId: invite.request.callId,
    });
    const call = new Call(context, start, log);
    void call.#run(start);
    return call;
  }

  /** An established call from the journal. */
  static restore(context: CallContext, snapshot: CallSnapshot): Call {
    const { record } = snapshot;
    const identity = {
      id: record.id,
      tenantId: record.tenantId,
      caller: { number: record.caller },
      called: record.called,
    };
    const call = new Call(context, identity, CallLog.resume(context.scheduler, record));
    const { inbound, outbound } = restoredSides(context, snapshot);
    call.#bridge(inbound, outbound);
    return call;
  }

  /**
   * Asks both phones of a restored call whether they still talk. The call ends when one of them does not, or when
   * neither can be reached: nobody is left then who could end it.
   */
  async probe(): Promise<void> {
    if (this.#state.kind !== 'bridged') return;
    const { inbound, outbound } = this.#state;
    const found = await Promise.all([inbound.session.probe(), outbound.session.probe()]);
    if (found.every((each) => each === 'unreachable')) this.end();
  }

  get state(): State['kind'] {
    return this.#state.kind;
  }

  /** The record as it stands now. */
  get record(): CallRecord {
    return this.#log.record;
  }

  /** The call as plain data while two legs talk; undefined before, after, and when a handler serves it. */
  snapshot(): CallSnapshot | undefined {
    if (this.#state.kind !== 'bridged') return undefined;
    const { inbound, outbound } = this.#state;
    return {
      record: this.record,
      inbound: { legId: inbound.legId, session: inbound.session.snapshot() },
      outbound: { legId: outbound.legId, session: outbound.session.snapshot() },
    };
  }

  /** Ends the call from the PBX's side: legs that talk are hung up, a caller who waits gets 480. */
  end(): void {
    switch (this.#state.kind) {
      case 'bridged': {
        const { bridge, inbound, outbound } = this.#state;
        bridge.end();
        for (const { legId } of [inbound, outbound])
          this.#log.endLeg(legId, { outcome: 'answered', releasedBy: 'server' });
        return this.#finish();
      }
      case 'handled':
        return this.#state.handled.end();
      default:
        this.#gone.abort();
    }
  }

  async #run(start: CallStart): Promise<void> {
    const { invite } = start;
    invite.onAbandoned((abandoned) => this.#onAbandoned(abandoned));
    const { tenantId, id: callId } = this;
    const inbound = new InboundLeg({ tenantId, callId, invite, media: this.#context.media, signal: this.#gone.signal });
    try {
      await this.#seek(inbound, start.maxForwards);
      if (invite.open) this.#refuse(invite, { status: 480 }, 'server');
    } catch (error) {
      // A fault of the router, the media engine, a handler, or ours: this caller gets 500, nobody else is harmed.
      this.#context.logger.error({ callId, err: error }, 'a call failed');
      this.#gone.abort();
      this.#refuse(invite, { status: 500 }, 'server');
    }
    if (this.#state.kind !== 'bridged') this.#finish();
  }

  async #seek(inbound: InboundLeg, maxForwards: number): Promise<void> {
    const { invite } = inbound;
    const { caller, called } = this.#identity;
    const search = new Search({
      context: this.#context,
      log: this.#log,
      route: {
        callId: this.id,
        tenantId: this.tenantId,
        caller,
        called,
        requestUri: invite.request.uri,
        source: invite.source,
      },
      signal: this.#gone.signal,
      nextLegId: () => `b${++this.#legCount}`,
      prepare: (leg, number) => this.#prepare(invite, leg, number, maxForwards),
      onProgress: (leg, progress) => this.#post(() => this.#onProgress(inbound, leg, progress)),
    });
    const result = await search.run();
    switch (result.kind) {
      case 'answered':
        return this.#mailbox.run(() => this.#connect(inbound, result.leg, result.answer));
      case 'handler':
        return this.#serve(invite, result.destination);
      case 'refused':
        return this.#refuse(invite, result.refusal);
      case 'abandoned':
    }
  }

  async #prepare(
    invite: IncomingInvite,
    leg: OutboundLeg,
    called: string,
    maxForwards: number,
  ): Promise<OutgoingInviteOptions> {
    const { media, domainOf } = this.#context;
    const { tenantId, id: callId } = this;
    const exchange = { tenantId, callId, fromLeg: INBOUND_LEG, toLeg: leg.id };
    const sdp = invite.sdp === undefined ? undefined : await media.offer({ ...exchange, sdp: invite.sdp });
    const domain = domainOf(tenantId);
    const { caller } = this.#identity;
    const { policy } = leg.target;
    const { headers: identity, ...from } = legIdentity(caller, domain, policy);
    return {
      target: leg.target,
      ...from,
      to: { uri: sipUri({ user: called, host: domain }), params: [] },
      maxForwards,
      headers: { ...passInvite(invite.request, sideOf(caller), policy.peer), ...identity },
      ...(sdp === undefined ? {} : { sdp }),
    };
  }

  async #onProgress(
    inbound: InboundLeg,
    leg: OutboundLeg,
    progress: Parameters<InboundLeg['progress']>[1],
  ): Promise<void> {
    if (this.#state.kind === 'routing' && progress.status === 180) {
      this.#state = { kind: 'ringing' };
      this.#log.ringing(INBOUND_LEG);
      this.#context.onRinging(this);
    }
    await inbound.progress(leg.id, progress);
  }

  async #connect(inbound: InboundLeg, leg: OutboundLeg, answer: Answer): Promise<void> {
    const session = await inbound.accept(leg.id, answer).catch((error: unknown) => {
      this.#releaseAnswered(leg, answer, { outcome: 'failed', releasedBy: 'server' });
      throw error;
    });
    if (session === undefined) {
      // The caller gave up, or the call was ended, while the answer was on its way.
      const by = inbound.invite.open ? 'server' : 'other-party';
      return this.#releaseAnswered(leg, answer, { outcome: 'cancelled', releasedBy: by });
    }
    this.#log.answered(INBOUND_LEG);
    this.#log.callAnswered();
    const lateOffer = inbound.invite.sdp === undefined;
    this.#bridge(
      { legId: INBOUND_LEG, session },
      { legId: leg.id, session: answer.session },
      lateOffer ? (sdp) => this.#post(() => this.#passLateAnswer(leg, answer, sdp)) : undefined,
    );
    // The phone may have hung up while the answer was passed on: then the call is over already.
    if (this.state === 'bridged') this.#context.onAnswered(this);
  }

  /** A phone has answered and nobody is there to talk to it. */
  #releaseAnswered(leg: OutboundLeg, answer: Answer, end: LegEnd): void {
    answer.acknowledge(undefined);
    answer.session.end();
    this.#log.endLeg(leg.id, end);
  }

  /** The caller's ACK carries the answer to the offer that came in the callee's 200. */
  async #passLateAnswer(leg: OutboundLeg, answer: Answer, sdp: string | undefined): Promise<void> {
    const { tenantId, id: callId } = this;
    let passed: string | undefined;
    try {
      const exchange = { tenantId, callId, fromLeg: INBOUND_LEG, toLeg: leg.id };
      passed = sdp === undefined ? undefined : await this.#context.media.answer({ ...exchange, sdp });
    } finally {
      answer.acknowledge(passed);
      if (passed === undefined) this.end();
    }
  }

  #bridge(inbound: BridgeSide, outbound: BridgeSide, onAcknowledged?: (sdp: string | undefined) => void): void {
    const { media, logger } = this.#context;
    const bridge = new Bridge({
      callId: this.id,
      tenantId: this.tenantId,
      inbound,
      outbound,
      media,
      mailbox: this.#mailbox,
      logger,
      ...(onAcknowledged === undefined ? {} : { onAcknowledged }),
      onChanged: () => this.#context.onChanged(this),
      onEnded: (side, end) =>
        side === 'inbound' ? this.#onHungUp(end, inbound, outbound) : this.#onHungUp(end, outbound, inbound),
    });
    this.#state = { kind: 'bridged', bridge, inbound, outbound };
    bridge.join();
  }

  #onHungUp(end: SessionEnd, side: BridgeSide, other: BridgeSide): void {
    const ends = legEnds(end);
    this.#log.endLeg(side.legId, ends.own);
    this.#log.endLeg(other.legId, ends.other);
    this.#finish();
  }

  async #serve(invite: IncomingInvite, destination: HandlerDestination): Promise<void> {
    const { signal } = this.#gone;
    const handled = new HandledCall({
      ...this.#identity,
      invite,
      log: this.#log,
      legId: INBOUND_LEG,
      onAnswered: () => this.#context.onAnswered(this),
      onEnded: (end) => {
        this.#log.endLeg(INBOUND_LEG, legEnds(end).own);
        this.#gone.abort();
      },
    });
    this.#state = { kind: 'handled', handled };
    try {
      await untilAborted(destination.run(handled, signal), signal, (error) =>
        this.#context.logger.debug({ callId: this.id, err: error }, 'a call handler failed after the call had ended'),
      );
      handled.end();
    } finally {
      // A handler that fails before it has answered leaves the INVITE open: it then gets 500.
      if (handled.session !== undefined) {
        handled.end();
        this.#log.endLeg(INBOUND_LEG, { outcome: 'answered', releasedBy: 'server' });
      }
    }
  }

  #refuse(
    invite: IncomingInvite,
    refusal: Refusal,
    by: ReleasedBy = this.#legCount === 0 ? 'server' : 'other-party',
  ): void {
    const { status, reason, reasonHeaders } = refusal;
    const text = reason ?? outcome('failed', status).reason;
    invite.reject({ status, reason: text, headers: passReason(reasonHeaders ?? []) });
    this.#log.endLeg(INBOUND_LEG, { outcome: inboundOutcome(status), releasedBy: by, status, cause: text });
  }

  #onAbandoned({ cause, reason }: Abandoned): void {
    this.#log.endLeg(INBOUND_LEG, {
      outcome: 'cancelled',
      releasedBy: cause === 'expired' ? 'server' : 'this-party',
      status: 487,
      ...(reason[0] === undefined ? {} : { cause: reason[0] }),
    });
    this.#gone.abort();
  }

  /** Does something in the order of the call's events; what fails there ends the call. */
  #post(task: () => void | Promise<void>): void {
    this.#mailbox.run(task).catch((error: unknown) => {
      this.#context.logger.error({ callId: this.id, err: error }, 'a call failed');
      this.end();
    });
  }

  #finish(): void {
    if (this.#state.kind === 'ended') return;
    this.#state = { kind: 'ended' };
    this.#gone.abort();
    this.#log.endCall();
    this.#context.onEnded(this);
  }
}
