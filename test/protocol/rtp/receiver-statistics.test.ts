import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Jitter } from '../../../src/protocol/rtp/jitter.js';
import { setTimestamp } from '../../../src/protocol/rtp/packet.js';
import { type ReceiverSnapshot, ReceiverStatistics } from '../../../src/protocol/rtp/receiver-statistics.js';
import { meanOpinionScore, transmissionRating } from '../../../src/protocol/rtp/voice-quality.js';
import { rtp, voice } from './packets.js';

/** Voice packets that arrive when they should. */
function receive(statistics: ReceiverStatistics, numbers: readonly number[], ssrc = 1): ReceiverSnapshot {
  for (const number of numbers) {
    statistics.receive(rtp({ ssrc, sequence: number, timestamp: number * 160 }), number * 20);
  }
  return statistics.snapshot();
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('RFC 3550 §A.3: loss', () => {
  test('nothing lost: as many as were sent, the first ones too', () => {
    const seen = receive(new ReceiverStatistics(8000), range(0, 500));
    expect(seen).toMatchObject({ packets: 500, bytes: 500 * 172, expected: 500, lost: 0, lossRatio: 0, strays: 0 });
    expect(seen.jitterMs).toBeCloseTo(0, 6);
    expect(seen.mos).toBeCloseTo(4.41, 2);
  });

  test('before the first packet there is nothing to tell', () => {
    const statistics = new ReceiverStatistics();
    expect(statistics.report()).toBeUndefined();
    expect(statistics.snapshot()).toMatchObject({ packets: 0, expected: 0, mos: undefined, ssrc: undefined });
  });

  test('losses are counted with their bursts; what comes late after all is not lost', () => {
    const statistics = new ReceiverStatistics(8000);
    const sent = range(0, 1000).filter((number) => number !== 50 && (number < 300 || number > 306) && number !== 998);
    const late = sent.toSpliced(sent.indexOf(402), 1).toSpliced(404, 0, 402);
    expect(receive(statistics, late)).toMatchObject({
      expected: 1000,
      lost: 9,
      lossBursts: 3,
      longestLossBurst: 7,
      outOfOrder: 1,
      duplicates: 0,
    });
  });

  test('duplicates hide no loss from the snapshot, but from the report (§A.3) they do', () => {
    const statistics = new ReceiverStatistics(8000);
    const seen = receive(statistics, [...range(0, 10), 9, 9, ...range(12, 20)]);
    expect(seen).toMatchObject({ expected: 20, lost: 2, duplicates: 2, outOfOrder: 0 });
    expect(statistics.report()).toMatchObject({ cumulativeLost: 0 });
  });

  test('any source has its number, the highest too, and is not taken for none', () => {
    const statistics = new ReceiverStatistics(8000);
    for (const ssrc of [0xffffffff, 0x80000000, 0]) {
      expect(receive(statistics, [1, 2, 3], ssrc).ssrc).toBe(ssrc);
      expect(statistics.report()?.ssrc).toBe(ssrc);
    }
    expect(statistics.snapshot()).toMatchObject({ packets: 9, lost: 0, restarts: 2 });
  });

  test('a report tells of its own interval: fraction lost, extended highest, jitter in units', () => {
    const statistics = new ReceiverStatistics(8000);
    receive(
      statistics,
      range(65_500, 65_600).filter((number) => number % 4 !== 0),
    );
    const first = statistics.report();
    // 65500 and 65596 are multiples of four: of 65501 to 65599 there are 24 missing of 99.
    expect(first).toEqual({
      ssrc: 1,
      fractionLost: Math.floor((24 * 256) / 99),
      cumulativeLost: 24,
      highestSequence: 65_599,
      jitter: 0,
    });
    receive(statistics, range(65_600, 65_650));
    expect(statistics.report()).toMatchObject({ fractionLost: 0, cumulativeLost: 24, highestSequence: 65_649 });
    expect(statistics.report()).toMatchObject({ fractionLost: 0, cumulativeLost: 24 });
  });

  test('what was sent and what came decide alone, in whatever order it came', () => {
    const fates = fc.array(fc.record({ lost: fc.boolean(), twice: fc.boolean(), delay: fc.nat(40) }), {
      minLength: 30,
      maxLength: 400,
    });
    fc.assert(
      fc.property(fates, fc.nat(0xffff), (packets, start) => {
        const arrivals = packets.flatMap(({ lost, twice, delay }, i) => {
          if (i < 2 || i === packets.length - 1) return [{ i, at: i }];
          if (lost) return [];
          return twice
            ? [
                { i, at: i + delay },
                { i, at: i + delay + 1 },
              ]
            : [{ i, at: i + delay }];
        });
        const order = arrivals.map((arrival, n) => ({ ...arrival, n })).sort((a, b) => a.at - b.at || a.n - b.n);
        // The first two prove the source.
        const statistics = new ReceiverStatistics(8000);
        let highest = -1;
        let late = 0;
        const seen = new Set<number>();
        for (const { i, at } of order) {
          statistics.receive(rtp({ sequence: start + i, timestamp: 160 * i }), at * 20);
          if (!seen.has(i) && i < highest) late++;
          seen.add(i);
          highest = Math.max(highest, i);
        }
        const snapshot = statistics.snapshot();
        expect(snapshot.packets).toBe(arrivals.length);
        expect(snapshot.expected).toBe(packets.length);
        expect(snapshot.lost).toBe(packets.length - seen.size);
        expect(snapshot.duplicates).toBe(arrivals.length - seen.size);
        expect(snapshot.outOfOrder).toBe(late);
        expect(snapshot.longestLossBurst).toBe(longestGap(seen, packets.length));
      }),
    );
  });
});

function longestGap(seen: ReadonlySet<number>, count: number): number {
  let longest = 0;
  let run = 0;
  for (let i = 0; i < count; i++) {
    run = seen.has(i) ? 0 : run + 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

describe('RFC 3550 §A.1: another source or another sequence', () => {
  test('another SSRC is a restart: what was counted stays, nothing between the two is lost', () => {
    const statistics = new ReceiverStatistics(8000);
    receive(
      statistics,
      range(0, 100).filter((number) => number !== 40),
    );
    const seen = receive(statistics, range(30_000, 30_100), 2);
    expect(seen).toMatchObject({ packets: 199, expected: 200, lost: 1, restarts: 1, strays: 0, ssrc: 2 });
    expect(statistics.report()).toMatchObject({ ssrc: 2, cumulativeLost: 0, highestSequence: 30_099 });
  });

  test('the same SSRC that begins anew elsewhere is a restart; a single stray is none', () => {
    const statistics = new ReceiverStatistics(8000);
    expect(receive(statistics, [...range(0, 50), 40_000, ...range(50, 60)])).toMatchObject({
      expected: 60,
      lost: 0,
      strays: 1,
      restarts: 0,
    });
    expect(receive(statistics, range(20_000, 20_050))).toMatchObject({
      packets: 111,
      expected: 110,
      lost: 0,
      restarts: 1,
      strays: 1,
    });
  });

  test('noise in which no number follows another is never valid', () => {
    const statistics = new ReceiverStatistics(8000);
    const seen = receive(statistics, [5, 500, 50, 5000, 1]);
    expect(seen).toMatchObject({ packets: 5, expected: 0, strays: 5, mos: undefined });
    expect(statistics.report()).toBeUndefined();
  });
});

describe('RFC 3550 §A.8: jitter', () => {
  /** The C code of §A.8 with times in units. */
  function reference(packets: readonly (readonly [timestamp: number, arrival: number])[]): number {
    let jitter = 0;
    let transit: number | undefined;
    for (const [timestamp, arrival] of packets) {
      const now = arrival - timestamp;
      if (transit !== undefined) jitter += (Math.abs(now - transit) - jitter) / 16;
      transit = now;
    }
    return jitter;
  }

  test('is that of the code in the RFC, over the wrap of the timestamp too', () => {
    const delays = fc.array(fc.nat(800), { minLength: 3, maxLength: 100 });
    fc.assert(
      fc.property(delays, fc.nat(0xffffffff), (units, start) => {
        const jitter = new Jitter(8000);
        units.forEach((delay, i) => jitter.receive((start + 160 * i) >>> 0, (160 * i + delay) / 8));
        expect(jitter.milliseconds * 8).toBeCloseTo(reference(units.map((delay, i) => [160 * i, 160 * i + delay])), 4);
        expect(jitter.units).toBe(Math.floor(jitter.milliseconds * 8));
      }),
    );
  });

  test('a late packet counts by when it came', () => {
    const statistics = new ReceiverStatistics(8000);
    voice(3).forEach((packet, i) => statistics.receive(packet, i === 2 ? 56 : i * 20));
    expect(statistics.snapshot().jitterMs).toBe(1);
  });

  test('packets of one key press have one timestamp and shake nothing; a clock set anew neither', () => {
    const jitter = new Jitter(8000);
    for (let i = 0; i < 10; i++) jitter.receive(160 * i, 20 * i);
    for (let i = 10; i < 20; i++) jitter.receive(1600, 20 * i);
    for (let i = 20; i < 30; i++) jitter.receive(160 * i, 20 * i);
    for (let i = 30; i < 40; i++) jitter.receive(1_000_000 + 160 * i, 20 * i);
    expect(jitter.milliseconds).toBe(0);
  });

  test('without a clock rate there is none; with one that is learned later it begins', () => {
    const statistics = new ReceiverStatistics();
    voice(20).forEach((packet, i) => statistics.receive(packet, i * 37));
    expect(statistics.snapshot().jitterMs).toBe(0);
    statistics.clockRate = 8000;
    voice(20, { sequence: 20, timestamp: 3200 }).forEach((packet, i) => statistics.receive(packet, 740 + i * 36));
    expect(statistics.snapshot().jitterMs).toBeCloseTo(16 * (1 - (15 / 16) ** 19), 6);
  });

  test('two packets in which the clock stands still', () => {
    const packet = rtp({ sequence: 1 });
    setTimestamp(packet, 0);
    const statistics = new ReceiverStatistics(8000);
    statistics.receive(rtp({ sequence: 0 }), 0);
    statistics.receive(packet, 20);
    expect(statistics.snapshot().jitterMs).toBe(0);
  });
});

describe('ITU-T G.107: how a G.711 call sounds', () => {
  test('without impairment R is 93.2 and the score 4.41', () => {
    expect(transmissionRating({ lossRatio: 0 })).toBe(93.2);
    expect(meanOpinionScore(93.2)).toBeCloseTo(4.41, 2);
  });

  test('known points: 2 % of random loss, 150 and 400 ms of delay', () => {
    expect(transmissionRating({ lossRatio: 0.02 })).toBeCloseTo(93.2 - (95 * 2) / 27.1, 6);
    expect(transmissionRating({ lossRatio: 0, delayMs: 150 })).toBeCloseTo(93.2 - 3.6, 6);
    expect(transmissionRating({ lossRatio: 0, delayMs: 400 })).toBeCloseTo(93.2 - 9.6 - 24.497, 6);
    expect(meanOpinionScore(50)).toBeCloseTo(2.575, 3);
  });

  test('more loss, longer bursts, more jitter, more delay: never better; always within the scale', () => {
    const impairments = fc.record({
      lossRatio: fc.double({ min: 0, max: 1, noNaN: true }),
      burstRatio: fc.double({ min: 1, max: 20, noNaN: true }),
      jitterMs: fc.double({ min: 0, max: 500, noNaN: true }),
      delayMs: fc.double({ min: 0, max: 2000, noNaN: true }),
    });
    fc.assert(
      fc.property(impairments, fc.constantFrom('lossRatio', 'burstRatio', 'jitterMs', 'delayMs'), (given, worse) => {
        const score = (more: number): number =>
          meanOpinionScore(
            transmissionRating({ ...given, [worse]: Math.min(given[worse] * more, worse === 'lossRatio' ? 1 : 5000) }),
          );
        // The last bits of a sum of exponentials may go either way.
        expect(score(1.5)).toBeLessThanOrEqual(score(1) + 1e-9);
        expect(score(1)).toBeGreaterThanOrEqual(1);
        expect(score(1)).toBeLessThanOrEqual(4.5);
      }),
    );
  });
});
