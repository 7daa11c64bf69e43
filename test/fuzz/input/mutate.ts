import type { SeededRandom } from '../../../src/testing/seeded-random.js';
import { anyByte, binaryNumber, giant, head, swap } from './mutate-binary.js';
import { pick } from './pick.js';

/** What mutants are made of. */
export interface Material {
  /** Inputs that are sound, or nearly. */
  readonly seeds: readonly Uint8Array[];
  /** Words of the grammar. */
  readonly words: readonly Uint8Array[];
  /** Whether lines ended by CRLF mean something: then lines are doubled, moved, folded. */
  readonly lines: boolean;
  /** Whether bytes are numbers rather than text: then nothing is done that only text would mind. */
  readonly binary?: boolean;
}

export type Mutation = (bytes: Buffer, random: SeededRandom, material: Material) => Buffer;

/** No mutant is longer than this many bytes. */
const LONGEST = 70_000;

const SPECIAL = Buffer.from('\r\n\t \0"\\<>;:,=@[]()%?&*/+-\x7f\x80\xff\xc3\xa9', 'latin1');

const NUMBERS = [
  '-1',
  '0',
  '00000000000000000000001',
  '255',
  '256',
  '65535',
  '65536',
  '2147483647',
  '2147483648',
  '4294967295',
  '4294967296',
  '9007199254740993',
  '99999999999999999999999999999999',
  '1e9',
  '0x10',
  '+5',
  '1.5',
].map((text) => Buffer.from(text));

/** What has broken parsers elsewhere. */
const WORDS = [
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  '\r\n ',
  '\r\n\t',
  '\0',
  '%00',
  '%0d%0a',
  '%',
  '%zz',
  '"',
  '\\"',
  '\\',
  '<>',
  '<sip:a@b>',
  ';;',
  ',,',
  '::',
  '[::1]',
  '[',
  '*',
  '\xc3\xa9',
  '\xc3\x28',
  '\xed\xa0\x80',
  '\xf0\x9f\x98\x80',
  '\xef\xbb\xbf',
  '\xe2\x80\xa8',
  '__proto__',
  'constructor',
  ';tag=',
  ';branch=z9hG4bK',
  'SIP/2.0',
  'sip:',
  'sips:',
  'tel:',
].map((text) => Buffer.from(text, 'latin1'));

function splice(bytes: Buffer, at: number, removed: number, added: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
}

const flipBit: Mutation = (bytes, random) => {
  if (bytes.length === 0) return bytes;
  const at = random.integer(bytes.length);
  bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
  return bytes;
};

const special: Mutation = (bytes, random) => {
  if (bytes.length > 0) bytes[random.integer(bytes.length)] = SPECIAL[random.integer(SPECIAL.length)] as number;
  return bytes;
};

const insertWord: Mutation = (bytes, random, { words, binary = false }) => {
  const word = words.length > 0 && (random.chance(0.5) || binary) ? pick(words, random) : pick(WORDS, random);
  return splice(bytes, random.integer(bytes.length + 1), random.chance(0.3) ? random.integer(8) : 0, word);
};

const insertBytes: Mutation = (bytes, random) =>
  splice(bytes, random.integer(bytes.length + 1), 0, random.bytes(1 + random.integer(6)));

const remove: Mutation = (bytes, random) =>
  splice(bytes, random.integer(bytes.length + 1), 1 + random.integer(random.chance(0.8) ? 8 : 200), Buffer.alloc(0));

const truncate: Mutation = (bytes, random) => bytes.subarray(0, random.integer(bytes.length + 1));

/** A stretch of the input once more, often: long tokens, deep nesting. */
const repeat: Mutation = (bytes, random) => {
  const at = random.integer(bytes.length + 1);
  const stretch = bytes.subarray(at, at + 1 + random.integer(24));
  const times = random.chance(0.9) ? 1 + random.integer(12) : 1 + random.integer(1200);
  return splice(bytes, at, 0, Buffer.concat(Array.from({ length: times }, () => stretch)));
};

/** One character many times: brackets, quotes, commas. */
const nest: Mutation = (bytes, random) => {
  const code = SPECIAL[random.integer(SPECIAL.length)] as number;
  const length = random.chance(0.9) ? 1 + random.integer(40) : 1 + random.integer(5000);
  return splice(bytes, random.integer(bytes.length + 1), 0, Buffer.alloc(length, code));
};

/** The end of another seed, or a piece of it. */
const crossOver: Mutation = (bytes, random, { seeds }) => {
  const other = pick(seeds, random);
  const from = random.integer(other.length + 1);
  const piece = other.subarray(from, random.chance(0.5) ? other.length : from + random.integer(80));
  const at = random.integer(bytes.length + 1);
  return splice(bytes, at, random.chance(0.5) ? bytes.length : piece.length, piece);
};

const number: Mutation = (bytes, random) => {
  const found = runOf(bytes, random, (code) => code >= 0x30 && code <= 0x39);
  return found === undefined ? bytes : splice(bytes, found.start, found.end - found.start, pick(NUMBERS, random));
};

/** Upper case for lower case and the other way round. */
const swapCase: Mutation = (bytes, random) => {
  const found = runOf(bytes, random, isLetter);
  if (found !== undefined) for (let i = found.start; i < found.end; i++) bytes[i] = (bytes[i] as number) ^ 0x20;
  return bytes;
};

function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

function runOf(
  bytes: Buffer,
  random: SeededRandom,
  fits: (code: number) => boolean,
): { readonly start: number; readonly end: number } | undefined {
  let start = random.integer(bytes.length + 1);
  while (start < bytes.length && !fits(bytes[start] as number)) start++;
  if (start >= bytes.length) return undefined;
  let end = start;
  while (end < bytes.length && fits(bytes[end] as number)) end++;
  while (start > 0 && fits(bytes[start - 1] as number)) start--;
  return { start, end };
}

const CRLF = Buffer.from('\r\n');

/** The lines up to the first empty one, or all. */
function editLines(bytes: Buffer, edit: (lines: Buffer[]) => void): Buffer {
  const found = bytes.indexOf('\r\n\r\n');
  const headEnd = found < 0 ? bytes.length : found;
  const lines: Buffer[] = [];
  for (let start = 0; start <= headEnd; ) {
    const next = bytes.indexOf(CRLF, start);
    const end = next < 0 || next > headEnd ? headEnd : next;
    lines.push(bytes.subarray(start, end));
    start = end + 2;
  }
  edit(lines);
  const head = lines.flatMap((line, i) => (i === 0 ? [line] : [CRLF, line]));
  return Buffer.concat([...head, bytes.subarray(headEnd)]);
}

const doubleLine: Mutation = (bytes, random) =>
  editLines(bytes, (lines) => {
    const line = pick(lines, random);
    const times = random.chance(0.95) ? 1 : 300;
    for (let i = 0; i < times; i++) lines.splice(1 + random.integer(lines.length), 0, line);
  });

const dropLine: Mutation = (bytes, random) =>
  editLines(bytes, (lines) => void lines.splice(random.integer(lines.length), 1));

const moveLine: Mutation = (bytes, random) =>
  editLines(bytes, (lines) => {
    const [line] = lines.splice(random.integer(lines.length), 1);
    if (line !== undefined) lines.splice(random.integer(lines.length + 1), 0, line);
  });

/** A line of another seed. */
const foreignLine: Mutation = (bytes, random, { seeds }) => {
  let foreign: Buffer = Buffer.alloc(0);
  editLines(Buffer.from(pick(seeds, random)), (lines) => {
    foreign = pick(lines, random);
  });
  return editLines(bytes, (lines) => void lines.splice(1 + random.integer(lines.length), 0, foreign));
};

const fold: Mutation = (bytes, random) => {
  const space = runOf(bytes, random, (code) => code === 0x20);
  const at = space?.start ?? random.integer(bytes.length + 1);
  return splice(bytes, at, 0, Buffer.from(random.chance(0.5) ? '\r\n' : '\r\n \r\n\t'));
};

/** White space before the colon, none behind it. */
const colon: Mutation = (bytes, random) => {
  const at = bytes.indexOf(':', random.integer(bytes.length + 1));
  return at < 0 ? bytes : splice(bytes, at, 1, pick([' :', '\t:\t', ':', '::', ' '].map(Buffer.from), random));
};

const BYTES: readonly Mutation[] = [
  flipBit,
  special,
  special,
  insertWord,
  insertWord,
  insertWord,
  insertBytes,
  remove,
  remove,
  truncate,
  repeat,
  nest,
  crossOver,
  number,
  number,
  swapCase,
];

const LINES: readonly Mutation[] = [
  ...BYTES,
  doubleLine,
  doubleLine,
  dropLine,
  dropLine,
  moveLine,
  foreignLine,
  foreignLine,
  fold,
  colon,
];

const BINARY: readonly Mutation[] = [
  flipBit,
  flipBit,
  anyByte,
  anyByte,
  head,
  binaryNumber,
  binaryNumber,
  binaryNumber,
  insertWord,
  insertBytes,
  remove,
  truncate,
  repeat,
  crossOver,
  swap,
  giant,
];

function mutationsFor({ lines, binary = false }: Material): readonly Mutation[] {
  if (binary) return BINARY;
  return lines ? LINES : BYTES;
}

/** One input: a seed with one to eight changes; now and then random bytes, or the seed as it is. */
export function mutant(material: Material, random: SeededRandom): Buffer {
  if (random.chance(0.01)) return Buffer.from(random.bytes(random.integer(400)));
  let bytes: Buffer = Buffer.from(pick(material.seeds, random));
  if (random.chance(0.01)) return bytes;
  const mutations = mutationsFor(material);
  for (let left = 1 + random.integer(random.chance(0.7) ? 3 : 8); left > 0; left--) {
    bytes = pick(mutations, random)(bytes, random, material);
    if (bytes.length > LONGEST) bytes = bytes.subarray(0, LONGEST);
  }
  return bytes;
}
