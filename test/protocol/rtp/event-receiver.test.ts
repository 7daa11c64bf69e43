import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventReceiver, type KeyEvent } from '../../../src/protocol/rtp/event-receiver.js';
import { EventSender } from '../../../src/protocol/rtp/event-sender.js';
import { isRtp, payloadType } from '../../../src/protocol/rtp/packet.js';
import { type CapturedDatagram, readPcap } from '../../support/pcap.js';
import { keyCaptures, NO_CORPUS, voiceCapture } from './corpus.js';
import { rtp } from './packets.js';

/** What arrives, and when. */
type Arrival = CapturedDatagram;

function receive(arrivals: readonly Arrival[], clockRate = 8000): KeyEvent[] {
  const receiver = new EventReceiver(clockRate);
  const events: KeyEvent[] = [];
  let last = 0;
  for (const { atMs, data } of arrivals) {
    // As a host does that is woken at the deadline.
    const deadline = receiver.nextDeadline;
    if (deadline !== undefined && deadline <= atMs) events.push(...receiver.tick(deadline));
    events.push(...receiver.receive(data, atMs));
    last = atMs;
  }
  events.push(...receiver.tick(last + 1000));
  expect(receiver.nextDeadline).toBeUndefined();
  return events;
}

const pressed = (events: readonly KeyEvent[]): string =>
  events.flatMap((event) => (event.kind === 'pressed' ? [event.digit] : [])).join('');

/** One `pressed` and then one `released` for each digit, in order. */
function expectKeys(events: readonly KeyEvent[], digits: string): void {
  expect(events.map(({ kind, digit }) => `${kind} ${digit}`)).toEqual(
    [...digits].flatMap((digit) => [`pressed ${digit}`, `released ${digit}`]),
  );
}

/** The packets of our own sender, 20 ms apart. */
function press(
  digits: string,
  options: { clockRate?: number; durationMs?: number; gapMs?: number; ssrc?: number } = {},
): Arrival[] {
  const { clockRate = 8000, ssrc = 1 } = options;
  const sender = new EventSender({ clockRate });
  sender.press(digits, options);
  const sent: Arrival[] = [];
  for (let tick = 0; sender.busy; tick++) {
    const packet = sender.tick((0xffff0000 + (tick * clockRate) / 50) >>> 0);
    if (packet === undefined) continue;
    const { marker, timestamp, payload } = packet;
    const data = rtp({ payloadType: 101, marker, sequence: tick & 0xffff, timestamp, ssrc }, payload.slice());
    sent.push({ atMs: tick * 20, data });
  }
  return sent;
}

const event = (timestamp: number, code: number, duration: number, end = false, ssrc = 1): Uint8Array =>
  rtp({ payloadType: 101, timestamp, ssrc }, Uint8Array.of(code, end ? 0x8a : 0x0a, duration >> 8, duration & 0xff));

describe.skipIf(keyCaptures().length === 0)(`captures of real senders (${NO_CORPUS})`, () => {
  test.each(keyCaptures())('$digit: exactly one digit', ({ digit, file }) => {
    const arrivals = readPcap(file);
    expect(arrivals.length).toBeGreaterThan(5);
    expect(arrivals.every(({ data }) => isRtp(data) && payloadType(data) === 101)).toBe(true);
    expectKeys(receive(arrivals), digit);
    expect(receive(arrivals).at(-1)).toMatchObject({ cause: 'end', durationMs: 280 });
  });

  test.each(keyCaptures())('$digit: with any packet lost, repeated or late: exactly one', ({ digit, file }) => {
    const arrivals = readPcap(file);
    arrivals.forEach((arrival, i) => {
      expectKeys(receive(arrivals.toSpliced(i, 1)), digit);
      expectKeys(receive(arrivals.toSpliced(i, 0, arrival, arrival)), digit);
      for (let later = i + 1; later < arrivals.length; later++) {
        const { atMs } = arrivals[later] as Arrival;
        expectKeys(receive(arrivals.toSpliced(i, 1).toSpliced(later, 0, { ...arrival, atMs })), digit);
      }
    });
  });

  test.each(keyCaptures())('$digit: without any packet of the end it ends by silence', ({ digit, file }) => {
    const arrivals = readPcap(file);
    const events = receive(arrivals.slice(0, -3));
    expectKeys(events, digit);
    expect(events.at(-1)).toMatchObject({ cause: 'silence' });
    expectKeys(receive(arrivals.slice(-1)), digit);
  });

  test('a capture of voice holds no packet of an event', () => {
    const file = voiceCapture();
    const packets = file === undefined ? [] : readPcap(file);
    expect(packets.length).toBeGreaterThan(100);
    expect(packets.every(({ data }) => isRtp(data) && payloadType(data) === 8)).toBe(true);
  });
});

describe('RFC 4733 §2.5.2: receiving', () => {
  test('a key is told at its first packet, and released at the first that says so', () => {
    const receiver = new EventReceiver();
    expect(receiver.receive(event(800, 5, 160), 0)).toEqual([{ kind: 'pressed', digit: '5' }]);
    expect(receiver.receive(event(800, 5, 320), 20)).toEqual([]);
    expect(receiver.receive(event(800, 5, 480, true), 40)).toEqual([
      { kind: 'released', digit: '5', durationMs: 60, cause: 'end' },
    ]);
    expect(receiver.receive(event(800, 5, 480, true), 60)).toEqual([]);
    expect(receiver.nextDeadline).toBeUndefined();
  });

  test('without an end the key goes up after 200 ms of silence, and what comes later of it is not told again', () => {
    const receiver = new EventReceiver();
    receiver.receive(event(800, 5, 160), 0);
    receiver.receive(event(800, 5, 320), 20);
    expect(receiver.nextDeadline).toBe(220);
    expect(receiver.tick(219)).toEqual([]);
    expect(receiver.tick(220)).toEqual([{ kind: 'released', digit: '5', durationMs: 40, cause: 'silence' }]);
    expect(receiver.receive(event(800, 5, 1600), 300)).toEqual([]);
    expect(receiver.receive(event(800, 5, 1600, true), 320)).toEqual([]);
  });

  test('the next key ends the last one whose end was lost', () => {
    const receiver = new EventReceiver();
    receiver.receive(event(800, 5, 160), 0);
    expect(receiver.receive(event(2400, 6, 160), 100)).toEqual([
      { kind: 'released', digit: '5', durationMs: 20, cause: 'next' },
      { kind: 'pressed', digit: '6' },
    ]);
    expect(receiver.receive(event(800, 5, 480, true), 120)).toEqual([]);
  });

  test('the same key twice is two, however alike the packets are', () => {
    expectKeys(receive(press('5555', { durationMs: 40, gapMs: 40 })), '5555');
  });

  test('§2.5.2.3: segments of a long key are one key with the whole duration, at 8 and 48 kHz', () => {
    for (const clockRate of [8000, 48_000]) {
      const events = receive(press('9', { clockRate, durationMs: 20_000 }), clockRate);
      expectKeys(events, '9');
      expect(events.at(-1)).toMatchObject({ durationMs: 20_000, cause: 'end' });
    }
  });

  test('§2.5.2.4: several events of one packet follow each other', () => {
    const payload = Uint8Array.of(1, 0x8a, 0, 160, 1, 0x8a, 0, 160, 2, 0x0a, 0, 160);
    const events = receive([{ atMs: 0, data: rtp({ payloadType: 101, marker: true, timestamp: 5 }, payload) }]);
    expectKeys(events, '112');
  });

  test('§2.3.5: a duration of zero says nothing of a key; events that are no keys say nothing', () => {
    expect(receive([{ atMs: 0, data: event(800, 5, 0) }])).toEqual([]);
    expect(receive([{ atMs: 0, data: event(800, 32, 160) }])).toEqual([]);
    expect(receive([{ atMs: 0, data: rtp({}, Uint8Array.of(5, 0x0a, 0)) }])).toEqual([]);
  });

  test('another source may count from anywhere; its predecessor’s late packets are not told', () => {
    const receiver = new EventReceiver();
    receiver.receive(event(9_000_000, 5, 160), 0);
    expect(pressed(receiver.receive(event(800, 6, 160, false, 2), 100))).toBe('6');
    expect(receiver.receive(event(9_000_000, 5, 480, true), 110)).toEqual([]);
    expect(receiver.receive(event(800, 6, 320, true, 2), 120)).toMatchObject([{ kind: 'released', digit: '6' }]);
  });

  test('a source that counts anew with smaller timestamps is heard: at once when far back, else when nothing late can come', () => {
    const receiver = new EventReceiver();
    receiver.receive(event(9_000_000, 5, 800, true), 0);
    expect(pressed(receiver.receive(event(8_999_000, 6, 800, true), 100))).toBe('');
    expect(pressed(receiver.receive(event(800, 7, 800, true), 200))).toBe('7');
    expect(pressed(receiver.receive(event(400, 8, 800, true), 11_000))).toBe('8');
  });

  test('every key once, whatever is lost, doubled or late, as long as one packet of it comes before the next key', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789*#ABCD!'), minLength: 1, maxLength: 5 });
    const timing = fc.record({
      clockRate: fc.constantFrom(8000, 48_000),
      durationMs: fc.integer({ min: 40, max: 3000 }),
      gapMs: fc.integer({ min: 60, max: 300 }),
    });
    fc.assert(
      fc.property(digits, timing, fc.infiniteStream(fc.nat(99)), fc.nat(90), (keys, options, chance, lossPercent) => {
        const draw = (): number => chance.next().value;
        let sent = press(keys, options);
        const firsts = new Set<Arrival>();
        // One packet of each key arrives in time, any of them.
        for (const key of groups(sent)) firsts.add(key[draw() % key.length] as Arrival);
        sent = sent.filter((arrival) => firsts.has(arrival) || draw() >= lossPercent);
        const arrivals = sent.flatMap((arrival) => {
          const late = { ...arrival, atMs: arrival.atMs + 5 * draw() };
          if (firsts.has(arrival)) return draw() < 20 ? [arrival, late] : [arrival];
          return draw() < 20 ? [arrival, late] : draw() < 30 ? [late] : [arrival];
        });
        expectKeys(
          receive(
            arrivals.sort((a, b) => a.atMs - b.atMs),
            options.clockRate,
          ),
          keys,
        );
      }),
      { numRuns: 300 },
    );
  });

  test('random packets never throw, and what is pressed is released', () => {
    const packets = fc.array(
      fc.record({
        payload: fc.uint8Array({ maxLength: 12 }),
        timestamp: fc.constantFrom(0, 800, 0xffff, 0x10000, 0xffffff00),
        ssrc: fc.constantFrom(1, 2),
        marker: fc.boolean(),
        wait: fc.nat(300),
      }),
    );
    fc.assert(
      fc.property(packets, (list) => {
        let atMs = 0;
        const events = receive(
          list.map(({ payload, wait, ...header }) => {
            atMs += wait;
            return { atMs, data: rtp(header, payload) };
          }),
        );
        expect(events.length % 2).toBe(0);
        expectKeys(events, pressed(events));
      }),
    );
  });
});

/** The packets of each key: from one marker to the next. */
function groups(sent: readonly Arrival[]): Arrival[][] {
  const keys: Arrival[][] = [];
  for (const arrival of sent) {
    if (((arrival.data[1] as number) & 0x80) !== 0) keys.push([]);
    keys.at(-1)?.push(arrival);
  }
  return keys;
}
