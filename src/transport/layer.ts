import { type AddressAdvisor, localAddressAdvisor } from '../base/address-advisor.js';
import type { Disposer } from '../base/disposer.js';
import { UsageError } from '../base/errors.js';
import { TypedEmitter } from '../base/events.js';
import { normalizeHost, type SocketAddress } from '../base/ip.js';
import { type Logger, silentLogger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { Network } from '../net/network.js';
import { SourceAddresses } from '../net/source-addresses.js';
import type { TlsSettings } from '../net/tls-settings.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import { NO_PARAMS, type Params } from '../protocol/sip/params.js';
import { AdvertisedAddresses } from './advertised.js';
import type { TransportError } from './error.js';
import {
  type FlowRef,
  type Hop,
  isStream,
  type Listening,
  type ListenPoint,
  type Source,
  type StreamProtocol,
  type TransportProtocol,
} from './hop.js';
import { Intake, type MalformedMessage } from './intake.js';
import { DEFAULT_TRANSPORT_LIMITS, type TransportLimits } from './limits.js';
import { checkListenPoints, openAll } from './listeners.js';
import type { OutgoingHandlers, OutgoingRequest } from './outgoing.js';
import { Sender } from './sender.js';
import { newCounters, type TransportStats } from './stats.js';
import { StreamTransport } from './stream.js';
import { UdpTransport } from './udp.js';

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
  /** Certificates for `tls` listen points, and whom to trust. Default: no certificate, the authorities that Node.js knows. */
  readonly tls?: TlsSettings;
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

/** What a Contact says of a transport; UDP need not be named. */
const CONTACT_PARAMS: Readonly<Record<'udp' | StreamProtocol, Params>> = Object.freeze({
  udp: NO_PARAMS,
  tcp: Object.freeze([{ name: 'transport', value: 'tcp' }]),
  tls: Object.freeze([{ name: 'transport', value: 'tls' }]),
});

/**
 * All transports of one SIP element (RFC 3261 §18). Above it are messages and hops, below it bytes and sockets.
 * `start()` once, `close()` once; nothing is thrown into the program, whatever peers send.
 */
export class TransportLayer {
  readonly #network: Network;
  readonly #listen: readonly ListenPoint[];
  readonly #advertised: AdvertisedAddresses;
  readonly #counters = newCounters();
  readonly #events: TypedEmitter<TransportEvents>;
  readonly #udp: UdpTransport;
  readonly #streams: StreamTransport;
  readonly #sender: Sender;
  #handlers: TransportHandlers | undefined;
  #state: 'new' | 'starting' | 'open' | 'closed' = 'new';
  #sockets: Disposer | undefined;
  #closing: Promise<void> | undefined;
  #starting: Promise<void> | undefined;

  /** Opens nothing. @throws UsageError PBX_INVALID_ARGUMENT for listen points that cannot be */
  constructor(options: TransportLayerOptions) {
    const { tls = {} } = options;
    checkListenPoints(options.listen);
    checkTls(options.listen, tls);
    const { network, scheduler, random } = options;
    const logger = (options.logger ?? silentLogger).child({ area: 'transport' });
    const limits = { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits };
    const counters = this.#counters;
    this.#network = network;
    this.#listen = options.listen;
    this.#advertised = new AdvertisedAddresses(options.advisor ?? localAddressAdvisor);
    this.#events = new TypedEmitter(logger);
    const intake = new Intake({
      counters,
      logger,
      toTag: random.token(64),
      serverName: options.serverName,
      limits,
      handlers: {
        onRequest: (request, source) => {
          this.#streams.takeAlias(request.topVia, source);
          this.#handlers?.onRequest(request, source);
        },
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
    const { for: sourceFor } = new SourceAddresses({ network, clock: scheduler });
    this.#udp = new UdpTransport({
      network,
      sourceFor,
      scheduler,
      logger,
      counters,
      admit: (remote) => admit('udp', remote),
      onMessage: (bytes, source) => intake.take(bytes, source),
    });
    this.#streams = new StreamTransport({
      network,
      sourceFor,
      scheduler,
      random,
      logger,
      counters,
      limits,
      tls,
      admit,
      onMessage: (bytes, source) => intake.take(bytes, source),
      onFramingError: (error, bytes, source) => intake.takeBrokenStream(error, bytes, source),
      onFlowClosed: (flow) => {
        if (this.#state !== 'closed') this.#events.emit('flow.closed', { flow });
      },
    });
    this.#sender = new Sender({
      scheduler,
      logger,
      limits,
      counters,
      advertised: this.#advertised,
      udp: this.#udp,
      streams: this.#streams,
    });
  }

  /**
   * Opens all listen points, or none.
   * @throws ListenError; CertificateError; DnsError for a host name in `listen`; UsageError PBX_WRONG_STATE when started before
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
        target.protocol === 'udp' ? this.#udp.open(target) : this.#streams.open(target.protocol, target),
      );
    } catch (error) {
      this.#state = 'closed';
      await this.#streams.close();
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
    this.#sender.close();
    // Whoever called start() hears of its failure; here it only must be over.
    await this.#starting?.catch(() => {});
    await this.#sockets?.dispose();
    await this.#streams.close();
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
      ...this.#streams.listeners.map(({ protocol, local }) => ({ protocol, local })),
    ];
  }

  /**
   * Certificates and trust for new connections; those that are open keep theirs.
   * @throws CertificateError (PBX_CERTIFICATE_INVALID), UsageError PBX_INVALID_ARGUMENT; nothing has been changed then
   */
  reconfigure({ tls }: { readonly tls: TlsSettings }): void {
    checkTls(this.#listen, tls);
    this.#streams.reconfigure(tls);
  }

  stats(): TransportStats {
    return { ...this.#counters, limited: { ...this.#counters.limited }, connections: this.#streams.size };
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
    this.#streams.ofFlow(flow)?.close('closed on request');
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
    if (isStream(peer.protocol)) {
      const { protocol } = peer;
      const local = this.#streams.listenerFor(
        protocol,
        remote.address,
        'local' in peer ? peer.local : peer.flow?.local,
      );
      if (local !== undefined) return contact(this.#advertised.for(protocol, local, remote), CONTACT_PARAMS[protocol]);
    }
    const socket = this.#udp.socketFor(remote.address, peer.flow);
    if (socket !== undefined) return contact(this.#advertised.for('udp', socket.local, remote), CONTACT_PARAMS.udp);
    const any = this.listening[0];
    if (any === undefined) throw new UsageError('PBX_WRONG_STATE', 'no Contact: the transport layer is not open');
    return contact(this.#advertised.for(any.protocol, any.local, remote), CONTACT_PARAMS[any.protocol]);
  }

  /**
   * Makes a request ready to leave by that hop (RFC 3261 §18.1.1): stamps a copy, chooses TCP if it is too large for UDP
   * and prints it once. The request must carry its top Via with the branch, and one that stays as it is for a hop with `sentFrom`. What is
   * wrong with the hop comes to `handlers.onError` after `send()`.
   * @throws UsageError PBX_INVALID_ARGUMENT for a request without a Via
   */
  outgoing(request: SipRequest, hop: Hop, handlers: OutgoingHandlers): OutgoingRequest {
    return this.#sender.outgoing(request, hop, handlers);
  }

  /**
   * Sends a response where its request came from (RFC 3261 §18.2.2, RFC 3581 §4): by the same connection or, if that is
   * gone, a new one to the address it came from and the port of the Via; by UDP from the socket that received the request.
   * What has left by UDP comes back as something that can be sent again and holds no more than the bytes.
   */
  sendResponse(
    response: SipResponse,
    source: Source,
    onError?: (error: TransportError) => void,
  ): { again(): void } | undefined {
    return this.#sender.respond(response, source, onError);
  }

  #onResponse(response: SipResponse, source: Source): void {
    this.#sender.settle(response, source);
    this.#handlers?.onResponse(response, source);
  }
}

function contact(address: SocketAddress, params: Params): ContactAddress {
  return { host: address.address, port: address.port, params };
}

/** @throws UsageError PBX_INVALID_ARGUMENT for a TLS listen point without a certificate */
function checkTls(listen: readonly ListenPoint[], { certificates = [] }: TlsSettings): void {
  const i = listen.findIndex(({ protocol }) => protocol === 'tls');
  if (i < 0 || certificates.length > 0) return;
  throw new UsageError('PBX_INVALID_ARGUMENT', `listen[${i}]: TLS needs a certificate and its key in tls.certificates`);
}
