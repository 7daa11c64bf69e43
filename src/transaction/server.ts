import { assertNever, errorText, type PbxkitError, UsageError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Scheduler } from '../base/scheduler.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { Source } from '../transport/hop.js';
import type { ServerEffect } from './effects.js';
import { InviteServerMachine, type InviteServerState } from './invite-server.js';
import type { LingeringServer } from './lingering.js';
import { NonInviteServerMachine, type NonInviteServerState } from './non-invite-server.js';
import type { SentResponse, TransactionTransport } from './port.js';
import { tryingTo } from './trying.js';
import { WakeUp } from './wake-up.js';

/** A request that came in and the answering of it. Retransmissions, the 100 and the answer to a CANCEL are dealt with here. */
export interface ServerTransaction {
  readonly request: SipRequest;
  readonly source: Source;
  /** The matching key of RFC 3261 §17.2.3: equal for retransmissions, different for every other request. */
  readonly id: string;
  readonly state: InviteServerState | NonInviteServerState;
  /** The request's own To tag, or a fresh one, the same each time: for every answer to this request and to its CANCEL. */
  readonly toTag: string;
  /** A CANCEL came before the final response. */
  readonly cancelled: boolean;
  /** The final response has been given. */
  readonly answered: boolean;
  /** The response that was sent last, if any. */
  readonly lastResponse: SipResponse | undefined;
  /**
   * Sends a response. Dropped in silence when the sender cannot want it any more (RFC 4320 §4.2) and after `close`.
   * @throws UsageError SIP_WRONG_STATE after a final response; a 2xx to an INVITE may be sent again until timer L ends.
   */
  respond(response: SipResponse): void;
  /**
   * Sends a final response once and forgets the request (RFC 3261 §8.2.7): for requests of senders that nobody knows, who
   * may not make us remember them, nor repeat answers to an address that they have forged. A retransmission of the request
   * is then a new one. Give it the To tag `statelessTag`.
   * @throws UsageError SIP_WRONG_STATE after a final response
   */
  respondOnce(response: SipResponse): void;
  /** A To tag that every retransmission of this request would get too. */
  readonly statelessTag: string;
  /**
   * A CANCEL came (once), before the final response. It has been answered 200; the INVITE is to be answered 487. A
   * listener that is set later than that is not called: look at `cancelled`.
   */
  onCancel(listener: (cancel: SipRequest) => void): void;
  /** The ACK to a non-2xx final response came. */
  onAck(listener: (ack: SipRequest) => void): void;
  /** A response could not be sent. The transaction lives on (RFC 6026 §6). */
  onTransportError(listener: (error: PbxkitError) => void): void;
  /** No ACK came for a non-2xx final response (timer H), or a request other than INVITE was left without an answer. */
  onTimeout(listener: () => void): void;
  /** The transaction is gone; always the last one. */
  onTerminated(listener: () => void): void;
}

/** What a server transaction asks of the layer that owns it. */
export interface ServerOwner {
  readonly transport: TransactionTransport;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  newTag(): string;
  /** The same for the same id, and not to be guessed. */
  tagFor(id: string): string;
  /** Nothing is sent any more. */
  closed(): boolean;
  release(transaction: ServerRunner): void;
  /** Its user is done with it. */
  linger(left: LingeringServer): void;
  /** RFC 6026 §7.1: an ACK that is the user's although it matches a transaction. */
  passAck(ack: SipRequest, source: Source): void;
}

interface Incoming {
  readonly request: SipRequest;
  readonly source: Source;
}

/** The effects of one input. */
interface Due {
  readonly effects: readonly ServerEffect[];
  readonly ack: Incoming | undefined;
  readonly ended: boolean;
}

/** Shared: most transactions have few listeners, and tens of thousands linger on a busy server. */
const NO_LISTENERS: readonly never[] = [];

/** Drives one server machine. */
export class ServerRunner implements ServerTransaction {
  readonly request: SipRequest;
  readonly source: Source;
  readonly id: string;
  readonly #owner: ServerOwner;
  readonly #machine: InviteServerMachine | NonInviteServerMachine;
  readonly #wakeUp: WakeUp;
  /** What waits for the effects of an earlier input to be done; almost always nothing. */
  #waiting: Due[] | undefined;
  #performing = false;
  #cancelListeners: readonly ((cancel: SipRequest) => void)[] = NO_LISTENERS;
  #ackListeners: readonly ((ack: SipRequest) => void)[] = NO_LISTENERS;
  #errorListeners: readonly ((error: PbxkitError) => void)[] = NO_LISTENERS;
  #timeoutListeners: readonly (() => void)[] = NO_LISTENERS;
  #terminatedListeners: readonly (() => void)[] = NO_LISTENERS;
  #tag: string | undefined;
  /** The response that was sent last. */
  #sent: SentResponse | undefined;
  #cancelled = false;
  #answered = false;
  #released = false;
  /** What is left of it in the layer, once its user is done with it. */
  #left: LingeringServer | undefined;

  constructor(owner: ServerOwner, id: string, request: SipRequest, source: Source) {
    this.#owner = owner;
    this.id = id;
    this.request = request;
    this.source = source;
    const reliable = source.protocol !== 'udp';
    const now = owner.scheduler.now();
    const trying = (): SipResponse => tryingTo(request, owner.scheduler.now() - now);
    this.#machine =
      request.method === 'INVITE'
        ? new InviteServerMachine(reliable, trying, now)
        : new NonInviteServerMachine(reliable, trying, now);
    this.#wakeUp = new WakeUp(owner.scheduler, () => this.#onWakeUp());
    this.#wakeUp.set(this.#machine.nextDeadline);
  }

  get state(): InviteServerState | NonInviteServerState {
    const over = this.#left !== undefined && this.#left.ends <= this.#owner.scheduler.now();
    return over ? 'terminated' : this.#machine.state;
  }

  get toTag(): string {
    const tag = this.#tag ?? this.request.toTag ?? this.#owner.newTag();
    this.#tag = tag;
    return tag;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  get lastResponse(): SipResponse | undefined {
    return this.#machine.lastResponse;
  }

  get answered(): boolean {
    return this.#answered;
  }

  respond(response: SipResponse): void {
    if (this.#owner.closed()) return;
    // The machine knows nothing of an answer that was sent once.
    if (this.#released || this.state === 'terminated' || !this.#machine.accepts(response.status)) {
      if (!this.#answered) {
        this.#owner.logger.debug(this.#fields(), `a ${response.status} came too late and is not sent`);
        return;
      }
      throw new UsageError(
        'SIP_WRONG_STATE',
        `found a ${response.status} for a ${this.request.method} that already has its final response`,
      );
    }
    if (response.status >= 200) this.#final();
    this.#run(this.#machine.respond(response, this.#owner.scheduler.now()));
  }

  get statelessTag(): string {
    return this.request.toTag ?? this.#owner.tagFor(this.id);
  }

  respondOnce(response: SipResponse): void {
    if (this.#answered) {
      throw new UsageError(
        'SIP_WRONG_STATE',
        `found a ${response.status} for a ${this.request.method} that already has its final response`,
      );
    }
    this.#final();
    if (this.#released) return;
    this.#released = true;
    this.#wakeUp.set(undefined);
    this.#owner.release(this);
    this.#owner.transport.sendResponse(response, this.source, this.#onSendError);
    this.#tellAll(this.#terminatedListeners, undefined);
  }

  /** No CANCEL counts any more: who listened for one need not be held for as long as the transaction lingers. */
  #final(): void {
    this.#answered = true;
    this.#cancelListeners = NO_LISTENERS;
  }

  onCancel(listener: (cancel: SipRequest) => void): void {
    if (this.#answered) return;
    this.#cancelListeners = [...this.#cancelListeners, listener];
  }

  onAck(listener: (ack: SipRequest) => void): void {
    this.#ackListeners = [...this.#ackListeners, listener];
  }

  onTransportError(listener: (error: PbxkitError) => void): void {
    this.#errorListeners = [...this.#errorListeners, listener];
  }

  onTimeout(listener: () => void): void {
    this.#timeoutListeners = [...this.#timeoutListeners, listener];
  }

  onTerminated(listener: () => void): void {
    if (this.#left === undefined) this.#terminatedListeners = [...this.#terminatedListeners, listener];
    else this.#left.terminatedListeners = [...this.#left.terminatedListeners, listener];
  }

  receiveRetransmission(): void {
    this.#run(this.#machine.onRetransmission());
  }

  receiveAck(ack: SipRequest, source: Source): void {
    if (!(this.#machine instanceof InviteServerMachine)) return;
    this.#run(this.#machine.onAck(this.#owner.scheduler.now()), { request: ack, source });
  }

  /** RFC 3261 §9.2: of no effect once a final response has been sent. */
  receiveCancel(cancel: SipRequest): void {
    if (this.#answered || this.#cancelled || this.#machine.terminated) return;
    this.#cancelled = true;
    this.#tellAll(this.#cancelListeners, cancel);
  }

  /** Ends the transaction without a word. */
  abort(): void {
    this.#released = true;
    this.#wakeUp.set(undefined);
  }

  #onWakeUp(): void {
    const now = this.#owner.scheduler.now();
    for (let due = this.#machine.nextDeadline; due !== undefined && due <= now; due = this.#machine.nextDeadline) {
      this.#run(this.#machine.onTimer(now));
    }
    this.#wakeUp.set(this.#machine.nextDeadline);
  }

  #run(effects: readonly ServerEffect[], ack?: Incoming): void {
    if (this.#released) return;
    const ended = this.#machine.terminated;
    if (this.#left === undefined) this.#wakeUp.set(this.#machine.nextDeadline);
    if (ended) {
      this.#released = true;
      this.#owner.release(this);
    }
    if (this.#performing) {
      this.#waiting ??= [];
      this.#waiting.push({ effects, ack, ended });
      return;
    }
    this.#performing = true;
    this.#performAll(effects, ack, ended);
    for (let next = this.#waiting?.shift(); next !== undefined; next = this.#waiting?.shift())
      this.#performAll(next.effects, next.ack, next.ended);
    this.#performing = false;
    if (this.#machine.lingers) this.#linger();
  }

  /** Only its messages may still come again: whoever holds this object may let it go. */
  #linger(): void {
    const ends = this.#machine.nextDeadline;
    const { lastResponse } = this;
    if (this.#released || this.#left !== undefined || ends === undefined) return;
    const [again] = this.#machine.onRetransmission();
    this.#wakeUp.set(undefined);
    this.#left = {
      id: this.id,
      ends,
      repeated: again?.type === 'send' ? this.#repeated(again.response) : undefined,
      status: lastResponse?.status ?? 0,
      // Only ACK and CANCEL ask for it, which belong to an INVITE.
      toTag: this.request.method === 'INVITE' ? (lastResponse?.toTag ?? this.#tag) : undefined,
      terminatedListeners: this.#terminatedListeners,
    };
    this.#owner.linger(this.#left);
  }

  /** What was sent last is what would be sent again. */
  #repeated(response: SipResponse): SentResponse {
    const { source } = this;
    const { transport } = this.#owner;
    return this.#sent ?? { again: () => transport.sendResponse(response, source) };
  }

  #performAll(effects: readonly ServerEffect[], ack: Incoming | undefined, ended: boolean): void {
    for (const effect of effects) this.#perform(effect, ack);
    if (ended) this.#tellAll(this.#terminatedListeners, undefined);
  }

  /** Lets no exception out: the transaction goes on. */
  #perform(effect: ServerEffect, ack: Incoming | undefined): void {
    try {
      this.#do(effect, ack);
    } catch (error) {
      this.#owner.logger.error({ ...this.#fields(), err: error }, `a server transaction failed: ${errorText(error)}`);
    }
  }

  #do(effect: ServerEffect, ack: Incoming | undefined): void {
    switch (effect.type) {
      case 'send':
        this.#sent = undefined;
        this.#sent = this.#owner.transport.sendResponse(effect.response, this.source, this.#onSendError);
        break;
      case 'acknowledged':
        if (ack !== undefined) this.#tellAll(this.#ackListeners, ack.request);
        break;
      case 'ack-to-user':
        if (ack !== undefined) this.#owner.passAck(ack.request, ack.source);
        break;
      case 'timeout':
        this.#tellAll(this.#timeoutListeners, undefined);
        break;
      default:
        assertNever(effect);
    }
  }

  readonly #onSendError = (error: PbxkitError): void => {
    this.#owner.logger.debug({ ...this.#fields(), err: error }, `a response could not be sent: ${error.message}`);
    this.#tellAll(this.#errorListeners, error);
  };

  #tellAll<T>(listeners: readonly ((event: T) => void)[], event: T): void {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        const fields = { ...this.#fields(), err: error };
        this.#owner.logger.error(fields, `a listener of a server transaction failed: ${errorText(error)}`);
      }
    }
  }

  #fields(): Record<string, unknown> {
    return { callId: this.request.headers.first('Call-ID'), method: this.request.method };
  }
}
