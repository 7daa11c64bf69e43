import { describe, expect, test } from 'vitest';
import { SilenceDetector } from '../../../src/protocol/audio/silence.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { cut, joined, noise, sine } from './signals.js';

const ms = (length: number): number => length * 8;
const speech = (length: number): Int16Array => noise(ms(length), 2_000, 1);
const hush = (length: number): Int16Array => noise(ms(length), 30, 2);

describe('SilenceDetector', () => {
  test('is silent only after it has been soft for long enough', () => {
    const detector = new SilenceDetector({ silenceMs: 500 });
    expect(detector.process(speech(1_000))).toBe('sound');
    expect(detector.process(hush(480))).toBe('sound');
    expect(detector.quietMs).toBe(480);
    expect(detector.process(hush(20))).toBe('silence');
    expect(detector.quietMs).toBe(500);
    expect(detector.process(hush(300))).toBe('silence');
    expect(detector.quietMs).toBe(800);
  });

  test('a pause between words is no silence', () => {
    const detector = new SilenceDetector({ silenceMs: 500 });
    for (let word = 0; word < 5; word++) {
      expect(detector.process(joined(speech(300), hush(400)))).toBe('sound');
    }
  });

  test('a click ends no silence, speech does', () => {
    const detector = new SilenceDetector({ silenceMs: 500, soundMs: 60 });
    detector.process(hush(1_000));
    expect(detector.process(joined(speech(20), hush(100)))).toBe('silence');
    expect(detector.quietMs).toBe(1_120);
    expect(detector.process(speech(60))).toBe('sound');
    expect(detector.quietMs).toBe(0);
  });

  test('hysteresis: between the two levels everything stays as it was', () => {
    const level = (dbov: number): Int16Array => sine(400, ms(2_000), { peak: 32_768 * Math.SQRT2 * 10 ** (dbov / 20) });
    const detector = new SilenceDetector({ thresholdDbov: -45, hysteresisDb: 4 });
    expect(detector.process(level(-43))).toBe('sound');
    expect(detector.process(level(-46))).toBe('silence');
    expect(detector.process(level(-43))).toBe('silence');
    expect(detector.process(level(-40))).toBe('sound');
  });

  test('the pieces may have any size', () => {
    const stream = joined(speech(700), hush(1_500), speech(90), hush(3_000));
    const detector = new SilenceDetector();
    const whole = new SilenceDetector();
    for (const piece of cut(stream, new SeededRandom(4), 333)) detector.process(piece);
    whole.process(stream);
    expect([detector.state, detector.quietMs]).toEqual([whole.state, whole.quietMs]);
    expect(whole.state).toBe('silence');
  });

  test('other rates', () => {
    const detector = new SilenceDetector({ rate: 16_000, silenceMs: 100 });
    expect(detector.process(new Int16Array(1_599))).toBe('sound');
    expect(detector.process(new Int16Array(1))).toBe('silence');
  });
});
