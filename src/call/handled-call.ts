import type { Logger } from '../base/logger.js';
import type { TenantId } from '../base/tenant.js';
import type { IncomingModify } from '../dialog/incoming-modify.js';
import type { InviteSession } from '../dialog/invite-session.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { CallLog } from './call-record.js';
import type { DialRequest, DialResult } from './control/dial-outcome.js';
import type { Party } from './party.js';
import type { AudioPeer } from './server-audio.js';

/** Serves one call in the program itself instead of offering it to a phone; the call ends when the promise settles. */
export type CallHandler = (call: HandledCall, signal: AbortSignal) => Promise<void>;

/** What a served call needs of the call that it is. */
export interface ServedHost {
  readonly callId: string;
  readonly tenantId: TenantId;
  readonly log: CallLog;
  readonly logger: Logger;
  /** Calls somebody for the party that is served, whose session is `session`, and joins both. */
  dial(session: InviteSession, request: DialRequest): Promise<DialResult>;
}

/** Whom a handler serves, and how that party is told, answered and refused. */
export interface ServedParty {
  /** It is in a call already, and was handed to the handler: to be answered is to hear the server from then on. */
  readonly talks: boolean;
  /** Its offer; undefined when it is to be offered something. */
  readonly sdp: string | undefined;
  /** What it was told until now in its dialog, by whomever (RFC 3264 §8). */
  readonly before: string | undefined;
  readonly peer: AudioPeer;
  /** Once it was answered. */
  readonly session: InviteSession | undefined;
  ring(sdp: string | undefined, requests: ServedRequests): void;
  accept(sdp: string, requests: ServedRequests): Promise<string | undefined>;
  reject(status: number, reason?: string): void;
}

export interface HandledCallParts {
  readonly caller: Party;
  readonly called: string;
  readonly host: ServedHost;
  readonly party: ServedParty;
}

/** What the caller asks for while it is served. Default: nothing is taken. */
export interface ServedRequests {
  onModify(modify: IncomingModify): void;
  /** True when it was taken. */
  onRequest(incoming: IncomingRequest): boolean;
}

const TAKE_NOTHING: ServedRequests = { onModify: (modify) => modify.reject(488), onRequest: () => false };

/**
 * A call that a handler serves: of somebody who has called, or of a party that was transferred here. It gives and takes session
 * descriptions; what is in them is the handler's business.
 */
export class HandledCall {
  readonly id: string;
  readonly tenantId: TenantId;
  /** Who has called, or was transferred here. */
  readonly caller: Party;
  readonly called: string;
  /** The caller's offer; undefined when the caller wants to be offered something. */
  readonly sdp: string | undefined;
  /** @internal */
  readonly host: ServedHost;
  /** @internal */
  readonly party: ServedParty;
  #requests = TAKE_NOTHING;
  readonly #asked: ServedRequests = {
    onModify: (modify) => this.#requests.onModify(modify),
    onRequest: (incoming) => this.#requests.onRequest(incoming),
  };

  constructor({ caller, called, host, party }: HandledCallParts) {
    this.host = host;
    this.party = party;
    this.id = host.callId;
    this.tenantId = host.tenantId;
    this.caller = caller;
    this.called = called;
    this.sdp = party.sdp;
  }

  /** The session, once the call was accepted. */
  get session(): InviteSession | undefined {
    return this.party.session;
  }

  /** Sets who takes what the caller asks for. */
  handle(requests: ServedRequests): void {
    this.#requests = requests;
  }

  /**
   * 180, or 183 with early media when `sdp` is given: an answer, or an offer for callers that can answer one now. Of a party that was
   * transferred here the transferor is told instead, and `sdp` nobody.
   */
  ring(sdp?: string): void {
    this.party.ring(sdp, this.#asked);
  }

  /**
   * Answers with `sdp`: the answer to the caller's offer, or an offer if there was none. Resolves when the ACK has come, to
   * the caller's answer; to undefined also when the caller hangs up before, or cannot be had.
   */
  accept(sdp: string): Promise<string | undefined> {
    return this.party.accept(sdp, this.#asked);
  }

  /** Refuses the call with a status from 400 to 699. */
  reject(status: number, reason?: string): void {
    this.party.reject(status, reason);
  }

  /** Hangs up, or refuses with 480 if the call is not answered. */
  end(): void {
    if (this.session === undefined) this.reject(480);
    else this.session.end();
  }
}
