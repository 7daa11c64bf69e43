import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extendSequence, SequenceTracker, sequenceDelta, timestampDelta } from '../../../src/protocol/rtp/sequence.js';

const feed = (tracker: SequenceTracker, ...numbers: readonly number[]): string[] =>
  numbers.map((number) => tracker.receive(number & 0xffff));

describe('sequence arithmetic', () => {
  test('differences go the short way round', () => {
    expect(sequenceDelta(65_535, 0)).toBe(1);
    expect(sequenceDelta(0, 65_535)).toBe(-1);
    expect(sequenceDelta(10, 32_777)).toBe(32_767);
    expect(timestampDelta(0xffffffff, 159)).toBe(160);
    expect(timestampDelta(159, 0xffffffff)).toBe(-160);
  });

  test('an extended number keeps its low bits and is the nearest one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 70_000, max: 2 ** 40 }), fc.integer({ min: 0, max: 0xffff }), (reference, low) => {
        const extended = extendSequence(reference, low);
        expect(extended % 0x10000).toBe(low);
        expect(Math.abs(extended - reference)).toBeLessThanOrEqual(0x8000);
      }),
    );
  });
});

describe('RFC 3550 §A.1: validity of sequence numbers', () => {
  test('a source is on probation until two packets follow each other', () => {
    const tracker = new SequenceTracker();
    expect(feed(tracker, 7, 9, 100)).toEqual(['unproven', 'unproven', 'unproven']);
    expect(tracker.valid).toBe(false);
    expect(feed(tracker, 101, 102)).toEqual(['proven', 'newest']);
    expect(tracker.valid).toBe(true);
  });

  test('numbers wrap, and the count of cycles grows, on probation too', () => {
    const tracker = new SequenceTracker();
    expect(feed(tracker, 65_535, 0, 1)).toEqual(['unproven', 'proven', 'newest']);
    const first = tracker.highest;
    for (let i = 2; i <= 0x10001; i++) feed(tracker, i);
    expect(tracker.highest - first).toBe(0x10000);
  });

  test('a gap below MAX_DROPOUT is loss; what is less than MAX_MISORDER behind is late', () => {
    const tracker = new SequenceTracker();
    feed(tracker, 0, 1);
    expect(feed(tracker, 3000)).toEqual(['newest']);
    expect(feed(tracker, 3000, 2999, 2901)).toEqual(['old', 'old', 'old']);
    expect(feed(tracker, 2900)).toEqual(['stray']);
  });

  test('a jump is a stray; the next number there is a restart, any other is not', () => {
    const tracker = new SequenceTracker();
    feed(tracker, 0, 1);
    expect(feed(tracker, 20_000, 2, 30_000, 30_002)).toEqual(['stray', 'newest', 'stray', 'stray']);
    expect(feed(tracker, 30_003, 30_004)).toEqual(['restart', 'newest']);
    expect(feed(tracker, 3)).toEqual(['stray']);
  });

  test('a gap of MAX_DROPOUT is a jump', () => {
    const tracker = new SequenceTracker();
    feed(tracker, 0, 1);
    expect(feed(tracker, 3001, 3002)).toEqual(['stray', 'restart']);
  });

  test('a restart over the wrap', () => {
    const tracker = new SequenceTracker();
    feed(tracker, 100, 101);
    expect(feed(tracker, 50_000, 65_535, 0, 1)).toEqual(['stray', 'stray', 'restart', 'newest']);
  });
});
