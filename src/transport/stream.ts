import type { SocketAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import { sipDomains } from '../net/certificate-names.js';
import type { Network, TcpConnection, TcpListener, TcpListenOptions, TlsListener } from '../net/network.js';
import type { SourceFor } from '../net/source-addresses.js';
import type { TlsSettings } from '../net/tls-settings.js';
import type { Via } from '../protocol/sip/header/registry.js';
import { hasParam } from '../protocol/sip/params.js';
import type { SipParseError } from '../protocol/sip/parse-error.js';
import { BufferBudget } from './buffer-budget.js';
import { type ConnectionHandlers, SipConnection } from './connection.js';
import { ConnectionTable, type ConnectionTarget } from './connection-table.js';
import type { FlowRef, Source, StreamProtocol } from './hop.js';
import type { TransportLimits } from './limits.js';
import type { ListenTarget, Opened } from './listeners.js';
import { isUnicast, pickLocal } from './peer-address.js';
import type { TransportCounters } from './stats.js';
import { defaultPort } from './via.js';

export interface StreamTransportOptions {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: TransportCounters;
  readonly limits: TransportLimits;
  readonly tls: TlsSettings;
  /** By which of our addresses a peer is reached. */
  readonly sourceFor: SourceFor;
  /** Asked when a connection comes in, before any TLS handshake. */
  readonly admit: (protocol: StreamProtocol, remote: SocketAddress) => boolean;
  /** Returns false if the bytes were no SIP at all: the connection is then closed. */
  readonly onMessage: (bytes: Uint8Array, source: Source) => boolean;
  /** The stream cannot be followed any further. */
  readonly onFramingError: (error: SipParseError, bytes: Uint8Array, source: Source) => void;
  readonly onFlowClosed: (flow: FlowRef) => void;
}

interface ListenerEntry {
  readonly protocol: StreamProtocol;
  readonly local: SocketAddress;
  readonly pinned: boolean;
  readonly tls: TlsListener | undefined;
}

/** SIP over connections, TCP and TLS (RFC 3261 §18): the listeners, and the connections that both sides open and both use. */
export class StreamTransport {
  readonly #options: StreamTransportOptions;
  readonly #table: ConnectionTable;
  readonly #budget: BufferBudget;
  readonly #handlers: ConnectionHandlers;
  #tls: TlsSettings;
  #listeners: ListenerEntry[] = [];
  #onEmpty: (() => void) | undefined;
  #closing = false;

  constructor(options: StreamTransportOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#table = new ConnectionTable(options.limits);
    this.#budget = new BufferBudget(options.limits.maxBufferedBytes);
    this.#handlers = {
      onMessage: (bytes, connection) => {
        if (!options.onMessage(bytes, this.#sourceOf(connection))) connection.closeSoon('the peer does not speak SIP');
      },
      onKeepAlive: () => {
        options.counters.keepAlives++;
      },
      onFramingError: (error, bytes, connection) => options.onFramingError(error, bytes, this.#sourceOf(connection)),
      onLimit: (limit) => {
        options.counters.limited[limit]++;
      },
      onFailedHandshake: (problem, { remote, direction }) => {
        options.counters.failedHandshakes++;
        options.logger.debug({ remote, direction }, `TLS: ${problem}`);
      },
      onClosed: (connection) => this.#onClosed(connection),
    };
  }

  get listeners(): readonly { readonly protocol: StreamProtocol; readonly local: SocketAddress }[] {
    return this.#listeners;
  }

  /** How many connections are open or opening. */
  get size(): number {
    return this.#table.size;
  }

  /** @throws ListenError, CertificateError */
  async open(protocol: StreamProtocol, { local, pinned }: ListenTarget): Promise<Opened> {
    const { network, logger } = this.#options;
    const options: TcpListenOptions = {
      local,
      onConnection: (socket) => this.#onConnection(protocol, socket),
      onError: (error) => logger.warn({ err: error, local, protocol }, `${protocol} listener: ${error.message}`),
    };
    const tls = protocol === 'tls' ? await network.listenTls({ ...options, tls: this.#tls }) : undefined;
    const listener: TcpListener = tls ?? (await network.listenTcp(options));
    const entry: ListenerEntry = { protocol, local: listener.local, pinned, tls };
    this.#listeners.push(entry);
    return {
      local: entry.local,
      close: () => {
        this.#listeners = this.#listeners.filter((each) => each !== entry);
        return listener.close();
      },
    };
  }

  /** New handshakes are made with these. @throws CertificateError, and then with the old ones as before */
  reconfigure(tls: TlsSettings): void {
    const before = this.#tls;
    const changed: TlsListener[] = [];
    try {
      for (const { tls: listener } of this.#listeners) {
        if (listener === undefined) continue;
        listener.reconfigure(tls);
        changed.push(listener);
      }
    } catch (error) {
      for (const listener of changed) listener.reconfigure(before);
      throw error;
    }
    this.#tls = tls;
  }

  /** The listening address that a peer at `address` reaches us by; best the one its connection came to. */
  listenerFor(protocol: StreamProtocol, address: string, connectionLocal?: SocketAddress): SocketAddress | undefined {
    const all = this.#listeners.filter((each) => each.protocol === protocol);
    const same = all.filter((each) => each.local.address === connectionLocal?.address);
    const exact = same.find((each) => each.local.port === connectionLocal?.port);
    return (exact ?? same[0] ?? pickLocal(all, address, this.#options.sourceFor))?.local;
  }

  /** An open connection for that flow or to that very target. */
  existing(target: ConnectionTarget, flow?: FlowRef): SipConnection | undefined {
    return this.#table.ofFlow(flow) ?? this.#table.to(target);
  }

  ofFlow(flow: FlowRef): SipConnection | undefined {
    return this.#table.ofFlow(flow);
  }

  /** Opens a connection; undefined if there are too many already. */
  connect(target: ConnectionTarget): SipConnection | undefined {
    if (this.#closing) return undefined;
    const { network, limits, counters } = this.#options;
    if (!this.#table.mayConnect()) {
      counters.limited.connections++;
      return undefined;
    }
    const { protocol, remote, name = remote.address } = target;
    const own = this.#listeners.filter((each) => each.protocol === protocol);
    const from = pickLocal(own, remote.address, this.#options.sourceFor);
    const options = {
      remote,
      timeoutMs: limits.connectTimeoutMs,
      // Only an address that was named in the options binds us; behind a wildcard the system's routing knows better.
      ...(from?.pinned === true ? { localAddress: from.local.address } : {}),
    };
    const socket =
      protocol === 'tls' ? network.connectTls({ ...options, name, tls: this.#tls }) : network.connectTcp(options);
    return this.#adopt(protocol, socket, 'outbound', name);
  }

  /**
   * RFC 5923 §8: a peer that has proved its domain and asks for it gets our requests by this very connection.
   * Without a certificate nobody may say that another address is his.
   */
  takeAlias(via: Via, source: Source): void {
    if (source.protocol !== 'tls' || !hasParam(via.params, 'alias')) return;
    const connection = this.#table.ofFlow(source.flow);
    const peer = connection?.session?.peer;
    if (connection === undefined || peer === undefined) return;
    const remote = { address: source.remote.address, port: via.port ?? defaultPort('tls') };
    for (const name of sipDomains(peer)) this.#table.reach(connection, { protocol: 'tls', remote, name });
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

  #onConnection(protocol: StreamProtocol, socket: TcpConnection): void {
    const { remote } = socket;
    const { counters, admit } = this.#options;
    const limit = this.#table.refusal(remote);
    if (limit !== undefined) counters.limited[limit]++;
    const welcome = !this.#closing && isUnicast(remote.address) && limit === undefined;
    if (welcome && admit(protocol, remote)) {
      this.#adopt(protocol, socket, 'inbound');
      return;
    }
    counters.refused++;
    socket.handle({ onData: () => {}, onClose: () => {} });
    socket.destroy();
  }

  #adopt(
    protocol: StreamProtocol,
    socket: TcpConnection,
    direction: 'inbound' | 'outbound',
    name?: string,
  ): SipConnection {
    const { limits, scheduler, random } = this.#options;
    const connection = new SipConnection({
      id: random.token(64),
      socket,
      protocol,
      name,
      direction,
      limits,
      scheduler,
      budget: this.#budget,
      handlers: this.#handlers,
    });
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
      protocol: connection.protocol,
      local: connection.local,
      remote: connection.remote,
      flow: connection.flow,
      secure: connection.protocol === 'tls',
      receivedAt: this.#options.scheduler.now(),
    };
  }
}
