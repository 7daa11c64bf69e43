import { normalizeHost, type SocketAddress, sameAddress } from '../../base/ip.js';

/** So many packets in a row, from one place and nothing between them from another, make it the peer's. */
const PACKETS_TO_LOCK = 4;

/**
 * From where a peer's media may come, and so where ours goes (symmetric RTP, RFC 4961): the described address, or any port of that IP
 * address or of the one that its signalling came from (RFC 7362 §4), once several packets in a row have come from there. Then it is
 * locked: nobody else is heard, and nobody can draw the stream to themselves, until the peer describes itself anew.
 */
export class RemoteLock {
  #described: SocketAddress | undefined;
  #alsoFrom: string | undefined;
  #target: SocketAddress | undefined;
  #locked = false;
  #candidate: SocketAddress | undefined;
  #inARow = 0;
  #strangers = 0;

  /** Where to send; undefined while nothing is known. */
  get target(): SocketAddress | undefined {
    return this.#target;
  }

  get locked(): boolean {
    return this.#locked;
  }

  /** Packets from elsewhere: dropped. */
  get strangers(): number {
    return this.#strangers;
  }

  /** Whether the peer may be at this IP address: for what is not worth a lock of its own. */
  knows(address: string): boolean {
    return address === this.#target?.address || this.#mayLearn(address);
  }

  /** The peer has described where it receives; absent: nowhere for now (a hold of the old kind). `alsoFrom`: its signalling's IP address. */
  describe(described: SocketAddress | undefined, alsoFrom: string | undefined): void {
    const same = described !== undefined && this.#described !== undefined && sameAddress(described, this.#described);
    this.#described = described;
    this.#alsoFrom = alsoFrom === undefined ? undefined : normalizeHost(alsoFrom);
    // The same words mean a session refresh: whoever was learned behind a NAT is still the best that we know.
    if (!same || this.#target === undefined) this.#target = described;
    this.#locked = false;
    this.#candidate = undefined;
    this.#inARow = 0;
  }

  /** Whether a packet from there may be the peer's; counts it if not. */
  mayAccept(from: SocketAddress): boolean {
    const may = this.#isTarget(from) || (!this.#locked && this.#mayLearn(from.address));
    if (!may) this.#strangers++;
    return may;
  }

  /** Whether a packet from there, which `mayAccept` lets through, is the peer's. */
  accept(from: SocketAddress): boolean {
    return this.#locked || this.#learn(from) || this.#isTarget(from);
  }

  #isTarget(from: SocketAddress): boolean {
    const target = this.#target;
    return target !== undefined && target.port === from.port && target.address === from.address;
  }

  #mayLearn(address: string): boolean {
    const host = normalizeHost(address);
    if (host === this.#alsoFrom) return true;
    return this.#described !== undefined && host === normalizeHost(this.#described.address);
  }

  /** True once `from` is locked. */
  #learn(from: SocketAddress): boolean {
    const candidate = this.#candidate;
    if (candidate?.port !== from.port || candidate.address !== from.address) {
      this.#candidate = from;
      this.#inARow = 0;
    }
    if (++this.#inARow < PACKETS_TO_LOCK) return false;
    this.#target = from;
    this.#locked = true;
    return true;
  }
}
