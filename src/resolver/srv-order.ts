import type { Random } from '../base/random.js';
import type { SrvRecord } from '../net/dns.js';

/**
 * The order in which the records are to be tried (RFC 2782 "Usage rules"): by priority, and among those of one priority
 * drawn by weight, so that each comes first as often as its share of the weights. A record of weight 0 beside others has
 * a very small chance.
 */
export function orderSrv(records: readonly SrvRecord[], random: Random): readonly SrvRecord[] {
  const ordered: SrvRecord[] = [];
  const sorted = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1;
    while (end < sorted.length && sorted[end]?.priority === sorted[start]?.priority) end++;
    draw(sorted.slice(start, end), random, ordered);
    start = end;
  }
  return ordered;
}

/** The number that is drawn is none of whole steps: small weights would not get their share. */
const STEPS = 100;

/** `group` begins with the records of weight 0: "a very small chance of being selected". */
function draw(group: SrvRecord[], random: Random, into: SrvRecord[]): void {
  let total = group.reduce((sum, { weight }) => sum + weight, 0);
  while (group.length > 0) {
    // Without any weight there is nothing to draw by: the records share alike.
    const chosen =
      total === 0 ? random.integer(group.length) : indexAt(group, random.integer(total * STEPS + 1) / STEPS);
    const [record] = group.splice(chosen, 1);
    if (record === undefined) return;
    total -= record.weight;
    into.push(record);
  }
}

/** The first record whose running sum reaches `drawn`. */
function indexAt(group: readonly SrvRecord[], drawn: number): number {
  let sum = 0;
  for (const [i, { weight }] of group.entries()) {
    sum += weight;
    if (sum >= drawn) return i;
  }
  return group.length - 1;
}
