/** Something that holds bytes of a peer, and can be told to let go of them. */
export interface BufferHolder {
  /** Bytes held now. */
  readonly heldBytes: number;
  /** Ends it: all that connections hold together is too much, and this one holds most. */
  relieve(): void;
}

/** After a relief the sum is this part of the limit at most, so that the next is not due at once. */
const RELIEVED_PART = 7 / 8;

/**
 * What all connections together may hold of messages that are not complete and bytes that a peer does not take. Beyond
 * it those that hold most are closed: a peer that means well holds little, and not for long.
 */
export class BufferBudget {
  readonly #limitBytes: number;
  readonly #held = new Map<BufferHolder, number>();
  #sum = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** What was told last; a peer that has read since may hold less. */
  get sum(): number {
    return this.#sum;
  }

  /** To be called when a holder has taken bytes. One that holds nothing costs nothing. */
  update(holder: BufferHolder): void {
    this.#set(holder, holder.heldBytes);
    if (this.#sum > this.#limitBytes) this.#relieve();
  }

  /** It holds nothing any more. */
  release(holder: BufferHolder): void {
    this.#set(holder, 0);
  }

  #set(holder: BufferHolder, bytes: number): void {
    const before = this.#held.get(holder) ?? 0;
    if (bytes === before) return;
    this.#sum += bytes - before;
    if (bytes === 0) this.#held.delete(holder);
    else this.#held.set(holder, bytes);
  }

  #relieve(): void {
    for (const holder of [...this.#held.keys()]) this.#set(holder, holder.heldBytes);
    if (this.#sum <= this.#limitBytes) return;
    const largest = [...this.#held].sort(([, a], [, b]) => b - a);
    for (const [holder] of largest) {
      if (this.#sum <= this.#limitBytes * RELIEVED_PART) return;
      this.release(holder);
      holder.relieve();
    }
  }
}
