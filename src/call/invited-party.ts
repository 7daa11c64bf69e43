import type { IncomingInvite } from '../dialog/incoming-invite.js';
import type { InviteSession, SessionEnd } from '../dialog/invite-session.js';
import type { CallLog } from './call-record.js';
import type { ServedParty, ServedRequests } from './handled-call.js';
import { inboundOutcome } from './outcome.js';
import { type AudioPeer, isSecured } from './server-audio.js';

export interface InvitedPartyOptions {
  readonly invite: IncomingInvite;
  readonly legId: string;
  readonly log: CallLog;
  readonly onAnswered: () => void;
  readonly onRefused: () => void;
  readonly onEnded: (end: SessionEnd) => void;
}

/** A caller whom a handler serves: its INVITE waits for an answer. */
export class InvitedParty implements ServedParty {
  readonly talks = false;
  readonly before = undefined;
  readonly #options: InvitedPartyOptions;
  #session: InviteSession | undefined;
  /** The caller's answer to an offer that was made before the call was accepted. */
  #earlyAnswer: string | undefined;

  constructor(options: InvitedPartyOptions) {
    this.#options = options;
  }

  get sdp(): string | undefined {
    return this.#options.invite.sdp;
  }

  get peer(): AudioPeer {
    const { remote, secure } = this.#options.invite.source;
    return { remoteAddress: remote.address, srtp: secure && isSecured(this.sdp) };
  }

  get session(): InviteSession | undefined {
    return this.#session;
  }

  ring(sdp: string | undefined, requests: ServedRequests): void {
    const { invite, log, legId } = this.#options;
    const early = invite.progress(sdp === undefined ? { status: 180 } : { status: 183, sdp });
    early?.handle({
      onModify: (modify) => requests.onModify(modify),
      onAcknowledged: (answer) => {
        this.#earlyAnswer = answer;
      },
    });
    log.ringing(legId);
  }

  /** Early media that the caller must acknowledge first (RFC 3262 §3) holds the answer back so long. */
  async accept(sdp: string, requests: ServedRequests): Promise<string | undefined> {
    const { invite } = this.#options;
    if (invite.acceptable() || (await invite.settled())) return this.#accept(sdp, requests);
    return undefined;
  }

  #accept(sdp: string, requests: ServedRequests): Promise<string | undefined> {
    const { invite, log, legId, onAnswered, onEnded } = this.#options;
    const session = invite.accept({ sdp });
    if (session === undefined) return Promise.resolve(undefined);
    this.#session = session;
    log.answered(legId);
    log.callAnswered();
    onAnswered();
    return new Promise((resolve) => {
      session.handle({
        onModify: (modify) => requests.onModify(modify),
        onRequest: (incoming) => requests.onRequest(incoming),
        onAcknowledged: (answer) => resolve(answer ?? this.#earlyAnswer),
        onEnded: (end) => {
          resolve(undefined);
          onEnded(end);
        },
      });
    });
  }

  reject(status: number, reason?: string): void {
    const { invite, log, legId, onRefused } = this.#options;
    if (!invite.open) return;
    invite.reject(reason === undefined ? { status } : { status, reason });
    log.endLeg(legId, { outcome: inboundOutcome(status), releasedBy: 'server', status });
    onRefused();
  }
}
