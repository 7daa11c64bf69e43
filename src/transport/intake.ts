import { errorText, PbxkitError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Via } from '../protocol/sip/header/registry.js';
import type { SipMessage, SipRequest, SipResponse } from '../protocol/sip/message.js';
import { type ParseLimits, parseMessage, partialRequest } from '../protocol/sip/parse.js';
import { SipParseError } from '../protocol/sip/parse-error.js';
import { responseTo } from '../protocol/sip/respond.js';
import { salvageTopVia } from '../protocol/sip/salvage.js';
import { checkRequest, checkResponse, type SipFault } from '../protocol/sip/validate.js';
import type { Source } from './hop.js';
import type { TransportLimits } from './limits.js';
import type { TransportCounters } from './stats.js';
import { canAnswer, defaultPort, stampReceived } from './via.js';

/** A message that went no further, for observers. */
export interface MalformedMessage {
  readonly source: Source;
  readonly error: Error;
  readonly bytes: Uint8Array;
}

/** What the intake does with the outcome. */
export interface IntakeHandlers {
  onRequest(request: SipRequest, source: Source): void;
  onResponse(response: SipResponse, source: Source): void;
  onMalformed(malformed: MalformedMessage): void;
  /** Answers statelessly. */
  answer(response: SipResponse, source: Source): void;
  /** RFC 3261 §18.1.2: whether we have written this sent-by into a Via. */
  isOurSentBy(host: string, port: number): boolean;
}

export interface IntakeOptions {
  readonly handlers: IntakeHandlers;
  readonly counters: TransportCounters;
  readonly logger: Logger;
  /** The To tag of stateless answers: one for all, so that a repeated request gets the same (RFC 3261 §8.2.7). */
  readonly toTag: string;
  readonly serverName: string | undefined;
  readonly limits: TransportLimits;
}

/**
 * From bytes to messages (RFC 3261 §18.1.2, §18.2.1): parses, checks, stamps the Via, hands up what is sound, answers
 * what is broken and owed an answer, and lets no exception out.
 */
export class Intake {
  readonly #handlers: IntakeHandlers;
  readonly #counters: TransportCounters;
  readonly #logger: Logger;
  readonly #toTag: string;
  readonly #serverName: string | undefined;
  readonly #limits: ParseLimits;
  readonly #maxBodyBytes: number;

  constructor(options: IntakeOptions) {
    this.#handlers = options.handlers;
    this.#counters = options.counters;
    this.#logger = options.logger;
    this.#toTag = options.toTag;
    this.#serverName = options.serverName;
    const { maxHeaderBytes, maxHeaders, maxStartLineBytes, maxHeaderLineBytes, maxBodyBytes } = options.limits;
    this.#limits = { maxHeadBytes: maxHeaderBytes, maxHeaders, maxStartLineBytes, maxHeaderLineBytes };
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Takes one message. Returns false if the bytes are no SIP at all. */
  take(bytes: Uint8Array, source: Source): boolean {
    this.#counters.received++;
    try {
      const message = parseMessage(bytes, this.#limits);
      this.#checkBody(message);
      if (message.kind === 'request') this.#takeRequest(message, bytes, source);
      else this.#takeResponse(message, bytes, source);
      return true;
    } catch (error) {
      if (!(error instanceof SipParseError)) {
        this.#unexpected(error, source);
        return true;
      }
      this.#malformed(error, bytes, source);
      const request = partialRequest(error);
      if (request !== undefined) this.#answer(request, error.status, undefined, source);
      return request !== undefined;
    }
  }

  /** A byte stream that cannot be framed any more; `bytes` begin with the message at fault. */
  takeBrokenStream(error: SipParseError, bytes: Uint8Array, source: Source): void {
    this.#counters.received++;
    this.#malformed(error, bytes, source);
    const request = requestIn(bytes, this.#limits);
    if (request !== undefined && request.method !== 'ACK') this.#answer(request, error.status, undefined, source);
  }

  /** What came by a connection was measured before it was whole. */
  #checkBody(message: SipMessage): void {
    if ((message.received ?? 0) <= this.#maxBodyBytes || message.body.length <= this.#maxBodyBytes) return;
    throw new SipParseError(`the body takes more than ${this.#maxBodyBytes} bytes`, {
      status: 413,
      limit: 'bodyBytes',
      ...(message.kind === 'request' && message.method !== 'ACK' ? { partial: message } : {}),
    });
  }

  #takeRequest(request: SipRequest, bytes: Uint8Array, source: Source): void {
    const fault = checkRequest(request, { datagram: source.protocol === 'udp' });
    if (fault !== undefined) {
      this.#malformed(faultError(fault), bytes, source);
      if (fault.answerable) this.#answer(request, fault.status, fault.reason, source);
      return;
    }
    const via = request.topVia;
    if (!canAnswer(via, source.protocol, source.remote)) {
      this.#counters.dropped++;
      return;
    }
    stamp(request, via, source);
    this.#handOver(source, () => this.#handlers.onRequest(request, source));
  }

  #takeResponse(response: SipResponse, bytes: Uint8Array, source: Source): void {
    const fault = checkResponse(response);
    if (fault !== undefined) {
      this.#malformed(faultError(fault), bytes, source);
      return;
    }
    const via = response.topVia;
    if (!this.#handlers.isOurSentBy(via.host, via.port ?? defaultPort(source.protocol))) {
      this.#counters.dropped++;
      this.#logger.debug({ remote: source.remote, sentBy: via.host }, 'a response with a foreign Via was dropped');
      return;
    }
    this.#handOver(source, () => this.#handlers.onResponse(response, source));
  }

  /** Statelessly. A Via that is broken behind its sent-by still shows the way back. */
  #answer(request: SipRequest, status: number, reason: string | undefined, source: Source): void {
    const via = salvageTopVia(request.headers);
    if (via === undefined || !canAnswer(via, source.protocol, source.remote)) return;
    try {
      if (isReadable(request)) stamp(request, via, source);
      const headers = this.#serverName === undefined ? undefined : { Server: this.#serverName };
      this.#handlers.answer(responseTo(request, status, { toTag: this.#toTag, reason, headers }), source);
    } catch (error) {
      this.#unexpected(error, source);
    }
  }

  #malformed(error: Error, bytes: Uint8Array, source: Source): void {
    this.#counters.malformed++;
    if (error instanceof SipParseError && error.limit !== undefined && error.limit !== 'bodyParts') {
      this.#counters.limited[error.limit]++;
    }
    this.#logger.debug(
      { remote: source.remote, protocol: source.protocol, problem: error.message },
      'malformed message',
    );
    this.#handlers.onMalformed({ source, error, bytes });
  }

  /** A fault of those above is logged, and neither the peer nor the socket notices. */
  #handOver(source: Source, task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#unexpected(error, source);
    }
  }

  #unexpected(error: unknown, source: Source): void {
    this.#logger.error({ err: error, remote: source.remote }, `handling a message failed: ${errorText(error)}`);
  }
}

/** The request with which a broken stretch of a stream begins. */
function requestIn(bytes: Uint8Array, limits: ParseLimits): SipRequest | undefined {
  try {
    const message = parseMessage(bytes, limits);
    return message.kind === 'request' ? message : undefined;
  } catch (error) {
    if (error instanceof SipParseError) return partialRequest(error);
    throw error;
  }
}

function isReadable(request: SipRequest): boolean {
  try {
    return request.headers.topVia !== undefined;
  } catch (error) {
    if (error instanceof SipParseError) return false;
    throw error;
  }
}

function stamp(request: SipRequest, via: Via, source: Source): void {
  const stamped = stampReceived(via, source.remote);
  if (stamped !== via) request.headers.replaceTopVia(stamped);
}

function faultError(fault: SipFault): Error {
  return new PbxkitError('SIP_PARSE', 'remote', `${fault.status} ${fault.reason}`);
}
