import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { setSequence } from '../../../src/protocol/rtp/packet.js';
import {
  isRejected,
  packetIndex,
  type SrtpContextOptions,
  type SrtpFault,
  SrtpReceiver,
  type SrtpRejection,
  SrtpSender,
} from '../../../src/protocol/srtp/context.js';
import { CounterCipher } from '../../../src/protocol/srtp/counter-cipher.js';
import type { SrtpMasterKey } from '../../../src/protocol/srtp/crypto-attribute.js';
import { sessionKeys } from '../../../src/protocol/srtp/key-derivation.js';
import { ReplayWindow, WINDOW_PACKETS } from '../../../src/protocol/srtp/replay-window.js';
import { type SrtpSuiteName, srtpSuite } from '../../../src/protocol/srtp/suite.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { rtp } from '../rtp/packets.js';
import { hex, NO_VECTORS, toHex, vectors } from './vectors.js';

const SUITES: readonly SrtpSuiteName[] = ['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'];
const TAGS: Readonly<Record<SrtpSuiteName, number>> = {
  AEAD_AES_128_GCM: 16,
  AES_CM_128_HMAC_SHA1_80: 10,
  AES_CM_128_HMAC_SHA1_32: 4,
};

function options(suite: SrtpSuiteName, more: Partial<SrtpMasterKey> = {}, seed = 'key'): SrtpContextOptions {
  const random = new SeededRandom(seed);
  const { keyBytes, saltBytes } = srtpSuite(suite);
  return { suite, masterKey: { key: random.bytes(keyBytes), salt: random.bytes(saltBytes), ...more } };
}

function pair(suite: SrtpSuiteName, more: Partial<SrtpMasterKey> = {}): { sender: SrtpSender; receiver: SrtpReceiver } {
  const given = options(suite, more);
  return { sender: new SrtpSender(given), receiver: new SrtpReceiver(given) };
}

function bytes(result: Uint8Array | SrtpRejection): Uint8Array {
  if (isRejected(result)) throw new Error(`rejected: ${result.why}`);
  return result;
}

const why = (result: Uint8Array | SrtpRejection): SrtpFault | 'taken' => (isRejected(result) ? result.why : 'taken');
const packet = (sequence: number, ssrc = 1): Uint8Array =>
  rtp({ sequence: sequence & 0xffff, timestamp: 160 * sequence, ssrc }, Buffer.from(`n${sequence}`));
const RTCP = hex('80c90001 00000001 81ca0003 00000001 01036140 62000000');

describe.each(SUITES)('%s', (suite) => {
  test('what was protected is unprotected, whatever the header and the payload; the header stays readable', () => {
    const { sender, receiver } = pair(suite, { mki: hex('0001') });
    let sequence = 0;
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 1400 }),
        fc.array(fc.nat(), { maxLength: 15 }),
        fc.boolean(),
        (payload, csrcs, extended) => {
          const head = rtp({ sequence: sequence++, ssrc: 9, marker: true, payloadType: 96 }, hex(''));
          head[0] = 0x80 | csrcs.length | (extended ? 0x10 : 0);
          const plain = Buffer.concat([
            head,
            Buffer.alloc(4 * csrcs.length, 7),
            hex(extended ? 'bede0001 aabbccdd' : ''),
            payload,
          ]);
          const before = toHex(plain);
          const sealed = bytes(sender.protect(plain));
          expect(sealed.length).toBe(plain.length + TAGS[suite] + 2);
          const clear = plain.length - payload.length;
          expect(toHex(sealed.subarray(0, clear))).toBe(before.slice(0, 2 * clear));
          if (payload.length >= 16) expect(toHex(sealed.subarray(clear, plain.length))).not.toBe(toHex(payload));
          expect(toHex(bytes(receiver.unprotect(sealed)))).toBe(before);
          expect(toHex(plain)).toBe(before);
        },
      ),
    );
  });

  test('RFC 3711 §3.3: no bit can be changed, none cut off, none added: and then the packet itself is still taken', () => {
    const { sender, receiver } = pair(suite);
    const sealed = bytes(sender.protect(packet(5)));
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const forged = Uint8Array.from(sealed);
      const at = bit >> 3;
      forged[at] = (forged[at] as number) ^ (1 << (bit & 7));
      expect(['authentication', 'malformed']).toContain(why(receiver.unprotect(forged)));
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(['authentication', 'malformed']).toContain(why(receiver.unprotect(sealed.subarray(0, length))));
    }
    expect(why(receiver.unprotect(Uint8Array.of(...sealed, 0)))).toBe('authentication');
    expect(toHex(bytes(receiver.unprotect(sealed)))).toBe(toHex(packet(5)));
  });

  test('RFC 3711 §3.4: the same for RTCP, its index and its E flag', () => {
    const { sender, receiver } = pair(suite);
    const sealed = bytes(sender.protectRtcp(RTCP));
    expect(toHex(sealed.subarray(0, 8))).toBe(toHex(RTCP.subarray(0, 8)));
    expect(toHex(sealed)).not.toContain(toHex(RTCP.subarray(8)));
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const forged = Uint8Array.from(sealed);
      const at = bit >> 3;
      forged[at] = (forged[at] as number) ^ (1 << (bit & 7));
      expect(['authentication', 'malformed']).toContain(why(receiver.unprotectRtcp(forged)));
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(['authentication', 'malformed']).toContain(why(receiver.unprotectRtcp(sealed.subarray(0, length))));
    }
    expect(toHex(bytes(receiver.unprotectRtcp(sealed)))).toBe(toHex(RTCP));
    expect(why(receiver.unprotectRtcp(sealed))).toBe('replayed');
  });

  test('RFC 3711 §3.4: the SRTCP index begins at 0 and counts up', () => {
    const { sender, receiver } = pair(suite);
    const tag = suite === 'AEAD_AES_128_GCM' ? 0 : 10;
    for (let index = 0; index < 300; index++) {
      const sealed = bytes(sender.protectRtcp(RTCP));
      const at = sealed.length - tag - 4;
      expect(toHex(sealed.subarray(at, at + 4))).toBe((0x80000000 + index).toString(16));
      expect(why(receiver.unprotectRtcp(sealed))).toBe('taken');
    }
  });

  test('RFC 3711 §3.3.2: a packet is taken once, and not when it is too late', () => {
    const { sender, receiver } = pair(suite);
    const sealed = Array.from({ length: 300 }, (_, i) => bytes(sender.protect(packet(i))));
    const take = (i: number) => why(receiver.unprotect(sealed[i] as Uint8Array));
    expect([take(0), take(0), take(199), take(100)]).toEqual(['taken', 'replayed', 'taken', 'taken']);
    expect([take(100), take(199), take(199 - 127), take(199 - 128)]).toEqual([
      'replayed',
      'replayed',
      'taken',
      'replayed',
    ]);
    expect([take(299), take(172), take(171), take(199)]).toEqual(['taken', 'taken', 'replayed', 'replayed']);
  });

  test('RFC 3711 §3.3.1: the rollover counter goes on over two wraps, with losses and late packets about them', () => {
    const { sender, receiver } = pair(suite);
    const indices: number[] = [];
    for (let turn = 1; turn <= 2; turn++) {
      for (let i = turn * 0x10000 - 0x8000; i < turn * 0x10000 - 40; i += 0x3000) indices.push(i);
      for (let i = turn * 0x10000 - 40; i < turn * 0x10000 + 40; i++) indices.push(i);
      for (let i = turn * 0x10000 + 0x1000; i < turn * 0x10000 + 0x8000; i += 0x3000) indices.push(i);
    }
    const random = new SeededRandom('wrap');
    const arrivals = indices
      .map((index) => ({ index, sealed: bytes(sender.protect(packet(index))) }))
      .filter(({ index }) => index === indices[0] || !random.chance(0.2))
      .map((arrival, i) => {
        const fromWrap = Math.abs(((arrival.index + 0x8000) % 0x10000) - 0x8000);
        return { ...arrival, at: fromWrap < 30 ? i + random.integer(6) : i };
      })
      .sort((a, b) => a.at - b.at);
    for (const { index, sealed } of arrivals)
      expect(toHex(bytes(receiver.unprotect(sealed)))).toBe(toHex(packet(index)));
    // Those of another turn are taken for the nearest index, for which their tag is wrong.
    for (const { sealed } of arrivals)
      expect(['replayed', 'authentication']).toContain(why(receiver.unprotect(sealed)));
  });

  test('sources are apart: each has its own counters, and a packet cannot be passed off as another source’s', () => {
    const { sender, receiver } = pair(suite);
    for (const ssrc of [1, 2]) {
      for (let i = 0xfff0; i < 0x10010; i++)
        expect(why(receiver.unprotect(bytes(sender.protect(packet(i, ssrc)))))).toBe('taken');
    }
    const sealed = bytes(sender.protect(packet(100, 3)));
    const moved = Uint8Array.from(sealed);
    moved[11] = 4;
    expect(why(receiver.unprotect(moved))).toBe('authentication');
    expect(why(receiver.unprotect(sealed))).toBe('taken');
  });

  test('another key, or another direction, is not taken', () => {
    const { sender } = pair(suite);
    const stranger = new SrtpReceiver(options(suite, {}, 'another'));
    expect(why(stranger.unprotect(bytes(sender.protect(packet(1)))))).toBe('authentication');
    expect(why(stranger.unprotectRtcp(bytes(sender.protectRtcp(RTCP))))).toBe('authentication');
  });

  test('RFC 3711 §9.1: a number is protected once', () => {
    const { sender } = pair(suite);
    bytes(sender.protect(packet(10)));
    expect(why(sender.protect(packet(10)))).toBe('replayed');
    const changed = packet(10);
    changed[13] = 0;
    expect(why(sender.protect(changed))).toBe('replayed');
    expect(why(sender.protect(packet(9)))).toBe('taken');
  });

  test('RFC 4568 §6.1: the lifetime of a key bounds RTP and RTCP each, on both sides', () => {
    const { sender, receiver } = pair(suite, { lifetime: 3 });
    const more = pair(suite).sender;
    for (let i = 0; i < 3; i++) {
      expect(why(receiver.unprotect(bytes(sender.protect(packet(i)))))).toBe('taken');
      expect(why(receiver.unprotectRtcp(bytes(sender.protectRtcp(RTCP))))).toBe('taken');
      more.protectRtcp(RTCP);
    }
    expect([why(sender.protect(packet(3))), why(sender.protectRtcp(RTCP))]).toEqual(['exhausted', 'exhausted']);
    expect(why(receiver.unprotect(bytes(more.protect(packet(3)))))).toBe('exhausted');
    expect(why(receiver.unprotectRtcp(bytes(more.protectRtcp(RTCP))))).toBe('exhausted');
  });

  test('RFC 3711 §3.1: the master key identifier stands in each packet, and another one is not taken', () => {
    const { sender, receiver } = pair(suite, { mki: hex('0000042a') });
    const sealed = bytes(sender.protect(packet(1)));
    const sealedRtcp = bytes(sender.protectRtcp(RTCP));
    expect(toHex(sealed)).toContain('0000042a');
    expect(toHex(sealedRtcp)).toContain('0000042a');
    const others = pair(suite, { mki: hex('0000042b') });
    expect(why(others.receiver.unprotect(sealed))).toBe('key');
    expect(why(others.receiver.unprotectRtcp(sealedRtcp))).toBe('key');
    expect(why(receiver.unprotect(sealed))).toBe('taken');
    expect(why(receiver.unprotectRtcp(sealedRtcp))).toBe('taken');
  });

  test('sources beyond the cap are refused; forged ones take no place', () => {
    const given = { ...options(suite), maxSources: 2 };
    const sender = new SrtpSender(options(suite));
    const receiver = new SrtpReceiver(given);
    for (let ssrc = 100; ssrc < 200; ssrc++) {
      expect(why(receiver.unprotect(rtp({ ssrc }, new Uint8Array(40))))).toBe('authentication');
    }
    expect([1, 2, 3, 1].map((ssrc, i) => why(receiver.unprotect(bytes(sender.protect(packet(i, ssrc))))))).toEqual([
      'taken',
      'taken',
      'sources',
      'taken',
    ]);
    const capped = new SrtpSender(given);
    expect([1, 2, 3].map((ssrc) => why(capped.protect(packet(0, ssrc))))).toEqual(['taken', 'taken', 'sources']);
  });

  test('random bytes are rejected and never throw', () => {
    const { sender, receiver } = pair(suite, { mki: hex('01') });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(0, 200), (data, type) => {
        if (data.length > 1) data.set([0x80 | ((data[0] as number) & 0x3f), type]);
        expect(why(receiver.unprotect(data))).not.toBe('taken');
        expect(why(receiver.unprotectRtcp(data))).not.toBe('taken');
        sender.protect(data);
        sender.protectRtcp(data);
      }),
      { numRuns: 500 },
    );
  });

  test('a key of another length is misuse', () => {
    const wrong = { suite, masterKey: { key: new Uint8Array(15), salt: new Uint8Array(14) } };
    expect(() => new SrtpSender(wrong)).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
    expect(() => new SrtpReceiver(wrong)).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
  });
});

describe('RFC 3711 §3.4: RTCP that is authenticated but not encrypted (E = 0)', () => {
  test('is taken, and nothing of it can be changed', () => {
    const suite = srtpSuite('AES_CM_128_HMAC_SHA1_80');
    const { masterKey } = options('AES_CM_128_HMAC_SHA1_80');
    const { rtcp } = sessionKeys(suite, masterKey);
    const tagged = Buffer.concat([RTCP, hex('00000007')]);
    // An RTP tag is over the packet and a word that is not sent: with the keys of RTCP and the index as that word it is what we need.
    const asRtp = new CounterCipher(srtpSuite('AES_CM_128_HMAC_SHA1_80'), { rtp: rtcp, rtcp });
    const tag = asRtp.sealRtp(RTCP, RTCP.length, 1, 7 * 0x10000).subarray(-10);
    const receiver = new SrtpReceiver({ suite: suite.name, masterKey });
    const changed = Buffer.concat([tagged, tag]);
    changed[20] = 1;
    expect(why(receiver.unprotectRtcp(changed))).toBe('authentication');
    expect(toHex(bytes(receiver.unprotectRtcp(Buffer.concat([tagged, tag]))))).toBe(toHex(RTCP));
  });
});

describe.skipIf(vectors.length === 0)(`a whole context against known answers (${NO_VECTORS})`, () => {
  test.each(vectors.filter(({ kind }) => kind.startsWith('SRTP packet')))('$source: $kind', (vector) => {
    const masterKey = { key: hex(vector.masterKey), salt: hex(vector.masterSalt) };
    const given: SrtpContextOptions = { suite: 'AES_CM_128_HMAC_SHA1_80', masterKey };
    expect(toHex(bytes(new SrtpSender(given).protect(hex(vector.rtp))))).toBe(vector.srtp);
    expect(toHex(bytes(new SrtpReceiver(given).unprotect(hex(vector.srtp))))).toBe(vector.rtp);
  });
});

describe('RFC 3711 Appendix A: the index of a packet', () => {
  test('the first packet is of turn 0; about a wrap the nearest turn counts', () => {
    expect(packetIndex(-1, 65_535)).toBe(65_535);
    expect(packetIndex(65_535, 0)).toBe(65_536);
    expect(packetIndex(65_536, 65_535)).toBe(65_535);
    expect(packetIndex(5, 65_000)).toBeLessThan(0);
    expect(packetIndex(2 ** 47 + 0xfff0, 3)).toBe(2 ** 47 + 0x10003);
  });

  test('is found again as long as the packet is less than half a turn away', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0x8000, max: 2 ** 48 - 1 }),
        fc.integer({ min: -0x7fff, max: 0x7fff }),
        (newest, away) => {
          expect(packetIndex(newest, (newest + away) % 0x10000)).toBe(newest + away);
        },
      ),
    );
  });
});

describe('RFC 3711 §3.3.2: the replay list', () => {
  test('says of every index what a list of all of them would say', () => {
    const jump = fc.oneof(
      fc.integer({ min: -140, max: 0 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 400 }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 2 ** 48 - 100_000 }),
        fc.array(jump, { maxLength: 200 }),
        (start, list) => {
          const window = new ReplayWindow();
          const seen = new Set<number>();
          let highest = start;
          for (const jump of [0, ...list]) {
            const index = highest + jump;
            if (window.isNew(index)) window.mark(index);
            if (index > highest - WINDOW_PACKETS) seen.add(index);
            highest = Math.max(highest, index);
            expect(window.highest).toBe(highest);
            for (let each = highest - WINDOW_PACKETS - 2; each <= highest + 2; each++) {
              const fresh = each > highest || (each > highest - WINDOW_PACKETS && !seen.has(each));
              if (window.isNew(each) !== fresh) throw new Error(`${each} of ${highest}: found ${!fresh}`);
            }
          }
        },
      ),
    );
  });

  test('is at least as long as is asked for', () => {
    expect(WINDOW_PACKETS).toBeGreaterThanOrEqual(64);
  });
});

test('a number that wraps in the header alone is another index', () => {
  const { sender, receiver } = pair('AES_CM_128_HMAC_SHA1_80');
  bytes(receiver.unprotect(bytes(sender.protect(packet(0xffff)))));
  const next = packet(0);
  setSequence(next, 0x10000);
  expect(toHex(bytes(receiver.unprotect(bytes(sender.protect(next)))))).toBe(toHex(next));
});
