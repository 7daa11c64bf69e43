import type { Material } from '../input/mutate.js';

/** Something that reads what peers send. */
export interface FuzzTarget {
  readonly name: string;
  /** How many of a million inputs are for it, in thousands. */
  readonly share: number;
  readonly material: Material;
  /**
   * Reads `input` and uses what came of it. A clean refusal is fine; whatever this throws is a finding. A pure function:
   * the same bytes always give the same outcome.
   */
  check(input: Uint8Array): void;
}

/** A promise of the parser that was not kept. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/** @throws Broken */
export function hold(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new Broken(promise);
}

/** What `work` gives; undefined where it refuses with an error of that class. Any other error goes on. */
export function refusedAs<T>(refusal: abstract new (...args: never[]) => Error, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof refusal) return undefined;
    throw error;
  }
}

/** The input as a text, in both ways in which bytes become text. */
export function textsOf(input: Uint8Array): readonly string[] {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length);
  const [latin1, utf8] = [bytes.toString('latin1'), bytes.toString('utf8')];
  return latin1 === utf8 ? [latin1] : [latin1, utf8];
}

/** No CR, LF or NUL: what was printed stays one line. */
export function isOneLine(text: string): boolean {
  return !text.includes('\r') && !text.includes('\n') && !text.includes('\0');
}
