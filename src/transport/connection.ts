import type { Millis } from '../base/clock.js';
import type { SocketAddress } from '../base/ip.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import { TimerTable } from '../base/timer-table.js';
import type { TcpConnection } from '../net/network.js';
import type { TlsSession } from '../net/tls-settings.js';
import type { SipParseError } from '../protocol/sip/parse-error.js';
import { StreamFramer } from '../protocol/sip/stream-framer.js';
import type { BufferBudget, BufferHolder } from './buffer-budget.js';
import type { FlowRef, StreamProtocol } from './hop.js';
import type { TransportLimits } from './limits.js';
import type { ConnectionLimit } from './stats.js';

/** What a connection tells its owner. */
export interface ConnectionHandlers {
  onMessage(bytes: Uint8Array, connection: SipConnection): void;
  onKeepAlive(): void;
  /**
   * The byte stream makes no sense any more; the owner answers if it can, then the connection closes by itself.
   * `bytes` begin with the message at fault.
   */
  onFramingError(error: SipParseError, bytes: Uint8Array, connection: SipConnection): void;
  /** A limit has ended it. */
  onLimit(limit: ConnectionLimit, connection: SipConnection): void;
  /** Its TLS handshake has failed. */
  onFailedHandshake(problem: string, connection: SipConnection): void;
  /** Exactly once. */
  onClosed(connection: SipConnection): void;
}

/** Why a connection ended, for those who waited on it. */
export interface ConnectionFailure {
  readonly problem: string;
  /** False if it never came about. */
  readonly connected: boolean;
  readonly cause: Error | undefined;
}

/** Who waits for something on a connection: an answer, or only that the message could leave. */
export interface ConnectionWaiter {
  readonly until: 'answered' | 'open';
  fail(failure: ConnectionFailure): void;
}

export interface SipConnectionOptions {
  /** Unique, also over restarts of the program: flows with it are stored. */
  readonly id: string;
  readonly socket: TcpConnection;
  readonly protocol: StreamProtocol;
  /** TLS, outbound: the domain that the peer must prove to be. */
  readonly name?: string | undefined;
  readonly direction: 'inbound' | 'outbound';
  readonly limits: TransportLimits;
  readonly scheduler: Scheduler;
  readonly budget: BufferBudget;
  readonly handlers: ConnectionHandlers;
}

const PONG = Uint8Array.of(0x0d, 0x0a);

/**
 * One connection that carries SIP, by TCP or TLS (RFC 3261 §18.3): framing, pongs (RFC 5626 §4.4.1), the deadlines and
 * the queue limit that keep a slow or silent peer from holding it, and the list of those to tell when it breaks.
 */
export class SipConnection implements BufferHolder {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly protocol: StreamProtocol;
  readonly name: string | undefined;
  readonly remote: SocketAddress;
  /** For its table: what it is found by. */
  readonly targets = new Set<string>();
  readonly #socket: TcpConnection;
  readonly #limits: TransportLimits;
  readonly #scheduler: Scheduler;
  readonly #budget: BufferBudget;
  readonly #handlers: ConnectionHandlers;
  readonly #framer: StreamFramer;
  readonly #waiters = new Map<string, ConnectionWaiter>();
  readonly #timers = new TimerTable<'handshake' | 'first' | 'message' | 'idle' | 'closing'>();
  #state: 'connecting' | 'open' | 'closing' | 'closed';
  /** Was open at some time. */
  #connected: boolean;
  /** We opened it, or something was granted over it: silence is no reason to close it soon. */
  #proven: boolean;
  #reason: string | undefined;
  #flow: FlowRef | undefined;
  #armedFor: Millis = Number.POSITIVE_INFINITY;
  #cancelTimer: Cancel | undefined;

  constructor(options: SipConnectionOptions) {
    this.id = options.id;
    this.direction = options.direction;
    this.protocol = options.protocol;
    this.name = options.name;
    this.remote = options.socket.remote;
    this.#socket = options.socket;
    this.#limits = options.limits;
    this.#scheduler = options.scheduler;
    this.#budget = options.budget;
    this.#handlers = options.handlers;
    this.#framer = new StreamFramer(options.limits);
    const inbound = options.direction === 'inbound';
    this.#connected = options.socket.isOpen;
    this.#state = this.#connected ? 'open' : 'connecting';
    this.#proven = !inbound;
    const now = this.#scheduler.now();
    if (inbound) {
      this.#timers.set('first', now + this.#limits.firstMessageTimeoutMs);
      if (!this.#connected) this.#timers.set('handshake', now + this.#limits.handshakeTimeoutMs);
    }
    this.#putOffIdle();
    this.#arm();
    options.socket.handle({
      onOpen: () => this.#onOpen(),
      onData: (data) => this.#onData(data),
      onClose: (error) => this.#onClose(error),
    });
  }

  /** Connecting or open: what is sent now will be sent. */
  get usable(): boolean {
    return this.#state === 'connecting' || this.#state === 'open';
  }

  get local(): SocketAddress {
    return this.#socket.local;
  }

  get flow(): FlowRef {
    if (this.#flow !== undefined) return this.#flow;
    const flow: FlowRef = { protocol: this.protocol, local: this.local, remote: this.remote, connectionId: this.id };
    if (this.#state !== 'connecting') this.#flow = flow;
    return flow;
  }

  /** What a TLS handshake has shown. */
  get session(): TlsSession | undefined {
    return this.#socket.session;
  }

  get heldBytes(): number {
    return (this.#framer.pending === 0 ? 0 : this.#framer.held) + this.#socket.queuedBytes;
  }

  relieve(): void {
    this.#exceeded('bufferedBytes', 'all connections together hold too much, and this one holds most');
  }

  /** Something that the peer asked for was granted: from now on it may be silent as long as a registration lasts. */
  prove(): void {
    if (this.#proven) return;
    this.#proven = true;
    this.#putOffIdle();
  }

  /** Sends, or cuts the peer off if it leaves too much unread; what is sent before the connection is open waits for it. */
  send(bytes: Uint8Array): void {
    if (!this.usable) return;
    if (this.#socket.queuedBytes + bytes.length > this.#limits.maxQueuedBytes) {
      this.#exceeded('queuedBytes', `the peer does not read: ${this.#socket.queuedBytes} bytes wait`);
      return;
    }
    this.#touch();
    this.#socket.send(bytes);
    if (this.#socket.queuedBytes > 0) this.#budget.update(this);
  }

  /** `waiter.fail` is called if the connection ends before `settle(key)`. */
  expect(key: string, waiter: ConnectionWaiter): void {
    if (waiter.until === 'open' && this.#state !== 'connecting') return;
    this.#waiters.set(key, waiter);
  }

  settle(key: string): void {
    this.#waiters.delete(key);
  }

  /** How many requests wait on this connection. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Sends what is queued, closes, and does not wait for the peer longer than `closeTimeoutMs`. */
  closeSoon(reason: string): void {
    if (!this.usable) return;
    this.#reason = reason;
    this.#state = 'closing';
    this.#timers.clearAll();
    this.#timers.set('closing', this.#scheduler.now() + this.#limits.closeTimeoutMs);
    this.#arm();
    this.#socket.end();
  }

  /** Closes at once if nothing waits to be sent, else as `closeSoon`. */
  close(reason: string): void {
    if (this.#state === 'connecting' || this.#socket.queuedBytes === 0) this.destroy(reason);
    else this.closeSoon(reason);
  }

  destroy(reason: string): void {
    if (this.#state === 'closed') return;
    this.#reason ??= reason;
    this.#state = 'closing';
    this.#socket.destroy();
  }

  #onOpen(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    this.#connected = true;
    this.#timers.clear('handshake');
    this.#touch();
    for (const [key, waiter] of this.#waiters) if (waiter.until === 'open') this.#waiters.delete(key);
  }

  #onData(data: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#touch();
    const frames = this.#framer.push(data);
    for (const frame of frames) {
      if (!this.usable) return; // whoever took the last message has closed us
      switch (frame.type) {
        case 'message':
          this.#timers.clear('first');
          if (!this.#proven) this.#putOffIdle();
          this.#handlers.onMessage(frame.bytes, this);
          break;
        case 'ping':
          this.#handlers.onKeepAlive();
          this.send(PONG);
          break;
        case 'pong':
          this.#handlers.onKeepAlive();
          break;
        case 'error':
          this.#handlers.onFramingError(frame.error, frame.bytes, this);
          this.closeSoon(frame.error.message);
          return;
      }
    }
    if (frames.length > 0) this.#timers.clear('message');
    this.#watchMessage();
    if (this.usable) this.#budget.update(this);
  }

  /** The clock of a half-received message starts with its first byte and is not set back by more of its bytes. */
  #watchMessage(): void {
    if (!this.usable) return;
    if (this.#framer.pending === 0) this.#timers.clear('message');
    else if (this.#timers.get('message') === undefined) {
      this.#timers.set('message', this.#scheduler.now() + this.#limits.messageTimeoutMs);
      this.#arm();
    }
  }

  #onClose(error: Error | undefined): void {
    if (this.protocol === 'tls' && !this.#connected && error !== undefined) {
      this.#handlers.onFailedHandshake(error.message, this);
    }
    this.#state = 'closed';
    this.#budget.release(this);
    this.#cancelTimer?.();
    this.#timers.clearAll();
    this.#handlers.onClosed(this);
    const problem = this.#reason ?? error?.message ?? 'the peer closed the connection';
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.fail({ problem, connected: this.#connected, cause: error });
  }

  /** A limit ends it. */
  #exceeded(limit: ConnectionLimit, reason: string): void {
    if (this.#state === 'closed') return;
    this.#handlers.onLimit(limit, this);
    this.destroy(reason);
  }

  /** Traffic of any kind; of a stranger only messages count, or pings would hold a connection for ever. */
  #touch(): void {
    if (this.#proven) this.#putOffIdle();
  }

  #putOffIdle(): void {
    const { idleTimeoutMs, strangerIdleTimeoutMs } = this.#limits;
    const timeoutMs = this.#proven ? idleTimeoutMs : Math.min(idleTimeoutMs, strangerIdleTimeoutMs);
    this.#timers.set('idle', this.#scheduler.now() + timeoutMs);
  }

  /** A deadline that moves away (idle) costs nothing: the old task wakes, finds nothing due and waits on. */
  #arm(): void {
    const next = this.#timers.next;
    if (next === undefined || next >= this.#armedFor) return;
    this.#cancelTimer?.();
    this.#armedFor = next;
    this.#cancelTimer = this.#scheduler.at(next, () => this.#onTimer());
  }

  #onTimer(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    const due = this.#timers.takeDue(this.#scheduler.now());
    switch (due) {
      case undefined:
        this.#arm();
        break;
      case 'handshake':
        this.#exceeded('handshakeTime', 'the TLS handshake took too long');
        break;
      case 'first':
        this.#exceeded('firstMessageTime', 'no SIP message came');
        break;
      case 'message':
        this.#exceeded('messageTime', 'a message stopped half-way');
        break;
      case 'idle':
        this.#exceeded('idleTime', 'idle for too long');
        break;
      case 'closing':
        this.#socket.destroy();
        break;
    }
  }
}
