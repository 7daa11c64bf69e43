import type { Mailbox } from '../base/mailbox.js';
import type { TenantId } from '../base/tenant.js';
import type { SessionEnd } from '../dialog/invite-session.js';
import { replacesDialog } from '../dialog/replaces.js';
import type { Replaces } from '../protocol/sip/header/dialog-id.js';
import type { IncomingRequest } from '../ua/incoming.js';
import { Bridge } from './bridge.js';
import type { CallLeg } from './call-leg.js';
import { type CallMedia, mediaAddress } from './call-media.js';
import type { CallLog, GivenLeg, LegEnd, TransferRecord } from './call-record.js';
import type { CallContext } from './context.js';
import { HoldMusic } from './hold-music.js';
import type { JoinFailure } from './join.js';
import type { CallSnapshot, LegSnapshot } from './journal.js';
import { legEnds } from './leg-end.js';
import { moveMedia } from './media-move.js';
import type { MediaDecision } from './media-path.js';
import { refuseRefer, Transfer } from './transfer.js';
import type { FoundDialog, Hold, ServeRequest, TransferHost } from './transfer-host.js';
import type { TransferResult } from './transfer-parts.js';

export interface TalkOptions {
  readonly context: CallContext;
  readonly id: string;
  readonly tenantId: TenantId;
  readonly log: CallLog;
  readonly media: CallMedia;
  readonly mailbox: Mailbox;
  readonly nextLegId: () => string;
  /** Fires when the call is over. */
  readonly signal: AbortSignal;
  /** A re-INVITE has changed what a restored call would need. */
  readonly onChanged: () => void;
  readonly onTransferred: (transfer: TransferRecord) => void;
  /** A handler serves one of the two; see `TransferHost.serve`. */
  readonly serve: (host: TransferHost, request: ServeRequest) => Promise<TransferResult>;
  /** Once: neither party is left. */
  readonly onEnded: () => void;
}

interface Legs {
  readonly bridge: Bridge;
  readonly inbound: CallLeg;
  readonly outbound: CallLeg;
}

type State =
  | ({ readonly kind: 'bridged' } & Legs)
  /** One party is transferring the other, and has hung up already: `alone` waits for who takes its place. */
  | ({ readonly kind: 'parting'; readonly alone: CallLeg } & Legs)
  | { readonly kind: 'over' };

const TERMINATED = { status: 487, reason: 'Request Terminated' };

/** Two parties of a call who talk, whoever of them is replaced meanwhile: until both have gone. */
export class Talk implements TransferHost {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly log: CallLog;
  readonly media: CallMedia;
  readonly mailbox: Mailbox;
  readonly #options: TalkOptions;
  #state: State;
  /** Who is handing one end of the call to somebody else. */
  #hold: Hold | undefined;
  /** The legs that have sent a REFER, if one has: the first of a dialog is told apart (RFC 3515 §2.4.6). */
  #referred: Set<string> | undefined;

  constructor(
    options: TalkOptions,
    inbound: CallLeg,
    outbound: CallLeg,
    onAcknowledged?: (sdp: string | undefined) => void,
  ) {
    this.#options = options;
    this.id = options.id;
    this.tenantId = options.tenantId;
    this.log = options.log;
    this.media = options.media;
    this.mailbox = options.mailbox;
    this.#state = this.#bridge(inbound, outbound, onAcknowledged);
    this.#state.bridge.join();
  }

  get live(): boolean {
    return this.#state.kind !== 'over';
  }

  /** As plain data while two legs talk. */
  snapshot(): Omit<CallSnapshot, 'record'> | undefined {
    if (this.#state.kind !== 'bridged') return undefined;
    const { inbound, outbound } = this.#state;
    const media = this.media.snapshot();
    return {
      inbound: legSnapshot(inbound),
      outbound: legSnapshot(outbound),
      ...(media === undefined ? {} : { media }),
    };
  }

  /**
   * Asks both phones of a restored call whether they still talk. False when one of them does not, or when neither can be
   * reached: nobody is left then who could end it.
   */
  async probe(): Promise<boolean> {
    if (this.#state.kind !== 'bridged') return true;
    const { inbound, outbound } = this.#state;
    const found = await Promise.all([inbound.session.probe(), outbound.session.probe()]);
    return found.some((each) => each !== 'unreachable');
  }

  /** See `Call.tellsMediaAt`. */
  tellsMediaAt(address: string): boolean {
    if (this.#state.kind !== 'bridged' || this.media.snapshot()?.path !== 'relay') return false;
    const { inbound, outbound } = this.#state;
    return [inbound, outbound].some(({ session }) => {
      const told = session.agreed?.local;
      return told !== undefined && mediaAddress(told) === address;
    });
  }

  /**
   * The media goes by another path from now on. Resolves to why it could not be: everything is as it was then. `isWanted` is asked when
   * what was under way is done.
   */
  moveMedia(decision: MediaDecision, isWanted: () => boolean = () => true): Promise<JoinFailure> {
    return this.mailbox.run(async () => {
      if (this.#state.kind !== 'bridged') return TERMINATED;
      if (!isWanted()) return undefined;
      const { inbound, outbound } = this.#state;
      const { context, signal, onChanged } = this.#options;
      const { scheduler, random } = context;
      this.suspend();
      try {
        const failed = await moveMedia({ media: this.media, scheduler, random, signal, inbound, outbound }, decision);
        if (failed === undefined) this.log.media(decision);
        return failed;
      } finally {
        this.resume();
        onChanged();
      }
    });
  }

  /** Hangs up whoever is left. */
  end(): void {
    const state = this.#state;
    if (state.kind === 'over') return;
    if (state.kind === 'bridged') state.bridge.end();
    else state.alone.session.end();
    for (const { legId } of state.kind === 'bridged' ? [state.inbound, state.outbound] : [state.alone])
      this.log.endLeg(legId, { outcome: 'answered', releasedBy: 'server' });
    this.#finish();
  }

  nextLegId(): string {
    return this.#options.nextLegId();
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
    if (state.kind === 'over') return;
    const { inbound, outbound } = state;
    const replaced = transfer.kind === 'replaced';
    this.#letGo(state, gone, {
      outcome: 'answered',
      releasedBy: replaced ? 'server' : 'this-party',
      cause: replaced ? `replaced by ${transfer.to}` : `transferred to ${transfer.to}`,
    });
    const told = this.log.transferred(transfer);
    const bridged = gone.legId === inbound.legId ? this.#bridge(next, outbound) : this.#bridge(inbound, next);
    this.#state = bridged;
    bridged.bridge.join();
    this.#options.onTransferred(told);
    this.changeOver();
  }

  serve(request: ServeRequest): Promise<TransferResult> {
    return this.#options.serve(this, request);
  }

  giveWay(gone: CallLeg, stays: CallLeg, transfer: Omit<TransferRecord, 'at' | 'status'>): void {
    const state = this.#state;
    if (state.kind === 'over') return;
    this.#letGo(state, gone, {
      outcome: 'answered',
      releasedBy: 'this-party',
      cause: `transferred to ${transfer.to}`,
    });
    const side = this.media.side(stays.legId);
    this.media.keep([]);
    this.media.leg(stays.legId, side);
    this.#state = { kind: 'over' };
    this.#options.onTransferred(this.log.transferred({ status: 200, ...transfer }));
  }

  handOver(leaving: CallLeg, partner: CallLeg, toCall: string): GivenLeg {
    const state = this.#state;
    const cause = `transferred to ${partner.party.number}`;
    if (state.kind !== 'over') this.#letGo(state, leaving, { outcome: 'answered', releasedBy: 'this-party', cause });
    leaving.session.end();
    const record = this.log.giveLeg(partner.legId, toCall);
    this.#finish();
    return record;
  }

  /** The dialog that a Replaces names. */
  find(replaces: Replaces): FoundDialog | undefined {
    if (this.#state.kind !== 'bridged') return undefined;
    const { inbound, outbound } = this.#state;
    if (replacesDialog(replaces, inbound.session.dialog.id))
      return { kind: 'talking', call: this, leg: inbound, other: outbound };
    if (replacesDialog(replaces, outbound.session.dialog.id))
      return { kind: 'talking', call: this, leg: outbound, other: inbound };
    return undefined;
  }

  #bridge(
    inbound: CallLeg,
    outbound: CallLeg,
    onAcknowledged?: (sdp: string | undefined) => void,
  ): Extract<State, { kind: 'bridged' }> {
    const { context, onChanged } = this.#options;
    this.media.keep([inbound.legId, outbound.legId]);
    const leg = (side: 'inbound' | 'outbound'): CallLeg => (side === 'inbound' ? inbound : outbound);
    const other = (side: 'inbound' | 'outbound'): CallLeg => (side === 'inbound' ? outbound : inbound);
    const bridge = new Bridge({
      callId: this.id,
      inbound,
      outbound,
      media: this.media,
      ...(context.music === undefined ? {} : { music: new HoldMusic(context.music, this.media) }),
      mailbox: this.mailbox,
      logger: context.logger,
      onAcknowledged: (sdp) => {
        onAcknowledged?.(sdp);
        this.changeOver();
      },
      onChanged: () => {
        onChanged();
        this.changeOver();
      },
      onRequest: (side, incoming) => this.#onRequest(leg(side), other(side), incoming),
      staysAfter: (side) => this.#hold?.leaving.legId === leg(side).legId,
      onEnded: (side, end) => this.#onHungUp(end, leg(side), other(side)),
    });
    return { kind: 'bridged', bridge, inbound, outbound };
  }

  /**
   * Moves the media if the last answer has shown that the two cannot hear each other by the path that was taken, or if a party was told an
   * address that is not the server's any more.
   */
  changeOver(): void {
    this.#options.context.onAgreed(this);
    const { wanted } = this.media;
    if (wanted === undefined) return;
    const { context, id: callId } = this.#options;
    this.moveMedia(wanted).then(
      (failed) => {
        if (failed !== undefined && failed !== TERMINATED)
          context.logger.warn({ callId, ...failed }, 'the media of a call could not be relayed');
      },
      (error: unknown) => context.logger.error({ callId, err: error }, 'the media of a call could not be relayed'),
    );
  }

  /** What a party asks besides what its session serves: a REFER, or a SUBSCRIBE about one. */
  #onRequest(leg: CallLeg, other: CallLeg, incoming: IncomingRequest): boolean {
    const hold = this.#hold?.leaving.legId === leg.legId ? this.#hold : undefined;
    if (hold?.take?.(incoming) === true) return true;
    if (incoming.request.method !== 'REFER') return false;
    const first = this.#referred?.has(leg.legId) !== true;
    this.#referred ??= new Set();
    this.#referred.add(leg.legId);
    Transfer.begin({ context: this.#options.context, host: this, leaving: leg, stays: other, incoming, first });
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

  #finish(): void {
    if (this.#state.kind === 'over') return;
    this.#state = { kind: 'over' };
    this.#hold?.cancel();
    this.#options.onEnded();
  }
}

function legSnapshot({ legId, party, session }: CallLeg): LegSnapshot {
  return { legId, party, session: session.snapshot() };
}
