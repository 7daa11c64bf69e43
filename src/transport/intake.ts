import { errorText, PbxkitError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Via } from '../protocol/sip/header/registry.js';
import type { SipMessage, SipRequest, SipResponse } from '../protocol/sip/message.js';
import { parseMessage, partialRequest } from '../protocol/sip/parse.js';
import { SipParseError } from '../protocol/sip/parse-error.js';
import { responseTo } from '../protocol/sip/respond.js';
import { checkRequest, checkResponse, type SipFault } from '../protocol/sip/validate.js';
import type { Source } from './hop.js';
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

  constructor(options: IntakeOptions) {
    this.#handlers = options.handlers;
    this.#counters = options.counters;
    this.#logger = options.logger;
    this.#toTag = options.toTag;
    this.#serverName = options.serverName;
  }

  /** Takes one message. Returns false if the bytes are no SIP at all. */
  take(bytes: Uint8Array, source: Source): boolean {
    this.#counters.received++;
    let message: SipMessage;
    try {
      message = parseMessage(bytes);
    } catch (error) {
      return this.refuse(error, bytes, source);
    }
    try {
      if (message.kind === 'request') this.#takeRequest(message, bytes, source);
      else this.#takeResponse(message, bytes, source);
    } catch (error) {
      if (error instanceof SipParseError) this.#malformed(error, bytes, source);
      else this.#logger.error({ err: error, remote: source.remote }, `handling a message failed: ${errorText(error)}`);
    }
    return true;
  }

  /** Bytes that the parser or the framer gave up on: answered if enough could be read. Returns whether that was so. */
  refuse(error: unknown, bytes: Uint8Array, source: Source): boolean {
    if (!(error instanceof SipParseError)) {
      this.#logger.error({ err: error, remote: source.remote }, `parsing a message failed: ${errorText(error)}`);
      return false;
    }
    this.#malformed(error, bytes, source);
    try {
      const request = partialRequest(error);
      if (request === undefined) return false;
      this.#answerFault(request, { status: error.status, reason: undefined }, source);
      return true;
    } catch (failure) {
      if (!(failure instanceof SipParseError)) this.#unexpected(failure, source);
      return false;
    }
  }

  #takeRequest(request: SipRequest, bytes: Uint8Array, source: Source): void {
    const fault = checkRequest(request, { datagram: source.protocol === 'udp' });
    if (fault !== undefined) {
      this.#malformed(faultError(fault), bytes, source);
      this.#answerFault(request, fault, source);
      return;
    }
    const via = request.topVia;
    if (!canAnswer(via, source.protocol, source.remote)) {
      this.#counters.dropped++;
      return;
    }
    stamp(request, via, source);
    this.#guard(source, () => this.#handlers.onRequest(request, source));
  }

  #takeResponse(response: SipResponse, bytes: Uint8Array, source: Source): void {
    const fault = checkResponse(response);
    if (fault !== undefined) return this.#malformed(faultError(fault), bytes, source);
    const via = response.topVia;
    if (!this.#handlers.isOurSentBy(via.host, via.port ?? defaultPort(source.protocol))) {
      this.#counters.dropped++;
      this.#logger.debug({ remote: source.remote, sentBy: via.host }, 'a response with a foreign Via was dropped');
      return;
    }
    this.#guard(source, () => this.#handlers.onResponse(response, source));
  }

  /** ACK is never answered (RFC 3261 §17.1.1.3), nor is what has no Via to go back by. */
  #answerFault(
    request: SipRequest,
    fault: { readonly status: number; readonly reason: string | undefined },
    source: Source,
  ): void {
    if (request.method === 'ACK') return;
    let via: Via;
    try {
      via = request.topVia;
    } catch (error) {
      if (error instanceof SipParseError) return;
      throw error;
    }
    if (!canAnswer(via, source.protocol, source.remote)) return;
    stamp(request, via, source);
    try {
      const response = responseTo(request, fault.status, {
        toTag: this.#toTag,
        ...(fault.reason === undefined ? {} : { reason: fault.reason }),
        ...(this.#serverName === undefined ? {} : { headers: { Server: this.#serverName } }),
      });
      this.#handlers.answer(response, source);
    } catch (error) {
      // What an answer must echo is missing or unreadable: then none is owed.
      if (!(error instanceof SipParseError)) this.#unexpected(error, source);
    }
  }

  #malformed(error: Error, bytes: Uint8Array, source: Source): void {
    this.#counters.malformed++;
    this.#logger.debug(
      { remote: source.remote, protocol: source.protocol, problem: error.message },
      'malformed message',
    );
    this.#handlers.onMalformed({ source, error, bytes });
  }

  #guard(source: Source, task: () => void): void {
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

function stamp(request: SipRequest, via: Via, source: Source): void {
  const stamped = stampReceived(via, source.remote);
  if (stamped !== via) request.headers.replaceTopVia(stamped);
}

function faultError(fault: SipFault): Error {
  return new PbxkitError('SIP_PARSE', 'remote', `${fault.status} ${fault.reason}`);
}
