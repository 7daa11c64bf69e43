import { type AddressAdvisor, type AddressQuestion, localAddressAdvisor } from '../base/address-advisor.js';
import { type Events, TypedEmitter } from '../base/events.js';
import type { SocketAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { Network } from '../net/network.js';
import { NatAddressAdvisor } from './address-advisor.js';
import { type DiscoveredAddress, StunDiscovery } from './discovery.js';
import type { NatEvents } from './events.js';
import { type ExternalAddresses, StaticExternalAddress } from './external-address.js';
import { LocalNetworks } from './local-networks.js';
import type { ExternalAddressOptions } from './options.js';
import { parseStunServer } from './stun-address.js';
import { StunNetwork } from './stun-network.js';

export interface NatServiceOptions {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** An IP address, or the STUN servers that say it. Default: every peer is told what the socket has. */
  readonly externalAddress?: string | ExternalAddressOptions;
  /** Whose peers are told what the socket has. Default: private networks. */
  readonly localNetworks?: readonly string[];
}

/** What a program with sockets knows of the NAT in front of it, from its options: which address to tell to whom. */
export class NatService {
  /** What the sockets are opened by that peers are told of: they ask the STUN servers themselves. */
  readonly network: Network;
  readonly advisor: AddressAdvisor;
  readonly events: Events<NatEvents>;
  readonly #external: ExternalAddresses | undefined;
  readonly #discovery: StunDiscovery | undefined;
  readonly #locals: LocalNetworks;

  /** Opens nothing. */
  constructor(options: NatServiceOptions) {
    const { externalAddress, localNetworks, network, scheduler } = options;
    const logger = options.logger.child({ area: 'nat' });
    this.#locals = new LocalNetworks({
      network,
      clock: scheduler,
      ...(localNetworks === undefined ? {} : { networks: localNetworks }),
    });
    this.network = network;
    if (typeof externalAddress === 'string') this.#external = new StaticExternalAddress(externalAddress);
    else if (externalAddress !== undefined) {
      const sharing = new StunNetwork(network);
      this.network = sharing;
      this.#discovery = new StunDiscovery({
        ...options,
        ...externalAddress,
        servers: externalAddress.stun.map(parseStunServer).filter((server) => server !== undefined),
        ports: () => sharing.ports,
        names: network,
        logger,
      });
      this.#external = this.#discovery;
    }
    this.events = this.#discovery?.events ?? new TypedEmitter<NatEvents>(logger);
    this.advisor =
      this.#external === undefined
        ? localAddressAdvisor
        : new NatAddressAdvisor({ external: this.#external, locals: this.#locals });
  }

  /** To be called when the sockets are open. Resolves when their addresses are known, at the latest after five seconds. */
  async start(): Promise<void> {
    await this.#discovery?.start();
  }

  /** Before the sockets are closed. No timer is left. */
  close(): void {
    this.#discovery?.close();
  }

  /** See `StunDiscovery.presentOf`: what a Contact that was told before should say now; undefined: what it says. */
  presentOf(told: SocketAddress, protocol: AddressQuestion['protocol']): SocketAddress | undefined {
    return this.#discovery?.presentOf(told, protocol);
  }

  /** Whether peers outside know us by that host. */
  isExternal(host: string): boolean {
    return this.#external?.has(host) ?? false;
  }

  /** Whether an address belongs to the local networks. */
  isLocal(address: string): boolean {
    return this.#locals.has(address);
  }

  /** What STUN servers said of our sockets; empty without such servers. */
  get discovered(): readonly DiscoveredAddress[] {
    return this.#discovery?.addresses ?? [];
  }
}
