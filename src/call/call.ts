import { untilAborted } from '../base/aborted.js';
import { Mailbox } from '../base/mailbox.js';
import type { TenantId } from '../base/tenant.js';
import type { IncomingInvite } from '../dialog/incoming-invite.js';
import type { SessionEnd } from '../dialog/invite-session.js';
import { formatUri } from '../protocol/sip/uri.js';
import { Attempt } from './attempt.js';
import { Bridge } from './bridge.js';
import type { CallLeg } from './call-leg.js';
import { CallLog, type CallRecord } from './call-record.js';
import type { CallContext, LiveCall } from './context.js';
import { HandledCall } from './handled-call.js';
import { INBOUND_LEG } from './inbound-leg.js';
import type { CallSnapshot, LegSnapshot } from './journal.js';
import { legEnds } from './leg-end.js';
import type { Party } from './party.js';
import { restoredSides } from './restored-sides.js';
import type { Destination } from './route.js';

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
  | { readonly kind: 'bridged'; readonly bridge: Bridge; readonly inbound: CallLeg; readonly outbound: CallLeg }
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
      inbound: legSnapshot(inbound),
      outbound: legSnapshot(outbound),
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
    const attempt = new Attempt({
      ...start,
      callId: start.id,
      context: this.#context,
      log: this.#log,
      mailbox: this.#mailbox,
      gone: this.#gone,
      nextLegId: () => `b${++this.#legCount}`,
      onRinging: () => this.#onRinging(),
      onConnected: (inbound, outbound, onAcknowledged) => {
        this.#bridge(inbound, outbound, onAcknowledged);
        // The phone may have hung up while the answer was passed on: then the call is over already.
        if (this.state === 'bridged') this.#context.onAnswered(this);
      },
      onHandler: (destination) => this.#serve(start.invite, destination),
      post: (task) => this.#post(task),
      end: () => this.end(),
    });
    await attempt.run();
    if (this.#state.kind !== 'bridged') this.#finish();
  }

  #onRinging(): void {
    if (this.#state.kind !== 'routing') return;
    this.#state = { kind: 'ringing' };
    this.#context.onRinging(this);
  }

  #bridge(inbound: CallLeg, outbound: CallLeg, onAcknowledged?: (sdp: string | undefined) => void): void {
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

  #onHungUp(end: SessionEnd, side: CallLeg, other: CallLeg): void {
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

function legSnapshot({ legId, party, session }: CallLeg): LegSnapshot {
  return { legId, party, session: session.snapshot() };
}
