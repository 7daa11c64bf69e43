import { AbortedError, PbxkitError, throwIfAborted } from '../base/errors.js';
import { ipVersion, normalizeHost } from '../base/ip.js';
import { type Logger, silentLogger } from '../base/logger.js';
import { type Random, SystemRandom } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { HostAddress, NameService } from '../net/dns.js';
import { DnsError } from '../net/errors.js';
import type { SipUri } from '../protocol/sip/uri.js';
import { type Answer, DnsCache, type DnsLimits } from './dns-cache.js';
import { defaultPort, type HopProtocol, type HopTarget, hopTarget } from './hop-target.js';
import { naptrServices, type Service, srvService, usualProtocol, usualServices } from './services.js';
import { orderSrv } from './srv-order.js';

/** One next hop; fits the transport's `Hop`. */
export interface ResolvedHop {
  readonly protocol: HopProtocol;
  /** An IP literal, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  /** The domain that the hop was found for, as the URI names it: whose certificate must be shown (RFC 5922 §4). Absent: the URI names an address. */
  readonly name?: string;
}

/** How long answers are kept, how many, and how far a search goes. */
export interface ResolverLimits extends DnsLimits {
  /** After so long the whole search has failed, in milliseconds. */
  readonly timeoutMs: number;
  /** When some address is known, so long is waited for those of other targets and families, in milliseconds. */
  readonly stragglersMs: number;
  /** Hops that a URI can lead to, and targets of SRV records that are looked up for it. */
  readonly maxHops: number;
}

/** What holds where `limits` says nothing. */
export const DEFAULT_RESOLVER_LIMITS: ResolverLimits = Object.freeze({
  defaultTtlMs: 30_000,
  maxTtlMs: 3_600_000,
  minTtlMs: 1_000,
  negativeTtlMs: 5_000,
  queryTimeoutMs: 4_000,
  timeoutMs: 10_000,
  stragglersMs: 1_500,
  capacity: 4096,
  maxQueries: 500,
  maxHops: 12,
});

export interface ResolverOptions {
  readonly network: NameService;
  readonly scheduler: Scheduler;
  /** Draws among SRV records of one priority. Default: the system's. */
  readonly random?: Random;
  readonly logger?: Logger;
  /** The transports that can be spoken, the preferred first; asked with each search. Default UDP, TCP. */
  readonly protocols?: () => readonly HopProtocol[];
  /** The families that there is a socket for, the preferred first; asked with each search. Default IPv4, IPv6. */
  readonly families?: () => readonly (4 | 6)[];
  readonly limits?: Partial<ResolverLimits>;
}

/** A host and port that still need an address. */
interface Endpoint {
  readonly protocol: HopProtocol;
  readonly host: string;
  readonly port: number;
}

interface Lookup {
  readonly endpoint: Endpoint;
  readonly answer: Promise<Answer<HostAddress>>;
}

/**
 * Finds the next hops of a URI (RFC 3263 §4): IP literals as they are; names by NAPTR, SRV, A and AAAA records as far as
 * the URI leaves transport and port open; what DNS does not know, by the system's look-up (its hosts file).
 *
 * Deviates: a question about NAPTR or SRV records that fails counts as one without answer, because deployed name servers
 * fail on types that they do not know.
 */
export class Resolver {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #limits: ResolverLimits;
  readonly #dns: DnsCache;
  readonly #protocols: () => readonly HopProtocol[];
  readonly #families: () => readonly (4 | 6)[];

  constructor(options: ResolverOptions) {
    const { network: dns, scheduler } = options;
    const logger = (options.logger ?? silentLogger).child({ area: 'resolver' });
    this.#scheduler = scheduler;
    this.#random = options.random ?? new SystemRandom();
    this.#limits = { ...DEFAULT_RESOLVER_LIMITS, ...options.limits };
    this.#dns = new DnsCache({ dns, scheduler, logger, limits: this.#limits });
    this.#protocols = options.protocols ?? (() => ['udp', 'tcp']);
    this.#families = options.families ?? (() => [4, 6]);
  }

  /**
   * The hops for a next-hop URI (the top Route or the Request-URI), in the order in which they are to be tried; at least
   * one. `transport` goes before what the URI says. Records of one priority are drawn anew each time.
   * @throws PbxkitError SIP_NO_ROUTE for a URI that leads nowhere; DnsError; AbortedError
   */
  async resolve(
    uri: SipUri,
    options: { readonly transport?: HopProtocol; readonly signal?: AbortSignal } = {},
  ): Promise<ResolvedHop[]> {
    const { signal } = options;
    throwIfAborted(signal, `resolving ${uri.host}`);
    const target = hopTarget(uri, options.transport);
    if (!target.isLiteral) return this.#bounded(target.host, this.#search(target), signal);
    return [this.#literalHop(target)];
  }

  /** The hop of a URI whose host is an IP literal, without a promise; undefined for a name. @throws PbxkitError SIP_NO_ROUTE */
  atOnce(uri: SipUri, transport?: HopProtocol): ResolvedHop | undefined {
    const target = hopTarget(uri, transport);
    return target.isLiteral ? this.#literalHop(target) : undefined;
  }

  #literalHop(target: HopTarget): ResolvedHop {
    const protocol = usualProtocol(target, this.#protocols());
    return { protocol, address: target.host, port: target.port ?? defaultPort(protocol) };
  }

  /** Forgets every answer: after a change of network. */
  clear(): void {
    this.#dns.clear();
  }

  /** Ends what is under way: searches fail. Later ones fail at once. */
  close(): void {
    this.#dns.close();
  }

  /** Settles as `search` does, or fails when time or the caller's patience runs out; the search itself runs on. */
  #bounded<Result>(host: string, search: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => settle(() => reject(new AbortedError(`resolving ${host}`, signal?.reason)));
      const cancel = this.#scheduler.after(this.#limits.timeoutMs, () =>
        settle(() => reject(new DnsError(host, 'ETIMEOUT'))),
      );
      const settle = (outcome: () => void): void => {
        cancel();
        signal?.removeEventListener('abort', onAbort);
        outcome();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      search.then(
        (result) => settle(() => resolve(result)),
        (error: unknown) => settle(() => reject(error)),
      );
    });
  }

  async #search(target: HopTarget): Promise<ResolvedHop[]> {
    const endpoints = (await this.#endpoints(target)).slice(0, this.#limits.maxHops);
    const hops = (await this.#addressed(endpoints)).map((hop) => ({ ...hop, name: target.host }));
    return withoutRepeats(hops).slice(0, this.#limits.maxHops);
  }

  /** Transports, hosts and ports (RFC 3263 §4.1, §4.2). */
  async #endpoints(target: HopTarget): Promise<readonly Endpoint[]> {
    const { host, port } = target;
    const spoken = this.#protocols();
    const usual = usualProtocol(target, spoken);
    if (port !== undefined) return [{ protocol: usual, host, port }];
    if (isLocalhost(host)) return [{ protocol: usual, host, port: defaultPort(usual) }];
    const { services, otherwise = usual } = await this.#services(target, spoken);
    const answers = await Promise.all(services.map((service) => this.#dns.srv(service.name)));
    const endpoints: Endpoint[] = [];
    let isRefused = false;
    for (const [i, { protocol }] of services.entries()) {
      const answer = answers[i];
      if (answer?.kind !== 'found') continue;
      // RFC 2782: the only record names the root, so the service is decidedly not available.
      if (answer.records.length === 1 && answer.records[0]?.target === '') isRefused = true;
      else
        for (const { target: server, port: at } of orderSrv(answer.records, this.#random))
          if (server !== '' && at > 0) endpoints.push({ protocol, host: normalizeHost(server), port: at });
    }
    if (endpoints.length > 0) return endpoints;
    if (isRefused) throw noRoute(`${host} says that it does not offer this service (RFC 2782)`);
    return [{ protocol: otherwise, host, port: defaultPort(otherwise) }];
  }

  /** RFC 3263 §4.1: the transport that was named; else what the domain says; else all that we speak. */
  async #services(
    target: HopTarget,
    spoken: readonly HopProtocol[],
  ): Promise<{ readonly services: readonly Service[]; readonly otherwise?: HopProtocol }> {
    const { protocol, host } = target;
    if (protocol !== undefined) return { services: [srvService(protocol, host)] };
    const naptr = await this.#dns.naptr(host);
    const named = naptr.kind === 'found' ? naptrServices(naptr.records, target, spoken) : [];
    const [first] = named;
    return first === undefined
      ? { services: usualServices(target, spoken) }
      : { services: named, otherwise: first.protocol };
  }

  /** The addresses of these hosts, in the same order, each host's by family. @throws DnsError, PbxkitError SIP_NO_ROUTE */
  async #addressed(endpoints: readonly Endpoint[]): Promise<readonly ResolvedHop[]> {
    const families = this.#families();
    const lookups = endpoints.flatMap((endpoint): Lookup[] =>
      isLocalhost(endpoint.host)
        ? [{ endpoint, answer: this.#dns.host(endpoint.host) }]
        : families.map((family) => ({ endpoint, answer: this.#dns.addresses(endpoint.host, family) })),
    );
    const answers = await this.#gather(lookups.map(({ answer }) => answer));
    const hops = lookups.flatMap(({ endpoint }, i) => hopsAt(endpoint, answers[i]));
    if (hops.length > 0) return hops;
    // DNS knows none of them: the hosts file may.
    const hosts = await this.#gather(endpoints.map(({ host }) => this.#dns.host(host)));
    const known = endpoints.flatMap((endpoint, i) => hopsAt(endpoint, hosts[i]));
    const reachable = known.filter(({ address }) => families.some((family) => family === ipVersion(address)));
    if (reachable.length > 0) return reachable;
    if (known.length > 0) throw noRoute(`no socket is open that could reach ${known.map(({ address }) => address)}`);
    throw failureOf([...answers, ...hosts]);
  }

  /** The answers, in order: all of them, or those that have come when the stragglers' time is over. None rejects. */
  #gather(questions: readonly Promise<Answer<HostAddress>>[]): Promise<readonly (Answer<HostAddress> | undefined)[]> {
    const answers: (Answer<HostAddress> | undefined)[] = questions.map(() => undefined);
    if (questions.length === 0) return Promise.resolve(answers);
    return new Promise((resolve) => {
      let missing = questions.length;
      let cancel: (() => void) | undefined;
      for (const [i, question] of questions.entries()) {
        void question.then((answer) => {
          answers[i] = answer;
          if (--missing === 0) {
            cancel?.();
            resolve(answers);
          } else if (answer.kind === 'found') {
            cancel ??= this.#scheduler.after(this.#limits.stragglersMs, () => resolve([...answers]));
          }
        });
      }
    });
  }
}

/** RFC 6761 §6.3: this machine, whatever DNS says. */
function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

function hopsAt({ protocol, port }: Endpoint, answer: Answer<HostAddress> | undefined): ResolvedHop[] {
  return answer?.kind === 'found' ? answer.records.map(({ address }) => ({ protocol, address, port })) : [];
}

/** One server may stand in several records. */
function withoutRepeats(hops: readonly ResolvedHop[]): readonly ResolvedHop[] {
  const seen = new Set<string>();
  return hops.filter(({ protocol, address, port }) => {
    const key = `${protocol} ${address} ${port}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** What to tell when nothing was found: a failure of the name service rather than that a name does not exist. */
function failureOf(answers: readonly (Answer<HostAddress> | undefined)[]): PbxkitError {
  const errors = answers.flatMap((answer) => (answer?.kind === 'none' ? [answer.error] : []));
  const failed = errors.find((error) => !(error instanceof DnsError && error.notFound));
  return failed ?? errors.at(-1) ?? noRoute('no address was found');
}

function noRoute(problem: string): PbxkitError {
  return new PbxkitError('SIP_NO_ROUTE', 'transport', problem);
}
