/** Samples in the order in which they came. Grows as needed: whoever writes keeps an eye on `length`. */
export class SampleQueue {
  #ring: Int16Array;
  #head = 0;
  #length = 0;

  constructor(capacity = 1024) {
    this.#ring = new Int16Array(capacity);
  }

  /** Samples that wait. */
  get length(): number {
    return this.#length;
  }

  write(pcm: Int16Array): void {
    if (this.#length + pcm.length > this.#ring.length) this.#grow(this.#length + pcm.length);
    const at = (this.#head + this.#length) % this.#ring.length;
    const first = Math.min(pcm.length, this.#ring.length - at);
    this.#ring.set(pcm.subarray(0, first), at);
    if (first < pcm.length) this.#ring.set(pcm.subarray(first), 0);
    this.#length += pcm.length;
  }

  /** Takes what fits into `out`, or what there is; returns how many samples. */
  read(out: Int16Array): number {
    const count = Math.min(out.length, this.#length);
    let at = this.#head;
    for (let i = 0; i < count; i++) {
      out[i] = this.#ring[at++] ?? 0;
      if (at === this.#ring.length) at = 0;
    }
    this.drop(count);
    return count;
  }

  /** Throws away the oldest. */
  drop(count: number): void {
    const dropped = Math.min(count, this.#length);
    this.#head = (this.#head + dropped) % this.#ring.length;
    this.#length -= dropped;
  }

  clear(): void {
    this.#head = 0;
    this.#length = 0;
  }

  #grow(needed: number): void {
    let capacity = this.#ring.length;
    while (capacity < needed) capacity *= 2;
    const ring = new Int16Array(capacity);
    const count = this.#length;
    this.read(ring);
    this.#ring = ring;
    this.#head = 0;
    this.#length = count;
  }
}
