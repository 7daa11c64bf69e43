import type { LinkConditions } from '../../src/testing/link.js';
import type { NatKind } from '../../src/testing/nat.js';
import type { SeededRandom } from '../../src/testing/seeded-random.js';

/** Where a phone stands: on the open network, behind a NAT box of its own, or with IPv6 only. */
export type Place =
  | { readonly kind: 'open' }
  | { readonly kind: 'nat'; readonly nat: NatKind }
  | { readonly kind: 'ipv6' };

export interface PhonePlan {
  readonly name: string;
  readonly number: string;
  readonly transport: 'udp' | 'tcp';
  readonly place: Place;
  /** Behind the record-routing edge proxy. */
  readonly edge: boolean;
  readonly link: LinkConditions;
}

/** What one seed stands for. */
export interface Plan {
  readonly phones: readonly PhonePlan[];
  readonly numbers: readonly string[];
  /** Of the PBX's own access, and of the edge's. */
  readonly link: LinkConditions;
  /** Virtual time during which things happen, in milliseconds. */
  readonly durationMs: number;
  /** The longest wait between two of them, in milliseconds. */
  readonly paceMs: number;
  /** Whether the PBX is closed or killed now and then, phones crash, and hosts are cut off. */
  readonly restarts: boolean;
  readonly crashes: boolean;
  readonly partitions: boolean;
  readonly noAnswerSeconds: number;
  /** Each access to the storage takes up to so many milliseconds; 0: none. */
  readonly storageMs: number;
}

const NATS: readonly NatKind[] = ['full-cone', 'address-restricted', 'port-restricted', 'symmetric'];
const DURATIONS_MS = [10_000, 30_000, 60_000, 120_000];
const PACES_MS = [60, 400, 1500, 4000];

/** Draws the office of a seed, and what happens to it. */
export function drawPlan(random: SeededRandom): Plan {
  const numbers = Array.from({ length: 2 + random.integer(4) }, (_, index) => String(100 + index));
  const harshness = pick(random, [0, 0, 0.3, 1]);
  const withEdge = random.chance(0.35);
  const count = Math.max(3 + random.integer(6), numbers.length);
  const phones = Array.from({ length: count }, (_, index): PhonePlan => {
    const number = numbers[index] ?? pick(random, numbers);
    const edge = withEdge && random.chance(0.5);
    const place = drawPlace(random, edge);
    // The edge speaks UDP alone.
    const transport = random.chance(0.3) && !edge ? 'tcp' : 'udp';
    return { name: `${number}${'abcdefgh'[index]}`, number, edge, place, transport, link: drawLink(random, harshness) };
  });
  const restarts = random.chance(0.25);
  const paceMs = pick(random, PACES_MS);
  return {
    phones,
    numbers,
    link: drawLink(random, harshness / 3),
    durationMs: Math.min(pick(random, DURATIONS_MS), 120 * paceMs),
    paceMs,
    restarts,
    crashes: random.chance(0.3),
    partitions: random.chance(0.4),
    noAnswerSeconds: 2 + random.integer(20),
    // A kill may then lose what the storage was told last: another matter, with other invariants.
    storageMs: restarts ? 0 : pick(random, [0, 0, 5, 80]),
  };
}

function drawPlace(random: SeededRandom, edge: boolean): Place {
  if (random.chance(0.35)) return { kind: 'nat', nat: pick(random, NATS) };
  return random.chance(0.2) && !edge ? { kind: 'ipv6' } : { kind: 'open' };
}

function drawLink(random: SeededRandom, harshness: number): LinkConditions {
  const shortest = random.between(0.5, 30);
  return {
    delayMs: [shortest, shortest + random.between(0.5, 20 + 100 * harshness)],
    loss: 0.2 * harshness * random.fraction(),
    duplicate: 0.1 * harshness * random.fraction(),
    reorder: 0.15 * harshness * random.fraction(),
  };
}

export function pick<Item>(random: SeededRandom, items: readonly Item[]): Item {
  return items[random.integer(items.length)] as Item;
}
