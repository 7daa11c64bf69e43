import { NOBODY_WAITS } from '../base/aborted.js';
import type { Mailbox } from '../base/mailbox.js';
import type { TenantId } from '../base/tenant.js';
import { NO_CODEC } from '../dialog/allowed-formats.js';
import type { Abandoned, IncomingInvite } from '../dialog/incoming-invite.js';
import type { Answer, OutgoingInviteOptions, Progress } from '../dialog/outgoing-invite.js';
import type { Replaces } from '../protocol/sip/header/dialog-id.js';
import { maxBreadth } from '../ua/max-breadth.js';
import { diversions } from './call-history.js';
import { type CallLeg, partyOfTarget } from './call-leg.js';
import type { CallMedia } from './call-media.js';
import type { CallLog, LegEnd, ReleasedBy } from './call-record.js';
import type { CallContext } from './context.js';
import type { OutboundLeg } from './fork.js';
import { type LegNumbers, legIdentity } from './identity.js';
import { INBOUND_LEG, InboundLeg } from './inbound-leg.js';
import { answerAsOffer, passAnswerOn, placeholderFor } from './late-offer.js';
import { isFull } from './media-fault.js';
import { resolvedSideOfTarget } from './media-side.js';
import { inboundOutcome, outcome } from './outcome.js';
import { type Party, sideOf } from './party.js';
import { passInvite, passReason } from './passing.js';
import { type Refusal, Search, type SearchResult } from './search.js';
import type { Heir } from './transfer-host.js';

/** Ports rest for so long when a call has ended. */
const RETRY_AFTER_SECONDS = 10;

type Answered = Extract<SearchResult, { kind: 'answered' }>;

/** The two when they talk; see `Talk`. */
interface Talking {
  /** What they ask of each other is refused with 491 from now on. */
  suspend(): void;
  /** It passes again. */
  resume(): void;
}

export interface AttemptOptions {
  readonly context: CallContext;
  readonly callId: string;
  readonly tenantId: TenantId;
  readonly caller: Party;
  /** The number that was dialled. */
  readonly called: string;
  readonly invite: IncomingInvite;
  /** What the outbound legs are sent with. */
  readonly maxForwards: number;
  readonly log: CallLog;
  readonly media: CallMedia;
  readonly mailbox: Mailbox;
  /** Fires when the caller has gone, or the call ends; aborted here in the first case. */
  readonly gone: AbortController;
  readonly nextLegId: () => string;
  readonly onRinging: () => void;
  /** Both talk; called in the mailbox. `onAcknowledged` must be told of the caller's ACK. */
  readonly onConnected: (
    inbound: CallLeg,
    outbound: CallLeg,
    onAcknowledged: ((sdp: string | undefined) => void) | undefined,
  ) => Talking;
  /** What the two have agreed is complete now. */
  readonly onChanged: () => void;
  readonly onHandler: (destination: Extract<SearchResult, { kind: 'handler' }>['destination']) => Promise<void>;
  /** Does something in the order of the call's events; what fails there ends the call. */
  readonly post: (task: () => void | Promise<void>) => void;
  /** Ends the call. */
  readonly end: () => void;
}

/** A caller who waits for an answer: from the INVITE to the 200 or the refusal. */
export class Attempt {
  readonly #options: AttemptOptions;
  readonly #inbound: InboundLeg;
  #ringing = false;
  #legs = 0;
  #heir: Heir | undefined;
  /** The caller has given up, but its heir has not. */
  #left = false;

  constructor(options: AttemptOptions) {
    const { invite, media, gone } = options;
    this.#options = options;
    this.#inbound = new InboundLeg({ invite, media, signal: gone.signal });
    invite.onAbandoned((abandoned) => this.#onAbandoned(abandoned));
  }

  /** Resolves when the caller is answered, refused, or gone. */
  async run(): Promise<void> {
    const { context, callId, tenantId, caller, called, invite, log, gone } = this.#options;
    if (invite.silent) return this.#refuse({ status: 488, reason: NO_CODEC }, 'server');
    try {
      const search = new Search({
        context,
        log,
        route: { callId, tenantId, caller, called, requestUri: invite.request.uri, source: invite.source },
        maxBreadth: maxBreadth(invite.request),
        signal: gone.signal,
        nextLegId: () => this.#nextLegId(),
        prepare: (leg, numbers, diverted) => this.#prepare(leg, numbers, diverted),
        onProgress: (leg, progress) => this.#options.post(() => this.#onProgress(leg, progress)),
        onLegFailed: (leg, status) => this.#options.post(() => this.#inbound.leave(leg.id, status)),
        onAttemptFailed: () => this.#options.post(() => this.#inbound.forget()),
        // RFC 3261 §21.1.3. Nothing is sent when the caller is answered, or gone.
        onRedirected: () => invite.progress({ status: 181 }),
      });
      const result = await search.run();
      if (result.kind === 'answered') await this.#onAnswered(result);
      else if (result.kind === 'handler') await this.#onHandler(result);
      else if (result.kind === 'refused') this.#refuse(result.refusal);
      if (invite.open) this.#refuse({ status: 480 }, 'server');
      this.#heir?.onFailed({ status: 480 });
    } catch (error) {
      gone.abort(NOBODY_WAITS);
      if (isFull(error)) {
        context.logger.warn({ callId, err: error }, 'a call is refused: no port is left for media');
        // RFC 3261 §21.5.4: ports come back when other calls end. A router's 503 is about its own choice, and tells no time.
        this.#refuse({ status: 503 }, 'server', { 'Retry-After': String(RETRY_AFTER_SECONDS) });
        return;
      }
      // A fault of the router, the media engine, a handler, or ours: this caller gets 500, nobody else is harmed.
      context.logger.error({ callId, err: error }, 'a call failed');
      this.#refuse({ status: 500 }, 'server');
    }
  }

  /** Whether a Replaces names an early dialog of the caller. */
  hasDialog({ callId, toTag, fromTag }: Replaces): boolean {
    const { invite, context } = this.#options;
    const { request } = invite;
    if (!invite.open || callId !== request.callId || fromTag !== request.fromTag) return false;
    return context.dialogs.has({ callId, localTag: toTag, remoteTag: fromTag });
  }

  /** See `WaitingCall`. */
  bequeath(heir: Heir): boolean {
    const { invite } = this.#options;
    if (this.#heir !== undefined || !invite.open || invite.sdp === undefined) return false;
    this.#heir = heir;
    return true;
  }

  /** See `WaitingCall`. */
  disown(heir: Heir): void {
    if (this.#heir !== heir) return;
    this.#heir = undefined;
    if (this.#left) this.#options.gone.abort(NOBODY_WAITS);
  }

  #nextLegId(): string {
    this.#legs++;
    return this.#options.nextLegId();
  }

  async #prepare(leg: OutboundLeg, numbers: LegNumbers, diverted: readonly string[]): Promise<OutgoingInviteOptions> {
    const { context, tenantId, media, caller, invite, maxForwards, gone } = this.#options;
    media.leg(leg.id, await resolvedSideOfTarget(context, leg.target, numbers.called, gone.signal));
    const exchange = { fromLeg: INBOUND_LEG, toLeg: leg.id };
    const sdp = invite.sdp === undefined ? placeholderFor(leg) : await media.offer({ sdp: invite.sdp, ...exchange });
    const domain = context.domainOf(tenantId);
    const { policy } = leg.target;
    const { headers: identity, ...parties } = legIdentity(caller, numbers, domain, policy);
    return {
      target: leg.target,
      ...parties,
      maxForwards,
      headers: {
        ...passInvite(invite.request, sideOf(caller), policy, diversions(diverted, domain)),
        ...identity,
      },
      // RFC 3262 §5: an offer in a provisional response needs a caller who can answer it in a PRACK.
      reliable: sdp !== undefined || invite.reliable,
      ...(sdp === undefined ? {} : { sdp }),
    };
  }

  async #onProgress(leg: OutboundLeg, progress: Progress): Promise<void> {
    if (!this.#ringing && progress.status === 180) {
      this.#ringing = true;
      this.#options.log.ringing(INBOUND_LEG);
      this.#options.onRinging();
    }
    this.#heir?.onProgress(progress);
    await this.#inbound.progress(leg.id, progress);
  }

  async #onAnswered(answered: Answered): Promise<void> {
    const taken = (await this.#heir?.onAnswered(answered)) === true;
    if (!taken) return this.#options.mailbox.run(() => this.#connect(answered));
    this.#handOn();
  }

  /** The caller has handed on what it waited for. */
  #handOn(): void {
    const { invite, log } = this.#options;
    invite.reject({ status: 487 });
    log.endLeg(INBOUND_LEG, { outcome: 'cancelled', releasedBy: 'this-party', status: 487, cause: 'transferred' });
  }

  async #onHandler({ destination }: Extract<SearchResult, { kind: 'handler' }>): Promise<void> {
    const taken = (await this.#heir?.onHandler(destination)) === true;
    this.#heir = undefined;
    if (taken) this.#handOn();
    else if (!this.#left) await this.#options.onHandler(destination);
  }

  async #connect({ leg, called, answer: answered }: Answered): Promise<void> {
    const { log, invite, caller, onConnected, post } = this.#options;
    const placeholder = invite.sdp === undefined && placeholderFor(leg) !== undefined;
    const answer = placeholder ? answerAsOffer(answered) : answered;
    if (answer === undefined) {
      this.#release(leg, answered, { outcome: 'failed', releasedBy: 'server' });
      return this.#refuse({ status: 488 }, 'server');
    }
    const session = await this.#inbound.accept(leg.id, answer).catch((error: unknown) => {
      this.#release(leg, answer, { outcome: 'failed', releasedBy: 'server' });
      throw error;
    });
    if (session === undefined) {
      // The caller gave up, or the call was ended, while the answer was on its way.
      const by = invite.open ? 'server' : 'other-party';
      return this.#release(leg, answer, { outcome: 'cancelled', releasedBy: by });
    }
    log.answered(INBOUND_LEG);
    log.callAnswered();
    const inbound: CallLeg = { legId: INBOUND_LEG, session, party: caller };
    const outbound: CallLeg = { legId: leg.id, session: answer.session, party: partyOfTarget(leg.target, called) };
    if (placeholder) {
      const talk = onConnected(inbound, outbound, (sdp) => post(() => this.#passToTrunk(talk, outbound, inbound, sdp)));
      return talk.suspend();
    }
    const lateOffer = invite.sdp === undefined && !answer.agreedEarly;
    onConnected(inbound, outbound, lateOffer ? (sdp) => post(() => this.#passLateAnswer(leg, answer, sdp)) : undefined);
  }

  /** A phone has answered and nobody is there to talk to it. */
  #release(leg: OutboundLeg, answer: Answer, end: LegEnd): void {
    answer.acknowledge(undefined);
    answer.session.end();
    this.#options.log.endLeg(leg.id, end);
  }

  /** The caller's ACK carries the answer to the offer that came in the callee's 200. */
  async #passLateAnswer(leg: OutboundLeg, answer: Answer, sdp: string | undefined): Promise<void> {
    const { media, onChanged, end } = this.#options;
    let passed: string | undefined;
    try {
      const exchange = { fromLeg: INBOUND_LEG, toLeg: leg.id };
      passed = sdp === undefined ? undefined : await media.answer({ sdp, ...exchange });
    } finally {
      answer.acknowledge(passed);
      if (passed === undefined) end();
    }
    if (passed !== undefined) onChanged();
  }

  /** The caller's ACK carries the answer to what the trunk has answered to nothing. */
  async #passToTrunk(talk: Talking, trunk: CallLeg, caller: CallLeg, sdp: string | undefined): Promise<void> {
    const { media, context, gone, onChanged, end } = this.#options;
    const { scheduler, random } = context;
    const join = { media, scheduler, random, signal: gone.signal };
    const failed = sdp === undefined ? true : (await passAnswerOn(join, trunk, caller, sdp)) !== undefined;
    if (failed) return end();
    talk.resume();
    onChanged();
  }

  #refuse(
    refusal: Refusal,
    by: ReleasedBy = this.#legs === 0 ? 'server' : 'other-party',
    headers: Readonly<Record<string, string>> = {},
  ): void {
    this.#heir?.onFailed(refusal);
    this.#heir = undefined;
    const { status, reason, reasonHeaders } = refusal;
    const text = reason ?? outcome('failed', status).reason;
    this.#options.invite.reject({
      status,
      reason: text,
      headers: { ...passReason(reasonHeaders ?? []), ...headers },
    });
    this.#options.log.endLeg(INBOUND_LEG, {
      outcome: inboundOutcome(status),
      releasedBy: by,
      status,
      cause: text,
    });
  }

  #onAbandoned({ cause, reason }: Abandoned): void {
    this.#options.log.endLeg(INBOUND_LEG, {
      outcome: 'cancelled',
      releasedBy: cause === 'expired' ? 'server' : 'this-party',
      status: 487,
      ...(reason[0] === undefined ? {} : { cause: reason[0] }),
    });
    if (this.#heir === undefined) this.#options.gone.abort(NOBODY_WAITS);
    else this.#left = true;
  }
}
