import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { G711 } from '../../../src/protocol/audio/g711.js';
import { CORPORA_NEEDED, corporaPresent, corpusWords } from './corpus.js';

const ALL_CODES = Uint8Array.from({ length: 256 }, (_none, code) => code);
const ALL_SAMPLES = Int16Array.from({ length: 65_536 }, (_none, i) => i - 32_768);

/** Where two sweeps differ: the inputs. */
function differences(ours: ArrayLike<number>, theirs: ArrayLike<number>): number[] {
  return [...ALL_SAMPLES].filter((_sample, i) => ours[i] !== theirs[i]);
}

describe.skipIf(!corporaPresent)(`ITU-T G.711: the sweep over all samples ${CORPORA_NEEDED}`, () => {
  test('the sweep is every 16-bit sample, once, in order', () => {
    expect(differences(corpusWords('g711/sweep.src'), ALL_SAMPLES)).toEqual([]);
  });

  // One code of difference would be allowed on 508 negative inputs that lie on a decision value: we have none.
  for (const { law, encode, decode, codes, values } of [
    { law: 'µ-law', encode: G711.encodeUlaw, decode: G711.decodeUlaw, codes: 'sweep-r.u', values: 'sweep-r.u-u' },
    { law: 'A-law', encode: G711.encodeAlaw, decode: G711.decodeAlaw, codes: 'sweep-r.a', values: 'sweep-r.a-a' },
  ]) {
    test(`${law}: every code is the ITU's`, () => {
      expect(differences(encode(ALL_SAMPLES), corpusWords(`g711/${codes}`))).toEqual([]);
    });

    test(`${law}: every value is the ITU's`, () => {
      const wanted = Uint8Array.from(corpusWords(`g711/${codes}`));
      expect(differences(decode(wanted), corpusWords(`g711/${values}`))).toEqual([]);
    });
  }
});

describe('G711', () => {
  // ITU-T G.711 tables 1a, 2a: the largest, the smallest and the virtual decision values, as 16-bit samples
  test.each([
    [0, 0xff, 0xd5],
    [-1, 0x7f, 0x55],
    [32_767, 0x80, 0xaa],
    [-32_768, 0x00, 0x2a],
    [1_000, 0xce, 0xfa],
    [-1_000, 0x4e, 0x7a],
  ])('tables 1 and 2: sample %i is 0x%x in µ-law and 0x%x in A-law', (sample, ulaw, alaw) => {
    expect([...G711.encodeUlaw(Int16Array.of(sample))]).toEqual([ulaw]);
    expect([...G711.encodeAlaw(Int16Array.of(sample))]).toEqual([alaw]);
  });

  test.each([
    ['µ-law', G711.encodeUlaw, G711.decodeUlaw],
    ['A-law', G711.encodeAlaw, G711.decodeAlaw],
  ])('%s: a decoded code encodes to itself, but for the second zero of µ-law', (law, encode, decode) => {
    const again = encode(decode(ALL_CODES));
    const other = [...ALL_CODES].filter((code) => again[code] !== code);
    expect(other).toEqual(law === 'µ-law' ? [0x7f] : []);
  });

  test('the forms that allocate nothing write the same, and leave the rest of the buffer alone', () => {
    const pcm = fc.int16Array({ maxLength: 40 });
    fc.assert(
      fc.property(pcm, fc.nat(5), (samples, spare) => {
        const codes = new Uint8Array(samples.length + spare).fill(1);
        const values = new Int16Array(samples.length + spare).fill(1);
        for (const law of ['Ulaw', 'Alaw'] as const) {
          const encoded = G711[`encode${law}` as const](samples);
          G711[`encode${law}Into` as const](samples, codes);
          expect([...codes]).toEqual([...encoded, ...new Array<number>(spare).fill(1)]);
          G711[`decode${law}Into` as const](encoded, values);
          expect([...values]).toEqual([...G711[`decode${law}` as const](encoded), ...new Array<number>(spare).fill(1)]);
        }
      }),
    );
  });

  test('a buffer that is too short is a misuse', () => {
    expect(() => G711.encodeUlawInto(new Int16Array(160), new Uint8Array(80))).toThrow(
      expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT', message: expect.stringContaining('80') }),
    );
    expect(() => G711.decodeAlawInto(new Uint8Array(160), new Int16Array(159))).toThrow('at least 160');
  });

  test('is one frozen object, as the design card names it', () => {
    expect(Object.isFrozen(G711)).toBe(true);
  });
});
