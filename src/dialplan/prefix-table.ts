/** The prefix that every number has. Only alone: in `*90` the star is the key of the phone. */
export const ANY = '*';

/** A row of a table, found by its prefix. */
export interface Row {
  readonly prefix: string;
}

/** A row with what else fits the same numbers: a later row with this prefix, or one with the next shorter prefix. */
export type Linked<T extends Row> = T & { readonly next: Linked<T> | undefined };

/**
 * The longest prefix wins. A trie: a look-up takes as many steps as the longest matching prefix has characters, however many prefixes
 * there are. `*` alone is the prefix of every number, and the shortest one. Prefixes are ASCII.
 */
export class PrefixTable<T extends Row> {
  /** The column of an ASCII character; 0: no prefix has it. */
  readonly #columns = new Uint8Array(128);
  /** For each node, by column: the next node, or 0. In one array, to be near each other in memory. */
  readonly #next: Uint16Array | Uint32Array;
  readonly #width: number;
  readonly #rows: (Linked<T> | undefined)[] = [undefined];

  /** Of rows with one prefix the first one is found first. */
  constructor(rows: Iterable<T>) {
    const byLength = [...rows].reverse().sort((a, b) => lengthOf(a) - lengthOf(b));
    const characters = [...new Set(byLength.flatMap(({ prefix }) => (prefix === ANY ? [] : [...prefix])))];
    characters.forEach((character, i) => {
      this.#columns[character.charCodeAt(0)] = i + 1;
    });
    this.#width = characters.length + 1;
    const steps: number[] = new Array<number>(this.#width).fill(0);
    for (const row of byLength) this.#add(steps, row);
    this.#next = this.#rows.length > 0xffff ? Uint32Array.from(steps) : Uint16Array.from(steps);
  }

  /** The row with the longest prefix of this number. */
  longest(number: string): Linked<T> | undefined {
    let found = this.#rows[0];
    let node = 0;
    for (let i = 0; i < number.length; i++) {
      node = this.#step(node, number.charCodeAt(i));
      if (node === 0) break;
      found = this.#rows[node] ?? found;
    }
    return found;
  }

  /** The first row of each prefix that begins with this one and is longer. */
  under(prefix: string): Linked<T>[] {
    let top = 0;
    for (let i = 0; i < prefix.length; i++) {
      top = this.#step(top, prefix.charCodeAt(i));
      if (top === 0) return [];
    }
    const found: Linked<T>[] = [];
    const waiting = this.#below(top);
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      const row = this.#rows[node];
      if (row !== undefined) found.push(row);
      waiting.push(...this.#below(node));
    }
    return found;
  }

  /** The node behind a character; 0, which is the root, when there is none. */
  #step(node: number, character: number): number {
    return this.#next[node * this.#width + (this.#columns[character] ?? 0)] as number;
  }

  #below(node: number): number[] {
    return [...this.#next.subarray(node * this.#width, (node + 1) * this.#width)].filter((next) => next !== 0);
  }

  /** What follows a row is in the table already. Column 0 of every node stays 0. */
  #add(steps: number[], row: T): void {
    const { prefix } = row;
    let node = 0;
    let next = this.#rows[0];
    for (const character of prefix === ANY ? [] : prefix) {
      const at = node * this.#width + (this.#columns[character.charCodeAt(0)] as number);
      if (steps[at] === 0) {
        steps[at] = this.#rows.push(undefined) - 1;
        for (let column = 0; column < this.#width; column++) steps.push(0);
      }
      node = steps[at] as number;
      next = this.#rows[node] ?? next;
    }
    // Also for a row that another table has linked.
    this.#rows[node] = Object.assign({ next, ...row }, { next });
  }
}

/** All rows with the prefix of this one, from this one on. */
export function samePrefix<T extends Row>(first: Linked<T>): T[] {
  const rows: T[] = [];
  for (let row: Linked<T> | undefined = first; row?.prefix === first.prefix; row = row.next) rows.push(row);
  return rows;
}

function lengthOf({ prefix }: Row): number {
  return prefix === ANY ? 0 : prefix.length;
}
