import { errorText, PbxkitError } from '../base/errors.js';
import { HmacSha256 } from '../base/hmac.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import { responseTo } from '../protocol/sip/respond.js';
import type { Hop, Source } from '../transport/hop.js';
import type { OutgoingRequest } from '../transport/outgoing.js';
import { type ClientHandlers, type ClientOwner, ClientRunner, type ClientTransaction } from './client.js';
import { acknowledgedKeys, acknowledges, cancelledKey, clientKey, serverKey } from './key.js';
import { Lingering, type LingeringClient, type LingeringServer } from './lingering.js';
import { newBranch, ownVia } from './own-via.js';
import type { TransactionTransport } from './port.js';
import { type ServerOwner, ServerRunner, type ServerTransaction } from './server.js';

export type { ClientHandlers, ClientTransaction } from './client.js';
export type { SentResponse, TransactionTransport } from './port.js';
export type { ServerTransaction } from './server.js';

/** Where the layer's news goes. A handler that throws is logged; a request that it leaves unanswered then gets 500. */
export interface TransactionHandlers {
  /** A new request; never an ACK, a CANCEL or a retransmission. */
  onRequest(transaction: ServerTransaction): void;
  /** An ACK that is no transaction's: the one to a 2xx. */
  onAck(request: SipRequest, source: Source): void;
  /** A response that is no transaction's, such as a 2xx that comes again after timer M. Most users drop it (RFC 6026 §7.3). */
  onStrayResponse(response: SipResponse, source: Source): void;
}

export interface TransactionLimits {
  /**
   * Requests under way at a time: server transactions without those that are answered and only linger, of which there may be ten
   * times as many. A new request beyond is answered 503. A tenth more for requests within dialogs. Default 50 000.
   */
  readonly serverTransactions: number;
  /** What that 503 says in Retry-After, in seconds. Default 5. */
  readonly retryAfterSeconds: number;
}

/** How many times more transactions may linger than may be under way: at 900 calls a second they are 60,000. */
const LINGERING_SHARE = 10;

/** What holds where `limits` says nothing. */
export const DEFAULT_TRANSACTION_LIMITS: TransactionLimits = Object.freeze({
  serverTransactions: 50_000,
  retryAfterSeconds: 5,
});

/** What lives, and what was turned away since the start. */
export interface TransactionStats {
  readonly client: number;
  readonly server: number;
  /** Requests that were answered 503 because the table was full. */
  readonly refused: number;
}

export interface TransactionLayerOptions {
  readonly transport: TransactionTransport;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits?: Partial<TransactionLimits>;
}

/** An ACK that has been sent and can be sent again, byte for byte. */
export interface SentAck {
  resend(): void;
}

/** RFC 3261 §17: finds or makes the transaction of every message, and holds it exactly as long as its machine lives. */
export class TransactionLayer {
  readonly #transport: TransactionTransport;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #limits: TransactionLimits;
  readonly #clients = new Map<string, ClientRunner | LingeringClient>();
  readonly #servers = new Map<string, ServerRunner | LingeringServer>();
  readonly #lingeringClients: Lingering<LingeringClient>;
  readonly #lingeringServers: Lingering<LingeringServer>;
  readonly #clientOwner: ClientOwner;
  readonly #serverOwner: ServerOwner;
  #handlers: Partial<TransactionHandlers> = {};
  /** Server transactions that do not only linger. */
  #underWay = 0;
  #refused = 0;
  #closed = false;

  constructor(options: TransactionLayerOptions) {
    const { transport, scheduler, random, logger } = options;
    this.#transport = transport;
    this.#random = random;
    this.#logger = logger;
    this.#limits = { ...DEFAULT_TRANSACTION_LIMITS, ...options.limits };
    this.#clientOwner = {
      transport,
      scheduler,
      logger,
      startCancel: (cancel, hop) => this.#startCancel(cancel, hop),
      release: (transaction) => this.#clients.delete(clientKey(transaction.request)),
      linger: (left) => {
        if (this.#closed) return;
        this.#clients.set(left.key, left);
        this.#lingeringClients.add(left);
      },
    };
    this.#lingeringClients = new Lingering(scheduler, (left) => {
      this.#clients.delete(left.key);
      if (left.onTerminated !== undefined) this.#tell(left.key, left.onTerminated);
    });
    this.#lingeringServers = new Lingering(scheduler, (left) => {
      this.#servers.delete(left.id);
      for (const listener of left.terminatedListeners) this.#tell(left.id, listener);
    });
    const tagHmac = new HmacSha256(random.bytes(32));
    this.#serverOwner = {
      transport,
      scheduler,
      logger,
      newTag: () => random.token(64),
      tagFor: (id) => tagHmac.hex(id).slice(0, 16),
      release: (transaction) => {
        this.#underWay--;
        this.#servers.delete(transaction.id);
      },
      linger: (left) => {
        if (this.#closed) return;
        this.#underWay--;
        this.#servers.set(left.id, left);
        this.#lingeringServers.add(left);
      },
      closed: () => this.#closed,
      passAck: (ack, source) => this.#handlers.onAck?.(ack, source),
    };
    transport.handle({
      onRequest: (request, source) => this.#guard(request, () => this.#onRequest(request, source)),
      onResponse: (response, source) => this.#guard(response, () => this.#onResponse(response, source)),
    });
  }

  /** Says where news goes. May be called by each user for its part; a later handler takes the place of an earlier one. */
  handle(handlers: Partial<TransactionHandlers>): void {
    this.#handlers = { ...this.#handlers, ...handlers };
  }

  /** Transactions that live, of both sides. */
  get size(): number {
    return this.#clients.size + this.#servers.size;
  }

  stats(): TransactionStats {
    return { client: this.#clients.size, server: this.#servers.size, refused: this.#refused };
  }

  /** A branch that nobody has used: RFC 3261 §8.1.1.7. */
  newBranch(): string {
    return newBranch(this.#random);
  }

  /**
   * Sends a request in a new client transaction. A request without Via gets one with a fresh branch; the caller's object is not changed.
   * After `close` it fails as if it could not be sent.
   */
  request(request: SipRequest, hop: Hop, handlers: ClientHandlers): ClientTransaction {
    const transaction = new ClientRunner(this.#clientOwner, this.#withVia(request, hop), hop, handlers);
    this.#clients.set(clientKey(transaction.request), transaction);
    if (this.#closed) this.#clientOwner.scheduler.after(0, () => transaction.abort(closedError()));
    else transaction.start();
    return transaction;
  }

  /** Sends the ACK to a 2xx, which has no transaction: RFC 3261 §13.2.2.4. */
  sendAck(request: SipRequest, hop: Hop, onError?: (error: PbxkitError) => void): SentAck {
    const outgoing: OutgoingRequest = this.#transport.outgoing(this.#withVia(request, hop), hop, {
      onError: (error) => {
        this.#logger.debug({ err: error, callId: request.headers.first('Call-ID') }, `an ACK could not be sent`);
        onError?.(error);
      },
    });
    outgoing.send();
    return { resend: () => outgoing.send() };
  }

  /** The status of the last response that was sent in a server transaction, 0 for none; undefined: it is over. */
  lastStatus(id: string): number | undefined {
    const transaction = this.#servers.get(id);
    return transaction instanceof ServerRunner ? (transaction.lastResponse?.status ?? 0) : transaction?.status;
  }

  /** Ends every transaction: no timer is left. Users that wait for an answer hear a transport error. */
  close(): void {
    this.#closed = true;
    for (const transaction of [...this.#clients.values()]) {
      if (transaction instanceof ClientRunner) transaction.abort(closedError());
    }
    for (const transaction of this.#servers.values()) {
      if (transaction instanceof ServerRunner) transaction.abort();
    }
    this.#lingeringClients.clear();
    this.#lingeringServers.clear();
    this.#clients.clear();
    this.#servers.clear();
  }

  #withVia(request: SipRequest, hop: Hop): SipRequest {
    if (request.headers.has('Via')) return request;
    const sent = request.with({});
    sent.headers.pushVia(ownVia(this.newBranch(), hop.protocol.toUpperCase()));
    return sent;
  }

  #startCancel(cancel: SipRequest, hop: Hop): void {
    const note = (what: string): void =>
      this.#logger.debug({ callId: cancel.headers.first('Call-ID') }, `a CANCEL ${what}`);
    this.request(cancel, hop, {
      onResponse: () => {},
      onTimeout: () => note('was not answered'),
      onTransportError: (error) => note(`could not be sent: ${error.message}`),
    });
  }

  #onResponse(response: SipResponse, source: Source): void {
    const transaction = this.#clients.get(clientKey(response));
    if (transaction === undefined) this.#handlers.onStrayResponse?.(response, source);
    else if (transaction instanceof ClientRunner) transaction.receive(response, source);
    else if (response.status >= 200 && response.status < 300) {
      this.#tell(transaction.key, () => transaction.onResponse?.(response, source));
    }
  }

  #onRequest(request: SipRequest, source: Source): void {
    if (this.#closed) return;
    if (request.method === 'ACK') {
      this.#onAck(request, source);
      return;
    }
    const key = serverKey(request);
    const known = this.#servers.get(key);
    if (known instanceof ServerRunner) known.receiveRetransmission();
    else if (known !== undefined) known.repeated?.again();
    else if (request.method === 'CANCEL') this.#onCancel(key, request, source);
    else if (this.#isFull(request)) this.#refuse(request, source);
    else this.#pass(this.#create(key, request, source));
  }

  /** A user that fails stops nobody else. */
  #tell(key: string, task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#logger.error({ err: error, key }, `the user of a transaction that lingers failed: ${errorText(error)}`);
    }
  }

  #pass(transaction: ServerRunner): void {
    const { request } = transaction;
    try {
      this.#handlers.onRequest?.(transaction);
    } catch (error) {
      this.#logger.error({ err: error, callId: request.callId }, `a request handler failed: ${errorText(error)}`);
      if (!transaction.answered) transaction.respond(responseTo(request, 500, { toTag: transaction.toTag }));
    }
  }

  #create(key: string, request: SipRequest, source: Source): ServerRunner {
    const transaction = new ServerRunner(this.#serverOwner, key, request, source);
    this.#servers.set(key, transaction);
    this.#underWay++;
    return transaction;
  }

  #onAck(ack: SipRequest, source: Source): void {
    for (const key of acknowledgedKeys(ack)) {
      const transaction = this.#servers.get(key);
      if (transaction === undefined) continue;
      const lingers = !(transaction instanceof ServerRunner);
      const toTag = lingers ? transaction.toTag : transaction.lastResponse?.toTag;
      if (!acknowledges(ack, toTag)) continue;
      // The ACK to a 2xx is the user's, although it matches (RFC 6026 §7.1).
      if (lingers && transaction.status < 300) break;
      if (!lingers) transaction.receiveAck(ack, source);
      return;
    }
    this.#handlers.onAck?.(ack, source);
  }

  /** RFC 3261 §9.2. A CANCEL is heeded even when the table is full, then without a transaction of its own. */
  #onCancel(key: string, cancel: SipRequest, source: Source): void {
    const invite = this.#servers.get(cancelledKey(cancel));
    if (invite === undefined) {
      // Answered and forgotten (§8.2.7): anybody could fill the memory with CANCELs of nothing.
      const headers = { toTag: cancel.toTag ?? this.#serverOwner.tagFor(key) };
      this.#transport.sendResponse(responseTo(cancel, 481, headers), source);
      return;
    }
    const toTag =
      (invite instanceof ServerRunner ? invite.lastResponse?.toTag : undefined) ??
      invite.toTag ??
      this.#random.token(64);
    const answer = responseTo(cancel, 200, { toTag });
    if (this.#isFull(cancel)) this.#transport.sendResponse(answer, source);
    else this.#create(key, cancel, source).respond(answer);
    if (invite instanceof ServerRunner) invite.receiveCancel(cancel);
  }

  #isFull(request: SipRequest): boolean {
    const limit = this.#limits.serverTransactions * (request.toTag === undefined ? 1 : 1.1);
    return this.#underWay >= limit || this.#servers.size >= limit * LINGERING_SHARE;
  }

  #refuse(request: SipRequest, source: Source): void {
    this.#refused++;
    const headers = { 'Retry-After': String(this.#limits.retryAfterSeconds) };
    this.#transport.sendResponse(responseTo(request, 503, { toTag: this.#random.token(64), headers }), source);
  }

  /** A message that cannot be read after all concerns nobody but its sender. */
  #guard(message: SipRequest | SipResponse, task: () => void): void {
    try {
      task();
    } catch (error) {
      const fields = { err: error, callId: message.headers.first('Call-ID') };
      this.#logger.warn(fields, `a ${message.kind} was dropped: ${errorText(error)}`);
    }
  }
}

function closedError(): PbxkitError {
  return new PbxkitError('SIP_TRANSPORT', 'transport', 'the transaction layer is closed');
}
