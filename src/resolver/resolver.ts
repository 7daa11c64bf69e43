import { AbortedError, PbxkitError, throwIfAborted } from '../base/errors.js';
import { ExpiringMap } from '../base/expiring-map.js';
import { ipVersion, normalizeHost } from '../base/ip.js';
import { type Logger, silentLogger } from '../base/logger.js';
import type { Scheduler } from '../base/scheduler.js';
import { DnsError } from '../net/errors.js';
import type { HostAddress, Network } from '../net/network.js';
import type { SipUri } from '../protocol/sip/uri.js';
import { type HopProtocol, hopTarget } from './hop-target.js';

/** One next hop; fits the transport's `Hop`. */
export interface ResolvedHop {
  readonly protocol: HopProtocol;
  /** An IP literal, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
}

/** How long answers are kept, and how many. */
export interface ResolverLimits {
  /** For answers without a TTL, in milliseconds. */
  readonly defaultTtlMs: number;
  /** Longer TTLs are cut to this, in milliseconds: a carrier that moves must be found again. */
  readonly maxTtlMs: number;
  /** Shorter TTLs are raised to this, in milliseconds: one call asks several times. */
  readonly minTtlMs: number;
  /** For names that do not exist, in milliseconds. A name service that fails is asked again at once. */
  readonly negativeTtlMs: number;
  /** After so long without an answer a look-up has failed, in milliseconds. */
  readonly timeoutMs: number;
  /** Names in the cache. */
  readonly capacity: number;
}

const DEFAULT_LIMITS: ResolverLimits = Object.freeze({
  defaultTtlMs: 30_000,
  maxTtlMs: 3_600_000,
  minTtlMs: 1_000,
  negativeTtlMs: 5_000,
  timeoutMs: 10_000,
  capacity: 1024,
});

type Answer =
  | { readonly kind: 'found'; readonly addresses: readonly string[] }
  | { readonly kind: 'none'; readonly error: PbxkitError };

export interface ResolverOptions {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly logger?: Logger;
  readonly limits?: Partial<ResolverLimits>;
}

/**
 * Finds the next hops of a URI (RFC 3263 §4): IP literals as they are, names by their A and AAAA records, with a cache.
 * A name is asked for once at a time, however many calls wait for it.
 */
export class Resolver {
  readonly #network: Network;
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  readonly #limits: ResolverLimits;
  readonly #cache: ExpiringMap<string, Answer>;
  readonly #underWay = new Map<string, Promise<Answer>>();

  constructor(options: ResolverOptions) {
    this.#network = options.network;
    this.#scheduler = options.scheduler;
    this.#logger = (options.logger ?? silentLogger).child({ area: 'resolver' });
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#cache = new ExpiringMap({ capacity: this.#limits.capacity });
  }

  /**
   * The hops for a next-hop URI (the top Route or the Request-URI), in the order in which they are to be tried; at least
   * one. `transport` goes before what the URI says.
   * @throws PbxkitError SIP_NO_ROUTE for a URI that leads nowhere; DnsError; AbortedError
   */
  async resolve(
    uri: SipUri,
    options: { readonly transport?: HopProtocol; readonly signal?: AbortSignal } = {},
  ): Promise<ResolvedHop[]> {
    const { signal } = options;
    throwIfAborted(signal, `resolving ${uri.host}`);
    const { protocol, host, port } = hopTarget(uri, options.transport);
    const literal = normalizeHost(host);
    if (ipVersion(literal) !== 0) return [{ protocol, address: literal, port }];
    const addresses = await this.#addressesOf(literal, signal);
    return addresses.map((address) => ({ protocol, address, port }));
  }

  /** Forgets every answer: after a change of network. */
  clear(): void {
    this.#cache.clear();
  }

  async #addressesOf(host: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
    let answer = this.#cache.get(host, this.#scheduler.now());
    if (answer === undefined) answer = await withSignal(this.#ask(host), signal, `resolving ${host}`);
    if (answer.kind === 'found') return answer.addresses;
    throw answer.error;
  }

  #ask(host: string): Promise<Answer> {
    let asked = this.#underWay.get(host);
    if (asked === undefined) {
      asked = this.#lookup(host).finally(() => this.#underWay.delete(host));
      this.#underWay.set(host, asked);
    }
    return asked;
  }

  /** Never rejects: several may wait for it, or by now none. */
  async #lookup(host: string): Promise<Answer> {
    const { timeoutMs, negativeTtlMs } = this.#limits;
    const timeout = new AbortController();
    const cancel = this.#scheduler.after(timeoutMs, () => timeout.abort(new DnsError(host, 'ETIMEOUT')));
    try {
      const lookup = this.#network.lookup(host, { signal: timeout.signal });
      const found = await withSignal(lookup, timeout.signal, `looking up ${host}`);
      if (found.length === 0) throw new DnsError(host, 'ENODATA');
      const answer: Answer = { kind: 'found', addresses: found.map((each) => normalizeHost(each.address)) };
      this.#keep(host, answer, this.#ttlMs(found));
      return answer;
    } catch (cause) {
      const reason: unknown = timeout.signal.aborted ? timeout.signal.reason : cause;
      const error = reason instanceof PbxkitError ? reason : new DnsError(host, 'UNKNOWN', { cause: reason });
      this.#logger.debug({ host, err: error }, error.message);
      const answer: Answer = { kind: 'none', error };
      if (error instanceof DnsError && error.notFound) this.#keep(host, answer, negativeTtlMs);
      return answer;
    } finally {
      cancel();
    }
  }

  #keep(host: string, answer: Answer, ttlMs: number): void {
    const now = this.#scheduler.now();
    this.#cache.set(host, answer, now + ttlMs, now);
  }

  #ttlMs(found: readonly HostAddress[]): number {
    const { defaultTtlMs, minTtlMs, maxTtlMs } = this.#limits;
    let ttlMs = Number.POSITIVE_INFINITY;
    for (const { ttlSeconds } of found)
      ttlMs = Math.min(ttlMs, ttlSeconds === undefined ? defaultTtlMs : ttlSeconds * 1000);
    return Math.min(maxTtlMs, Math.max(minTtlMs, ttlMs));
  }
}

/** Settles as `work` does, unless the signal fires first; `work` itself runs on. */
function withSignal<T>(work: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new AbortedError(what, signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
