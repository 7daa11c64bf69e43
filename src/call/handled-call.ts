import type { TenantId } from '../base/tenant.js';
import type { IncomingInvite } from '../dialog/incoming-invite.js';
import type { InviteSession, SessionEnd } from '../dialog/invite-session.js';
import type { CallLog } from './call-record.js';
import { inboundOutcome } from './outcome.js';
import type { Party } from './party.js';

/** Serves one call in the program itself instead of offering it to a phone; the call ends when the promise settles. */
export type CallHandler = (call: HandledCall, signal: AbortSignal) => Promise<void>;

export interface HandledCallParts {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly caller: Party;
  readonly called: string;
  readonly invite: IncomingInvite;
  readonly log: CallLog;
  readonly legId: string;
  readonly onAnswered: () => void;
  readonly onEnded: (end: SessionEnd) => void;
}

/** A call that a handler serves. It gives and takes session descriptions; what is in them is the handler's business. */
export class HandledCall {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly caller: Party;
  readonly called: string;
  /** The caller's offer; undefined when the caller wants to be offered something. */
  readonly sdp: string | undefined;
  readonly #parts: HandledCallParts;
  #session: InviteSession | undefined;
  /** The caller's answer to an offer that was made before the call was accepted. */
  #earlyAnswer: string | undefined;

  constructor(parts: HandledCallParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.tenantId = parts.tenantId;
    this.caller = parts.caller;
    this.called = parts.called;
    this.sdp = parts.invite.sdp;
  }

  /** The session, once the call was accepted. */
  get session(): InviteSession | undefined {
    return this.#session;
  }

  /** 180, or 183 with early media when `sdp` is given: an answer, or an offer for callers that can answer one now. */
  ring(sdp?: string): void {
    const early = this.#parts.invite.progress(sdp === undefined ? { status: 180 } : { status: 183, sdp });
    early?.handle({
      onModify: (modify) => modify.reject(488),
      onAcknowledged: (answer) => {
        this.#earlyAnswer = answer;
      },
    });
    this.#parts.log.ringing(this.#parts.legId);
  }

  /**
   * Answers with `sdp`: the answer to the caller's offer, or an offer if there was none. Resolves when the ACK has come, to
   * the caller's answer; to undefined also when the caller hangs up before. Early media that the caller must acknowledge
   * first (RFC 3262 §3) holds the answer back so long.
   */
  async accept(sdp: string): Promise<string | undefined> {
    const { invite } = this.#parts;
    if (invite.acceptable() || (await invite.settled())) return this.#accept(sdp);
    return undefined;
  }

  #accept(sdp: string): Promise<string | undefined> {
    const { invite, log, legId, onAnswered, onEnded } = this.#parts;
    const session = invite.accept({ sdp });
    if (session === undefined) return Promise.resolve(undefined);
    this.#session = session;
    log.answered(legId);
    log.callAnswered();
    onAnswered();
    return new Promise((resolve) => {
      session.handle({
        // What only refreshes the session never comes here; anything else is the handler's to offer, not the caller's.
        onModify: (modify) => modify.reject(488),
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
    const { invite, log, legId } = this.#parts;
    if (!invite.open) return;
    invite.reject(reason === undefined ? { status } : { status, reason });
    log.endLeg(legId, { outcome: inboundOutcome(status), releasedBy: 'server', status });
  }

  /** Hangs up, or refuses with 480 if the call is not answered. */
  end(): void {
    if (this.#session === undefined) this.reject(480);
    else this.#session.end();
  }
}
