import type { Millis } from '../../base/clock.js';
import { normalizeHost, type SocketAddress } from '../../base/ip.js';
import { sequenceOf, ssrcOf } from '../../protocol/rtp/packet.js';
import { sequenceDelta } from '../../protocol/rtp/sequence.js';

/** How a peer's true address is found out by its packets. */
export interface LearningRule {
  /** So many consecutive packets of one source make an address the peer's: of one SSRC, with rising sequence numbers. */
  readonly packets: number;
  /** A learned address must have been silent so long before another port or host can take its place (a NAT that rebinds). */
  readonly silentMs: number;
  /** Any host may be learned, not only those that the signalling names: the door for RTP bleed (RFC 7362 §5). */
  readonly fromAnywhere: boolean;
}

/**
 * What becomes of a packet. `taken`: it is the peer's; `learning`: it may be, too few have come to say;
 * `stranger`: it comes from an address that is not the peer's and cannot become it.
 */
export type SourceVerdict = 'taken' | 'learning' | 'stranger';

/** One address is watched at a time; it makes room when nothing more has come from it for so long. */
const CANDIDATE_MS = 200;

const NEVER = Number.NEGATIVE_INFINITY;

/**
 * Symmetric RTP (RFC 4961) through NAT by latching (RFC 7362 §4): where one peer is. It is where its description says, until packets come
 * from another port or host that may be its own: the host of the description or the one that its signalling was seen to come from.
 * Then the address is locked; what others send is nobody's.
 */
export class SourceLatch {
  readonly #rule: LearningRule;
  #described: SocketAddress | undefined;
  #hosts: readonly string[] = [];
  #locked: SocketAddress | undefined;
  #heardAt: Millis = NEVER;
  #candidate: SocketAddress | undefined;
  #candidateAt: Millis = NEVER;
  #ssrc = 0;
  #sequence = 0;
  #inRow = 0;

  constructor(rule: LearningRule) {
    this.#rule = rule;
  }

  /**
   * What the peer's description says now (undefined: nowhere), and the host of its signalling, if known. Another address than before
   * is learned anew; the same one leaves what was learned.
   */
  describe(described: SocketAddress | undefined, signalling: string | undefined): void {
    const moved = !isSame(this.#described, described);
    this.#described = described;
    this.#hosts = [described?.address, signalling].filter((host) => host !== undefined).map(normalizeHost);
    if (!moved && (this.#locked === undefined || this.allows(this.#locked.address))) return;
    this.#locked = undefined;
    this.#candidate = undefined;
  }

  /** When a packet was last taken for the peer's; −∞: never. */
  get heardAt(): Millis {
    return this.#heardAt;
  }

  /** The learned address. */
  get locked(): SocketAddress | undefined {
    return this.#locked;
  }

  /** Where to send: what was learned, else what was described. */
  get target(): SocketAddress | undefined {
    return this.#locked ?? this.#described;
  }

  /** Whether a host is one from which the peer may be learned. `host` as the system writes it. */
  allows(host: string): boolean {
    return this.#rule.fromAnywhere || this.#hosts.includes(host);
  }

  /** Whether a packet that cannot teach us the address may be the peer's all the same. */
  knows(from: SocketAddress): boolean {
    return this.#locked === undefined ? this.allows(from.address) : isSame(this.#locked, from);
  }

  /** An RTP packet (`isRtpHeader`) has come. */
  receive(data: Uint8Array, from: SocketAddress, now: Millis): SourceVerdict {
    const locked = this.#locked;
    if (locked !== undefined && locked.port === from.port && locked.address === from.address) {
      this.#heardAt = now;
      return 'taken';
    }
    return this.#judge(from, ssrcOf(data), sequenceOf(data), now);
  }

  /** A datagram of a protocol without sequence numbers has come. */
  receiveDatagram(from: SocketAddress, now: Millis): SourceVerdict {
    if (this.#locked !== undefined && isSame(this.#locked, from)) {
      this.#heardAt = now;
      return 'taken';
    }
    return this.#judge(from, 0, (this.#sequence + 1) & 0xffff, now);
  }

  #judge(from: SocketAddress, ssrc: number, sequence: number, now: Millis): SourceVerdict {
    const free = this.#locked === undefined;
    // The very address that the peer's signalling names may be learned at any time.
    const asDescribed = isSame(this.#described, from);
    if (!asDescribed) {
      if (!this.allows(from.address)) return 'stranger';
      if (!free && now - this.#heardAt < this.#rule.silentMs) return 'stranger';
    }
    if (this.#learn(from, ssrc, sequence, now, asDescribed)) return 'taken';
    if (!asDescribed || !free) return 'learning';
    this.#heardAt = now;
    return 'taken';
  }

  /** Counts a packet of a possible peer; true when it was the last one needed. */
  #learn(from: SocketAddress, ssrc: number, sequence: number, now: Millis, asDescribed: boolean): boolean {
    if (this.#candidate === undefined || !isSame(this.#candidate, from)) {
      const busy = this.#candidate !== undefined && now - this.#candidateAt < CANDIDATE_MS;
      if (busy && !asDescribed) return false;
      this.#candidate = { address: from.address, port: from.port };
      this.#inRow = 1;
    } else if (ssrc === this.#ssrc && sequenceDelta(this.#sequence, sequence) > 0) this.#inRow++;
    else this.#inRow = 1;
    this.#ssrc = ssrc;
    this.#sequence = sequence;
    this.#candidateAt = now;
    if (this.#inRow < this.#rule.packets) return false;
    this.#locked = this.#candidate;
    this.#candidate = undefined;
    this.#heardAt = now;
    return true;
  }
}

function isSame(a: SocketAddress | undefined, b: SocketAddress | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.port === b.port && a.address === b.address);
}
