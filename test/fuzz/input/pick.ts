import type { SeededRandom } from '../../../src/testing/seeded-random.js';

/** Any of them. @throws RangeError for none */
export function pick<T>(list: readonly T[], random: SeededRandom): T {
  if (list.length === 0) throw new RangeError('nothing to pick from');
  return list[random.integer(list.length)] as T;
}
