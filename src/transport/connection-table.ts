import { normalizeHost, type SocketAddress } from '../base/ip.js';
import type { SipConnection } from './connection.js';
import type { FlowRef, StreamProtocol } from './hop.js';
import type { TransportLimits } from './limits.js';
import type { ConnectionLimit } from './stats.js';
import { sentByKey } from './via.js';

/** What a connection is wanted to. */
export interface ConnectionTarget {
  readonly protocol: StreamProtocol;
  readonly remote: SocketAddress;
  /** TLS: the domain that the peer must have proved to be. */
  readonly name?: string | undefined;
}

/** The open connections by id and by far end, and the count that caps them (RFC 3261 §18: connections are reused). */
export class ConnectionTable {
  readonly #limits: TransportLimits;
  readonly #byId = new Map<string, SipConnection>();
  readonly #byTarget = new Map<string, SipConnection>();
  readonly #perAddress = new Map<string, number>();
  #inbound = 0;

  constructor(limits: TransportLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byId.size;
  }

  all(): readonly SipConnection[] {
    return [...this.#byId.values()];
  }

  /** The limit that forbids one more connection from there, if one does. */
  refusal(remote: SocketAddress): ConnectionLimit | undefined {
    if (this.#inbound >= this.#limits.maxConnections) return 'connections';
    const fromThere = this.#perAddress.get(remote.address) ?? 0;
    return fromThere < this.#limits.maxConnectionsPerAddress ? undefined : 'connectionsPerAddress';
  }

  /** Whether one more connection may be opened by us. */
  mayConnect(): boolean {
    return this.#byId.size - this.#inbound < this.#limits.maxConnections;
  }

  add(connection: SipConnection): void {
    const { address } = connection.remote;
    this.#byId.set(connection.id, connection);
    if (connection.direction === 'outbound' || connection.protocol === 'tcp') this.reach(connection, connection);
    if (connection.direction === 'outbound') return;
    this.#inbound++;
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
  }

  /**
   * What is sent to `target` goes by this connection from now on. Over TLS a connection that came in is used only by its
   * flow, unless the peer has proved to be that domain (RFC 5923 §9).
   */
  reach(connection: SipConnection, target: ConnectionTarget): void {
    const key = targetKey(target);
    this.#byTarget.set(key, connection);
    connection.targets.add(key);
  }

  remove(connection: SipConnection): void {
    if (!this.#byId.delete(connection.id)) return;
    const { address } = connection.remote;
    for (const key of connection.targets) if (this.#byTarget.get(key) === connection) this.#byTarget.delete(key);
    if (connection.direction === 'outbound') return;
    this.#inbound--;
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }

  /** The connection of that flow, while it can be used. */
  ofFlow(flow: FlowRef | undefined): SipConnection | undefined {
    if (flow?.connectionId === undefined) return undefined;
    const connection = this.#byId.get(flow.connectionId);
    return connection?.usable === true ? connection : undefined;
  }

  /** A usable connection to exactly that address, port and, over TLS, domain. */
  to(target: ConnectionTarget): SipConnection | undefined {
    const connection = this.#byTarget.get(targetKey(target));
    return connection?.usable === true ? connection : undefined;
  }
}

/** Over TLS the domain counts: one address may serve several, and each must be proved. */
function targetKey({ protocol, remote, name }: ConnectionTarget): string {
  const address = sentByKey(remote.address, remote.port);
  return protocol === 'tls' ? `tls ${normalizeHost(name ?? remote.address)} ${address}` : address;
}
