import type { SocketAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { Network, TcpConnection } from '../net/network.js';
import type { SipParseError } from '../protocol/sip/parse-error.js';
import { type ConnectionHandlers, SipConnection } from './connection.js';
import { ConnectionTable } from './connection-table.js';
import type { FlowRef, Source } from './hop.js';
import type { TransportLimits } from './limits.js';
import type { ListenTarget, Opened } from './listeners.js';
import { isUnicast, pickLocal } from './peer-address.js';
import type { TransportCounters } from './stats.js';

export interface StreamTransportOptions {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: TransportCounters;
  readonly limits: TransportLimits;
  /** Asked when a connection comes in. */
  readonly admit: (remote: SocketAddress) => boolean;
  /** Returns false if the bytes were no SIP at all: the connection is then closed. */
  readonly onMessage: (bytes: Uint8Array, source: Source) => boolean;
  /** The stream cannot be followed any further. */
  readonly onFramingError: (error: SipParseError, bytes: Uint8Array, source: Source) => void;
  readonly onFlowClosed: (flow: FlowRef) => void;
}

interface ListenerEntry {
  readonly local: SocketAddress;
  readonly pinned: boolean;
}

/** SIP over TCP (RFC 3261 §18): the listeners, and the connections that both sides open and both use. */
export class StreamTransport {
  readonly #options: StreamTransportOptions;
  readonly #table: ConnectionTable;
  readonly #handlers: ConnectionHandlers;
  #listeners: ListenerEntry[] = [];
  #onEmpty: (() => void) | undefined;
  #closing = false;

  constructor(options: StreamTransportOptions) {
    this.#options = options;
    this.#table = new ConnectionTable(options.limits);
    this.#handlers = {
      onMessage: (bytes, connection) => {
        if (!options.onMessage(bytes, this.#sourceOf(connection))) connection.closeSoon('the peer does not speak SIP');
      },
      onKeepAlive: () => {
        options.counters.keepAlives++;
      },
      onFramingError: (error, bytes, connection) => options.onFramingError(error, bytes, this.#sourceOf(connection)),
      onClosed: (connection) => this.#onClosed(connection),
    };
  }

  get listeners(): readonly { readonly local: SocketAddress }[] {
    return this.#listeners;
  }

  /** How many connections are open or opening. */
  get size(): number {
    return this.#table.size;
  }

  /** @throws ListenError */
  async open(target: ListenTarget): Promise<Opened> {
    const { network, logger } = this.#options;
    const listener = await network.listenTcp({
      local: target.local,
      onConnection: (socket) => this.#onConnection(socket),
      onError: (error) => logger.warn({ err: error, local: target.local }, `TCP listener: ${error.message}`),
    });
    const entry: ListenerEntry = { local: listener.local, pinned: target.pinned };
    this.#listeners.push(entry);
    return {
      local: entry.local,
      close: () => {
        this.#listeners = this.#listeners.filter((each) => each !== entry);
        return listener.close();
      },
    };
  }

  /** The listening address that a peer at `address` reaches us by; best the one its connection came to. */
  listenerFor(address: string, connectionLocal?: SocketAddress): SocketAddress | undefined {
    const same = this.#listeners.filter((each) => each.local.address === connectionLocal?.address);
    const exact = same.find((each) => each.local.port === connectionLocal?.port);
    return (exact ?? same[0] ?? pickLocal(this.#listeners, address))?.local;
  }

  /** An open connection for that flow or to that very address, whoever opened it. */
  existing(remote: SocketAddress, flow?: FlowRef): SipConnection | undefined {
    return this.#table.ofFlow(flow) ?? this.#table.to(remote);
  }

  ofFlow(flow: FlowRef): SipConnection | undefined {
    return this.#table.ofFlow(flow);
  }

  /** Opens a connection; undefined if there are too many already. */
  connect(remote: SocketAddress): SipConnection | undefined {
    if (this.#closing || !this.#table.mayConnect()) return undefined;
    const { network, limits } = this.#options;
    const from = pickLocal(this.#listeners, remote.address);
    const socket = network.connectTcp({
      remote,
      timeoutMs: limits.connectTimeoutMs,
      // Only an address that was named in the options binds us; behind a wildcard the system's routing knows better.
      ...(from?.pinned === true ? { localAddress: from.local.address } : {}),
    });
    return this.#adopt(socket, 'outbound');
  }

  /** Hands over what is queued and closes every connection; resolves when none is left. The listeners are closed before. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const connection of this.#table.all()) connection.close('the transport was closed');
    if (this.#table.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #onConnection(socket: TcpConnection): void {
    const { remote } = socket;
    const welcome = !this.#closing && isUnicast(remote.address) && this.#table.mayAccept(remote);
    if (welcome && this.#options.admit(remote)) {
      this.#adopt(socket, 'inbound');
      return;
    }
    this.#options.counters.refused++;
    socket.handle({ onData: () => {}, onClose: () => {} });
    socket.destroy();
  }

  #adopt(socket: TcpConnection, direction: 'inbound' | 'outbound'): SipConnection {
    const { limits, scheduler, random } = this.#options;
    const id = random.token(64);
    const connection = new SipConnection({ id, socket, direction, limits, scheduler, handlers: this.#handlers });
    this.#table.add(connection);
    return connection;
  }

  #onClosed(connection: SipConnection): void {
    this.#table.remove(connection);
    this.#options.onFlowClosed(connection.flow);
    if (this.#table.size === 0) this.#onEmpty?.();
  }

  #sourceOf(connection: SipConnection): Source {
    return {
      protocol: 'tcp',
      local: connection.local,
      remote: connection.remote,
      flow: connection.flow,
      secure: false,
      receivedAt: this.#options.scheduler.now(),
    };
  }
}
