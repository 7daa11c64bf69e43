import { describe, expect, test } from 'vitest';
import { DigitCollector } from '../../../src/media/session/digit-collector.js';
import { DigitGate, isDigit } from '../../../src/media/session/digit-gate.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

describe('one key is one digit, whatever the ways', () => {
  test('two ways at once, one a little late, in pairs', () => {
    const gate = new DigitGate();
    const told: string[] = [];
    for (const [digit, way, at] of [
      ['1', 'rfc4733', 0],
      ['1', 'info', 120],
      ['1', 'rfc4733', 300],
      ['2', 'rfc4733', 500],
      ['1', 'info', 700],
      ['2', 'info', 900],
      ['2', 'inband', 950],
      ['3', 'info', 1000],
      ['3', 'rfc4733', 1100],
    ] as const) {
      if (gate.admit(digit, way, at)) told.push(digit);
    }
    expect(told.join('')).toBe('1123');
  });

  test('by one way alone every key counts, however fast; by another way much later as well', () => {
    const gate = new DigitGate();
    for (let at = 0; at < 1000; at += 100) expect(gate.admit('5', 'info', at)).toBe(true);
    expect(gate.admit('5', 'rfc4733', 10_000)).toBe(true);
  });

  test('what a key is', () => {
    expect([...'0123456789*#ABCD'].every(isDigit)).toBe(true);
    for (const text of ['', 'E', '12', 'a', '!', '5 ']) expect(isDigit(text)).toBe(false);
  });
});

describe('collecting digits', () => {
  function collector(): { clock: ManualClock; digits: DigitCollector } {
    const clock = new ManualClock();
    return { clock, digits: new DigitCollector(clock) };
  }

  test('as many as asked for; what was dialled ahead counts, what is over stays for the next question', async () => {
    const { digits } = collector();
    for (const digit of ['1', '2', '3', '4'] as const) digits.push(digit);
    expect(await digits.collect({ maxDigits: 3 })).toEqual({ digits: '123', reason: 'enough' });
    expect(await digits.collect({ maxDigits: 1 })).toEqual({ digits: '4', reason: 'enough' });
    digits.push('9');
    digits.clear();
    const next = digits.collect({ maxDigits: 1 });
    digits.push('8');
    expect(await next).toEqual({ digits: '8', reason: 'enough' });
  });

  test('nothing in time, or nothing more', async () => {
    const { clock, digits } = collector();
    const none = digits.collect({ firstDigitMs: 3000 });
    clock.advanceSync(2999);
    expect(clock.pending).toBe(1);
    clock.advanceSync(1);
    expect(await none).toEqual({ digits: '', reason: 'timeout' });
    const some = digits.collect({ firstDigitMs: 3000, betweenDigitsMs: 1000 });
    clock.advanceSync(2500);
    digits.push('7');
    clock.advanceSync(900);
    digits.push('8');
    clock.advanceSync(1000);
    expect(await some).toEqual({ digits: '78', reason: 'timeout' });
    expect(clock.pending).toBe(0);
  });

  test('a terminator of its own, or none', async () => {
    const { digits } = collector();
    for (const digit of ['1', '#', '2', '*'] as const) digits.push(digit);
    expect(await digits.collect({ terminators: '*' })).toEqual({
      digits: '1#2',
      reason: 'terminator',
      terminator: '*',
    });
    digits.push('#');
    expect(await digits.collect({ terminators: '', maxDigits: 1 })).toEqual({ digits: '#', reason: 'enough' });
  });

  test('ended by its signal, by a second question, by the end of the media; nothing is left behind', async () => {
    const { clock, digits } = collector();
    const abort = new AbortController();
    const first = digits.collect();
    const second = digits.collect({ signal: abort.signal });
    expect((await first).reason).toBe('stopped');
    digits.push('1');
    abort.abort();
    expect(await second).toEqual({ digits: '1', reason: 'stopped' });
    expect((await digits.collect({ signal: abort.signal })).reason).toBe('stopped');
    const last = digits.collect();
    digits.close();
    expect((await last).reason).toBe('closed');
    expect((await digits.collect()).reason).toBe('closed');
    expect(clock.pending).toBe(0);
  });

  test('a caller who holds a key down fills no memory: 64 digits wait, no more', async () => {
    const { digits } = collector();
    for (let i = 0; i < 1000; i++) digits.push('5');
    expect((await digits.collect({ maxDigits: 64 })).digits).toHaveLength(64);
    digits.close();
    expect((await digits.collect()).digits).toBe('');
  });
});
