import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bencoded, decodeBencode, encodeBencode } from '../../../src/media/rtpengine/bencode.js';

const read = (text: string): Bencoded | undefined => decodeBencode(Buffer.from(text));

/** Any value of some depth. */
const { value } = fc.letrec<{ value: Bencoded }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(fc.string(), tie('value')), { maxLength: 5, selector: ([key]) => key })
      .map((entries) => new Map(entries)),
  ),
}));

describe('bencode, in which the ng protocol is written', () => {
  test('what is written is read back', () => {
    fc.assert(
      fc.property(value, (written) => {
        // -0 and 0 are one number in bencode
        expect(decodeBencode(encodeBencode(written))).toEqual(written === 0 ? 0 : written);
      }),
    );
  });

  test('any bytes are read, or refused without a word', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeBencode(bytes)));
  });

  test('a value that has lost or gained bytes is refused', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 3 }), (written, cut, more) => {
        const bytes = encodeBencode(written);
        expect(decodeBencode(bytes.subarray(0, cut % bytes.length))).toBeUndefined();
        expect(decodeBencode(Buffer.concat([bytes, more]))).toBeUndefined();
      }),
    );
  });

  test('keys may come in any order, as rtpengine sends them', () => {
    expect(read('d6:result4:pong1:ai1ee')).toEqual(
      new Map<string, Bencoded>([
        ['result', 'pong'],
        ['a', 1],
      ]),
    );
  });

  test('names that mean something to JavaScript are names like all others', () => {
    expect(read('d9:__proto__d1:xi1eee')).toEqual(new Map([['__proto__', new Map([['x', 1]])]]));
  });

  test('texts count bytes, not characters', () => {
    expect(encodeBencode('ä☎').toString()).toBe('5:ä☎');
    expect(read('5:ä☎')).toBe('ä☎');
  });

  for (const [what, text] of [
    ['nothing', ''],
    ['a leading zero', 'i01e'],
    ['minus zero', 'i-0e'],
    ['no digits', 'ie'],
    ['a number without end', 'i12'],
    ['a number that cannot be told from its neighbours', 'i9007199254740993e'],
    ['a number that takes time to read', `i${'9'.repeat(1000)}e`],
    ['a fraction', 'i1.5e'],
    ['a length with a leading zero', '01:a'],
    ['a negative length', '-1:a'],
    ['a text that is shorter than it says', '5:abcd'],
    ['a length beyond all memory', '9007199254740991:a'],
    ['a list without end', 'l1:a'],
    ['a dictionary with a key that is no text', 'di1ei1ee'],
    ['a key without a value', 'd1:ae'],
    ['a key twice', 'd1:ai1e1:ai2ee'],
    ['two values', 'i1ei2e'],
    ['deep nesting', `${'l'.repeat(5000)}${'e'.repeat(5000)}`],
    ['too many values', `l${'le'.repeat(70_000)}e`],
  ] as const) {
    test(`refused: ${what}`, () => {
      expect(read(text)).toBeUndefined();
    });
  }
});
