import { PrefixTable, type Row } from './prefix-table.js';
import type { ServiceName } from './route.js';

/** A code that is dialled to use a service. */
export interface FeatureCode {
  /**
   * What is dialled. Words of letters stand for what the caller adds: `*90*number`, `*6*room*pin`. Each is at least one character
   * other than `*` and `#`. A `#` that is dialled behind a code is the dial key and does not count, unless the code ends with it.
   */
  readonly code: string;
  readonly service: ServiceName;
  /** Which of them, for services of which there are several. */
  readonly name?: string;
}

/** What was dialled, understood. */
export interface DialledCode {
  readonly code: FeatureCode;
  /** Where the code stands in the table, from 0. */
  readonly index: number;
  /** The words of the code with what was dialled for them. */
  readonly arguments: Readonly<Record<string, string>>;
}

/** The codes of an office. A forwarding code without a number ends that forwarding. */
export const FEATURE_CODES: readonly FeatureCode[] = [
  { code: '*90*number', service: 'forwarding', name: 'busy' },
  { code: '*90#', service: 'forwarding', name: 'busy' },
  { code: '*91*number', service: 'forwarding', name: 'offline' },
  { code: '*91#', service: 'forwarding', name: 'offline' },
  { code: '*92*number', service: 'forwarding', name: 'noAnswer' },
  { code: '*92#', service: 'forwarding', name: 'noAnswer' },
  { code: '*93*number', service: 'forwarding', name: 'always' },
  { code: '*93#', service: 'forwarding', name: 'always' },
  { code: '*40*number', service: 'pickup' },
  { code: '*50*', service: 'pickup', name: 'group' },
  { code: '*70*slot', service: 'park' },
  { code: '*71*slot', service: 'park', name: 'retrieve' },
  { code: '*74', service: 'join' },
  { code: '*6*room*pin', service: 'conference' },
];

/** A code in its parts: what is dialled as it stands, and words. */
interface CodePart {
  readonly word: boolean;
  readonly text: string;
}

interface Pattern extends Row {
  readonly code: FeatureCode;
  readonly index: number;
  readonly parts: readonly CodePart[];
}

/** Codes by what they begin with; the longest beginning is tried first. */
export class FeatureCodeTable {
  readonly #byHead: PrefixTable<Pattern>;

  /** Takes codes that have been checked with `codeFault`. */
  constructor(codes: readonly FeatureCode[]) {
    this.#byHead = new PrefixTable(
      codes.map((code, index) => ({ prefix: headOf(code.code), code, index, parts: partsOf(code.code) })),
    );
  }

  /** What the dialled characters mean; undefined when they are no code. */
  match(dialled: string): DialledCode | undefined {
    for (let pattern = this.#byHead.longest(dialled); pattern !== undefined; pattern = pattern.next) {
      const { code, index, parts } = pattern;
      const words = read(parts, dialled) ?? (dialled.endsWith('#') ? read(parts, dialled.slice(0, -1)) : undefined);
      if (words !== undefined) return { code, index, arguments: words };
    }
    return undefined;
  }
}

/** The characters of a code before its first word. */
export function headOf(code: string): string {
  const [first] = partsOf(code);
  return first === undefined || first.word ? '' : first.text;
}

/** What is dialled alike is one code, whatever its words are called. */
export function shapeOf(code: string): string {
  return partsOf(code)
    .map(({ word, text }) => (word ? 'N' : text))
    .join('');
}

/** What is wrong with the text of a code; undefined when nothing is. */
export function codeFault(code: string): string | undefined {
  const wanted = 'a code such as "*90*number", "*90#" or "*74"';
  if (!/^[*#][0-9*#A-Za-z]{1,63}$/.test(code)) return wanted;
  const parts = partsOf(code);
  const words = parts.filter(({ word }) => word).map(({ text }) => text);
  if (new Set(words).size < words.length) return 'each word once in a code';
  const joined = parts.some(({ word }, i) => word && /^[0-9]/.test(parts[i + 1]?.text ?? ''));
  return joined ? '* or # behind each word of a code, or its end' : undefined;
}

function partsOf(code: string): CodePart[] {
  return code
    .split(/([A-Za-z]+)/)
    .map((text, i) => ({ word: i % 2 === 1, text }))
    .filter(({ text }) => text !== '');
}

/** The words of a number that has exactly these parts. */
function read(parts: readonly CodePart[], dialled: string): Record<string, string> | undefined {
  const words: Record<string, string> = {};
  let at = 0;
  for (const { word, text } of parts) {
    if (!word) {
      if (!dialled.startsWith(text, at)) return undefined;
      at += text.length;
      continue;
    }
    const begin = at;
    while (at < dialled.length && dialled[at] !== '*' && dialled[at] !== '#') at++;
    if (at === begin) return undefined;
    words[text] = dialled.slice(begin, at);
  }
  return at === dialled.length ? words : undefined;
}
