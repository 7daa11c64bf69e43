import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CounterCipher } from '../../../src/protocol/srtp/counter-cipher.js';
import { GcmCipher } from '../../../src/protocol/srtp/gcm-cipher.js';
import { HmacSha1 } from '../../../src/protocol/srtp/hmac-sha1.js';
import { deriveKey, sessionKeys } from '../../../src/protocol/srtp/key-derivation.js';
import { KeyStream } from '../../../src/protocol/srtp/key-stream.js';
import { srtpSuite } from '../../../src/protocol/srtp/suite.js';
import { hex, NO_VECTORS, toHex, vectors } from './vectors.js';

const of = (kind: string) => vectors.filter((vector) => vector.kind.startsWith(kind));
/** We have no suite with keys of 192 or 256 bits. */
const ours = ({ key = '', masterKey = key }: { key?: string; masterKey?: string }): boolean => masterKey.length === 32;

describe.skipIf(vectors.length === 0)(`vectors (${NO_VECTORS})`, () => {
  test.each(of('AES-CM').filter(ours))('$source: key stream at $counter', ({ key, counter, keystream }) => {
    const block = Number.parseInt(counter.slice(-4), 16);
    const data = new Uint8Array(16 * (block + 1));
    new KeyStream(hex(key), hex(counter.slice(0, 28))).apply(data, 0, data.length, 0, 0);
    expect(toHex(data.subarray(16 * block))).toBe(keystream.toLowerCase());
  });

  test.each(of('key derivation').filter(ours))('$source: key derivation, label $label', (vector) => {
    const { masterKey, masterSalt, label, bytes, expected } = vector;
    expect(toHex(deriveKey(hex(masterKey), hex(masterSalt), label, bytes))).toBe(expected);
  });

  test.each(of('SRTP packet'))('$source: $kind', ({ masterKey, masterSalt, rtp, srtp }) => {
    const suite = srtpSuite('AES_CM_128_HMAC_SHA1_80');
    const keys = sessionKeys(suite, { key: hex(masterKey), salt: hex(masterSalt) });
    const cipher = new CounterCipher(suite, keys);
    expect(toHex(cipher.sealRtp(hex(rtp), 12, 0xcafebabe, 0x1234))).toBe(srtp);
    expect(toHex(cipher.openRtp(hex(srtp), 12, 0xcafebabe, 0x1234) ?? hex(''))).toBe(rtp);
    // The tag of 32 bits is the beginning of the one of 80.
    const short = new CounterCipher(srtpSuite('AES_CM_128_HMAC_SHA1_32'), keys);
    expect(toHex(short.sealRtp(hex(rtp), 12, 0xcafebabe, 0x1234))).toBe(srtp.slice(0, -12));
  });

  test.each(of('SRTCP packet'))('$source: $kind', ({ masterKey, masterSalt, rtcp, srtcp }) => {
    for (const name of ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const) {
      const suite = srtpSuite(name);
      const cipher = new CounterCipher(suite, sessionKeys(suite, { key: hex(masterKey), salt: hex(masterSalt) }));
      expect(toHex(cipher.sealRtcp(hex(rtcp), 0xcafebabe, 1))).toBe(srtcp);
      expect(toHex(cipher.openRtcp(hex(srtcp), 0xcafebabe) ?? hex(''))).toBe(rtcp);
    }
  });
});

describe('RFC 7714 §16, §17: AEAD_AES_128_GCM', () => {
  const half = {
    encryption: hex('000102030405060708090a0b0c0d0e0f'),
    authentication: hex(''),
    salt: hex('517569642070726f2071756f'),
  };
  const cipher = new GcmCipher({ rtp: half, rtcp: half });
  const RTP = hex(`8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
    69736120 696e2070 61727465 73207472 6573`);
  const RTCP = hex(`81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
    deadbeef deadbeef deadbeef deadbeef deadbeef`);

  test('§16.1.1, §16.1.2: RTP', () => {
    const sealed = hex(`8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
      0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce`);
    expect(toHex(cipher.sealRtp(RTP, 12, 0x5501a0b2, 0xf17b))).toBe(toHex(sealed));
    expect(toHex(cipher.openRtp(sealed, 12, 0x5501a0b2, 0xf17b) ?? hex(''))).toBe(toHex(RTP));
    expect(cipher.openRtp(sealed, 12, 0x5501a0b2, 0x1f17b)).toBeUndefined();
  });

  test('§17.1: RTCP, encrypted', () => {
    const sealed = hex(`81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d
      c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`);
    expect(toHex(cipher.sealRtcp(RTCP, 0x4d617273, 0x5d4))).toBe(toHex(sealed));
    expect(toHex(cipher.openRtcp(sealed, 0x4d617273) ?? hex(''))).toBe(toHex(RTCP));
  });

  test('§17.3: RTCP, tagged only', () => {
    const tagged = hex(`${toHex(RTCP)} 841dd968 3dd78ec9 2ae58790 125f62b3 000005d4`);
    expect(toHex(cipher.openRtcp(tagged, 0x4d617273) ?? hex(''))).toBe(toHex(RTCP));
    tagged[20] = 1;
    expect(cipher.openRtcp(tagged, 0x4d617273)).toBeUndefined();
  });
});

describe('key stream and HMAC', () => {
  test('HMAC-SHA-1 is that of the platform, whatever the length, and with the word behind', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        fc.array(fc.uint8Array({ maxLength: 5000 }), { minLength: 1, maxLength: 3 }),
        fc.option(fc.integer({ min: 0, max: 0xffffffff }), { nil: undefined }),
        (key, messages, word) => {
          const hmac = new HmacSha1(key);
          for (const message of messages) {
            const behind = Buffer.alloc(4);
            behind.writeUInt32BE(word ?? 0);
            const data = Buffer.concat([message, word === undefined ? hex('') : behind]);
            expect(toHex(hmac.digest(message, message.length, word))).toBe(
              createHmac('sha1', key).update(data).digest('hex'),
            );
          }
        },
      ),
    );
  });

  test('RFC 3711 §4.1.1: SSRC and index enter the counter block where they belong; twice is as it was', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.integer({ min: 0, max: 2 ** 48 - 1 }),
        fc.uint8Array({ maxLength: 1400 }),
        (ssrc, index, data) => {
          const key = hex('2b7e151628aed2a6abf7158809cf4f3c');
          const salt = Buffer.alloc(14);
          salt.writeUInt32BE(ssrc, 4);
          salt.writeUIntBE(index, 8, 6);
          const direct = Uint8Array.from(data);
          const bySalt = Uint8Array.from(data);
          const stream = new KeyStream(key, new Uint8Array(14));
          stream.apply(direct, 0, data.length, ssrc, index);
          new KeyStream(key, salt).apply(bySalt, 0, data.length, 0, 0);
          expect(toHex(direct)).toBe(toHex(bySalt));
          stream.apply(direct, 0, data.length, ssrc, index);
          expect(toHex(direct)).toBe(toHex(data));
        },
      ),
    );
  });
});
