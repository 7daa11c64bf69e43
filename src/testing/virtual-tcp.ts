import type { SocketAddress } from '../base/ip.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { TcpConnection, TcpHandlers } from '../net/network.js';
import { type Segment, systemError, type Transmit } from './packet.js';
import { TcpSender } from './tcp-sender.js';

/** What the system takes from a program at once; more than this counts as queued. */
const SYSTEM_BUFFER_BYTES = 65_536;

export interface VirtualTcpOptions {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly role: 'client' | 'server';
  /** Client only: how long to wait for the answer, in milliseconds. */
  readonly timeoutMs?: number;
  readonly scheduler: Scheduler;
  readonly transmit: Transmit;
  readonly nextSegmentBytes: () => number;
  readonly giveUpMs: number;
  readonly onClosed: (connection: VirtualTcpConnection) => void;
}

/** A TCP connection as one of its two hosts has it: bytes arrive in order and whole, or the connection ends. */
export class VirtualTcpConnection implements TcpConnection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #options: VirtualTcpOptions;
  readonly #sender: TcpSender;
  readonly #early = new Map<number, { readonly segment: Segment; readonly data: Uint8Array }>();
  #state: 'connecting' | 'open' | 'closing' | 'closed';
  #expected = 0;
  #outbox: Uint8Array[] = [];
  #endWanted = false;
  #handlers: TcpHandlers | undefined;
  #connectTimer: Cancel | undefined;

  constructor(options: VirtualTcpOptions) {
    this.#options = options;
    this.local = options.local;
    this.remote = options.remote;
    this.#sender = new TcpSender({
      scheduler: options.scheduler,
      transmit: (segment, data, settled) =>
        options.transmit({ protocol: 'tcp', from: this.local, to: this.remote, data, segment }, settled),
      nextSegmentBytes: options.nextSegmentBytes,
      giveUpMs: options.giveUpMs,
      onGiveUp: () => this.#fail('ETIMEDOUT', 'the far end does not answer'),
    });
    if (options.role === 'server') {
      this.#state = 'open';
      this.#expected = 1; // its SYN made this connection
      this.#sender.control('syn-ack');
    } else {
      this.#state = 'connecting';
      const timeoutMs = options.timeoutMs ?? 0;
      this.#connectTimer = options.scheduler.after(timeoutMs, () =>
        this.#fail('ETIMEDOUT', `no connection within ${timeoutMs} ms`),
      );
      this.#sender.control('syn');
    }
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get queuedBytes(): number {
    const waiting = this.#outbox.reduce((sum, data) => sum + data.length, 0);
    return waiting + Math.max(0, this.#sender.underWayBytes - SYSTEM_BUFFER_BYTES);
  }

  handle(handlers: TcpHandlers): void {
    this.#handlers ??= handlers;
  }

  send(data: Uint8Array): void {
    if (this.#endWanted || data.length === 0) return;
    if (this.#state === 'connecting') this.#outbox.push(data.slice());
    else if (this.#state === 'open') this.#sender.data(data);
  }

  end(): void {
    if (this.#endWanted) return;
    this.#endWanted = true;
    if (this.#state === 'open') this.#finish();
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'connecting') this.#sender.stop();
    else if (this.#state === 'open') this.#sender.control('fin');
    this.#close(undefined);
  }

  /** A segment of the far end has arrived, perhaps before its turn. */
  receive(segment: Segment, data: Uint8Array): void {
    if (segment.kind === 'rst') {
      if (this.#state === 'connecting') this.#fail('ECONNREFUSED', 'nobody listens there');
      else this.#fail('ECONNRESET', 'the far end has reset the connection');
      return;
    }
    if (segment.sequence < this.#expected) return;
    this.#early.set(segment.sequence, { segment, data });
    let chunks: Uint8Array[] = [];
    for (let next = this.#early.get(this.#expected); next !== undefined; next = this.#early.get(this.#expected)) {
      this.#early.delete(this.#expected++);
      if (next.segment.kind === 'data') {
        chunks.push(next.data);
        continue;
      }
      this.#deliver(chunks);
      chunks = [];
      if (next.segment.kind === 'syn-ack') this.#opened();
      else if (next.segment.kind === 'fin') this.#farEndFinished();
    }
    this.#deliver(chunks);
  }

  /** Both ends find the connection reset: a middlebox or an administrator has cut it. */
  reset(): void {
    if (this.#state === 'closed') return;
    const segment: Segment = { kind: 'rst', sequence: -1, attempt: 0 };
    this.#options.transmit({ protocol: 'tcp', from: this.local, to: this.remote, data: new Uint8Array(0), segment });
    this.#fail('ECONNRESET', 'the connection was cut');
  }

  /** The host has died: nothing is sent any more, and nobody is told. */
  vanish(): void {
    this.#state = 'closed';
    this.#connectTimer?.();
    this.#sender.stop();
  }

  /** Segments that unblock each other come as one read, as they do from a real socket. */
  #deliver(chunks: readonly Uint8Array[]): void {
    if (chunks.length === 0 || (this.#state !== 'open' && this.#state !== 'closing')) return;
    this.#handlers?.onData(Buffer.concat(chunks));
  }

  #opened(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    this.#connectTimer?.();
    for (const data of this.#outbox) this.#sender.data(data);
    this.#outbox = [];
    const { onOpen } = this.#handlers ?? {};
    if (this.#endWanted) this.#finish();
    onOpen?.();
  }

  #finish(): void {
    this.#state = 'closing';
    this.#sender.control('fin');
  }

  /** As a Node.js socket without `allowHalfOpen`: our own side ends too. */
  #farEndFinished(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'open') this.#sender.control('fin');
    this.#close(undefined);
  }

  #fail(code: string, text: string): void {
    this.#sender.stop();
    if (this.#state === 'closed') return;
    this.#close(systemError(code, `${text}: ${this.remote.address}:${this.remote.port}`));
  }

  /** What was sent before goes on being repeated until it arrives, as a real system does after `close`. */
  #close(error: Error | undefined): void {
    this.#state = 'closed';
    this.#connectTimer?.();
    this.#outbox = [];
    this.#options.onClosed(this);
    queueMicrotask(() => this.#handlers?.onClose(error));
  }
}
