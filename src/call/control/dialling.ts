import { NOBODY_WAITS } from '../../base/aborted.js';
import type { Mailbox } from '../../base/mailbox.js';
import type { TenantId } from '../../base/tenant.js';
import type { Progress } from '../../dialog/outgoing-invite.js';
import type { HeaderInit } from '../../protocol/sip/message.js';
import { sipUri } from '../../protocol/sip/uri.js';
import type { Source, Target } from '../../ua/target.js';
import type { CallLeg } from '../call-leg.js';
import type { CallMedia } from '../call-media.js';
import type { CallLog } from '../call-record.js';
import type { CallContext } from '../context.js';
import type { OutboundLeg } from '../fork.js';
import { JoinSearch, type JoinSearchResult } from '../join-search.js';
import { outcome } from '../outcome.js';
import type { DialRequest, DialResult, FailedDial } from './dial-outcome.js';

/** The call of the caller. */
export interface DiallingHost {
  readonly context: CallContext;
  readonly callId: string;
  readonly tenantId: TenantId;
  /** Where the wish to be called came from. */
  readonly source: Source;
  /** What the INVITE of a leg says besides who calls whom. */
  readonly headers: (target: Target) => HeaderInit;
  readonly log: CallLog;
  readonly media: CallMedia;
  readonly mailbox: Mailbox;
  /** What outbound legs are sent with. */
  readonly maxForwards: number;
  readonly nextLegId: () => string;
  /** The caller and `partner` talk from now on; the call ends with them. */
  readonly connect: (partner: CallLeg) => void;
}

/** Calls somebody for a caller whom the server serves, and joins both: afterwards the media goes as between any two parties. */
export class Dialling {
  readonly #host: DiallingHost;
  readonly #caller: CallLeg;
  readonly #request: DialRequest;
  readonly #search: JoinSearch;
  #partner: CallLeg | undefined;
  #handedOver = false;
  /** Fires when the search has found nobody: what is still to be told of it is not told any more. */
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  /** Somebody's early media is, or will be, heard. */
  #early = false;

  constructor(host: DiallingHost, caller: CallLeg, request: DialRequest) {
    const { number, noAnswerSeconds } = request;
    const signal = AbortSignal.any([request.signal, this.#over.signal]);
    const { context, source, headers, mailbox, media, log, callId, tenantId, maxForwards, nextLegId, connect } = host;
    this.#host = host;
    this.#caller = caller;
    this.#request = request;
    this.#signal = signal;
    this.#search = new JoinSearch({
      context: noAnswerSeconds === undefined ? context : { ...context, noAnswerSeconds },
      ...{ callId, tenantId, log, media, mailbox, maxForwards, signal },
      stays: caller,
      legs: [caller.legId],
      route: {
        called: number,
        requestUri: sipUri({ user: number, host: context.domainOf(tenantId) }),
        source,
      },
      headers,
      nextLegId,
      onProgress: (leg, progress) => this.#onProgress(leg, progress),
      live: () => !signal.aborted && !caller.session.ended,
      onCancelled: () => {},
      suspend: () => {},
      resume: () => {},
      onJoined: (partner) => {
        this.#partner = partner;
        connect(partner);
      },
      beforeJoin: () => this.#handOver(),
    });
  }

  async run(): Promise<DialResult> {
    const result = await this.#search.run();
    if (this.#partner !== undefined) return { kind: 'joined', number: this.#partner.party.number };
    this.#over.abort(NOBODY_WAITS);
    // Early media that was on its way to the caller: what becomes of it is known then.
    await this.#host.mailbox.run(() => {});
    return { kind: 'failed', outcome: failure(result), handedOver: this.#handedOver };
  }

  /** Early media: the caller is told where it comes from, as it will be told of the answer. */
  #onProgress(leg: OutboundLeg, { sdp }: Progress): void {
    const { earlyMedia } = this.#request;
    const signal = this.#signal;
    if (!earlyMedia || sdp === undefined || this.#early) return;
    this.#early = true;
    const { mailbox, context, callId } = this.#host;
    mailbox
      .run(async () => {
        if (signal.aborted || this.#caller.session.ended || this.#partner !== undefined) return;
        await this.#handOver();
        if (!signal.aborted) await this.#search.join.withEarly(leg.id, sdp);
      })
      .catch((error: unknown) => context.logger.warn({ callId, err: error }, 'early media could not be passed on'));
  }

  async #handOver(): Promise<void> {
    this.#handedOver = true;
    await this.#request.onHandOver();
  }
}

function failure(result: JoinSearchResult): FailedDial {
  switch (result.kind) {
    case 'not-joined':
      return { kind: 'failed', ...result.failure };
    case 'refused': {
      const { status, reason = outcome('failed', status).reason } = result.refusal;
      return { kind: failureKind(result.last?.kind, status), status, reason };
    }
    case 'handler':
      // What the server serves itself is served to callers who wait for an answer.
      return { kind: 'failed', status: 501, reason: 'Not Implemented' };
    default:
      return { kind: 'failed', status: 487, reason: 'Request Terminated' };
  }
}

function failureKind(last: string | undefined, status: number): FailedDial['kind'] {
  switch (last) {
    case 'busy':
    case 'no-answer':
    case 'rejected':
    case 'unreachable':
      return last;
    default:
      if (status === 486 || status === 600) return 'busy';
      if (status === 480) return 'unreachable';
      return status === 403 || status === 603 ? 'rejected' : 'failed';
  }
}
