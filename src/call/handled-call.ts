import type { Logger } from '../base/logger.js';
import type { TenantId } from '../base/tenant.js';
import type { IncomingInvite } from '../dialog/incoming-invite.js';
import type { IncomingModify } from '../dialog/incoming-modify.js';
import type { InviteSession, SessionEnd } from '../dialog/invite-session.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { CallLog } from './call-record.js';
import type { DialRequest, DialResult } from './control/dial-outcome.js';
import { inboundOutcome } from './outcome.js';
import type { Party } from './party.js';

/** Serves one call in the program itself instead of offering it to a phone; the call ends when the promise settles. */
export type CallHandler = (call: HandledCall, signal: AbortSignal) => Promise<void>;

/** What a served call needs of the call that it is. */
export interface ServedHost {
  readonly callId: string;
  readonly tenantId: TenantId;
  readonly invite: IncomingInvite;
  readonly log: CallLog;
  readonly logger: Logger;
  /** Calls somebody for the caller, whose session is `session`, and joins both. */
  dial(session: InviteSession, request: DialRequest): Promise<DialResult>;
}

export interface HandledCallParts {
  readonly caller: Party;
  readonly called: string;
  readonly host: ServedHost;
  readonly legId: string;
  readonly onAnswered: () => void;
  /** Refused by the handler, or by the host. */
  readonly onRefused: () => void;
  readonly onEnded: (end: SessionEnd) => void;
}

/** What the caller asks for while it is served. Default: nothing is taken. */
export interface ServedRequests {
  onModify(modify: IncomingModify): void;
  /** True when it was taken. */
  onRequest(incoming: IncomingRequest): boolean;
}

const TAKE_NOTHING: ServedRequests = { onModify: (modify) => modify.reject(488), onRequest: () => false };

/** A call that a handler serves. It gives and takes session descriptions; what is in them is the handler's business. */
export class HandledCall {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly caller: Party;
  readonly called: string;
  /** The caller's offer; undefined when the caller wants to be offered something. */
  readonly sdp: string | undefined;
  /** @internal */
  readonly host: ServedHost;
  readonly #parts: HandledCallParts;
  #session: InviteSession | undefined;
  #requests = TAKE_NOTHING;
  /** The caller's answer to an offer that was made before the call was accepted. */
  #earlyAnswer: string | undefined;

  constructor(parts: HandledCallParts) {
    const { host } = parts;
    this.#parts = parts;
    this.host = host;
    this.id = host.callId;
    this.tenantId = host.tenantId;
    this.caller = parts.caller;
    this.called = parts.called;
    this.sdp = host.invite.sdp;
  }

  /** The session, once the call was accepted. */
  get session(): InviteSession | undefined {
    return this.#session;
  }

  /** Sets who takes what the caller asks for. */
  handle(requests: ServedRequests): void {
    this.#requests = requests;
  }

  /** 180, or 183 with early media when `sdp` is given: an answer, or an offer for callers that can answer one now. */
  ring(sdp?: string): void {
    const { host, legId } = this.#parts;
    const early = host.invite.progress(sdp === undefined ? { status: 180 } : { status: 183, sdp });
    early?.handle({
      onModify: (modify) => this.#requests.onModify(modify),
      onAcknowledged: (answer) => {
        this.#earlyAnswer = answer;
      },
    });
    host.log.ringing(legId);
  }

  /**
   * Answers with `sdp`: the answer to the caller's offer, or an offer if there was none. Resolves when the ACK has come, to
   * the caller's answer; to undefined also when the caller hangs up before. Early media that the caller must acknowledge
   * first (RFC 3262 §3) holds the answer back so long.
   */
  async accept(sdp: string): Promise<string | undefined> {
    const { invite } = this.#parts.host;
    if (invite.acceptable() || (await invite.settled())) return this.#accept(sdp);
    return undefined;
  }

  #accept(sdp: string): Promise<string | undefined> {
    const { host, legId, onAnswered, onEnded } = this.#parts;
    const session = host.invite.accept({ sdp });
    if (session === undefined) return Promise.resolve(undefined);
    this.#session = session;
    host.log.answered(legId);
    host.log.callAnswered();
    onAnswered();
    return new Promise((resolve) => {
      session.handle({
        onModify: (modify) => this.#requests.onModify(modify),
        onRequest: (incoming) => this.#requests.onRequest(incoming),
        onAcknowledged: (answer) => resolve(answer ?? this.#earlyAnswer),
        onEnded: (end) => {
          resolve(undefined);
          onEnded(end);
        },
      });
    });
  }

  /** Refuses the call with a status from 400 to 699. */
  reject(status: number, reason?: string): void {
    const { host, legId, onRefused } = this.#parts;
    if (!host.invite.open) return;
    host.invite.reject(reason === undefined ? { status } : { status, reason });
    host.log.endLeg(legId, { outcome: inboundOutcome(status), releasedBy: 'server', status });
    onRefused();
  }

  /** Hangs up, or refuses with 480 if the call is not answered. */
  end(): void {
    if (this.#session === undefined) this.reject(480);
    else this.#session.end();
  }
}
