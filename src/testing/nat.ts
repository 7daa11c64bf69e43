import type { Millis } from '../base/clock.js';
import type { SocketAddress } from '../base/ip.js';

/**
 * How a box maps and filters, in the older words (RFC 3489 §5) because they are short; RFC 4787's in brackets.
 * `full-cone`: one public port per inner socket, open to all (endpoint-independent mapping and filtering).
 * `address-restricted`: the same mapping, open to addresses that were sent to (address-dependent filtering).
 * `port-restricted`: the same mapping, open to sockets that were sent to (address- and port-dependent filtering).
 * `symmetric`: another public port for each destination socket, open to that one only.
 */
export type NatKind = 'full-cone' | 'address-restricted' | 'port-restricted' | 'symmetric';

export interface NatOptions {
  readonly name?: string;
  readonly publicAddress: string;
  /** Default `port-restricted`, the commonest at home. */
  readonly kind?: NatKind;
  /** Idle time after which a UDP mapping ends, in milliseconds; only outbound packets refresh it. Default 30 s. */
  readonly udpTimeoutMs?: number;
  /** Idle time after which a TCP mapping ends without a word. Default 2 h 4 min (RFC 5382 §5). */
  readonly tcpTimeoutMs?: number;
  /** Whether inner hosts reach each other by their public sockets (RFC 4787 §6). Default false. */
  readonly hairpin?: boolean;
  /** The box that this one is itself behind (carrier-grade NAT). */
  readonly behind?: Nat;
}

type Protocol = 'udp' | 'tcp';

interface Mapping {
  readonly protocol: Protocol;
  readonly inner: SocketAddress;
  readonly publicPort: number;
  /** Whom inner hosts have sent to by this mapping: what the filter lets in, by address or by socket. */
  readonly permitted: Set<string>;
  expires: Millis;
}

const FIRST_PUBLIC_PORT = 40_000;
const LAST_PUBLIC_PORT = 65_535;

/** A NAT box: translation alone, without time or network of its own. */
export class Nat {
  readonly name: string;
  readonly kind: NatKind;
  readonly hairpin: boolean;
  readonly behind: Nat | undefined;
  readonly #udpTimeoutMs: number;
  readonly #tcpTimeoutMs: number;
  readonly #byInner = new Map<string, Mapping>();
  readonly #byPort = new Map<string, Mapping>();
  #publicAddress: string;
  #nextPort = FIRST_PUBLIC_PORT;

  constructor(options: NatOptions) {
    this.name = options.name ?? `nat ${options.publicAddress}`;
    this.kind = options.kind ?? 'port-restricted';
    this.hairpin = options.hairpin ?? false;
    this.behind = options.behind;
    this.#udpTimeoutMs = options.udpTimeoutMs ?? 30_000;
    this.#tcpTimeoutMs = options.tcpTimeoutMs ?? 7_440_000;
    this.#publicAddress = options.publicAddress;
  }

  get publicAddress(): string {
    return this.#publicAddress;
  }

  /** Translates the source of an outbound packet; makes or refreshes the mapping. */
  outbound(protocol: Protocol, from: SocketAddress, to: SocketAddress, now: Millis): SocketAddress {
    const key = this.#innerKey(protocol, from, to);
    let mapping = this.#byInner.get(key);
    if (mapping !== undefined && mapping.expires <= now) {
      this.#drop(key, mapping);
      mapping = undefined;
    }
    if (mapping === undefined) {
      mapping = {
        protocol,
        inner: from,
        publicPort: this.#freePort(protocol, now),
        permitted: new Set(),
        expires: now,
      };
      this.#byInner.set(key, mapping);
      this.#byPort.set(portKey(protocol, mapping.publicPort), mapping);
    }
    mapping.permitted.add(this.#permission(to));
    mapping.expires = now + (protocol === 'udp' ? this.#udpTimeoutMs : this.#tcpTimeoutMs);
    return { address: this.#publicAddress, port: mapping.publicPort };
  }

  /** The inner socket for a packet to a public port, undefined if there is no live mapping or the filter drops it. */
  inbound(protocol: Protocol, publicPort: number, source: SocketAddress, now: Millis): SocketAddress | undefined {
    const mapping = this.#live(protocol, publicPort, now);
    if (mapping === undefined) return undefined;
    return this.kind === 'full-cone' || mapping.permitted.has(this.#permission(source)) ? mapping.inner : undefined;
  }

  /** Who stands behind a public port, whatever the filter would say. */
  holder(protocol: Protocol, publicPort: number, now: Millis): SocketAddress | undefined {
    return this.#live(protocol, publicPort, now)?.inner;
  }

  /** Forgets every mapping, as on a restart or a new line from the provider; the next packets get new ports. */
  rebind(): void {
    this.#byInner.clear();
    this.#byPort.clear();
  }

  /** For the network, which keeps its routes: a new public address also ends every mapping. */
  moveTo(publicAddress: string): void {
    this.#publicAddress = publicAddress;
    this.rebind();
  }

  /** Live mappings at `now`. */
  mappings(
    now: Millis,
  ): readonly { readonly protocol: Protocol; readonly inner: SocketAddress; readonly publicPort: number }[] {
    return [...this.#byInner.values()].filter((mapping) => mapping.expires > now);
  }

  #live(protocol: Protocol, publicPort: number, now: Millis): Mapping | undefined {
    const mapping = this.#byPort.get(portKey(protocol, publicPort));
    return mapping === undefined || mapping.expires <= now ? undefined : mapping;
  }

  #innerKey(protocol: Protocol, from: SocketAddress, to: SocketAddress): string {
    const inner = `${protocol} ${from.address} ${from.port}`;
    return this.kind === 'symmetric' ? `${inner} ${to.address} ${to.port}` : inner;
  }

  #permission(peer: SocketAddress): string {
    return this.kind === 'address-restricted' ? peer.address : `${peer.address} ${peer.port}`;
  }

  #freePort(protocol: Protocol, now: Millis): number {
    for (;;) {
      const port = this.#nextPort;
      this.#nextPort = port === LAST_PUBLIC_PORT ? FIRST_PUBLIC_PORT : port + 1;
      if (this.#live(protocol, port, now) === undefined) return port;
    }
  }

  #drop(key: string, mapping: Mapping): void {
    this.#byInner.delete(key);
    const port = portKey(mapping.protocol, mapping.publicPort);
    if (this.#byPort.get(port) === mapping) this.#byPort.delete(port);
  }
}

function portKey(protocol: Protocol, port: number): string {
  return `${protocol} ${port}`;
}
