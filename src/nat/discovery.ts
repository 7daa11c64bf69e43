import type { AddressQuestion } from '../base/address-advisor.js';
import { TypedEmitter } from '../base/events.js';
import { formatAddress, ipVersion, normalizeHost, type SocketAddress, sameAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { NameService } from '../net/dns.js';
import type { StunTimes } from '../protocol/stun/client-transaction.js';
import { LOOPBACK, NOBODY } from './address-kinds.js';
import { dependsOnEndpoint, type MappingBehaviour, mappingBehaviour, type Observation } from './behaviour.js';
import type { NatEvents } from './events.js';
import type { ExternalAddresses } from './external-address.js';
import type { StunEndpoint } from './stun-address.js';
import { StunClient } from './stun-client.js';
import type { StunPort } from './stun-port.js';
import { StunServers } from './stun-servers.js';

export interface StunDiscoveryOptions {
  /** Asked in this order until one answers; the second shows how the NAT maps. */
  readonly servers: readonly StunEndpoint[];
  /** How often at least; see `ExternalAddressOptions`. Default 29. */
  readonly refreshSeconds?: number;
  /** The sockets to find the addresses of: those that are open when a round begins. */
  readonly ports: () => readonly StunPort[];
  readonly names: Pick<NameService, 'lookup' | 'resolveSrv'>;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

/** What is known of one socket, as plain data. */
export interface DiscoveredAddress {
  readonly local: SocketAddress;
  /** Where STUN servers see it. */
  readonly mapped: SocketAddress;
  /** What peers outside are told. */
  readonly external: SocketAddress;
  readonly mapping: MappingBehaviour;
  /** Who said so. */
  readonly server: SocketAddress;
  /** False while no server answers: then this is what was known last. */
  readonly fresh: boolean;
}

/**
 * RFC 8489 §6.2.1 lets these be set. With others to ask, nobody waits 39.5 s for one that is silent: it is given up 7.5 s after
 * the first of four requests.
 */
const TIMES: StunTimes = { sends: 4, lastWait: 8 };
/** Below the 30 s after which many NATs forget, as RFC 5626 §4.4.2 has its keep-alives. */
const DEFAULT_REFRESH_SECONDS = 29;
/** A wait is drawn from this share of the longest up to all of it (RFC 5626 §4.4.2: 24 to 29 s). */
const SHORTEST_WAIT = 5 / 6;
/** Between two rounds, where one took longer than the wait. */
const SHORTEST_PAUSE_MS = 1_000;
/** Addresses that dialogs under way may have been told. */
const MOST_FORMER = 64;
/** How long `start` waits for the first round. */
const FIRST_ROUND_MS = 5_000;

/**
 * Finds out where our sockets are seen from outside, by asking STUN servers from these very sockets (RFC 8489 §2), again and
 * again: which also keeps the NAT's mappings open. When no server answers, what was known stays.
 */
export class StunDiscovery implements ExternalAddresses {
  readonly events: TypedEmitter<NatEvents>;
  readonly #options: StunDiscoveryOptions;
  readonly #client: StunClient;
  readonly #servers: StunServers;
  readonly #known = new Map<string, DiscoveredAddress>();
  /** What was told before of which socket, the latest first. */
  #former: readonly { readonly before: SocketAddress; readonly local: string }[] = [];
  /** Sockets for which the last round had no answer. */
  readonly #failing = new Set<string>();
  readonly #closed = new AbortController();
  #next: Cancel | undefined;

  constructor(options: StunDiscoveryOptions) {
    const { scheduler, random, logger } = options;
    this.#options = options;
    this.events = new TypedEmitter(logger);
    this.#client = new StunClient({ scheduler, random });
    this.#servers = new StunServers({ ...options, clock: scheduler });
  }

  /** Resolves after the first round, at the latest after five seconds: peers had better be told the right address at once. */
  async start(): Promise<void> {
    const round = this.#round();
    await new Promise<void>((resolve) => {
      const cancel = this.#options.scheduler.after(FIRST_ROUND_MS, resolve);
      const abort = (): void => {
        cancel();
        resolve();
      };
      this.#closed.signal.addEventListener('abort', abort, { once: true });
      void round.then(abort);
    });
  }

  /** No question and no timer is left. */
  close(): void {
    this.#closed.abort();
    this.#next?.();
    this.#client.close();
    this.events.removeAll();
  }

  /** What is known of each socket. */
  get addresses(): readonly DiscoveredAddress[] {
    return [...this.#known.values()];
  }

  /**
   * Of a socket that has asked, what it was told. Of others (TCP, TLS, RTP) the address that is known for the same interface, else for
   * the same family, with their own port: also where a TCP port has the number of a UDP port, which the NAT has mapped and not the other.
   */
  externalFor({ purpose, protocol, local }: AddressQuestion): SocketAddress | undefined {
    const exact = purpose === 'signalling' && protocol === 'udp' ? this.#known.get(formatAddress(local)) : undefined;
    if (exact !== undefined) return exact.external;
    const candidates = this.addresses.filter((each) => ipVersion(each.local.address) === ipVersion(local.address));
    const found = candidates.find((each) => each.local.address === local.address) ?? candidates[0];
    return found === undefined ? undefined : { address: found.mapped.address, port: local.port };
  }

  /**
   * What was told of one of our sockets before, as it is told now; undefined: it was never told, or is right. By UDP its port is that of the
   * socket's mapping; of connections the address alone was told.
   */
  presentOf(told: SocketAddress, protocol: AddressQuestion['protocol']): SocketAddress | undefined {
    const address = normalizeHost(told.address);
    const isIt = (each: SocketAddress): boolean =>
      each.address === address && (protocol !== 'udp' || each.port === told.port);
    const known = this.#known.get(this.#former.find(({ before }) => isIt(before))?.local ?? '');
    if (known === undefined || this.addresses.some(({ external }) => isIt(external))) return undefined;
    return protocol === 'udp' ? known.external : { address: known.mapped.address, port: told.port };
  }

  has(host: string): boolean {
    const address = normalizeHost(host);
    for (const { mapped } of this.#known.values()) if (mapped.address === address) return true;
    return false;
  }

  /** Never rejects. */
  async #round(): Promise<void> {
    const { signal } = this.#closed;
    const { scheduler } = this.#options;
    const begun = scheduler.now();
    const servers = await this.#servers.resolve(signal);
    if (signal.aborted) return;
    await Promise.all(this.#options.ports().map((port) => this.#refresh(port, serversFor(port, servers))));
    if (signal.aborted) return;
    // From the beginning: a round in which nobody answers is long, and the NAT forgets meanwhile.
    const next = Math.max(begun + this.#wait(), scheduler.now() + SHORTEST_PAUSE_MS);
    this.#next = scheduler.at(next, () => void this.#round());
  }

  #wait(): number {
    const longest = (this.#options.refreshSeconds ?? DEFAULT_REFRESH_SECONDS) * 1000;
    const shortest = Math.floor(longest * SHORTEST_WAIT);
    return shortest + this.#options.random.integer(longest - shortest + 1);
  }

  async #refresh(port: StunPort, servers: readonly SocketAddress[]): Promise<void> {
    // Nobody on the way out has to be told where a loopback socket is, and no server there can say it.
    if (LOOPBACK.has(port.local.address) && servers.length === 0) return;
    const last = this.#known.get(formatAddress(port.local))?.server;
    const first = servers.find((server) => last !== undefined && sameAddress(server, last));
    const order = first === undefined ? servers : [first, ...servers.filter((server) => server !== first)];
    for (const [i, server] of order.entries()) {
      const mapped = await this.#ask(port, server);
      if (this.#closed.signal.aborted) return;
      if (mapped === undefined) continue;
      this.#recovered(port, server);
      await this.#learn(port, { server, mapped }, order.slice(i + 1));
      return;
    }
    this.#failed(port, servers.length);
  }

  async #ask(port: StunPort, server: SocketAddress): Promise<SocketAddress | undefined> {
    const outcome = await this.#client.ask(port, server, TIMES);
    if (outcome.kind === 'mapped' && canBe(outcome.mapped, server)) return outcome.mapped;
    const { logger } = this.#options;
    logger.debug({ local: port.local, server, outcome }, `STUN server ${formatAddress(server)}: ${outcome.kind}`);
    return undefined;
  }

  /** A new mapping is told at once; what a second server says of it may change what peers are told. */
  async #learn(port: StunPort, seen: Observation, others: readonly SocketAddress[]): Promise<void> {
    const { local } = port;
    const known = this.#known.get(formatAddress(local));
    if (known !== undefined && isSame(known, seen.mapped)) {
      this.#known.set(formatAddress(local), { ...known, server: seen.server, fresh: true });
      return;
    }
    this.#tell(local, seen, mappingBehaviour(local, [seen]));
    for (const server of others) {
      const mapped = await this.#ask(port, server);
      if (this.#closed.signal.aborted) return;
      if (mapped === undefined) continue;
      this.#tell(local, seen, mappingBehaviour(local, [seen, { server, mapped }]));
      return;
    }
  }

  #tell(local: SocketAddress, { server, mapped }: Observation, mapping: MappingBehaviour): void {
    const { logger } = this.#options;
    // Where every peer sees another port, that of the server is nobody's: then only a port that is passed on helps.
    const symmetric = dependsOnEndpoint(mapping);
    const external = symmetric ? { address: mapped.address, port: local.port } : mapped;
    const key = formatAddress(local);
    const previous = this.#known.get(key)?.external;
    this.#known.set(key, { local, mapped, external, mapping, server, fresh: true });
    if (symmetric) {
      logger.warn(
        { local, mapped, mapping },
        `the NAT shows ${key} to every peer under another port: peers outside are told ${formatAddress(external)}, which reaches us only if the router passes that port on`,
      );
    }
    if (previous !== undefined && sameAddress(previous, external)) return;
    // Who is inside was told the address of the socket, and is right with it.
    if (previous !== undefined) {
      const others = this.#former.filter(({ before }) => !sameAddress(before, previous));
      this.#former = [{ before: previous, local: key }, ...others].slice(0, MOST_FORMER);
    }
    logger.info({ local, external, mapping }, `${key} is ${formatAddress(external)} outside`);
    this.events.emit('nat.changed', { local, external, mapping, ...(previous === undefined ? {} : { previous }) });
  }

  #recovered(port: StunPort, server: SocketAddress): void {
    const key = formatAddress(port.local);
    if (!this.#failing.delete(key)) return;
    this.#options.logger.info({ local: port.local, server }, `a STUN server answers ${key} again`);
  }

  /** Told once, until one answers again. */
  #failed(port: StunPort, asked: number): void {
    this.#servers.forget();
    const key = formatAddress(port.local);
    const known = this.#known.get(key);
    if (known !== undefined) this.#known.set(key, { ...known, fresh: false });
    if (this.#failing.has(key)) return;
    this.#failing.add(key);
    const family = `IPv${ipVersion(port.local.address)}`;
    const why = asked === 0 ? `none of the STUN servers has an ${family} address` : 'no STUN server answers';
    const then =
      known === undefined
        ? 'peers outside are told this address'
        : `peers outside are told ${formatAddress(known.external)} as before`;
    this.#options.logger.warn({ local: port.local }, `${why} ${key}: ${then}`);
  }
}

/** Whether a server can have seen us there: what it says goes into every message, so it is not believed everything. */
function canBe({ address }: SocketAddress, server: SocketAddress): boolean {
  if (ipVersion(address) !== ipVersion(server.address) || NOBODY.has(address)) return false;
  return !LOOPBACK.has(address) || LOOPBACK.has(server.address);
}

/** Whether nothing has changed; where each server sees another port, the address alone tells. */
function isSame({ mapped, mapping }: DiscoveredAddress, seen: SocketAddress): boolean {
  return sameAddress(mapped, seen) || (dependsOnEndpoint(mapping) && mapped.address === seen.address);
}

/** Those of the socket's family; a server on this machine sees its loopback sockets only. */
function serversFor({ local }: StunPort, servers: readonly SocketAddress[]): readonly SocketAddress[] {
  return servers.filter(
    ({ address }) =>
      ipVersion(address) === ipVersion(local.address) && LOOPBACK.has(address) === LOOPBACK.has(local.address),
  );
}
