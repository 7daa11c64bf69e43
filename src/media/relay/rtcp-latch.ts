import type { Millis } from '../../base/clock.js';
import type { SocketAddress } from '../../base/ip.js';
import type { SourceLatch } from './source-latch.js';

/** More than two of RTCP's usual intervals (RFC 3550 §6.2). */
const SILENT_MS = 12_000;

/**
 * Where one peer sends and wants its RTCP, where that has a port of its own. It follows RTP: once that has been learned, RTCP comes from
 * the same host or is a stranger's. Its port is known by the first packet, because a second one takes five seconds.
 */
export class RtcpLatch {
  readonly #rtp: SourceLatch;
  #described: SocketAddress | undefined;
  #locked: SocketAddress | undefined;
  #heardAt: Millis = Number.NEGATIVE_INFINITY;

  constructor(rtp: SourceLatch) {
    this.#rtp = rtp;
  }

  describe(described: SocketAddress | undefined): void {
    if (described?.address === this.#described?.address && described?.port === this.#described?.port) return;
    this.#described = described;
    this.#locked = undefined;
  }

  /** Where to send: what was learned; else beside RTP's learned address; else what was described. */
  get target(): SocketAddress | undefined {
    const rtp = this.#rtp.locked;
    if (this.#locked !== undefined && (rtp === undefined || rtp.address === this.#locked.address)) return this.#locked;
    if (rtp === undefined || this.#described === undefined || rtp.address === this.#described.address) {
      return this.#described;
    }
    return { address: rtp.address, port: Math.min(rtp.port + 1, 65_535) };
  }

  /** Whether an RTCP packet is the peer's. */
  receive(from: SocketAddress, now: Millis): boolean {
    const rtp = this.#rtp.locked;
    const isHost = rtp === undefined ? this.#rtp.allows(from.address) : rtp.address === from.address;
    if (!isHost && !this.#isDescribed(from)) return false;
    const locked = this.#locked;
    if (locked !== undefined && locked.port === from.port && locked.address === from.address) {
      this.#heardAt = now;
      return true;
    }
    const movedAway = locked !== undefined && rtp !== undefined && rtp.address !== locked.address;
    if (locked !== undefined && !movedAway && now - this.#heardAt < SILENT_MS) return false;
    this.#locked = { address: from.address, port: from.port };
    this.#heardAt = now;
    return true;
  }

  #isDescribed(from: SocketAddress): boolean {
    return this.#described?.port === from.port && this.#described.address === from.address;
  }
}
