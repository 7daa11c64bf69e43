import { NOBODY_WAITS } from '../base/aborted.js';
import type { InviteSession, SessionEnd } from '../dialog/invite-session.js';
import { reasonPhrase } from '../protocol/sip/status.js';
import type { ServedParty, ServedRequests } from './handled-call.js';
import { failureOf } from './join.js';
import { type AudioPeer, isSecured, remoteAddressOf } from './server-audio.js';
import type { ServeRequest, TransferHost } from './transfer-host.js';
import { TERMINATED, TRANSFERRED, type TransferResult } from './transfer-parts.js';

export interface ReferredPartyOptions extends ServeRequest {
  readonly host: TransferHost;
  /** The party hears the server now: called before anything else can happen in the call. */
  readonly onTaken: () => void;
  readonly onRefused: () => void;
  readonly onEnded: (end: SessionEnd) => void;
}

const UNAVAILABLE: TransferResult = { status: 480, reason: 'Temporarily Unavailable' };

/**
 * A party of a call that was transferred to a handler: it keeps its dialog, and is offered the server's audio by a re-INVITE when the
 * handler answers. Until then it talks on with the transferor, and when the handler refuses it goes on doing so. See decision 0010.
 */
export class ReferredParty implements ServedParty {
  readonly talks = true;
  readonly sdp = undefined;
  /** What the transferor is told in the end. */
  readonly settled: Promise<TransferResult>;
  readonly #options: ReferredPartyOptions;
  #settle: (result: TransferResult) => void = () => {};
  #session: InviteSession | undefined;
  /** Fires when the handler has refused: the re-INVITE that is under way is not wanted any more. */
  readonly #refused = new AbortController();
  #over = false;
  #rang = false;

  constructor(options: ReferredPartyOptions) {
    this.#options = options;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    options.signal.addEventListener('abort', () => this.#refuse(TERMINATED), { once: true });
  }

  get before(): string | undefined {
    return this.#options.stays.session.agreed?.local;
  }

  get peer(): AudioPeer {
    const { host, stays } = this.#options;
    return {
      remoteAddress: remoteAddressOf(host.media, stays) ?? '127.0.0.1',
      // A secured stream is not made a clear one (RFC 3264 §8.3.4).
      srtp: isSecured(stays.session.agreed?.remote),
    };
  }

  get session(): InviteSession | undefined {
    return this.#session;
  }

  ring(): void {
    if (this.#rang || this.#over) return;
    this.#rang = true;
    this.#options.progress(180, 'Ringing');
  }

  accept(sdp: string, requests: ServedRequests): Promise<string | undefined> {
    const { host } = this.#options;
    return host.mailbox.run(async () => {
      if (this.#over || !host.live) return undefined;
      host.suspend();
      try {
        return await this.#take(sdp, requests);
      } finally {
        host.resume();
      }
    });
  }

  reject(status: number, reason = reasonPhrase(status)): void {
    this.#refuse({ status, reason });
  }

  async #take(sdp: string, requests: ServedRequests): Promise<string | undefined> {
    const { host, stays, leaving, transfer, signal, onTaken, onEnded } = this.#options;
    const { before } = this;
    const { session } = stays;
    const wanted = AbortSignal.any([signal, this.#refused.signal]);
    const result = await session.modify({ sdp, signal: wanted, retry: true });
    if (result.kind !== 'accepted') {
      this.#refuse(failureOf(result));
      return undefined;
    }
    const { sdp: answer } = result;
    if (answer === undefined) this.#refuse(UNAVAILABLE);
    if (answer === undefined || this.#over || !host.live) {
      await this.#restore(before);
      return undefined;
    }
    this.#over = true;
    this.#session = session;
    host.giveWay(leaving, stays, transfer);
    onTaken();
    session.handle({
      onModify: (modify) => requests.onModify(modify),
      onRequest: (incoming) => requests.onRequest(incoming),
      onEnded,
    });
    this.#settle(TRANSFERRED);
    return answer;
  }

  /** Refused when it had taken the server's audio: the two talk on as before, or not at all. */
  async #restore(before: string | undefined): Promise<void> {
    const { host, stays } = this.#options;
    const result = before === undefined ? undefined : await stays.session.modify({ sdp: before, retry: true });
    // It would go on talking to nobody.
    if (result?.kind !== 'accepted') host.end();
  }

  #refuse(result: TransferResult): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle(result);
    this.#refused.abort(NOBODY_WAITS);
    this.#options.onRefused();
  }
}
