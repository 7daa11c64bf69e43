/** More than MAX_MISORDER of the sequence tracker: what comes late still finds its place. */
const WINDOW = 128;

/** What is lost, once it cannot come any more. */
export interface LossCount {
  /** Packets. */
  lost: number;
  /** Groups of packets lost in a row. */
  bursts: number;
  /** The longest such group, in packets. */
  longestBurst: number;
}

/**
 * Which of the latest sequence numbers of a source have come: tells duplicates from late packets, and counts losses when they can no
 * longer be made good. Works on extended sequence numbers.
 */
export class LossWindow {
  /**
   * A bit for each of the latest 128 numbers: those of `#newest` are the highest number (bit 0) to the one 31 below it, and so on. Four
   * small integers and no array, which would be three objects more for every stream to keep and for every packet to reach.
   */
  #newest = 0;
  #newer = 0;
  #older = 0;
  #oldest = 0;
  #first = 0;
  #highest = -1;
  /** Lost in a row, just below the window. */
  #run = 0;
  /** Of what lies below the window. */
  #lost = 0;
  #bursts = 0;
  #longestBurst = 0;

  /** How many packets should have come since the first. */
  get expected(): number {
    return this.#highest - this.#first + 1;
  }

  /** Begins anew at `first`; nothing of what came before counts. */
  begin(first: number): void {
    this.#newest = 0;
    this.#newer = 0;
    this.#older = 0;
    this.#oldest = 0;
    this.#lost = 0;
    this.#bursts = 0;
    this.#longestBurst = 0;
    this.#first = first;
    this.#highest = first - 1;
    this.#run = 0;
  }

  /** Takes a packet that has come; false for one that has come before. At most 127 behind the highest. */
  take(sequence: number): boolean {
    if (sequence > this.#highest) {
      this.#advance(sequence);
      this.#newest |= 1;
      return true;
    }
    const behind = this.#highest - sequence;
    if (this.#has(behind)) return false;
    this.#mark(behind);
    return true;
  }

  /** Adds to `count` what is lost so far, taking what has not come by now for lost. */
  addTo(count: LossCount): void {
    count.lost += this.#lost;
    count.bursts += this.#bursts;
    count.longestBurst = Math.max(count.longestBurst, this.#longestBurst);
    let run = this.#run;
    for (let behind = Math.min(WINDOW, this.expected) - 1; behind >= 0; behind--) {
      if (this.#has(behind)) run = 0;
      else {
        run++;
        if (run === 1) count.bursts++;
        count.lost++;
        count.longestBurst = Math.max(count.longestBurst, run);
      }
    }
  }

  #advance(highest: number): void {
    const steps = highest - this.#highest;
    for (let step = Math.min(steps, WINDOW); step > 0; step--) this.#step();
    // Whatever lies between the old highest and the window has never been seen.
    if (steps > WINDOW) this.#lose(steps - WINDOW);
    this.#highest = highest;
  }

  /** Moves the window on by one. */
  #step(): void {
    // The sign is the bit that leaves.
    if (this.#oldest < 0) this.#run = 0;
    else if (this.#highest - this.#first >= WINDOW - 1) this.#lose(1);
    this.#highest++;
    this.#oldest = (this.#oldest << 1) | (this.#older >>> 31);
    this.#older = (this.#older << 1) | (this.#newer >>> 31);
    this.#newer = (this.#newer << 1) | (this.#newest >>> 31);
    this.#newest <<= 1;
  }

  #lose(packets: number): void {
    this.#lost += packets;
    if (this.#run === 0) this.#bursts++;
    this.#run += packets;
    this.#longestBurst = Math.max(this.#longestBurst, this.#run);
  }

  /** A shift takes the low five bits of its count. */
  #has(behind: number): boolean {
    const word = behind < 32 ? this.#newest : behind < 64 ? this.#newer : behind < 96 ? this.#older : this.#oldest;
    return ((word >>> behind) & 1) === 1;
  }

  #mark(behind: number): void {
    const bit = 1 << behind;
    if (behind < 32) this.#newest |= bit;
    else if (behind < 64) this.#newer |= bit;
    else if (behind < 96) this.#older |= bit;
    else this.#oldest |= bit;
  }
}
