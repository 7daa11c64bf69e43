/** A power of two, more than MAX_MISORDER of the sequence tracker: what comes late still finds its slot. */
const SLOTS = 128;
const NONE = 0xffffffff;

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
  /** By the low bits of the sequence number, the number itself; an old one in its slot means that this one has not come. */
  readonly #seen = new Uint32Array(SLOTS).fill(NONE);
  readonly #settled: LossCount = { lost: 0, bursts: 0, longestBurst: 0 };
  #first = 0;
  #highest = -1;
  /** The lowest number about which nothing is decided yet. */
  #open = 0;
  /** Lost in a row up to `#open`. */
  #run = 0;

  /** How many packets should have come since the first. */
  get expected(): number {
    return this.#highest - this.#first + 1;
  }

  /** Begins anew at `first`; nothing of what came before counts. */
  begin(first: number): void {
    this.#seen.fill(NONE);
    this.#settled.lost = 0;
    this.#settled.bursts = 0;
    this.#settled.longestBurst = 0;
    this.#first = first;
    this.#highest = first - 1;
    this.#open = first;
    this.#run = 0;
  }

  /** Takes a packet that has come; false for one that has come before. At most 127 behind the highest. */
  take(sequence: number): boolean {
    const slot = sequence & (SLOTS - 1);
    if (sequence > this.#highest) this.#advance(sequence);
    else if (this.#seen[slot] === sequence) return false;
    this.#seen[slot] = sequence;
    return true;
  }

  /** Adds to `count` what is lost so far, taking what has not come by now for lost. */
  addTo(count: LossCount): void {
    const { lost, bursts, longestBurst } = this.#settled;
    count.lost += lost;
    count.bursts += bursts;
    count.longestBurst = Math.max(count.longestBurst, longestBurst);
    let run = this.#run;
    for (let sequence = this.#open; sequence <= this.#highest; sequence++) {
      if (this.#seen[sequence & (SLOTS - 1)] === sequence) run = 0;
      else {
        run++;
        if (run === 1) count.bursts++;
        count.lost++;
        count.longestBurst = Math.max(count.longestBurst, run);
      }
    }
  }

  #advance(highest: number): void {
    const closing = highest - SLOTS;
    const known = Math.min(closing, this.#highest);
    while (this.#open <= known) {
      if (this.#seen[this.#open & (SLOTS - 1)] === this.#open) this.#run = 0;
      else this.#lose(1);
      this.#open++;
    }
    // Whatever lies between the old highest and the window has never been seen.
    if (this.#open <= closing) {
      this.#lose(closing - this.#open + 1);
      this.#open = closing + 1;
    }
    this.#highest = highest;
  }

  #lose(packets: number): void {
    const { lost, bursts, longestBurst } = this.#settled;
    this.#settled.lost = lost + packets;
    if (this.#run === 0) this.#settled.bursts = bursts + 1;
    this.#run += packets;
    this.#settled.longestBurst = Math.max(longestBurst, this.#run);
  }
}
