import { UsageError } from '../base/errors.js';
import { normalizeHost, type SocketAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import { printMessage } from '../protocol/sip/print.js';
import type { AdvertisedAddresses } from './advertised.js';
import type { SipConnection } from './connection.js';
import { TransportError } from './error.js';
import {
  type FlowRef,
  type Hop,
  isStream,
  type ListenProtocol,
  type Source,
  type StreamProtocol,
  type TransportProtocol,
} from './hop.js';
import type { TransportLimits } from './limits.js';
import { ErrorOnce, type OutgoingHandlers, type OutgoingRequest } from './outgoing.js';
import { type SendDatagram, SentDatagram } from './sent-datagram.js';
import type { TransportCounters } from './stats.js';
import type { StreamTransport } from './stream.js';
import type { UdpTransport } from './udp.js';
import { responseTarget, stampSent } from './via.js';

export interface SenderOptions {
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly limits: TransportLimits;
  readonly counters: TransportCounters;
  readonly advertised: AdvertisedAddresses;
  readonly udp: UdpTransport;
  readonly streams: StreamTransport;
}

/** The way out: which socket or connection a message leaves by, and who is told if it cannot. */
export class Sender {
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  readonly #limits: TransportLimits;
  readonly #counters: TransportCounters;
  readonly #advertised: AdvertisedAddresses;
  readonly #udp: UdpTransport;
  readonly #streams: StreamTransport;
  readonly #later = new Set<Cancel>();
  #closed = false;
  #serial = 0;

  constructor(options: SenderOptions) {
    this.#scheduler = options.scheduler;
    this.#logger = options.logger;
    this.#limits = options.limits;
    this.#counters = options.counters;
    this.#advertised = options.advertised;
    this.#udp = options.udp;
    this.#streams = options.streams;
  }

  /** Sends nothing any more and tells nobody anything. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#later) cancel();
    this.#later.clear();
  }

  /** A final response ends the wait of its request on that connection. */
  settle(response: SipResponse, source: Source): void {
    if (source.protocol === 'udp' || response.status < 200) return;
    this.#streams.ofFlow(source.flow)?.settle(transactionKey(response.branch, response.cseq.method));
  }

  /**
   * RFC 3261 §18.1.1; see `TransportLayer.outgoing`.
   *
   * Deviates: a hop with a UDP flow stays with UDP whatever the size. Such a peer is known by its NAT's mapping only, to
   * which no TCP connection leads.
   */
  outgoing(request: SipRequest, hop: Hop, handlers: OutgoingHandlers): OutgoingRequest {
    const remote = { address: normalizeHost(hop.address), port: hop.port };
    const errors = new ErrorOnce(handlers);
    if (this.#closed) return this.#unsendable(request, hop, remote, errors, 'the transport is closed');
    switch (hop.protocol) {
      case 'udp': {
        const { sentFrom } = hop;
        const way = sentFrom === undefined ? hop.flow : ({ protocol: 'udp', local: sentFrom, remote } as const);
        const socket = this.#udp.socketFor(remote.address, way);
        if (socket === undefined) {
          const family = remote.address.includes(':') ? 'IPv6' : 'IPv4';
          return this.#unsendable(request, hop, remote, errors, `no ${family} UDP socket is open to send from`);
        }
        const { local } = socket;
        const stamped = sentFrom === undefined ? this.#stamp(request, 'udp', local, remote) : request;
        const bytes = printMessage(stamped);
        const mayStay = hop.forceProtocol === true || hop.flow?.protocol === 'udp';
        if (bytes.length > this.#limits.maxUdpRequestBytes && !mayStay)
          return this.#byStream(
            'tcp',
            request,
            { protocol: 'tcp', address: hop.address, port: hop.port },
            errors,
            true,
          );
        const failed = (cause: Error): void => {
          this.#counters.failed++;
          this.#tellLater(errors, new TransportError({ protocol: 'udp', remote }, cause.message, { cause }));
        };
        // The bytes are not kept: what is sent again, which is rare, is printed again. Requests linger for half a minute.
        let printed: Uint8Array | undefined = bytes;
        const send = (): void => {
          if (this.#closed) return;
          this.#counters.sent++;
          socket.send(printed ?? printMessage(stamped), remote, failed);
          printed = undefined;
        };
        const release = (): void => errors.silence();
        return { protocol: 'udp', reliable: false, request: stamped, hop, local, send, release };
      }
      case 'tcp':
      case 'tls':
        return this.#byStream(hop.protocol, request, hop, errors, false);
      default:
        return this.#unsendable(request, hop, remote, errors, `${hop.protocol} is not open here`);
    }
  }

  /** RFC 3261 §18.2.2, RFC 3581 §4; see `TransportLayer.sendResponse`. */
  respond(response: SipResponse, source: Source, onError?: (error: TransportError) => void): SentDatagram | undefined {
    if (this.#closed) return undefined;
    const errors = new ErrorOnce({ onError: onError ?? this.#note });
    const target = responseTarget(response.topVia, source.protocol, source.remote);
    const bytes = printMessage(response);
    if (source.protocol === 'udp') {
      this.#datagram(bytes, target, source.flow, errors);
      return new SentDatagram(this.#again, bytes, target, source.flow);
    }
    this.#respondByStream(response, bytes, source, target, errors);
    return undefined;
  }

  readonly #again: SendDatagram = (bytes, target, flow) => {
    if (this.#closed) return;
    this.#datagram(bytes, target, flow, new ErrorOnce({ onError: this.#note }));
  };

  readonly #note = (error: TransportError): void => this.#logger.debug({ err: error }, error.message);

  #datagram(bytes: Uint8Array, target: SocketAddress, flow: FlowRef, errors: ErrorOnce): void {
    const socket = this.#udp.socketFor(target.address, flow);
    if (socket === undefined) {
      this.#fail(errors, 'udp', target, 'the socket that received the request is closed');
      return;
    }
    this.#counters.sent++;
    socket.send(bytes, target, (cause) => this.#fail(errors, 'udp', target, cause.message, cause));
  }

  #respondByStream(
    response: SipResponse,
    bytes: Uint8Array,
    source: Source,
    target: SocketAddress,
    errors: ErrorOnce,
  ): void {
    if (!isStream(source.protocol)) {
      this.#fail(errors, source.protocol, target, `${source.protocol} is not open here`);
      return;
    }
    const way = { protocol: source.protocol, remote: target, name: response.topVia.host };
    const connection = this.#streams.ofFlow(source.flow) ?? this.#streams.existing(way) ?? this.#streams.connect(way);
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
    if (grants(response)) connection.prove();
    connection.send(bytes);
  }

  #byStream(
    protocol: StreamProtocol,
    request: SipRequest,
    hop: Hop,
    errors: ErrorOnce,
    sizeSwitched: boolean,
  ): OutgoingRequest {
    const remote = { address: normalizeHost(hop.address), port: hop.port };
    const way = { protocol, remote, name: hop.name };
    const existing = this.#streams.existing(way, hop.flow);
    const local =
      this.#streams.listenerFor(protocol, remote.address, existing?.local) ??
      this.#streams.listenerFor('tcp', remote.address) ??
      this.#udp.socketFor(remote.address)?.local;
    if (local === undefined) return this.#unsendable(request, hop, remote, errors, 'nothing is open to send from');
    const stamped = hop.sentFrom === undefined ? this.#stamp(request, protocol, local, remote) : request;
    const bytes = printMessage(stamped);
    const key = transactionKey(stamped.branch, stamped.method);
    let used: SipConnection | undefined;
    const send = (): void => {
      if (this.#closed) return;
      const open = this.#streams.existing(way, hop.flow);
      // Nobody listens at the far end of a connection that came in: when it has closed, that way is gone.
      const closed = open === undefined && hop.flow?.connectionId !== undefined;
      const connection = closed ? undefined : (open ?? this.#streams.connect(way));
      if (connection === undefined) {
        const problem = closed ? 'the connection has closed' : 'too many connections';
        const error = new TransportError({ protocol, remote }, problem, { sizeSwitched, unsent: true });
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
          const options = { cause, sizeSwitched: sizeSwitched && !connected, unsent: !connected };
          this.#tellLater(errors, new TransportError({ protocol, remote }, problem, options));
        },
      });
      connection.send(bytes);
    };
    const release = (): void => {
      errors.silence();
      used?.settle(key);
    };
    return { protocol, reliable: true, request: stamped, hop, local, send, release };
  }

  #unsendable(
    request: SipRequest,
    hop: Hop,
    remote: SocketAddress,
    errors: ErrorOnce,
    problem: string,
  ): OutgoingRequest {
    const { protocol } = hop;
    const send = (): void => {
      this.#counters.failed++;
      this.#tellLater(errors, new TransportError({ protocol, remote }, problem, { unsent: true }));
    };
    return { protocol, reliable: protocol !== 'udp', request, hop, send, release: () => errors.silence() };
  }

  /** A copy with our sent-by in its top Via. @throws UsageError when it has no Via: a fault of ours, not of a peer */
  #stamp(request: SipRequest, protocol: ListenProtocol, local: SocketAddress, remote: SocketAddress): SipRequest {
    if (!request.headers.has('Via')) {
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `a ${request.method} without a Via cannot be sent: the transaction sets it`,
      );
    }
    const stamped = request.with({});
    stamped.headers.replaceTopVia(stampSent(request.topVia, protocol, this.#advertised.for(protocol, local, remote)));
    return stamped;
  }

  #fail(errors: ErrorOnce, protocol: TransportProtocol, remote: SocketAddress, problem: string, cause?: Error): void {
    this.#counters.failed++;
    this.#tellLater(errors, new TransportError({ protocol, remote }, problem, { cause }));
  }

  /** Not inside the call that caused it, so that nobody is called back in the middle of sending. */
  #tellLater(errors: ErrorOnce, error: TransportError): void {
    if (this.#closed) return;
    const cancel = this.#scheduler.after(0, () => {
      this.#later.delete(cancel);
      errors.tell(error);
    });
    this.#later.add(cancel);
  }
}

/** A 2xx that makes a peer more than somebody who asks: a binding, a call, a subscription. OPTIONS is answered to all. */
function grants(response: SipResponse): boolean {
  // The status first: the CSeq of an answer to a broken request may be broken too.
  return response.status >= 200 && response.status < 300 && response.cseq.method !== 'OPTIONS';
}

/** What ties a response to the request that waits for it on a connection (RFC 3261 §17.1.3). */
function transactionKey(branch: string | undefined, method: string): string {
  return `${branch ?? ''}|${method}`;
}
