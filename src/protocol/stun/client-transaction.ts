import type { Millis } from '../../base/clock.js';
import { assertNever } from '../../base/errors.js';
import { type SocketAddress, sameAddress } from '../../base/ip.js';
import { notUnderstood } from './attribute-types.js';
import { checkFingerprint } from './fingerprint.js';
import { BINDING, isLegacy, readStunMessage, type StunMessage } from './message.js';
import { errorOf, mappedAddressOf, type StunError, softwareOf } from './read-attributes.js';
import { writeBinding } from './write.js';

/** How a Binding transaction ended. */
export type StunOutcome =
  | {
      readonly kind: 'mapped';
      /** Where the server saw the request come from. */
      readonly mapped: SocketAddress;
      /** What the server says it is. */
      readonly software?: string;
    }
  | { readonly kind: 'refused'; readonly error: StunError }
  /** An answer from that server that cannot be used (RFC 8489 §6.3.3). */
  | { readonly kind: 'invalid' }
  /** The network refused the request (a hard ICMP error, no route). */
  | { readonly kind: 'unreachable'; readonly cause: Error }
  | { readonly kind: 'timeout' };

export type StunClientEffect =
  | { readonly type: 'send'; readonly data: Uint8Array; readonly to: SocketAddress }
  | { readonly type: 'done'; readonly outcome: StunOutcome };

/** RFC 8489 §6.2.1 names the defaults, under which a transaction ends after 39.5 s. */
export interface StunTimes {
  /** The first wait, in milliseconds. Default 500. */
  readonly rtoMs?: number;
  /** Rc: how often the request is sent. Default 7. */
  readonly sends?: number;
  /** Rm: how many RTOs are waited after the last. Default 16. */
  readonly lastWait?: number;
}

export interface StunClientOptions extends StunTimes {
  readonly server: SocketAddress;
  /** 12 random bytes: what makes an answer hard to forge. */
  readonly transactionId: Uint8Array;
}

/**
 * A Binding transaction of a client over UDP (RFC 8489 §6.2.1, §6.3.3, §6.3.4), without a socket or a clock. What comes from
 * another address than the server's, or under another transaction id, is not taken: a stranger who is not on
 * the path can neither answer nor end it.
 *
 * Deviates: the RTO is not learned from earlier transactions (§6.2.1); half a second is what fixed lines are given.
 */
export class StunClientTransaction {
  readonly server: SocketAddress;
  readonly #id: Uint8Array;
  readonly #request: Uint8Array;
  readonly #rtoMs: number;
  readonly #sends: number;
  readonly #lastWait: number;
  #state: 'new' | 'waiting' | 'terminated' = 'new';
  #sent = 0;
  #deadline: Millis | undefined;

  constructor(options: StunClientOptions) {
    this.server = options.server;
    this.#id = options.transactionId;
    this.#rtoMs = options.rtoMs ?? 500;
    this.#sends = options.sends ?? 7;
    this.#lastWait = options.lastWait ?? 16;
    this.#request = writeBinding({ class: 'request', transactionId: options.transactionId });
  }

  get terminated(): boolean {
    return this.#state === 'terminated';
  }

  get nextDeadline(): Millis | undefined {
    return this.#deadline;
  }

  /** Sends the first request; calling it again does nothing. */
  start(now: Millis): readonly StunClientEffect[] {
    if (this.#state !== 'new') return [];
    this.#state = 'waiting';
    return this.#send(now);
  }

  /** To be called at `nextDeadline`. */
  onTimer(now: Millis): readonly StunClientEffect[] {
    if (this.#state !== 'waiting' || this.#deadline === undefined || now < this.#deadline) return [];
    return this.#sent < this.#sends ? this.#send(now) : this.#end({ kind: 'timeout' });
  }

  /** Undefined: the datagram is not the answer to this request, and somebody else's. */
  onDatagram(data: Uint8Array, from: SocketAddress): readonly StunClientEffect[] | undefined {
    if (this.#state !== 'waiting' || !sameAddress(from, this.server)) return undefined;
    const message = readStunMessage(data);
    if (message === undefined || !this.#isAnswer(message)) return undefined;
    return this.#end(outcomeOf(message));
  }

  /** The network refused to take a request: RFC 8489 §6.2.1 ends the transaction. */
  onSendError(cause: Error): readonly StunClientEffect[] {
    return this.#state === 'waiting' ? this.#end({ kind: 'unreachable', cause }) : [];
  }

  #send(now: Millis): readonly StunClientEffect[] {
    const wait = this.#sent + 1 < this.#sends ? 2 ** this.#sent : this.#lastWait;
    this.#sent++;
    this.#deadline = now + wait * this.#rtoMs;
    return [{ type: 'send', data: this.#request, to: this.server }];
  }

  #end(outcome: StunOutcome): readonly StunClientEffect[] {
    this.#state = 'terminated';
    this.#deadline = undefined;
    return [{ type: 'done', outcome }];
  }

  #isAnswer(message: StunMessage): boolean {
    if (message.method !== BINDING || (message.class !== 'success' && message.class !== 'error')) return false;
    if (isLegacy(message) || checkFingerprint(message) === 'bad') return false;
    return message.transactionId.every((byte, i) => byte === this.#id[i]);
  }
}

function outcomeOf(message: StunMessage): StunOutcome {
  const types = message.attributes.map(({ type }) => type);
  if (notUnderstood(types, 'client').length > 0) return { kind: 'invalid' };
  switch (message.class) {
    case 'success': {
      const mapped = mappedAddressOf(message);
      if (mapped === undefined) return { kind: 'invalid' };
      const software = softwareOf(message);
      return { kind: 'mapped', mapped, ...(software === undefined ? {} : { software }) };
    }
    case 'error': {
      const error = errorOf(message);
      return error === undefined ? { kind: 'invalid' } : { kind: 'refused', error };
    }
    case 'request':
    case 'indication':
      return { kind: 'invalid' };
    default:
      return assertNever(message.class);
  }
}
