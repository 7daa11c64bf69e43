/** How far `to` is ahead of `from` on the circle of sequence numbers: −32768 to 32767. */
export function sequenceDelta(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** How far `to` is ahead of `from` on the circle of timestamps: −2³¹ to 2³¹ − 1. */
export function timestampDelta(from: number, to: number): number {
  return (to - from) | 0;
}

/** The sequence number with its count of cycles that is nearest to `reference`, itself an extended one (RFC 3550 §6.4.1). */
export function extendSequence(reference: number, sequence: number): number {
  return reference + sequenceDelta(reference & 0xffff, sequence);
}

/**
 * What a sequence number means to its source (RFC 3550 §A.1). `unproven`: the source is on probation; `proven`: this packet ended the
 * probation; `newest`: ahead of all before; `old`: reordered or a duplicate; `stray`: too far away, not counted; `restart`: the second
 * in a row there, so the source has begun anew and what was counted before does not hold for it.
 */
export type SequenceVerdict = 'unproven' | 'proven' | 'newest' | 'old' | 'stray' | 'restart';

/** So many packets in sequence make a source valid. */
export const MIN_SEQUENTIAL = 2;
/** A gap of so many packets or more is no loss, it is another sequence. */
const MAX_DROPOUT = 3000;
/** A packet that is so many behind or more is no late one, it is of another sequence. */
const MAX_MISORDER = 100;

const SEQUENCES = 0x10000;

/** The validity of sequence numbers of one source, and their extension by cycles: `update_seq` of RFC 3550 §A.1. */
export class SequenceTracker {
  #probation = MIN_SEQUENTIAL;
  /** Extended. */
  #highest = -1;
  /** What would follow a stray packet; −1: none. */
  #expectedStray = -1;

  /** False while the source is on probation. */
  get valid(): boolean {
    return this.#probation === 0;
  }

  /**
   * The highest sequence number of this run of the source with its count of cycles above the low 16 bits; −1 before the first packet.
   * That count begins at one, so that what comes late at the very start of a run does not fall below 0.
   */
  get highest(): number {
    return this.#highest;
  }

  /** Takes the next sequence number that has come. */
  receive(sequence: number): SequenceVerdict {
    if (this.#probation > 0) return this.#prove(sequence);
    const ahead = (sequence - this.#highest) & 0xffff;
    if (ahead === 0) return 'old';
    if (ahead < MAX_DROPOUT) {
      this.#highest += ahead;
      return 'newest';
    }
    if (ahead > SEQUENCES - MAX_MISORDER) return 'old';
    if (sequence === this.#expectedStray) {
      this.#begin(sequence);
      return 'restart';
    }
    this.#expectedStray = (sequence + 1) & 0xffff;
    return 'stray';
  }

  #prove(sequence: number): SequenceVerdict {
    const inSequence = this.#highest >= 0 && sequence === ((this.#highest + 1) & 0xffff);
    this.#probation = inSequence ? this.#probation - 1 : MIN_SEQUENTIAL - 1;
    this.#begin(sequence);
    return this.#probation === 0 ? 'proven' : 'unproven';
  }

  #begin(sequence: number): void {
    this.#highest = SEQUENCES + sequence;
    this.#expectedStray = -1;
  }
}
