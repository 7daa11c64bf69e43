import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CryptoAttribute,
  formatCryptoAttribute,
  readCryptoAttribute,
} from '../../../src/protocol/srtp/crypto-attribute.js';
import { OFFERED_SUITES, type SrtpSuiteName, srtpSuite } from '../../../src/protocol/srtp/suite.js';
import { hex, toHex } from './vectors.js';

const KEY = 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj';
const GCM_KEY = Buffer.alloc(28, 5).toString('base64');

function read(value: string): CryptoAttribute {
  const reading = readCryptoAttribute(value);
  if (reading.kind === 'refused') throw new Error(`refused: ${reading.why}`);
  return reading.attribute;
}

const suites = fc.constantFrom<SrtpSuiteName>('AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32', 'AEAD_AES_128_GCM');

describe('RFC 4568 §4, §6.1: reading a=crypto', () => {
  test('the examples of the RFC: lifetime and MKI, either, none', () => {
    const whole = read(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4`);
    expect(whole).toMatchObject({ tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80' });
    expect(Buffer.concat([whole.masterKey.key, whole.masterKey.salt]).toString('base64')).toBe(KEY);
    expect(whole.masterKey.key).toHaveLength(16);
    expect(whole.masterKey.lifetime).toBe(2 ** 20);
    expect(toHex(whole.masterKey.mki ?? hex(''))).toBe('00000001');

    const mki = read('1 AES_CM_128_HMAC_SHA1_80 inline:YUJDZGVmZ2hpSktMbW9QUXJzVHVWd3l6MTIzNDU2|1066:4').masterKey;
    expect([mki.lifetime, toHex(mki.mki ?? hex(''))]).toEqual([undefined, '0000042a']);
    expect(read(`2 AES_CM_128_HMAC_SHA1_32 inline:${KEY}|1000`).masterKey).toMatchObject({ lifetime: 1000 });
    expect(read(`999999999 AES_CM_128_HMAC_SHA1_80\t inline:${KEY}`).tag).toBe(999_999_999);
  });

  test('RFC 7714 §14.1: AEAD_AES_128_GCM has a salt of 12 bytes; padding may be missing', () => {
    for (const text of [GCM_KEY, GCM_KEY.replaceAll('=', '')]) {
      const { masterKey } = read(`1 AEAD_AES_128_GCM inline:${text}`);
      expect([masterKey.key.length, masterKey.salt.length]).toEqual([16, 12]);
    }
  });

  test('§6.3.6, §6.3.7: a window size hint and what is marked as optional are no obstacle', () => {
    expect(read(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} WSH=128 -FOO=bar`).tag).toBe(1);
  });

  test.each([
    ['grammar', ''],
    ['grammar', '1 AES_CM_128_HMAC_SHA1_80'],
    ['grammar', `x AES_CM_128_HMAC_SHA1_80 inline:${KEY}`],
    ['grammar', `1234567890 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`],
    ['grammar', `1 AES_CM_128_HMAC_SHA1_80 ${KEY}`],
    ['grammar', '1 AES_CM_128_HMAC_SHA1_80 inline:!!!!'],
    ['grammar', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1|2|1:4`],
    ['grammar', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} ${'-x '.repeat(1000)}`],
    ['suite', `1 F8_128_HMAC_SHA1_80 inline:${KEY}`],
    ['suite', `1 aes_cm_128_hmac_sha1_80 inline:${KEY}`],
    ['suite', `1 AEAD_AES_256_GCM inline:${KEY}`],
    ['key-method', '1 AES_CM_128_HMAC_SHA1_80 uri:https://example.org/key'],
    ['key', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY.slice(0, -4)}`],
    ['key', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}AAAA`],
    ['key', `1 AEAD_AES_128_GCM inline:${KEY}`],
    ['several-keys', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:4;inline:${KEY}|2:4`],
    ['lifetime', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|0`],
    ['lifetime', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^49`],
    ['lifetime', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^020`],
    ['lifetime', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|0100`],
    ['lifetime', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|`],
    ['mki', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:`],
    ['mki', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:129`],
    ['mki', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|0:4`],
    ['mki', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|01:4`],
    ['mki', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|256:1`],
    ['mki', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:4:4`],
    ['session-parameter', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} KDR=1`],
    ['session-parameter', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} UNENCRYPTED_SRTP`],
    ['session-parameter', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} UNENCRYPTED_SRTCP`],
    ['session-parameter', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} UNAUTHENTICATED_SRTP`],
    ['session-parameter', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} FEC_ORDER=FEC_SRTP`],
    ['session-parameter', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} WSH=`],
    ['session-parameter', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} NEW`],
  ])('%s: %s', (why, value) => {
    expect(readCryptoAttribute(value)).toEqual({ kind: 'refused', why });
  });

  test('nothing makes it throw, and what it accepts can be written', () => {
    const parts = fc.array(
      fc.oneof(
        fc.constantFrom(
          '1',
          ' ',
          'AES_CM_128_HMAC_SHA1_80',
          'inline:',
          KEY,
          '|',
          '2^',
          ':',
          '4',
          ';',
          'WSH=',
          '-',
          '0',
        ),
        fc.string({ maxLength: 5 }),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(parts, fc.boolean(), (list, prefixed) => {
        const reading = readCryptoAttribute(
          (prefixed ? `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}` : '') + list.join(''),
        );
        if (reading.kind === 'accepted')
          expect(read(formatCryptoAttribute(reading.attribute))).toEqual(reading.attribute);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('RFC 4568 §4: writing a=crypto', () => {
  test('what was written is read back', () => {
    const given = fc.record({
      tag: fc.integer({ min: 0, max: 999_999_999 }),
      suite: suites,
      material: fc.uint8Array({ minLength: 30, maxLength: 30 }),
      lifetime: fc.option(
        fc.oneof(
          fc.integer({ min: 1, max: 2 ** 48 }),
          fc.integer({ min: 0, max: 48 }).map((n) => 2 ** n),
        ),
      ),
      mki: fc.option(fc.uint8Array({ minLength: 1, maxLength: 128 }).filter((bytes) => bytes.some((byte) => byte > 0))),
    });
    fc.assert(
      fc.property(given, ({ tag, suite, material, lifetime, mki }) => {
        const { keyBytes, saltBytes } = srtpSuite(suite);
        const masterKey = {
          key: material.slice(0, keyBytes),
          salt: material.slice(keyBytes, keyBytes + saltBytes),
          ...(lifetime === null ? {} : { lifetime }),
          ...(mki === null ? {} : { mki }),
        };
        const attribute: CryptoAttribute = { tag, suite, masterKey };
        expect(read(formatCryptoAttribute(attribute))).toEqual(attribute);
      }),
    );
  });

  test('as the RFC writes it', () => {
    const key = Buffer.from(KEY, 'base64');
    const masterKey = { key: key.subarray(0, 16), salt: key.subarray(16), lifetime: 2 ** 20, mki: hex('00000001') };
    expect(formatCryptoAttribute({ tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', masterKey })).toBe(
      `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4`,
    );
  });

  test.each([
    ['a key that is too short', { key: new Uint8Array(15) }, 1],
    ['a salt that is too long', { salt: new Uint8Array(15) }, 1],
    ['a tag that is too long', {}, 1_000_000_000],
    ['a tag that is no number', {}, -1],
    ['no lifetime at all', { lifetime: 0 }, 1],
    ['a lifetime beyond the suite', { lifetime: 2 ** 49 }, 1],
    ['an MKI of 0', { mki: hex('0000') }, 1],
    ['an MKI without bytes', { mki: hex('') }, 1],
    ['an MKI of 129 bytes', { mki: new Uint8Array(129).fill(1) }, 1],
  ])('%s is refused', (_name, wrong, tag) => {
    const masterKey = { key: new Uint8Array(16), salt: new Uint8Array(14), ...wrong };
    expect(() => formatCryptoAttribute({ tag, suite: 'AES_CM_128_HMAC_SHA1_80', masterKey })).toThrow(
      expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }),
    );
  });

  test('a tag of 32 bits is read but not offered unasked', () => {
    expect(OFFERED_SUITES).toEqual(['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80']);
    expect(srtpSuite('AES_CM_128_HMAC_SHA1_32')).toMatchObject({ rtpTagBytes: 4, rtcpTagBytes: 10 });
  });
});
