import { type AddressAdvisor, localAddressAdvisor } from '../base/address-advisor.js';
import type { Disposer } from '../base/disposer.js';
import { UsageError } from '../base/errors.js';
import { TypedEmitter } from '../base/events.js';
import { normalizeHost, type SocketAddress } from '../base/ip.js';
import { type Logger, silentLogger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { Network } from '../net/network.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import { NO_PARAMS, type Params } from '../protocol/sip/params.js';
import { printMessage } from '../protocol/sip/print.js';
import { AdvertisedAddresses } from './advertised.js';
import type { SipConnection } from './connection.js';
import { TransportError } from './error.js';
import type { FlowRef, Hop, Listening, ListenPoint, Source, TransportProtocol } from './hop.js';
import { Intake, type MalformedMessage } from './intake.js';
import { DEFAULT_TRANSPORT_LIMITS, type TransportLimits } from './limits.js';
import { checkListenPoints, openAll } from './listeners.js';
import { ErrorOnce, type OutgoingHandlers, type OutgoingRequest } from './outgoing.js';
import { newCounters, type TransportStats } from './stats.js';
import { TcpTransport } from './tcp.js';
import { UdpTransport } from './udp.js';
import { responseTarget, stampSent } from './via.js';

export { TransportError } from './error.js';
export type { FlowRef, Hop, Listening, ListenPoint, Source, TransportProtocol } from './hop.js';
export type { MalformedMessage } from './intake.js';
export type { TransportLimits } from './limits.js';
export type { OutgoingHandlers, OutgoingRequest } from './outgoing.js';
export type { TransportStats } from './stats.js';

export interface TransportLayerOptions {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger?: Logger;
  /** At least one; a wildcard host stands for all interface addresses of its family. */
  readonly listen: readonly ListenPoint[];
  /** What to tell peers our address is; default: what the socket has. */
  readonly advisor?: AddressAdvisor;
  /** Asked for every datagram before it is parsed and for every connection that comes in. Default: everyone. */
  readonly admit?: (source: { readonly protocol: TransportProtocol; readonly remote: SocketAddress }) => boolean;
  readonly limits?: Partial<TransportLimits>;
  /** The Server header of the answers that the transport gives itself; default: none. */
  readonly serverName?: string;
}

/** Who takes what came in: the transaction layer. */
export interface TransportHandlers {
  onRequest(request: SipRequest, source: Source): void;
  onResponse(response: SipResponse, source: Source): void;
}

/** The parts of a SIP URI by which a peer reaches us. */
export interface ContactAddress {
  readonly host: string;
  readonly port: number;
  readonly params: Params;
}

type TransportEvents = { malformed: MalformedMessage; 'flow.closed': { readonly flow: FlowRef } };

const TCP_PARAMS: Params = Object.freeze([{ name: 'transport', value: 'tcp' }]);

/**
 * All transports of one SIP element (RFC 3261 §18). Above it are messages and hops, below it bytes and sockets.
 * `start()` once, `close()` once; nothing is thrown into the program, whatever peers send.
 */
export class TransportLayer {
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #logger: Logger;
  readonly #listen: readonly ListenPoint[];
  readonly #limits: TransportLimits;
  readonly #advertised: AdvertisedAddresses;
  readonly #counters = newCounters();
  readonly #events: TypedEmitter<TransportEvents>;
  readonly #udp: UdpTransport;
  readonly #tcp: TcpTransport;
  readonly #later = new Set<Cancel>();
  #handlers: TransportHandlers | undefined;
  #state: 'new' | 'starting' | 'open' | 'closed' = 'new';
  #sockets: Disposer | undefined;
  #closing: Promise<void> | undefined;
  #starting: Promise<void> | undefined;
  #serial = 0;

  /** Opens nothing. @throws UsageError PBX_INVALID_ARGUMENT for listen points that cannot be */
  constructor(options: TransportLayerOptions) {
    checkListenPoints(options.listen);
    const { network, scheduler, random } = options;
    const logger = (options.logger ?? silentLogger).child({ area: 'transport' });
    const limits = { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits };
    const counters = this.#counters;
    this.#network = network;
    this.#scheduler = scheduler;
    this.#logger = logger;
    this.#listen = options.listen;
    this.#limits = limits;
    this.#advertised = new AdvertisedAddresses(options.advisor ?? localAddressAdvisor);
    this.#events = new TypedEmitter(logger);
    const intake = new Intake({
      counters,
      logger,
      toTag: random.token(64),
      serverName: options.serverName,
      handlers: {
        onRequest: (request, source) => this.#handlers?.onRequest(request, source),
        onResponse: (response, source) => this.#onResponse(response, source),
        onMalformed: (malformed) => this.#events.emit('malformed', malformed),
        answer: (response, source) => this.sendResponse(response, source),
        isOurSentBy: (host, port) => this.#advertised.has(host, port),
      },
    });
    const admit = (protocol: TransportProtocol, remote: SocketAddress): boolean => {
      if (this.#state === 'closed') return false;
      if (options.admit === undefined) return true;
      try {
        return options.admit({ protocol, remote });
      } catch (error) {
        logger.error({ err: error, remote }, 'admit failed; the peer was refused');
        return false;
      }
    };
    this.#udp = new UdpTransport({
      network,
      scheduler,
      logger,
      counters,
      admit: (remote) => admit('udp', remote),
      onMessage: (bytes, source) => intake.take(bytes, source),
    });
    this.#tcp = new TcpTransport({
      network,
      scheduler,
      random,
      logger,
      counters,
      limits,
      admit: (remote) => admit('tcp', remote),
      onMessage: (bytes, source) => intake.take(bytes, source),
      onFramingError: (error, bytes, source) => intake.takeBrokenStream(error, bytes, source),
      onFlowClosed: (flow) => {
        if (this.#state !== 'closed') this.#events.emit('flow.closed', { flow });
      },
    });
  }

  /**
   * Opens all listen points, or none.
   * @throws ListenError; DnsError for a host name in `listen`; UsageError PBX_WRONG_STATE when started before
   */
  start(): Promise<void> {
    if (this.#state !== 'new') {
      throw new UsageError('PBX_WRONG_STATE', `a transport layer starts once; this one is ${this.#state}`);
    }
    this.#state = 'starting';
    this.#starting = this.#open();
    return this.#starting;
  }

  async #open(): Promise<void> {
    try {
      this.#sockets = await openAll(this.#listen, this.#network, (target) =>
        target.protocol === 'udp' ? this.#udp.open(target) : this.#tcp.open(target),
      );
    } catch (error) {
      this.#state = 'closed';
      await this.#tcp.close();
      throw error;
    }
    for (const { local } of this.listening) this.#advertised.add(local);
    if (this.#state === 'starting') this.#state = 'open';
  }

  /** Stops listening, hands over what is queued, closes every connection; leaves no socket and no timer. */
  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  async #shut(): Promise<void> {
    this.#state = 'closed';
    for (const cancel of this.#later) cancel();
    this.#later.clear();
    // Whoever called start() hears of its failure; here it only must be over.
    await this.#starting?.catch(() => {});
    await this.#sockets?.dispose();
    await this.#tcp.close();
    this.#events.removeAll();
  }

  /** Sets who takes what comes in; before that everything is dropped. */
  handle(handlers: TransportHandlers): void {
    this.#handlers = handlers;
  }

  /** The open sockets, with their real ports. */
  get listening(): readonly Listening[] {
    return [
      ...this.#udp.sockets.map(({ local }) => ({ protocol: 'udp' as const, local })),
      ...this.#tcp.listeners.map(({ local }) => ({ protocol: 'tcp' as const, local })),
    ];
  }

  stats(): TransportStats {
    return { ...this.#counters, connections: this.#tcp.size };
  }

  /** Messages that were no SIP or broke its rules, answered or not. Returns the undo. */
  onMalformed(listener: (malformed: MalformedMessage) => void): () => void {
    return this.#events.on('malformed', listener);
  }

  /** A connection ended, whoever closed it. Returns the undo. */
  onFlowClosed(listener: (flow: FlowRef) => void): () => void {
    return this.#events.on('flow.closed', ({ flow }) => listener(flow));
  }

  /** Closes the connection of that flow, if it has one and is still open. */
  closeFlow(flow: FlowRef): void {
    this.#tcp.ofFlow(flow)?.close('closed on request');
  }

  /** True if that host, and port if given, is an address of ours: of a socket or one that we told a peer. */
  isLocal(host: string, port?: number): boolean {
    return port === undefined ? this.#advertised.hasHost(host) : this.#advertised.has(host, port);
  }

  /**
   * What belongs into a Contact for that peer (RFC 3261 §8.1.1.8): an address on which we listen for its transport, or by
   * UDP if we listen for no other, as the advisor sees it.
   * @throws UsageError PBX_WRONG_STATE when nothing is listened to
   */
  contactFor(peer: Hop | Source): ContactAddress {
    const remote = 'remote' in peer ? peer.remote : { address: normalizeHost(peer.address), port: peer.port };
    if (peer.protocol === 'tcp') {
      const local = this.#tcp.listenerFor(remote.address, 'local' in peer ? peer.local : peer.flow?.local);
      if (local !== undefined) return contact(this.#advertised.for(local, remote), TCP_PARAMS);
    }
    const socket = this.#udp.socketFor(remote.address, peer.flow);
    if (socket !== undefined) return contact(this.#advertised.for(socket.local, remote), NO_PARAMS);
    const any = this.listening[0];
    if (any === undefined) throw new UsageError('PBX_WRONG_STATE', 'no Contact: the transport layer is not open');
    return contact(this.#advertised.for(any.local, remote), any.protocol === 'tcp' ? TCP_PARAMS : NO_PARAMS);
  }

  /**
   * Makes a request ready to leave by that hop (RFC 3261 §18.1.1): stamps a copy, chooses TCP if it is too large for UDP
   * and prints it once. The request must carry its top Via with the branch. Never fails: what is wrong with the hop comes
   * to `handlers.onError` after `send()`.
   *
   * Deviates: a hop with a UDP flow stays with UDP whatever the size. Such a peer is known by its NAT's mapping only, to
   * which no TCP connection leads.
   */
  outgoing(request: SipRequest, hop: Hop, handlers: OutgoingHandlers): OutgoingRequest {
    const remote = { address: normalizeHost(hop.address), port: hop.port };
    const errors = new ErrorOnce(handlers);
    if (this.#state === 'closed') return this.#unsendable(request, hop, remote, errors, 'the transport is closed');
    switch (hop.protocol) {
      case 'udp': {
        const socket = this.#udp.socketFor(remote.address, hop.flow);
        if (socket === undefined) {
          const family = remote.address.includes(':') ? 'IPv6' : 'IPv4';
          return this.#unsendable(request, hop, remote, errors, `no ${family} UDP socket is open to send from`);
        }
        const stamped = this.#stamp(request, 'udp', socket.local, remote);
        const bytes = printMessage(stamped);
        const mayStay = hop.forceProtocol === true || hop.flow?.protocol === 'udp';
        if (bytes.length > this.#limits.maxUdpRequestBytes && !mayStay)
          return this.#byTcp(request, hop, remote, errors, true);
        const failed = (cause: Error): void => {
          this.#counters.failed++;
          this.#tellLater(errors, new TransportError({ protocol: 'udp', remote }, cause.message, { cause }));
        };
        const send = (): void => {
          if (this.#state === 'closed') return;
          this.#counters.sent++;
          socket.send(bytes, remote, failed);
        };
        return { protocol: 'udp', reliable: false, request: stamped, hop, send, release: () => errors.silence() };
      }
      case 'tcp':
        return this.#byTcp(request, hop, remote, errors, false);
      default:
        return this.#unsendable(request, hop, remote, errors, `${hop.protocol} is not open here`);
    }
  }

  /**
   * Sends a response where its request came from (RFC 3261 §18.2.2, RFC 3581 §4): by the same connection or, if that is
   * gone, a new one to the address it came from and the port of the Via; by UDP from the socket that received the request.
   */
  sendResponse(response: SipResponse, source: Source, onError?: (error: TransportError) => void): void {
    if (this.#state === 'closed') return;
    const errors = new ErrorOnce({
      onError: onError ?? ((error) => this.#logger.debug({ err: error }, error.message)),
    });
    const target = responseTarget(response.topVia, source.protocol, source.remote);
    const bytes = printMessage(response);
    if (source.protocol === 'udp') {
      const socket = this.#udp.socketFor(target.address, source.flow);
      if (socket === undefined) {
        this.#fail(errors, source.protocol, target, 'the socket that received the request is closed');
        return;
      }
      this.#counters.sent++;
      socket.send(bytes, target, (cause) => this.#fail(errors, 'udp', target, cause.message, cause));
      return;
    }
    const connection = this.#tcp.ofFlow(source.flow) ?? this.#tcp.existing(target) ?? this.#tcp.connect(target);
    if (connection === undefined) {
      this.#fail(errors, source.protocol, target, 'too many connections');
      return;
    }
    const key = `response ${this.#serial++}`;
    this.#counters.sent++;
    connection.expect(key, {
      until: 'open',
      fail: ({ problem, cause }) => this.#fail(errors, source.protocol, target, problem, cause),
    });
    connection.send(bytes);
  }

  #byTcp(
    request: SipRequest,
    hop: Hop,
    remote: SocketAddress,
    errors: ErrorOnce,
    sizeSwitched: boolean,
  ): OutgoingRequest {
    const tcpHop: Hop = sizeSwitched ? { protocol: 'tcp', address: hop.address, port: hop.port } : hop;
    const existing = this.#tcp.existing(remote, tcpHop.flow);
    const local = this.#tcp.listenerFor(remote.address, existing?.local) ?? this.#udp.socketFor(remote.address)?.local;
    if (local === undefined) return this.#unsendable(request, tcpHop, remote, errors, 'nothing is open to send from');
    const stamped = this.#stamp(request, 'tcp', local, remote);
    const bytes = printMessage(stamped);
    const key = transactionKey(stamped.branch, stamped.method);
    let used: SipConnection | undefined;
    const send = (): void => {
      if (this.#state === 'closed') return;
      const connection = this.#tcp.existing(remote, tcpHop.flow) ?? this.#tcp.connect(remote);
      if (connection === undefined) {
        const error = new TransportError({ protocol: 'tcp', remote }, 'too many connections', { sizeSwitched });
        this.#counters.failed++;
        this.#tellLater(errors, error);
        return;
      }
      used = connection;
      this.#counters.sent++;
      connection.expect(key, {
        until: stamped.method === 'ACK' ? 'open' : 'answered',
        fail: ({ problem, connected, cause }) => {
          this.#counters.failed++;
          const options = { cause, sizeSwitched: sizeSwitched && !connected };
          this.#tellLater(errors, new TransportError({ protocol: 'tcp', remote }, problem, options));
        },
      });
      connection.send(bytes);
    };
    const release = (): void => {
      errors.silence();
      used?.settle(key);
    };
    return { protocol: 'tcp', reliable: true, request: stamped, hop: tcpHop, send, release };
  }

  #unsendable(
    request: SipRequest,
    hop: Hop,
    remote: SocketAddress,
    errors: ErrorOnce,
    problem: string,
  ): OutgoingRequest {
    const { protocol } = hop;
    const send = (): void => this.#fail(errors, protocol, remote, problem);
    return { protocol, reliable: protocol !== 'udp', request, hop, send, release: () => errors.silence() };
  }

  /** A copy with our sent-by in its top Via. @throws UsageError when it has no Via: a fault of ours, not of a peer */
  #stamp(request: SipRequest, protocol: 'udp' | 'tcp', local: SocketAddress, remote: SocketAddress): SipRequest {
    if (!request.headers.has('Via')) {
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `a ${request.method} without a Via cannot be sent: the transaction sets it`,
      );
    }
    const stamped = request.with({});
    stamped.headers.replaceTopVia(stampSent(request.topVia, protocol, this.#advertised.for(local, remote)));
    return stamped;
  }

  #onResponse(response: SipResponse, source: Source): void {
    if (source.protocol !== 'udp' && response.status >= 200) {
      this.#tcp.ofFlow(source.flow)?.settle(transactionKey(response.branch, response.cseq.method));
    }
    this.#handlers?.onResponse(response, source);
  }

  #fail(errors: ErrorOnce, protocol: TransportProtocol, remote: SocketAddress, problem: string, cause?: Error): void {
    this.#counters.failed++;
    this.#tellLater(errors, new TransportError({ protocol, remote }, problem, { cause }));
  }

  /** Not inside the call that caused it, so that nobody is called back in the middle of sending. */
  #tellLater(errors: ErrorOnce, error: TransportError): void {
    if (this.#state === 'closed') return;
    const cancel = this.#scheduler.after(0, () => {
      this.#later.delete(cancel);
      errors.tell(error);
    });
    this.#later.add(cancel);
  }
}

function contact(address: SocketAddress, params: Params): ContactAddress {
  return { host: address.address, port: address.port, params };
}

/** What ties a response to the request that waits for it on a connection (RFC 3261 §17.1.3). */
function transactionKey(branch: string | undefined, method: string): string {
  return `${branch ?? ''}|${method}`;
}
