import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addToSum,
  applyGain,
  gainFactor,
  levelDbov,
  mixInto,
  SILENCE_DBOV,
  sumWithout,
} from '../../../src/protocol/audio/pcm.js';

const clamp = (value: number): number => Math.min(32_767, Math.max(-32_768, value));
const frame = fc.int16Array({ minLength: 4, maxLength: 4 });

describe('gain', () => {
  test('6.02 dB is twice, -20 dB a tenth, rounded', () => {
    const pcm = Int16Array.of(1_000, -1_000, 3, 0);
    applyGain(pcm, gainFactor(6.0206));
    expect([...pcm]).toEqual([2_000, -2_000, 6, 0]);
    applyGain(pcm, gainFactor(-20));
    expect([...pcm]).toEqual([200, -200, 1, 0]);
  });

  test('what is too loud is cut off, and does not wrap round', () => {
    const pcm = Int16Array.of(20_000, -20_000);
    applyGain(pcm, 2);
    expect([...pcm]).toEqual([32_767, -32_768]);
  });
});

describe('mixing', () => {
  test('two streams: the saturated sum, as far as there is room', () => {
    fc.assert(
      fc.property(frame, frame, (a, b) => {
        const target = a.slice();
        mixInto(target, b);
        expect([...target]).toEqual([...a].map((sample, i) => clamp(sample + (b[i] ?? 0))));
      }),
    );
    const short = Int16Array.of(1, 2);
    mixInto(short, Int16Array.of(1, 1, 1));
    mixInto(short, Int16Array.of(5));
    expect([...short]).toEqual([7, 3]);
  });

  test('many parties: each hears all the others and not itself, saturated once, at the end', () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 40 }), (parties) => {
        const sum = new Int32Array(4);
        for (const pcm of parties) addToSum(sum, pcm);
        const heard = new Int16Array(4);
        for (const own of parties) {
          sumWithout(sum, own, heard);
          const others = parties.filter((party) => party !== own);
          expect([...heard]).toEqual([0, 1, 2, 3].map((i) => clamp(others.reduce((all, o) => all + (o[i] ?? 0), 0))));
        }
        sumWithout(sum, undefined, heard);
        expect([...heard]).toEqual([...sum].map(clamp));
      }),
    );
  });
});

describe('RFC 6464 §3: level in dBov', () => {
  const sine = (peak: number): Int16Array =>
    Int16Array.from({ length: 8_000 }, (_none, i) => Math.round(peak * Math.sin((2 * Math.PI * 440 * i) / 8_000)));

  test('a square wave of full scale is 0, a sine 3 dB below, a tenth of it 20 dB less', () => {
    expect(levelDbov(Int16Array.of(32_767, -32_767))).toBeCloseTo(0, 3);
    expect(levelDbov(sine(32_767))).toBeCloseTo(-3.01, 2);
    expect(levelDbov(sine(3_276.7))).toBeCloseTo(-23.01, 2);
  });

  test('silence is -127, and so is nothing', () => {
    expect(levelDbov(new Int16Array(160))).toBe(SILENCE_DBOV);
    expect(levelDbov(new Int16Array(0))).toBe(-127);
    expect(levelDbov(Int16Array.of(-32_768))).toBe(0);
  });
});
