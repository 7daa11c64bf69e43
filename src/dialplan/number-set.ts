import { applyTransform, type Transform } from './transform.js';

/** All numbers that begin with `known`; with `exact` only that one. */
export interface NumberSet {
  readonly known: string;
  readonly exact: boolean;
}

/** The numbers that a transformation makes of a set: perhaps some more, never fewer. */
export interface ChangedSet extends NumberSet {
  /** By how many digits a number grows at most; below 0 each number shrinks by that at least. */
  readonly growth: number;
}

/** Longer beginnings are forgotten, so that there are only so many sets, however often digits are inserted. */
const LONGEST_KNOWN = 32;

/** What a transformation makes of all numbers of a set. */
export function transformSet(transform: Transform, set: NumberSet): ChangedSet {
  const changed = set.exact ? exactly(transform, set.known) : openly(transform, set.known);
  if (changed.known.length <= LONGEST_KNOWN) return changed;
  return { ...changed, known: changed.known.slice(0, LONGEST_KNOWN), exact: false };
}

function exactly(transform: Transform, number: string): ChangedSet {
  const changed = applyTransform(transform, number);
  return { known: changed, exact: true, growth: changed.length - number.length };
}

/** The numbers are at least as long as `known`; what follows it is not known. */
function openly(transform: Transform, known: string): ChangedSet {
  switch (transform.type) {
    case 'delete':
      return splice(known, transform.start, transform.length, '');
    case 'insert':
      return splice(known, transform.start, 0, transform.digits);
    case 'replace':
      return splice(known, transform.start, transform.length, transform.digits);
    case 'append':
      return { known, exact: false, growth: transform.digits.length };
    case 'keep':
      return 'first' in transform ? keepFirst(known, transform.first) : keepLast(known, transform.last);
    case 'sequence': {
      let set: ChangedSet = { known, exact: false, growth: 0 };
      for (const step of transform.steps) {
        const next = set.exact ? exactly(step, set.known) : openly(step, set.known);
        set = { ...next, growth: set.growth + next.growth };
      }
      return set;
    }
  }
}

function splice(known: string, start: number, length: number, digits: string): ChangedSet {
  const removed = Math.max(0, Math.min(known.length, start + length) - start);
  const growth = digits.length - removed;
  if (start > known.length) return { known, exact: false, growth };
  return { known: known.slice(0, start) + digits + known.slice(start + length), exact: false, growth };
}

function keepFirst(known: string, first: number): ChangedSet {
  if (first > known.length) return { known, exact: false, growth: 0 };
  return { known: known.slice(0, first), exact: true, growth: first - known.length };
}

function keepLast(known: string, last: number): ChangedSet {
  return { known: '', exact: last === 0, growth: Math.min(0, last - known.length) };
}
