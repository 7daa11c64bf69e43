import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compactNtp, delaySinceLast, epochMillis, ntpTime, roundTripMs } from '../../../src/protocol/rtp/ntp.js';
import { averageRtcpSize, type RtcpSituation, rtcpInterval } from '../../../src/protocol/rtp/rtcp-interval.js';

const fractions = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('RFC 3550 §4: NTP time', () => {
  test('1970 and a known moment', () => {
    expect(ntpTime(0)).toEqual({ seconds: 2_208_988_800, fraction: 0 });
    expect(ntpTime(Date.UTC(2036, 1, 7, 6, 28, 16, 500))).toEqual({ seconds: 0, fraction: 0x80000000 });
  });

  test('there and back, beyond 2036 too', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }), (at) => {
        expect(epochMillis(ntpTime(at))).toBeCloseTo(at, 5);
      }),
    );
  });
});

describe('RFC 3550 §6.4.1: round trip', () => {
  test('the example of figure 2: 6.125 s', () => {
    // [10 Nov 1995 11:33:25.125 UTC]: SR at b44db705:20000000; arrival A = b710:8000, LSR = b705:2000, DLSR = 0005.4000.
    const sent = { seconds: 0xb44db705, fraction: 0x20000000 };
    expect(compactNtp(sent)).toBe(0xb7052000);
    const at = epochMillis({ seconds: 0xb44db710, fraction: 0x80000000 });
    expect(roundTripMs({ lastSenderReport: compactNtp(sent), delaySinceLast: 0x00054000 }, at)).toBe(6125);
  });

  test('is what the network took, whatever the peer held the report back; never negative', () => {
    const ms = fc.integer({ min: 0, max: 20_000 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 41 }), ms, ms, (sentAt, network, held) => {
        const lastSenderReport = compactNtp(ntpTime(sentAt));
        fc.pre(lastSenderReport !== 0);
        const block = { lastSenderReport, delaySinceLast: delaySinceLast(held) };
        const trip = roundTripMs(block, sentAt + network + held);
        expect(trip).toBeGreaterThanOrEqual(0);
        expect(Math.abs((trip as number) - network)).toBeLessThan(0.05);
      }),
    );
  });

  test('a peer that has had no sender report knows none', () => {
    expect(roundTripMs({ lastSenderReport: 0, delaySinceLast: 0 }, 1000)).toBeUndefined();
  });
});

describe('RFC 3550 §6.2, §A.7: the interval', () => {
  const call: RtcpSituation = {
    members: 2,
    senders: 2,
    bandwidth: 400,
    weSent: true,
    averageSize: 120,
    initial: false,
  };

  test('of a call: 5 s on the average before the compensation, from one half to one and a half', () => {
    const compensation = Math.E - 1.5;
    expect(rtcpInterval(call, 0)).toBeCloseTo(2500 / compensation, 6);
    expect(rtcpInterval(call, 0.5)).toBeCloseTo(5000 / compensation, 6);
    expect(rtcpInterval(call, 0.999999)).toBeCloseTo(7500 / compensation, 1);
    expect(rtcpInterval({ ...call, initial: true }, 0.5)).toBeCloseTo(2500 / compensation, 6);
  });

  test('many members share the bandwidth: a quarter for senders, the rest for the others', () => {
    const crowd = { ...call, members: 1000, senders: 10 };
    const compensation = Math.E - 1.5;
    expect(rtcpInterval(crowd, 0.5)).toBeCloseTo((1000 * 120 * 10) / 100 / compensation, 3);
    expect(rtcpInterval({ ...crowd, weSent: false }, 0.5)).toBeCloseTo((1000 * 120 * 990) / 300 / compensation, 3);
    expect(rtcpInterval({ ...crowd, senders: 500 }, 0.5)).toBeCloseTo((1000 * 120 * 1000) / 400 / compensation, 3);
  });

  test('is never shorter than half of five seconds, compensated', () => {
    const situations = fc.record({
      members: fc.integer({ min: 1, max: 1e6 }),
      senders: fc.nat(1000),
      bandwidth: fc.integer({ min: 1, max: 1e9 }),
      weSent: fc.boolean(),
      averageSize: fc.integer({ min: 28, max: 1500 }),
      initial: fc.constant(false),
    });
    fc.assert(
      fc.property(situations, fractions, (situation, fraction) => {
        expect(rtcpInterval(situation, fraction)).toBeGreaterThanOrEqual(2500 / (Math.E - 1.5) - 1e-9);
      }),
    );
  });

  test('§6.3.3: the average size follows slowly', () => {
    expect(averageRtcpSize(160, 160)).toBe(160);
    expect(averageRtcpSize(160, 320)).toBe(170);
  });
});
