import { assertNever, errorText, PbxkitError } from '../base/errors.js';
import type { SocketAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { Scheduler } from '../base/scheduler.js';
import type { HeaderInit } from '../protocol/sip/headers.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { Hop, Source } from '../transport/hop.js';
import type { OutgoingRequest } from '../transport/outgoing.js';
import { ackFor, cancelFor } from './derived-requests.js';
import type { ClientEffect } from './effects.js';
import { InviteClientMachine, type InviteClientState } from './invite-client.js';
import { clientKey } from './key.js';
import type { LingeringClient } from './lingering.js';
import { NonInviteClientMachine, type NonInviteClientState } from './non-invite-client.js';
import type { TransactionTransport } from './port.js';
import { WakeUp } from './wake-up.js';

/**
 * What the user of a client transaction is told. None is called before `TransactionLayer.request` has returned.
 * After the final response, the timeout or the transport error nothing follows but more 2xx of an INVITE.
 */
export interface ClientHandlers {
  /** Every provisional response; every 2xx to an INVITE, forked and repeated ones too (RFC 6026 §7.2); else the one final response. */
  onResponse(response: SipResponse, source: Source): void;
  /** No final response came: timers B and F, or 64*T1 after a CANCEL (RFC 3261 §9.1). */
  onTimeout(): void;
  /** The request could not be sent: try the next hop (RFC 3263 §4.3). */
  onTransportError(error: PbxkitError): void;
  /** The transaction is gone; always the last one. */
  onTerminated?(): void;
}

export interface ClientTransaction {
  /** As sent, with the Via. */
  readonly request: SipRequest;
  readonly hop: Hop;
  readonly state: InviteClientState | NonInviteClientState;
  /**
   * Cancels an INVITE: at once, or as soon as a provisional response allows it (RFC 3261 §9.1). A final response that
   * comes all the same is delivered. Does nothing after a final response and to any other method.
   */
  cancel(headers?: HeaderInit): void;
}

/** What a client transaction asks of the layer that owns it. */
export interface ClientOwner {
  readonly transport: TransactionTransport;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Starts the transaction of a CANCEL. */
  startCancel(cancel: SipRequest, hop: Hop): void;
  release(transaction: ClientRunner): void;
  /** Its user has the final response. */
  linger(left: LingeringClient): void;
}

/** The effects of one input. */
interface Due {
  readonly effects: readonly ClientEffect[];
  readonly source: Source | undefined;
  readonly ended: boolean;
}

const TERMINATED = { type: 'terminated' } as const;

/** Drives one client machine: sends what it asks for, tells the user, wakes it in time. */
export class ClientRunner implements ClientTransaction {
  readonly hop: Hop;
  /** As it is sent, with the stamped Via. */
  readonly request: SipRequest;
  readonly #owner: ClientOwner;
  readonly #handlers: ClientHandlers;
  readonly #machine: InviteClientMachine | NonInviteClientMachine;
  /** Absent once the final response is there: nothing is sent again, and INVITEs linger for 32 s. */
  #outgoing: OutgoingRequest | undefined;
  /** The way that the request took, for its ACK and CANCEL. */
  readonly #taken: Hop;
  readonly #sentFrom: SocketAddress | undefined;
  readonly #wakeUp: WakeUp;
  /** What waits for the effects of an earlier input to be done; almost always nothing. */
  #waiting: Due[] | undefined;
  #performing = false;
  #started = false;
  #released = false;
  /** What is left of it in the layer, once its user has the final response. */
  #left: LingeringClient | undefined;
  #error: PbxkitError | undefined;
  #cancelHeaders: HeaderInit | undefined;
  #ack: { readonly to: string | undefined; readonly outgoing: OutgoingRequest } | undefined;

  constructor(owner: ClientOwner, request: SipRequest, hop: Hop, handlers: ClientHandlers) {
    this.hop = hop;
    this.#owner = owner;
    this.#handlers = handlers;
    const outgoing = owner.transport.outgoing(request, hop, { onError: (error) => this.#onSendError(error) });
    const { reliable } = outgoing;
    this.request = outgoing.request;
    this.#outgoing = outgoing;
    this.#taken = outgoing.hop;
    this.#sentFrom = outgoing.local;
    this.#machine =
      request.method === 'INVITE' ? new InviteClientMachine(reliable) : new NonInviteClientMachine(reliable);
    this.#wakeUp = new WakeUp(owner.scheduler, () => this.#onWakeUp());
  }

  get state(): InviteClientState | NonInviteClientState {
    const over = this.#left !== undefined && this.#left.ends <= this.#owner.scheduler.now();
    return over ? 'terminated' : this.#machine.state;
  }

  start(): void {
    this.#run(this.#machine.start(this.#owner.scheduler.now()));
    this.#started = true;
  }

  cancel(headers?: HeaderInit): void {
    if (!(this.#machine instanceof InviteClientMachine)) return;
    this.#cancelHeaders ??= headers;
    this.#run(this.#machine.cancel(this.#owner.scheduler.now()));
  }

  receive(response: SipResponse, source: Source): void {
    this.#run(this.#machine.onResponse(response, this.#owner.scheduler.now()), source);
  }

  /** Ends the transaction at once; a user that still waits for an outcome is told that there will be none. */
  abort(error: PbxkitError): void {
    this.#error = error;
    this.#run(this.#machine.onTransportError());
    this.#wakeUp.set(undefined);
  }

  #onSendError(error: PbxkitError): void {
    if (!this.#started) {
      // The user does not hold the transaction yet.
      this.#owner.scheduler.after(0, () => this.#onSendError(error));
      return;
    }
    this.#error = error;
    this.#run(this.#machine.onTransportError());
  }

  #onWakeUp(): void {
    const now = this.#owner.scheduler.now();
    for (let due = this.#machine.nextDeadline; due !== undefined && due <= now; due = this.#machine.nextDeadline) {
      this.#run(this.#machine.onTimer(now));
    }
    this.#wakeUp.set(this.#machine.nextDeadline);
  }

  /** The mutation is done; its effects run after those of the mutation before it, even when one causes the other. */
  #run(effects: readonly ClientEffect[], source?: Source): void {
    if (this.#left === undefined) this.#wakeUp.set(this.#machine.nextDeadline);
    const ended = this.#machine.terminated && !this.#released;
    if (ended) {
      this.#released = true;
      this.#owner.release(this);
    }
    if (ended || this.#machine.state === 'accepted' || this.#machine.state === 'completed') {
      this.#outgoing?.release();
      this.#outgoing = undefined;
    }
    if (this.#performing) {
      this.#waiting ??= [];
      this.#waiting.push({ effects, source, ended });
      return;
    }
    this.#performing = true;
    this.#performAll(effects, source, ended);
    for (let next = this.#waiting?.shift(); next !== undefined; next = this.#waiting?.shift())
      this.#performAll(next.effects, next.source, next.ended);
    this.#performing = false;
    if (this.#machine.lingers) this.#linger();
  }

  #linger(): void {
    const ends = this.#machine.nextDeadline;
    if (this.#released || this.#left !== undefined || ends === undefined) return;
    this.#wakeUp.set(undefined);
    const handlers = this.#handlers;
    const accepted = this.#machine instanceof InviteClientMachine;
    this.#left = {
      key: clientKey(this.request),
      ends,
      onResponse: accepted ? (response, source) => handlers.onResponse(response, source) : undefined,
      onTerminated: handlers.onTerminated === undefined ? undefined : () => handlers.onTerminated?.(),
    };
    this.#owner.linger(this.#left);
  }

  #performAll(effects: readonly ClientEffect[], source: Source | undefined, ended: boolean): void {
    for (const effect of effects) this.#perform(effect, source);
    if (ended) this.#perform(TERMINATED, source);
  }

  /** Lets no exception out: the transaction goes on, whatever its user does. */
  #perform(effect: ClientEffect | typeof TERMINATED, source: Source | undefined): void {
    try {
      this.#do(effect, source);
    } catch (error) {
      const callId = this.request.headers.first('Call-ID');
      this.#owner.logger.error({ err: error, callId }, `a client transaction or its user failed: ${errorText(error)}`);
    }
  }

  #do(effect: ClientEffect | typeof TERMINATED, source: Source | undefined): void {
    switch (effect.type) {
      case 'terminated':
        this.#handlers.onTerminated?.();
        break;
      case 'send':
        this.#outgoing?.send();
        break;
      case 'ack':
        this.#sendAck(effect.response);
        break;
      case 'cancel':
        this.#owner.startCancel(cancelFor(this.request, this.#cancelHeaders), this.#sameWay());
        break;
      case 'deliver':
        if (source !== undefined) this.#handlers.onResponse(effect.response, source);
        break;
      case 'timeout':
        this.#handlers.onTimeout();
        break;
      case 'unsent':
        this.#handlers.onTransportError(
          this.#error ?? new PbxkitError('SIP_TRANSPORT', 'transport', 'the request could not be sent'),
        );
        break;
      default:
        assertNever(effect);
    }
  }

  /** ACK and CANCEL leave by the very socket of the INVITE, to its address, port and transport, whatever their own size. */
  #sameWay(): Hop {
    const sentFrom = this.#sentFrom;
    return Object.assign({}, this.#taken, { forceProtocol: true }, sentFrom === undefined ? {} : { sentFrom });
  }

  /** A repeated response gets the same bytes; only one with another To tag gets an ACK of its own. */
  #sendAck(response: SipResponse): void {
    const to = response.headers.first('To');
    if (this.#ack === undefined || this.#ack.to !== to) {
      const ack = ackFor(this.request, response);
      const handlers = { onError: (error: PbxkitError) => this.#onSendError(error) };
      this.#ack = { to, outgoing: this.#owner.transport.outgoing(ack, this.#sameWay(), handlers) };
    }
    this.#ack.outgoing.send();
  }
}
