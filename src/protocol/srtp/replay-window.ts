/** How many packets behind the newest one are still told apart; RFC 3711 §3.3.2 asks for 64 at least. */
export const WINDOW_PACKETS = 128;

const WORD_BITS = 32;
const WORDS = WINDOW_PACKETS / WORD_BITS;

/** Which packet indices have been seen: the replay list of RFC 3711 §3.3.2 as a sliding window. */
export class ReplayWindow {
  /** One bit for each index, at its low bits; a word is cleared when the window moves into it. */
  readonly #seen = new Uint32Array(WORDS + 1);
  #highest = -1;

  /** The newest index; −1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether the index is new: ahead of the window, or within it and not seen. Changes nothing. */
  isNew(index: number): boolean {
    if (index > this.#highest) return true;
    if (index <= this.#highest - WINDOW_PACKETS) return false;
    return ((this.#seen[this.#wordOf(index)] as number) & (1 << (index % WORD_BITS))) === 0;
  }

  /** Marks an index as seen, once its packet has been found genuine. */
  mark(index: number): void {
    if (index > this.#highest) this.#advance(index);
    const word = this.#wordOf(index);
    this.#seen[word] = (this.#seen[word] as number) | (1 << (index % WORD_BITS));
  }

  #advance(index: number): void {
    const from = this.#highest < 0 ? -1 : Math.floor(this.#highest / WORD_BITS);
    const to = Math.floor(index / WORD_BITS);
    if (to - from > WORDS) this.#seen.fill(0);
    else for (let word = from + 1; word <= to; word++) this.#seen[word % (WORDS + 1)] = 0;
    this.#highest = index;
  }

  #wordOf(index: number): number {
    return Math.floor(index / WORD_BITS) % (WORDS + 1);
  }
}
