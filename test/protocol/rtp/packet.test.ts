import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datagramKind, isRtcp } from '../../../src/protocol/rtp/demultiplex.js';
import {
  isRtp,
  isRtpHeader,
  marker,
  payloadEnd,
  payloadOffset,
  payloadType,
  rtpHeader,
  sequenceOf,
  setMarker,
  setPayloadType,
  setSequence,
  setSsrc,
  setTimestamp,
  ssrcOf,
  timestampOf,
  writeRtp,
} from '../../../src/protocol/rtp/packet.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const headers = fc.record({
  payloadType: fc.integer({ min: 0, max: 127 }).filter((type) => type < 64 || type > 95),
  marker: fc.boolean(),
  sequence: fc.integer({ min: 0, max: 0xffff }),
  timestamp: fc.integer({ min: 0, max: 0xffffffff }),
  ssrc: fc.integer({ min: 0, max: 0xffffffff }),
});

describe('RFC 3550 §5.1: the header', () => {
  test('is read where it lies', () => {
    const packet = hex('80e5 1f30 000033e0 0e05384e 010a0000');
    expect(isRtp(packet)).toBe(true);
    expect(payloadType(packet)).toBe(101);
    expect(marker(packet)).toBe(true);
    expect(sequenceOf(packet)).toBe(0x1f30);
    expect(timestampOf(packet)).toBe(0x33e0);
    expect(ssrcOf(packet)).toBe(0x0e05384e);
    expect([payloadOffset(packet), payloadEnd(packet)]).toEqual([12, 16]);
  });

  test('what was written is read back, whatever the fields', () => {
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 200 }), (header, payload) => {
        const out = new Uint8Array(payload.length + 40).fill(0xff);
        const length = writeRtp(out, header, payload);
        const packet = out.subarray(0, length);
        expect(isRtp(packet)).toBe(true);
        expect(rtpHeader(packet)).toEqual(header);
        expect(packet.subarray(payloadOffset(packet), payloadEnd(packet))).toEqual(payload);
      }),
    );
  });

  test('a buffer without room is refused, before anything is written', () => {
    const out = new Uint8Array(15);
    const header = { payloadType: 0, marker: false, sequence: 1, timestamp: 1, ssrc: 1 };
    expect(() => writeRtp(out, header, new Uint8Array(4))).toThrow(RangeError);
    expect(out).toEqual(new Uint8Array(15));
  });

  test('fields are set in place and no others change; counters wrap', () => {
    fc.assert(
      fc.property(headers, headers, (header, next) => {
        const packet = new Uint8Array(16);
        writeRtp(packet, header, hex('01020304'));
        setPayloadType(packet, next.payloadType);
        expect(rtpHeader(packet)).toEqual({ ...header, payloadType: next.payloadType });
        setMarker(packet, next.marker);
        setSequence(packet, next.sequence + 0x10000);
        setTimestamp(packet, next.timestamp + 0x100000000);
        setSsrc(packet, next.ssrc);
        expect(rtpHeader(packet)).toEqual(next);
        expect(packet.subarray(12)).toEqual(hex('01020304'));
      }),
    );
  });

  test('contributing sources and an extension lie before the payload, padding behind it', () => {
    const packet = hex('b2000001 00000000 00000000 0000000a 0000000b bede0001 aabbccdd 010203 000002');
    expect(isRtp(packet)).toBe(true);
    expect([payloadOffset(packet), payloadEnd(packet)]).toEqual([28, 32]);
  });
});

describe('RFC 3550 §A.1: what is no RTP packet', () => {
  test.each([
    ['version 1', '40000001 00000000 00000000'],
    ['version 3', 'c0000001 00000000 00000000'],
    ['eleven bytes', '80000001 00000000 000000'],
    ['a contributing source too many', '82000001 00000000 00000000 0000000a'],
    ['an extension without its length', '90000001 00000000 00000000 bede'],
    ['an extension that runs over the end', '90000001 00000000 00000000 bede0002 00000000'],
    ['the type of a sender report', '80c80001 00000000 00000000'],
    ['nothing', ''],
  ])('%s', (_name, packet) => {
    expect(isRtpHeader(hex(packet))).toBe(false);
    expect(isRtp(hex(packet))).toBe(false);
  });

  test.each([
    ['padding of no bytes', 'a0000001 00000000 00000000 01020300'],
    ['padding longer than the payload', 'a0000001 00000000 00000000 01020305'],
    ['padding and nothing else', 'a0000001 00000000 00000000'],
  ])('%s: but as SRTP it may be fine', (_name, packet) => {
    expect(isRtp(hex(packet))).toBe(false);
    expect(isRtpHeader(hex(packet))).toBe(true);
  });

  test('no bytes make the readers throw or point outside an accepted packet', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (data, version2) => {
        if (version2 && data.length > 0) data[0] = 0x80 | ((data[0] as number) & 0x3f);
        datagramKind(data);
        if (!isRtp(data)) return;
        expect(payloadOffset(data)).toBeLessThanOrEqual(payloadEnd(data));
        expect(payloadEnd(data)).toBeLessThanOrEqual(data.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('RFC 7983 §7, RFC 5761 §4: one port for all', () => {
  test('the first byte tells STUN, DTLS and RTP apart, the second RTP and RTCP', () => {
    const packet = (first: number, second = 0): Uint8Array => {
      const data = new Uint8Array(28);
      data[0] = first;
      data[1] = second;
      return data;
    };
    for (let first = 0; first < 256; first++) {
      const kind = datagramKind(packet(first));
      if (first <= 3) expect(kind).toBe('stun');
      else if (first >= 20 && first <= 63) expect(kind).toBe('dtls');
      else if (first >= 128 && first <= 143) expect(kind).toBe(first <= 132 ? 'rtp' : 'other');
      else if (first < 128 || first > 191) expect(kind).toBe('other');
    }
    for (let second = 0; second < 256; second++) {
      expect(datagramKind(packet(0x80, second))).toBe(second >= 192 && second <= 223 ? 'rtcp' : 'rtp');
    }
    expect(datagramKind(new Uint8Array(0))).toBe('other');
  });

  test('an RTCP packet that runs over the end is none', () => {
    expect(isRtcp(hex('80c90001 00000001'))).toBe(true);
    expect(isRtcp(hex('80c90002 00000001'))).toBe(false);
    expect(isRtcp(hex('80cb0000'))).toBe(false);
    expect(datagramKind(hex('80c90002 00000001'))).toBe('other');
  });
});
