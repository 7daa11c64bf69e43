import type { SocketAddress } from '../base/ip.js';
import type { SipConnection } from './connection.js';
import type { FlowRef } from './hop.js';
import type { TransportLimits } from './limits.js';
import { sentByKey } from './via.js';

/** The open connections by id and by far end, and the count that caps them (RFC 3261 §18: connections are reused). */
export class ConnectionTable {
  readonly #limits: TransportLimits;
  readonly #byId = new Map<string, SipConnection>();
  readonly #byRemote = new Map<string, SipConnection>();
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

  /** Whether one more connection may be accepted from there. */
  mayAccept(remote: SocketAddress): boolean {
    const fromThere = this.#perAddress.get(remote.address) ?? 0;
    return this.#inbound < this.#limits.maxConnections && fromThere < this.#limits.maxConnectionsPerAddress;
  }

  /** Whether one more connection may be opened by us. */
  mayConnect(): boolean {
    return this.#byId.size - this.#inbound < this.#limits.maxConnections;
  }

  add(connection: SipConnection): void {
    const { address, port } = connection.remote;
    this.#byId.set(connection.id, connection);
    this.#byRemote.set(sentByKey(address, port), connection);
    if (connection.direction === 'outbound') return;
    this.#inbound++;
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
  }

  remove(connection: SipConnection): void {
    if (!this.#byId.delete(connection.id)) return;
    const { address, port } = connection.remote;
    const key = sentByKey(address, port);
    if (this.#byRemote.get(key) === connection) this.#byRemote.delete(key);
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

  /** A usable connection to exactly that address and port, whoever opened it. */
  to(remote: SocketAddress): SipConnection | undefined {
    const connection = this.#byRemote.get(sentByKey(remote.address, remote.port));
    return connection?.usable === true ? connection : undefined;
  }
}
