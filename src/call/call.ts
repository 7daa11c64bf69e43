import { NOBODY_WAITS, untilAborted } from '../base/aborted.js';
import { Mailbox } from '../base/mailbox.js';
import type { TenantId } from '../base/tenant.js';
import type { IncomingInvite } from '../dialog/incoming-invite.js';
import type { SessionEnd } from '../dialog/invite-session.js';
import { replacesDialog } from '../dialog/replaces.js';
import type { Replaces } from '../protocol/sip/header/dialog-id.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Lease } from '../ua/target.js';
import { Attempt } from './attempt.js';
import { Bridge } from './bridge.js';
import type { CallLeg } from './call-leg.js';
import { CallLog, type CallRecord, type GivenLeg, type LegEnd, type TransferRecord } from './call-record.js';
import type { CallContext, LiveCall } from './context.js';
import { HandledCall } from './handled-call.js';
import { INBOUND_LEG, inboundLegStart } from './inbound-leg.js';
import type { CallSnapshot, LegSnapshot } from './journal.js';
import { legEnds } from './leg-end.js';
import type { Party } from './party.js';
import { restoredSides } from './restored-sides.js';
import type { Destination } from './route.js';
import { refuseRefer, Transfer } from './transfer.js';
import type { FoundDialog, Heir, Hold, TransferHost, WaitingCall } from './transfer-host.js';

export interface CallStart {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly caller: Party;
  /** The number that was dialled. */
  readonly called: string;
  readonly invite: IncomingInvite;
  /** What the outbound legs are sent with. */
  readonly maxForwards: number;
  /** The place that the caller takes on its line or trunk. */
  readonly lease?: Lease;
}

type Identity = Pick<CallStart, 'id' | 'tenantId' | 'caller' | 'called'>;
type HandlerDestination = Extract<Destination, { kind: 'handler' }>;

interface Legs {
  readonly bridge: Bridge;
  readonly inbound: CallLeg;
  readonly outbound: CallLeg;
}

type State =
  | { readonly kind: 'routing' }
  | { readonly kind: 'ringing' }
  | ({ readonly kind: 'bridged' } & Legs)
  /** One party is transferring the other, and has hung up already: `alone` waits for who takes its place. */
  | ({ readonly kind: 'parting'; readonly alone: CallLeg } & Legs)
  | { readonly kind: 'handled'; readonly handled: HandledCall }
  | { readonly kind: 'ended' };

/** One call from the caller's INVITE to the end of its last leg: a B2BUA with a dialog for each leg. */
export class Call implements LiveCall, TransferHost, WaitingCall {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly log: CallLog;
  /** One for all legs: their events never interleave, whatever each waits for. */
  readonly mailbox = new Mailbox();
  readonly #context: CallContext;
  readonly #identity: Identity;
  /** Fires when the caller has gone, or the call ends: everything that is awaited stops. */
  readonly #gone = new AbortController();
  #state: State = { kind: 'routing' };
  #legCount = 0;
  #attempt: Attempt | undefined;
  /** Who is handing one end of the call to somebody else. */
  #hold: Hold | undefined;
  /** The legs that have sent a REFER: the first of a dialog is told apart (RFC 3515 §2.4.6). */
  readonly #referred = new Set<string>();

  private constructor(context: CallContext, identity: Identity, log: CallLog) {
    this.#context = context;
    this.#identity = identity;
    this.id = identity.id;
    this.tenantId = identity.tenantId;
    this.log = log;
  }

  /** A new call: it looks for its way at once. */
  static start(context: CallContext, start: CallStart): Call {
    const { invite, caller, id, tenantId, called, lease } = start;
    const log = new CallLog(context.scheduler, { id, tenantId, caller: caller.number, called });
    log.addLeg(inboundLegStart(INBOUND_LEG, caller, invite), lease);
    const call = new Call(context, { id, tenantId, caller, called }, log);
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
    const living = [snapshot.inbound.legId, snapshot.outbound.legId];
    const call = new Call(context, identity, CallLog.resume(context.scheduler, record, living));
    call.#legCount = record.legs.length;
    for (const { id, via, direction } of record.legs)
      if (via !== undefined && living.includes(id)) call.log.hold(id, context.occupy(record.tenantId, via, direction));
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
    return this.log.record;
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
          this.log.endLeg(legId, { outcome: 'answered', releasedBy: 'server' });
        return this.#finish();
      }
      case 'parting': {
        const { alone } = this.#state;
        alone.session.end();
        this.log.endLeg(alone.legId, { outcome: 'answered', releasedBy: 'server' });
        return this.#finish();
      }
      case 'handled':
        return this.#state.handled.end();
      default:
        this.#gone.abort(NOBODY_WAITS);
    }
  }

  async #run(start: CallStart): Promise<void> {
    const attempt = new Attempt({
      callId: start.id,
      ...start,
      context: this.#context,
      log: this.log,
      mailbox: this.mailbox,
      gone: this.#gone,
      nextLegId: () => this.nextLegId(),
      onRinging: () => this.#onRinging(),
      onConnected: (inbound, outbound, onAcknowledged) => {
        this.#bridge(inbound, outbound, onAcknowledged);
        // The phone may have hung up while the answer was passed on: then the call is over already.
        if (this.state === 'bridged') this.#context.onAnswered(this);
      },
      suspend: () => this.suspend(),
      resume: () => {
        this.resume();
        this.#context.onChanged(this);
      },
      onHandler: (destination) => this.#serve(start.invite, destination),
      post: (task) => this.#post(task),
      end: () => this.end(),
    });
    this.#attempt = attempt;
    await attempt.run();
    this.#attempt = undefined;
    if (!this.live) this.#finish();
  }

  #onRinging(): void {
    if (this.#state.kind !== 'routing') return;
    this.#state = { kind: 'ringing' };
    this.#context.onRinging(this);
  }

  /** Two legs talk, or one waits for the outcome of a transfer. */
  get live(): boolean {
    return this.#state.kind === 'bridged' || this.#state.kind === 'parting';
  }

  nextLegId(): string {
    return `b${++this.#legCount}`;
  }

  suspend(): void {
    if (this.#state.kind === 'bridged') this.#state.bridge.suspend();
  }

  resume(): void {
    if (this.#state.kind === 'bridged') this.#state.bridge.resume();
  }

  reserve(hold: Hold): boolean {
    if (this.#state.kind !== 'bridged' || this.#hold !== undefined) return false;
    this.#hold = hold;
    return true;
  }

  free(hold: Hold): void {
    if (this.#hold !== hold) return;
    this.#hold = undefined;
    if (this.#state.kind === 'parting') this.end();
  }

  replace(gone: CallLeg, next: CallLeg, transfer: Omit<TransferRecord, 'at'>): void {
    const state = this.#state;
    if (state.kind !== 'bridged' && state.kind !== 'parting') return;
    const { inbound, outbound } = state;
    const replaced = transfer.kind === 'replaced';
    this.#letGo(state, gone, {
      outcome: 'answered',
      releasedBy: replaced ? 'server' : 'this-party',
      cause: replaced ? `replaced by ${transfer.to}` : `transferred to ${transfer.to}`,
    });
    const told = this.log.transferred(transfer);
    if (gone.legId === inbound.legId) this.#bridge(next, outbound);
    else this.#bridge(inbound, next);
    this.#context.onTransferred(this, told);
  }

  handOver(leaving: CallLeg, partner: CallLeg, toCall: string): GivenLeg {
    const state = this.#state;
    const cause = `transferred to ${partner.party.number}`;
    if (state.kind === 'bridged' || state.kind === 'parting')
      this.#letGo(state, leaving, { outcome: 'answered', releasedBy: 'this-party', cause });
    leaving.session.end();
    const record = this.log.giveLeg(partner.legId, toCall);
    this.#finish();
    return record;
  }

  bequeath(heir: Heir): boolean {
    return this.#attempt?.bequeath(heir) ?? false;
  }

  disown(heir: Heir): void {
    this.#attempt?.disown(heir);
  }

  /** The dialog of this call that a Replaces names. */
  find(replaces: Replaces): FoundDialog | undefined {
    if (this.#state.kind === 'bridged') {
      const { inbound, outbound } = this.#state;
      if (replacesDialog(replaces, inbound.session.dialog.id)) {
        return { kind: 'talking', call: this, leg: inbound, other: outbound };
      }
      if (replacesDialog(replaces, outbound.session.dialog.id)) {
        return { kind: 'talking', call: this, leg: outbound, other: inbound };
      }
    }
    if (this.#attempt?.hasDialog(replaces) === true)
      return { kind: 'waiting', call: this, party: this.#identity.caller };
    return undefined;
  }

  #bridge(inbound: CallLeg, outbound: CallLeg, onAcknowledged?: (sdp: string | undefined) => void): void {
    const { media, logger } = this.#context;
    const leg = (side: 'inbound' | 'outbound'): CallLeg => (side === 'inbound' ? inbound : outbound);
    const other = (side: 'inbound' | 'outbound'): CallLeg => (side === 'inbound' ? outbound : inbound);
    const bridge = new Bridge({
      callId: this.id,
      tenantId: this.tenantId,
      inbound,
      outbound,
      media,
      mailbox: this.mailbox,
      logger,
      ...(onAcknowledged === undefined ? {} : { onAcknowledged }),
      onChanged: () => this.#context.onChanged(this),
      onRequest: (side, incoming) => this.#onRequest(leg(side), other(side), incoming),
      staysAfter: (side) => this.#hold?.leaving.legId === leg(side).legId,
      onEnded: (side, end) => this.#onHungUp(end, leg(side), other(side)),
    });
    this.#state = { kind: 'bridged', bridge, inbound, outbound };
    bridge.join();
  }

  /** What a party asks besides what its session serves: a REFER, or a SUBSCRIBE about one. */
  #onRequest(leg: CallLeg, other: CallLeg, incoming: IncomingRequest): boolean {
    const hold = this.#hold?.leaving.legId === leg.legId ? this.#hold : undefined;
    if (hold?.take?.(incoming) === true) return true;
    if (incoming.request.method !== 'REFER') return false;
    const first = !this.#referred.has(leg.legId);
    this.#referred.add(leg.legId);
    Transfer.begin({ context: this.#context, host: this, leaving: leg, stays: other, incoming, first });
    return true;
  }

  #onHungUp(end: SessionEnd, leg: CallLeg, other: CallLeg): void {
    const ends = legEnds(end);
    this.log.endLeg(leg.legId, ends.own);
    const hold = this.#hold;
    if (this.#state.kind === 'bridged' && hold?.leaving.legId === leg.legId) {
      this.#state = { ...this.#state, kind: 'parting', alone: other };
      other.session.handle({
        onModify: (modify) => modify.reject(491),
        onRequest: refuseRefer,
        onEnded: (last) => {
          this.log.endLeg(other.legId, legEnds(last).own);
          this.#finish();
        },
      });
      return hold.onLeft();
    }
    this.log.endLeg(other.legId, ends.other);
    this.#finish();
  }

  /** One party leaves, the other stays; whoever takes the session of the one that leaves ends it. */
  #letGo({ bridge, inbound, outbound }: Legs, gone: CallLeg, end: LegEnd): void {
    bridge.release();
    for (const { session } of [inbound, outbound]) {
      session.handle({ onModify: (modify) => modify.reject(491), onEnded: () => {} });
    }
    const hold = this.#hold;
    gone.session.handle({
      onModify: (modify) => modify.reject(491),
      onRequest: (incoming) => hold?.take?.(incoming) === true || refuseRefer(incoming),
      onEnded: () => {},
    });
    this.log.endLeg(gone.legId, end);
  }

  async #serve(invite: IncomingInvite, destination: HandlerDestination): Promise<void> {
    const { signal } = this.#gone;
    const handled = new HandledCall({
      invite,
      ...this.#identity,
      log: this.log,
      legId: INBOUND_LEG,
      onAnswered: () => this.#context.onAnswered(this),
      onEnded: (end) => {
        this.log.endLeg(INBOUND_LEG, legEnds(end).own);
        this.#gone.abort(NOBODY_WAITS);
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
        this.log.endLeg(INBOUND_LEG, { outcome: 'answered', releasedBy: 'server' });
      }
    }
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
    this.#hold?.cancel();
    this.log.endCall();
    this.#context.onEnded(this);
  }
}

function legSnapshot({ legId, party, session }: CallLeg): LegSnapshot {
  return { legId, party, session: session.snapshot() };
}
