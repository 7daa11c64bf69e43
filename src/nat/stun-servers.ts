import type { Clock, Millis } from '../base/clock.js';
import { errorText } from '../base/errors.js';
import { ipVersion, type SocketAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { NameService } from '../net/dns.js';
import { formatEndpoint, STUN_PORT, type StunEndpoint } from './stun-address.js';

export interface StunServersOptions {
  readonly servers: readonly StunEndpoint[];
  readonly names: Pick<NameService, 'lookup' | 'resolveSrv'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What DNS said is looked up anew after this time, or when no server answers any more. */
const KEEP_MS = 10 * 60_000;
/** Servers to try for one name. */
const MOST_TARGETS = 4;

/**
 * The STUN servers in the order in which they are asked, as addresses: names by SRV where no port is said and
 * there are such records (RFC 8489 §8.1).
 */
export class StunServers {
  readonly #options: StunServersOptions;
  readonly #found = new Map<StunEndpoint, readonly SocketAddress[]>();
  #until: Millis = Number.NEGATIVE_INFINITY;

  constructor(options: StunServersOptions) {
    this.#options = options;
  }

  /** Never rejects: a name that cannot be looked up keeps what it led to before. */
  async resolve(signal: AbortSignal): Promise<readonly SocketAddress[]> {
    const { servers, clock, logger } = this.#options;
    if (clock.now() >= this.#until) {
      this.#until = clock.now() + KEEP_MS;
      for (const server of servers) {
        try {
          this.#found.set(server, await this.#lookUp(server, signal));
        } catch (error) {
          if (signal.aborted) break;
          this.#until = Number.NEGATIVE_INFINITY;
          logger.debug({ err: error }, `STUN server ${formatEndpoint(server)}: ${errorText(error)}`);
        }
      }
    }
    return servers.flatMap((server) => this.#found.get(server) ?? []);
  }

  /** The next `resolve` asks DNS again. */
  forget(): void {
    this.#until = Number.NEGATIVE_INFINITY;
  }

  async #lookUp({ host, port }: StunEndpoint, signal: AbortSignal): Promise<readonly SocketAddress[]> {
    if (ipVersion(host) !== 0) return [{ address: host, port: port ?? STUN_PORT }];
    const targets = port === undefined ? await this.#services(host, signal) : [{ host, port }];
    const found: SocketAddress[] = [];
    for (const target of targets.slice(0, MOST_TARGETS)) {
      for (const { address } of await this.#options.names.lookup(target.host, { signal })) {
        found.push({ address, port: target.port });
      }
    }
    return found;
  }

  /** Of equal priority the heavier goes first: a refresh each half minute needs no balance. */
  async #services(host: string, signal: AbortSignal): Promise<readonly { host: string; port: number }[]> {
    try {
      const records = await this.#options.names.resolveSrv(`_stun._udp.${host}`, { signal });
      const sorted = records
        .filter(({ target }) => target !== '')
        .sort((a, b) => a.priority - b.priority || b.weight - a.weight);
      return sorted.map(({ target, port }) => ({ host: target, port }));
    } catch (error) {
      if (signal.aborted) throw error;
      return [{ host, port: STUN_PORT }];
    }
  }
}
