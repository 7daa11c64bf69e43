import { AbortedError, throwIfAborted } from '../base/errors.js';
import { normalizeHost } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { sipUri } from '../protocol/sip/uri.js';
import type { SentAck, TransactionLayer } from '../transaction/layer.js';
import type { Hop, Source } from '../transport/hop.js';
import type { TransportLayer } from '../transport/layer.js';
import { OutgoingAck } from './ack.js';
import { DigestClient } from './digest-client.js';
import { FailedHops } from './failed-hops.js';
import { DEFAULT_MAX_FORWARDS } from './max-forwards.js';
import { type NextHopResolver, nextHopOf } from './next-hop.js';
import { OutgoingAttempts, type OutgoingOwner } from './outgoing.js';
import type { HostPort, SendTarget, Target } from './target.js';
import type { UacFailure, UacHandlers, UacRequest } from './uac-request.js';

export type { SentAck } from '../transaction/layer.js';

export interface UacOptions {
  readonly transactions: TransactionLayer;
  readonly resolver: NextHopResolver;
  /** The parts of a Contact for a hop: the transport layer. */
  readonly transport: Pick<TransportLayer, 'contactFor'>;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** The User-Agent header of every request; default: none. */
  readonly userAgent?: string;
}

/** How a request without dialog ended: any final response is a result. */
export type UacResult = UacFailure;

/** A 2xx to an INVITE whose transaction is gone. `true`: mine. */
export type StrayListener = (response: SipResponse, source: Source) => boolean;

/** Names the INVITEs whose late answers a listener wants. */
export interface StrayKey {
  readonly callId: string;
  readonly fromTag: string;
}

/** UAC core: RFC 3261 §8.1. Finds the hop, fails over, answers challenges. */
export class Uac {
  readonly #options: UacOptions;
  readonly #failedHops = new FailedHops();
  readonly #resolver: NextHopResolver;
  readonly #owner: OutgoingOwner;
  readonly #strayListeners = new Set<StrayListener>();
  readonly #keyedListeners = new Map<string, StrayListener>();

  constructor(options: UacOptions) {
    const { resolver, scheduler } = options;
    this.#options = options;
    this.#resolver = {
      resolve: async (uri, how) => this.#failedHops.order(await resolver.resolve(uri, how), scheduler.now()),
      ...(resolver.atOnce === undefined ? {} : { atOnce: (uri, transport) => resolver.atOnce?.(uri, transport) }),
    };
    this.#owner = {
      resolver: this.#resolver,
      failedHops: this.#failedHops,
      scheduler,
      logger: options.logger,
      contactFor: (hop, user, address) => this.#contactFor(hop, user, address),
      transact: (request, hop, handlers) => options.transactions.request(request, hop, handlers),
    };
    options.transactions.handle({ onStrayResponse: (response, source) => this.#onStray(response, source) });
  }

  /**
   * Sends a request. It needs no Via and no Max-Forwards; Route headers come from the target, if it has any. The
   * object that was given is not changed.
   */
  send(request: SipRequest, target: SendTarget, handlers: UacHandlers): UacRequest {
    return this.#start(request, target, handlers);
  }

  /**
   * Who answers the challenges of a target, for those who send it more than one request: given as its `digest`, the requests
   * after the first challenge carry credentials at once. Undefined: the target has no credentials.
   */
  digestFor(target: SendTarget): DigestClient | undefined {
    const { credentials, digest } = target;
    if (digest !== undefined || credentials === undefined) return digest;
    return new DigestClient({ credentials, random: this.#options.random });
  }

  /**
   * The IP address to which a request to that target goes first, its host name looked up. Undefined where nothing leads there; never
   * rejects.
   */
  async addressOf(target: Target, signal: AbortSignal): Promise<string | undefined> {
    const uri = nextHopOf(target);
    if (target.flow !== undefined) return normalizeHost(target.flow.remote.address);
    if (uri.kind !== 'sip') return undefined;
    const { transport } = target;
    try {
      const [hop] = await this.#resolver.resolve(uri, transport === undefined ? { signal } : { signal, transport });
      return hop === undefined ? undefined : normalizeHost(hop.address);
    } catch {
      return undefined;
    }
  }

  /** Sends the ACK to a 2xx: complete but for Via, Route and Max-Forwards. */
  ack(request: SipRequest, target: SendTarget): SentAck {
    const { transactions, logger } = this.#options;
    const ack = new OutgoingAck({
      transactions,
      logger,
      resolver: this.#resolver,
      target,
      request: this.#complete(request, target),
    });
    ack.start();
    return ack;
  }

  /**
   * Sends a request other than INVITE and resolves with the outcome, whatever it is. `onRetry` is told of each request that goes
   * out again with credentials.
   * @throws AbortedError when the signal fires first; what the peer answers then is ignored
   */
  request(
    request: SipRequest,
    target: SendTarget,
    options: { readonly signal?: AbortSignal } & Pick<UacHandlers, 'onRetry'> = {},
  ): Promise<UacResult> {
    const { signal, onRetry } = options;
    const what = `the ${request.method}`;
    return new Promise((resolve, reject) => {
      throwIfAborted(signal, what);
      const onAbort = (): void => {
        attempts.abandon();
        reject(new AbortedError(what, signal?.reason));
      };
      const settle = (result: UacResult): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve(result);
      };
      const attempts = this.#start(request, target, {
        onSuccess: (response, source) => settle({ kind: 'response', response, source }),
        onFailure: settle,
        ...(onRetry === undefined ? {} : { onRetry }),
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /**
   * Listens for 2xx to INVITEs whose client transaction is gone: they must be ACKed (RFC 3261 §13.2.2.4). With a key
   * only for those of that Call-ID and From tag; the others are asked of all listeners without one, in turn.
   */
  onStray(listener: StrayListener, key?: StrayKey): () => void {
    if (key === undefined) {
      this.#strayListeners.add(listener);
      return () => this.#strayListeners.delete(listener);
    }
    const text = strayKey(key.callId, key.fromTag);
    this.#keyedListeners.set(text, listener);
    return () => {
      if (this.#keyedListeners.get(text) === listener) this.#keyedListeners.delete(text);
    };
  }

  #start(request: SipRequest, target: SendTarget, handlers: UacHandlers): OutgoingAttempts {
    const digest = this.digestFor(target);
    const attempts = new OutgoingAttempts(this.#owner, this.#complete(request, target), target, digest, handlers);
    attempts.start();
    return attempts;
  }

  #contactFor(hop: Hop, user: string, address: HostPort | undefined): NameAddr {
    const chosen = this.#options.transport.contactFor(hop);
    const parts = address === undefined ? chosen : { port: chosen.port, params: chosen.params, ...address };
    return { uri: sipUri(user === '' ? parts : { user, ...parts }), params: [] };
  }

  /** RFC 3261 §8.1.1: what every request must have and the sender need not know. */
  #complete(request: SipRequest, target: SendTarget): SipRequest {
    const { userAgent } = this.#options;
    const complete = request.with({});
    const { headers } = complete;
    if (target.route !== undefined && target.route.length > 0) headers.set('Route', target.route);
    if (!headers.has('Max-Forwards')) headers.set('Max-Forwards', DEFAULT_MAX_FORWARDS);
    if (userAgent !== undefined && !headers.has('User-Agent')) headers.set('User-Agent', userAgent);
    return complete;
  }

  #onStray(response: SipResponse, source: Source): void {
    if (response.status < 200 || response.status >= 300 || response.cseq.method !== 'INVITE') return;
    const keyed = this.#keyedListeners.get(strayKey(response.callId, response.fromTag ?? ''));
    if (keyed?.(response, source) === true) return;
    for (const listener of this.#strayListeners) if (listener(response, source)) return;
  }
}

function strayKey(callId: string, fromTag: string): string {
  return `${fromTag}|${callId}`;
}
