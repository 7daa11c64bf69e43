import { AbortedError, PbxkitError } from '../base/errors.js';
import { ExpiringMap } from '../base/expiring-map.js';
import { normalizeHost } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { Scheduler } from '../base/scheduler.js';
import type { DnsQueryOptions, HostAddress, NameService, NaptrRecord, SrvRecord } from '../net/dns.js';
import { DnsError } from '../net/errors.js';

/** What bounds the questions to the name service and its answers. */
export interface DnsLimits {
  /** For answers without a TTL, in milliseconds: SRV and NAPTR, whose TTL Node.js does not tell. */
  readonly defaultTtlMs: number;
  /** Longer TTLs are cut to this, in milliseconds: a carrier that moves must be found again. */
  readonly maxTtlMs: number;
  /** Shorter TTLs are raised to this, in milliseconds: one call asks several times. */
  readonly minTtlMs: number;
  /** For names and records that do not exist, in milliseconds. A name service that fails is asked again at once. */
  readonly negativeTtlMs: number;
  /** After so long without an answer a question has failed, in milliseconds. */
  readonly queryTimeoutMs: number;
  /** Answers that are kept. */
  readonly capacity: number;
  /** Questions under way at a time; beyond it they fail at once. */
  readonly maxQueries: number;
}

/** What is known of a question: records, or that there are none, and why. */
export type Answer<Each> =
  | { readonly kind: 'found'; readonly records: readonly Each[] }
  | { readonly kind: 'none'; readonly error: PbxkitError };

type Entry = Answer<HostAddress> | Answer<SrvRecord> | Answer<NaptrRecord>;

/** Of an answer with more records than this the rest is not looked at. */
const MOST_RECORDS = 64;

/** The name service, asked once for each question at a time, with its answers kept for their TTL. No method rejects. */
export class DnsCache {
  readonly #dns: NameService;
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  readonly #limits: DnsLimits;
  readonly #entries: ExpiringMap<string, Entry>;
  readonly #underWay = new Map<string, Promise<Entry>>();
  /** Ends each question that is under way. */
  readonly #giveUp = new Set<(error: PbxkitError) => void>();
  #closed = false;

  constructor(options: {
    readonly dns: NameService;
    readonly scheduler: Scheduler;
    readonly logger: Logger;
    readonly limits: DnsLimits;
  }) {
    this.#dns = options.dns;
    this.#scheduler = options.scheduler;
    this.#logger = options.logger;
    this.#limits = options.limits;
    this.#entries = new ExpiringMap({ capacity: options.limits.capacity });
  }

  naptr(name: string): Promise<Answer<NaptrRecord>> {
    return this.#get('NAPTR', name, (options) => this.#dns.resolveNaptr(name, options));
  }

  /** The records of the lowest priorities when there are very many. */
  srv(name: string): Promise<Answer<SrvRecord>> {
    return this.#get('SRV', name, async (options) =>
      [...(await this.#dns.resolveSrv(name, options))].sort((a, b) => a.priority - b.priority),
    );
  }

  addresses(host: string, family: 4 | 6): Promise<Answer<HostAddress>> {
    return this.#get(family === 4 ? 'A' : 'AAAA', host, async (options) =>
      plain(await this.#dns.resolveAddresses(host, family, options)),
    );
  }

  /** By the system's rules: hosts file and whatever else it knows. */
  host(host: string): Promise<Answer<HostAddress>> {
    return this.#get('host', host, async (options) => plain(await this.#dns.lookup(host, options)));
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Ends the questions that are under way, and lets none follow. */
  close(): void {
    this.#closed = true;
    for (const giveUp of this.#giveUp) giveUp(new AbortedError('the look-up', undefined));
    this.#entries.clear();
  }

  async #get<Each extends { readonly ttlSeconds?: number }>(
    question: string,
    name: string,
    query: (options: DnsQueryOptions) => Promise<readonly Each[]>,
  ): Promise<Answer<Each>> {
    const key = `${question} ${name}`;
    // A key is only ever given the answers of its own question.
    const known = this.#entries.get(key, this.#scheduler.now()) as Answer<Each> | undefined;
    if (known !== undefined) return known;
    let asked = this.#underWay.get(key) as Promise<Answer<Each>> | undefined;
    if (asked === undefined) {
      if (this.#closed || this.#underWay.size >= this.#limits.maxQueries)
        return { kind: 'none', error: new DnsError(name, 'EBUSY') };
      asked = this.#ask(key, name, query).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, asked as Promise<Entry>);
    }
    return asked;
  }

  async #ask<Each extends { readonly ttlSeconds?: number }>(
    key: string,
    name: string,
    query: (options: DnsQueryOptions) => Promise<readonly Each[]>,
  ): Promise<Answer<Each>> {
    const abort = new AbortController();
    let giveUp: (error: PbxkitError) => void = () => {};
    const givenUp = new Promise<never>((_, reject) => {
      giveUp = (error) => {
        abort.abort(error);
        reject(error);
      };
    });
    this.#giveUp.add(giveUp);
    const cancel = this.#scheduler.after(this.#limits.queryTimeoutMs, () => giveUp(new DnsError(name, 'ETIMEOUT')));
    try {
      // Not every name service heeds a signal at once.
      const found = await Promise.race([query({ signal: abort.signal }), givenUp]);
      if (found.length === 0) throw new DnsError(name, 'ENODATA');
      const answer: Answer<Each> = { kind: 'found', records: found.slice(0, MOST_RECORDS) };
      this.#keep(key, answer, this.#ttlMs(found));
      return answer;
    } catch (cause) {
      const reason: unknown = abort.signal.aborted ? abort.signal.reason : cause;
      const error = reason instanceof PbxkitError ? reason : new DnsError(name, 'UNKNOWN', { cause: reason });
      const absent = error instanceof DnsError && error.notFound;
      this.#logger.debug({ question: key, err: error }, error.message);
      const answer: Answer<Each> = { kind: 'none', error };
      if (absent) this.#keep(key, answer, this.#limits.negativeTtlMs);
      return answer;
    } finally {
      this.#giveUp.delete(giveUp);
      cancel();
    }
  }

  #keep(key: string, answer: Answer<{ readonly ttlSeconds?: number }>, ttlMs: number): void {
    const now = this.#scheduler.now();
    this.#entries.set(key, answer as Entry, now + ttlMs, now);
  }

  #ttlMs(found: readonly { readonly ttlSeconds?: number }[]): number {
    const { defaultTtlMs, minTtlMs, maxTtlMs } = this.#limits;
    let ttlMs = Number.POSITIVE_INFINITY;
    for (const { ttlSeconds } of found)
      ttlMs = Math.min(ttlMs, ttlSeconds === undefined ? defaultTtlMs : ttlSeconds * 1000);
    return Math.min(maxTtlMs, Math.max(minTtlMs, ttlMs));
  }
}

/** One spelling for each address. */
function plain(found: readonly HostAddress[]): readonly HostAddress[] {
  return found.map((each) => ({ ...each, address: normalizeHost(each.address) }));
}
