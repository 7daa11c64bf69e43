import { type NumberSet, transformSet } from './number-set.js';
import { ANY, type Linked, PrefixTable, samePrefix } from './prefix-table.js';
import type { CalledRecord, TimedTable } from './tables.js';
import type { Transform } from './transform.js';

/** Past this many, sets of numbers are told apart by their rule alone. */
const MAX_NODES = 20_000;

/** A rule with the numbers that come to it, or numbers on their way to the rules that may match them. */
interface Node {
  readonly record: CalledRecord | undefined;
  readonly edges: { readonly to: number; readonly growth: number }[];
}

/**
 * The rings of rules through which a number may be led without end. Found without trying numbers: sets of numbers with a known
 * beginning are led through the rules. A ring that shortens the number each time ends by itself and is no loop. When nothing is found
 * there is no loop; what is found may need times of day that never come together.
 */
export function findLoops(table: TimedTable<CalledRecord>): CalledRecord[][] {
  const nodes = graphOf(table);
  const loops: CalledRecord[][] = [];
  const cut = new Set<CalledRecord>();
  for (;;) {
    const ring = findRing(nodes, cut);
    if (ring === undefined) return loops;
    const records = fromFirst([...new Set(ring.flatMap((node) => nodes[node]?.record ?? []))]);
    const [first] = records;
    if (first === undefined) return loops;
    loops.push(records);
    cut.add(first);
  }
}

/** The same ring, told from the rule that was written first. */
function fromFirst(ring: readonly CalledRecord[]): CalledRecord[] {
  const indexes = ring.map(({ index }) => index);
  const start = indexes.indexOf(Math.min(...indexes));
  return [...ring.slice(start), ...ring.slice(0, start)];
}

function graphOf(table: TimedTable<CalledRecord>): readonly Node[] {
  const leadingOn = allOf(table).filter(({ route }) => route === undefined);
  const again = new PrefixTable(leadingOn);
  const nodes: Node[] = [];
  const ids = new Map<string, number>();
  const waiting: (() => void)[] = [];

  const nodeOf = (record: CalledRecord | undefined, set: NumberSet, expand: (node: Node) => void): number => {
    const key = `${record?.path ?? ''} ${set.exact} ${set.known}`;
    const known = ids.get(key);
    if (known !== undefined) return known;
    const node: Node = { record, edges: [] };
    ids.set(key, nodes.length);
    waiting.push(() => expand(node));
    return nodes.push(node) - 1;
  };
  const ruleNode = (record: CalledRecord, set: NumberSet): number => {
    const at = nodes.length < MAX_NODES ? set : { known: prefixOf(record), exact: false };
    return nodeOf(record, at, ({ edges }) => {
      const { growth, ...changed } = transformSet(record.transform?.transform as Transform, at);
      edges.push({ to: numbersNode(changed), growth });
    });
  };
  const numbersNode = (set: NumberSet): number =>
    nodeOf(undefined, set, ({ edges }) => {
      const to = (record: CalledRecord, known: string) =>
        edges.push({ to: ruleNode(record, { known, exact: set.exact }), growth: 0 });
      for (const record of matching(table.longest(set.known))) if (record.route === undefined) to(record, set.known);
      if (set.exact) return;
      for (const first of again.under(set.known)) for (const record of samePrefix(first)) to(record, first.prefix);
    });

  for (const record of leadingOn) ruleNode(record, { known: prefixOf(record), exact: false });
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) next();
  return nodes;
}

/** All rules of a table. */
function allOf(table: TimedTable<CalledRecord>): CalledRecord[] {
  const any = table.longest('');
  return [...(any === undefined ? [] : [any]), ...table.under('')].flatMap(samePrefix);
}

/** The rules that may take a number, by the time of day: up to the first one that always holds. */
function* matching(longest: Linked<CalledRecord> | undefined): Iterable<CalledRecord> {
  for (let record = longest; record !== undefined; record = record.next) {
    yield record;
    if (record.hours === undefined) return;
  }
}

function prefixOf({ prefix }: CalledRecord): string {
  return prefix === ANY ? '' : prefix;
}

/**
 * A ring on which the growths add up to 0 or more, by Bellman and Ford: each edge counts for its growth, and for a trifle more, so
 * that a sum of 0 is positive too. A ring of predecessors is such a ring.
 */
function findRing(nodes: readonly Node[], cut: ReadonlySet<CalledRecord>): number[] | undefined {
  const length = new Array<number>(nodes.length).fill(0);
  const before = new Array<number>(nodes.length).fill(-1);
  for (let changed = true; changed; ) {
    changed = false;
    nodes.forEach(({ record, edges }, from) => {
      if (record !== undefined && cut.has(record)) return;
      for (const { to, growth } of edges) {
        const longer = (length[from] as number) + growth * (nodes.length + 1) + 1;
        if (longer <= (length[to] as number)) continue;
        length[to] = longer;
        before[to] = from;
        changed = true;
      }
    });
    const ring = changed ? ringOf(before) : undefined;
    if (ring !== undefined) return ring;
  }
  return undefined;
}

/** The nodes of a ring among predecessors, in the order of the way. */
function ringOf(before: readonly number[]): number[] | undefined {
  const seenFrom = new Array<number>(before.length).fill(-1);
  for (let start = 0; start < before.length; start++) {
    let node = start;
    while (node >= 0 && seenFrom[node] === -1) {
      seenFrom[node] = start;
      node = before[node] as number;
    }
    if (node < 0 || seenFrom[node] !== start) continue;
    const ring = [node];
    for (let at = before[node] as number; at !== node; at = before[at] as number) ring.unshift(at);
    return ring;
  }
  return undefined;
}
