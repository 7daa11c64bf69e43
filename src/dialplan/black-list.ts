import { ANY, PrefixTable, type Row } from './prefix-table.js';
import type { BlackListRule } from './rules.js';

/** The caller prefix of those who withhold their number. */
const ANONYMOUS = 'anonymous';

/** A rule of the black list that fits a call. */
export interface BlackListMatch {
  /** Where the rule stands: `blackList[0]`. */
  readonly path: string;
  readonly caller: string;
  readonly called: string;
  /** Percent. */
  readonly rate: number;
}

type CalledTable = PrefixTable<BlackListMatch & Row>;

interface CallerRow extends Row {
  readonly byCalled: CalledTable;
}

/** Caller prefix × called prefix: the longest caller prefix counts first, then the longest called prefix. */
export class BlackList {
  readonly #byCaller: PrefixTable<CallerRow>;
  readonly #anonymous: CalledTable | undefined;

  constructor(rules: readonly BlackListRule[]) {
    const byCaller = new Map<string, (BlackListMatch & Row)[]>();
    rules.forEach(({ caller = ANY, called = ANY, rate = 100 }, i) => {
      const list = byCaller.get(caller) ?? [];
      list.push({ path: `blackList[${i}]`, caller, called, prefix: called, rate });
      byCaller.set(caller, list);
    });
    const rows = [...byCaller].map(([prefix, list]) => ({ prefix, byCalled: new PrefixTable(list) }));
    this.#anonymous = rows.find(({ prefix }) => prefix === ANONYMOUS)?.byCalled;
    this.#byCaller = new PrefixTable(rows.filter(({ prefix }) => prefix !== ANONYMOUS));
  }

  /** The rule for a call; one for anonymous callers goes before one for the number that is known all the same. */
  find(caller: string, called: string, anonymous: boolean): BlackListMatch | undefined {
    if (anonymous || caller === ANONYMOUS) {
      const found = this.#anonymous?.longest(called);
      if (found !== undefined) return found;
    }
    for (let row = this.#byCaller.longest(caller); row !== undefined; row = row.next) {
      const found = row.byCalled.longest(called);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
