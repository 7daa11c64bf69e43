import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventSender, type EventSenderOptions, type PressOptions } from '../../../src/protocol/rtp/event-sender.js';
import { timestampDelta } from '../../../src/protocol/rtp/sequence.js';
import {
  codeOf,
  digitOf,
  readTelephoneEvent,
  type TelephoneEvent,
  writeTelephoneEvent,
} from '../../../src/protocol/rtp/telephone-event.js';

interface Sent extends TelephoneEvent {
  readonly tick: number;
  readonly marker: boolean;
  readonly timestamp: number;
}

/** What leaves until all keys are told, a tick every 20 ms. */
function run(digits: string, options: EventSenderOptions & PressOptions = {}, start = 1000): Sent[] {
  const sender = new EventSender(options);
  sender.press(digits, options);
  return drain(sender, options.clockRate ?? 8000, start);
}

function drain(sender: EventSender, clockRate: number, start: number, from = 0): Sent[] {
  const sent: Sent[] = [];
  for (let tick = from; sender.busy && tick < 5000; tick++) {
    const packet = sender.tick((start + (tick * clockRate) / 50) >>> 0);
    if (packet === undefined) continue;
    const event = readTelephoneEvent(packet.payload) as TelephoneEvent;
    sent.push({ tick, marker: packet.marker, timestamp: packet.timestamp, ...event });
  }
  return sent;
}

const digits = fc.string({ unit: fc.constantFrom(...'0123456789*#ABCD!'), minLength: 1, maxLength: 3 });

describe('RFC 4733 §2.3, §3.2: the payload', () => {
  test('codes 0 to 15 are the keys, 16 is the flash', () => {
    expect([...'0123456789*#ABCD!'].map(codeOf)).toEqual(Array.from({ length: 17 }, (_, i) => i));
    expect([codeOf('d'), codeOf('E'), codeOf(''), codeOf('12')]).toEqual([15, undefined, undefined, undefined]);
    expect([digitOf(11), digitOf(16), digitOf(17), digitOf(255)]).toEqual(['#', '!', undefined, undefined]);
  });

  test('what was written is read back; the reserved bit is 0, and ignored', () => {
    const events = fc.record({
      code: fc.integer({ min: 0, max: 255 }),
      end: fc.boolean(),
      volume: fc.integer({ min: 0, max: 63 }),
      duration: fc.integer({ min: 0, max: 0xffff }),
    });
    fc.assert(
      fc.property(events, (event) => {
        const out = new Uint8Array(4);
        writeTelephoneEvent(out, event);
        expect((out[1] as number) & 0x40).toBe(0);
        out[1] = (out[1] as number) | 0x40;
        expect(readTelephoneEvent(out)).toEqual(event);
      }),
    );
    expect(readTelephoneEvent(new Uint8Array(3))).toBeUndefined();
  });
});

describe('RFC 4733 §2.5.1: sending', () => {
  test('a key of 100 ms: marker on the first packet, one timestamp, growing duration, three packets of the end', () => {
    expect(run('5')).toEqual(
      [160, 320, 480, 640, 800, 800, 800].map((duration, tick) => ({
        tick,
        marker: tick === 0,
        timestamp: 1000,
        code: 5,
        end: tick >= 4,
        volume: 10,
        duration,
      })),
    );
  });

  test('at 48 kHz the same with durations six times as long', () => {
    expect(run('#', { clockRate: 48_000, volume: 7 }).map(({ duration, volume }) => [duration, volume])).toEqual(
      [960, 1920, 2880, 3840, 4800, 4800, 4800].map((duration) => [duration, 7]),
    );
  });

  test('keys follow each other after the pause, each with a timestamp of its own', () => {
    const sent = run('12', { durationMs: 60, gapMs: 80 });
    expect(sent.filter(({ marker }) => marker)).toMatchObject([
      { code: 1, tick: 0, timestamp: 1000 },
      { code: 2, tick: 7, timestamp: 2120 },
    ]);
    expect(sent).toHaveLength(10);
  });

  test('while nothing is to be told audio goes on, in the pause too', () => {
    const sender = new EventSender();
    expect(sender.tick(0)).toBeUndefined();
    expect(sender.busy).toBe(false);
    sender.press('1');
    for (let i = 1; i <= 7; i++) expect(sender.tick(160 * i)).toBeDefined();
    for (let i = 8; i <= 10; i++) expect(sender.tick(160 * i)).toBeUndefined();
    expect(sender.busy).toBe(true);
    sender.tick(160 * 11);
    expect(sender.busy).toBe(false);
  });

  test('§2.5.1.3: an event longer than 0xFFFF is split: the segment full and without an end, thrice, then the next without a marker', () => {
    const sent = run('*', { durationMs: 10_000 });
    const full = sent.filter(({ duration }) => duration === 0xffff);
    expect(full.map(({ end, timestamp, tick }) => [end, timestamp, tick])).toEqual([
      [false, 1000, 409],
      [false, 1000, 410],
      [false, 1000, 411],
    ]);
    const next = sent.find(({ timestamp }) => timestamp !== 1000);
    expect(next).toMatchObject({ marker: false, timestamp: 1000 + 0xffff, tick: 412, duration: 413 * 160 - 0xffff });
    expect(sent.at(-1)).toMatchObject({ end: true, duration: 80_000 - 0xffff, timestamp: 1000 + 0xffff });
    expect(sent.filter(({ end }) => end)).toHaveLength(3);
  });

  test('at 48 kHz a segment is 1.37 s long, and three seconds make three', () => {
    const sent = run('0', { clockRate: 48_000, durationMs: 3000 });
    expect(new Set(sent.map(({ timestamp }) => timestamp))).toEqual(new Set([1000, 66_535, 132_070]));
    expect(sent.at(-1)).toMatchObject({ end: true, duration: 144_000 - 2 * 0xffff });
  });

  test('a key that is let go ends at the next tick, with what it lasted; those that wait are forgotten', () => {
    const sender = new EventSender();
    sender.press('123', { durationMs: 5000 });
    sender.tick(0);
    sender.tick(160);
    sender.cancel();
    const sent = drain(sender, 8000, 0, 2);
    expect(sent.map(({ code, duration, end }) => [code, duration, end])).toEqual([
      [1, 480, true],
      [1, 480, true],
      [1, 480, true],
    ]);
  });

  test('every key as long as it was asked to be, by the rules, whatever the clock, the packet time and where timestamps wrap', () => {
    const options = fc.record({
      clockRate: fc.constantFrom(8000, 16_000, 48_000),
      durationMs: fc.integer({ min: 40, max: 4000 }),
      gapMs: fc.integer({ min: 40, max: 500 }),
    });
    fc.assert(
      fc.property(digits, options, fc.integer({ min: 0, max: 0xffffffff }), (keys, given, start) => {
        const sent = run(keys, given, start);
        const unitsPerMs = given.clockRate / 1000;
        const presses: Sent[][] = [];
        for (const packet of sent) {
          if (packet.marker) presses.push([]);
          presses.at(-1)?.push(packet);
        }
        expect(presses.map(([first]) => digitOf(first?.code ?? 255)).join('')).toBe(keys);
        let up: number | undefined;
        for (const packets of presses) {
          const first = packets[0] as Sent;
          const last = packets.at(-1) as Sent;
          expect(packets.filter(({ end }) => end).map((packet) => ({ ...packet, tick: 0 }))).toEqual(
            Array.from({ length: 3 }, () => ({ ...last, tick: 0 })),
          );
          expect(new Set(packets.map(({ code }) => code)).size).toBe(1);
          packets.forEach((packet, i) => {
            const before = packets[i - 1];
            expect(packet.duration).toBeGreaterThan(0);
            if (before?.timestamp === packet.timestamp) expect(packet.duration).toBeGreaterThanOrEqual(before.duration);
            else if (before !== undefined) expect(timestampDelta(before.timestamp, packet.timestamp)).toBe(0xffff);
          });
          const length = timestampDelta(first.timestamp, last.timestamp) + last.duration;
          expect(length).toBe(Math.round(given.durationMs * unitsPerMs));
          if (up !== undefined)
            expect(timestampDelta(up, first.timestamp)).toBeGreaterThanOrEqual(given.gapMs * unitsPerMs - 1);
          up = (last.timestamp + last.duration) >>> 0;
        }
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    ['a digit that is none', () => new EventSender().press('1x')],
    ['a key that is too short', () => new EventSender().press('1', { durationMs: 39 })],
    ['a pause that is no number', () => new EventSender().press('1', { gapMs: Number.NaN })],
    ['a key that is too long', () => new EventSender().press('1', { durationMs: 60_001 })],
    ['257 keys', () => new EventSender().press('1'.repeat(257))],
  ])('%s is refused', (_name, press) => {
    expect(press).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
  });
});
