import type { SeededRandom } from '../../../src/testing/seeded-random.js';
import type { Mutation } from './mutate.js';
import { pick } from './pick.js';

/** What lengths, counts, indices and sizes break at, of 8, 16 and 32 bits. */
const EDGES = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000];

/** A number of one, two or four bytes, in either byte order: an edge, or what stands there a little changed. */
export const binaryNumber: Mutation = (bytes, random) => {
  const size = pick([1, 2, 4], random);
  if (bytes.length < size) return bytes;
  const at = random.integer(bytes.length - size + 1);
  const little = random.chance(0.5);
  const old = little ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
  const wanted = random.chance(0.5) ? pick(EDGES, random) : old + random.integer(9) - 4;
  const value = ((wanted % 2 ** (8 * size)) + 2 ** (8 * size)) % 2 ** (8 * size);
  if (little) bytes.writeUIntLE(value, at, size);
  else bytes.writeUIntBE(value, at, size);
  return bytes;
};

/** Any byte. */
export const anyByte: Mutation = (bytes, random) => {
  if (bytes.length > 0) bytes[random.integer(bytes.length)] = random.integer(256);
  return bytes;
};

/** The first bytes, where formats say what they are. */
export const head: Mutation = (bytes, random) => {
  if (bytes.length > 0) bytes[random.integer(Math.min(4, bytes.length))] = random.integer(256);
  return bytes;
};

/** Longer than any packet. */
export const giant: Mutation = (bytes, random) =>
  random.chance(0.1) ? Buffer.concat([bytes, Buffer.alloc(1 + random.integer(66_000), random.integer(256))]) : bytes;

/** Two stretches change places. */
export const swap: Mutation = (bytes, random: SeededRandom) => {
  const [a, b] = [random.integer(bytes.length + 1), random.integer(bytes.length + 1)].sort((x, y) => x - y) as [
    number,
    number,
  ];
  return Buffer.concat([bytes.subarray(b), bytes.subarray(a, b), bytes.subarray(0, a)]);
};
