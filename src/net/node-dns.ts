import { lookup, Resolver } from 'node:dns';
import { AbortedError, throwIfAborted, UsageError } from '../base/errors.js';
import { ipVersion, normalizeHost } from '../base/ip.js';
import type { DnsQueryOptions, HostAddress, NameService, NaptrRecord, SrvRecord } from './dns.js';
import { DnsError, systemCode } from './errors.js';

/** How the name service is asked. */
export interface NodeDnsOptions {
  /** DNS servers to ask in place of those of the system, such as `192.0.2.53`, `192.0.2.53:5353` or `[2001:db8::53]:53`. */
  readonly dnsServers?: readonly string[];
}

/** The first try, of the two that a datagram's loss calls for; c-ares gives the second twice as long. */
const TRY_MS = 1000;
const TRIES = 2;

type Answer<Records> = (error: Error | null, records: Records) => void;

/**
 * DNS by the resolver of Node.js (c-ares), which checks id, source and question of an answer and asks again by TCP when it
 * was truncated; `lookup` by the system's. An aborted question rejects at once, and what runs behind it ends by itself
 * within three seconds.
 *
 * Node.js tells the TTL of A and AAAA records only.
 */
export class NodeDns implements NameService {
  readonly #servers: readonly string[] | undefined;
  #resolver: Resolver | undefined;

  /** Opens nothing. @throws UsageError PBX_INVALID_ARGUMENT for a server that is no address */
  constructor(options: NodeDnsOptions = {}) {
    this.#servers = options.dnsServers;
    if (this.#servers !== undefined) this.#resolver = newResolver(this.#servers);
  }

  lookup(host: string, options: DnsQueryOptions = {}): Promise<readonly HostAddress[]> {
    const literal = normalizeHost(host);
    if (ipVersion(literal) !== 0) return Promise.resolve([{ address: literal }]);
    return ask<readonly { readonly address: string }[], HostAddress>(
      host,
      options,
      (answer) => lookup(host, { all: true, verbatim: true }, answer),
      (found) => [...new Set(found.map((each) => normalizeHost(each.address)))].map((address) => ({ address })),
    );
  }

  resolveAddresses(host: string, family: 4 | 6, options: DnsQueryOptions = {}): Promise<readonly HostAddress[]> {
    const resolver = this.#ready();
    return ask<readonly { readonly address: string; readonly ttl: number }[], HostAddress>(
      host,
      options,
      (answer) => {
        if (family === 4) resolver.resolve4(host, { ttl: true }, answer);
        else resolver.resolve6(host, { ttl: true }, answer);
      },
      (found) => found.map(({ address, ttl }) => ({ address: normalizeHost(address), ttlSeconds: ttl })),
    );
  }

  resolveSrv(name: string, options: DnsQueryOptions = {}): Promise<readonly SrvRecord[]> {
    const resolver = this.#ready();
    return ask<readonly { priority: number; weight: number; port: number; name: string }[], SrvRecord>(
      name,
      options,
      (answer) => resolver.resolveSrv(name, answer),
      (found) =>
        found.map(({ priority, weight, port, name: target }) => ({ priority, weight, port, target: plain(target) })),
    );
  }

  resolveNaptr(name: string, options: DnsQueryOptions = {}): Promise<readonly NaptrRecord[]> {
    const resolver = this.#ready();
    return ask<readonly NaptrRecord[], NaptrRecord>(
      name,
      options,
      (answer) => resolver.resolveNaptr(name, answer),
      (found) => found.map((each) => ({ ...each, replacement: plain(each.replacement) })),
    );
  }

  /** Made with the first question: it reads the system's settings. */
  #ready(): Resolver {
    this.#resolver ??= newResolver(undefined);
    return this.#resolver;
  }
}

function newResolver(servers: readonly string[] | undefined): Resolver {
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers === undefined) return resolver;
  try {
    resolver.setServers([...servers]);
  } catch (cause) {
    const found = servers.join(', ').slice(0, 255);
    const problem = `dnsServers: found "${found}", expected IP addresses such as "192.0.2.53" or "[2001:db8::53]:53"`;
    throw new UsageError('PBX_INVALID_ARGUMENT', problem, { cause });
  }
  return resolver;
}

/** Without the dot that stands for the root. */
function plain(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function ask<Found extends readonly unknown[], Result>(
  name: string,
  { signal }: DnsQueryOptions,
  start: (answer: Answer<Found>) => void,
  read: (found: Found) => readonly Result[],
): Promise<readonly Result[]> {
  const what = `looking up "${name.slice(0, 255)}"`;
  return new Promise((resolve, reject) => {
    throwIfAborted(signal, what);
    const onAbort = (): void => reject(new AbortedError(what, signal?.reason));
    const fail = (reason: string, cause?: unknown): void => reject(new DnsError(name, reason, { cause }));
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      start((error, found) => {
        signal?.removeEventListener('abort', onAbort);
        if (error !== null) return fail(systemCode(error), error);
        if (found.length === 0) return fail('ENODATA');
        resolve(read(found));
      });
    } catch (error) {
      signal?.removeEventListener('abort', onAbort);
      fail(systemCode(error), error); // a text that cannot be a name at all, such as one with a zero byte
    }
  });
}
