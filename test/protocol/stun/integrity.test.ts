import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFingerprint, withFingerprint } from '../../../src/protocol/stun/fingerprint.js';
import { checkIntegrity, longTermKey, withIntegrity } from '../../../src/protocol/stun/integrity.js';
import { hex, ID, message, read, rfc5769, type Sample } from './support.js';

const INTEGRITY_BYTES = 24;
const FINGERPRINT_BYTES = 8;
const KEY = 'VOkJxbRl1RmTxUk/WvJxBt';

function keyOf({ key }: Sample): Uint8Array | string {
  return key.short_term ?? longTermKey(key.username ?? '', key.realm ?? '', key.password ?? '');
}

/** The first bytes of a message as a message of their own. */
function cut(data: Uint8Array, end: number): Buffer {
  const head = Buffer.from(data.subarray(0, end));
  head.writeUInt16BE(end - 20, 2);
  return head;
}

describe('RFC 5769 (skipped without corpora)', () => {
  for (const name of ['request', 'ipv4-response', 'ipv6-response', 'long-term-request'] as const) {
    it(`${name}: its integrity and fingerprint are good, and written again they are the same bytes`, (context) => {
      const sample = rfc5769()?.find((each) => each.name === name);
      if (sample === undefined) return context.skip();
      const data = Buffer.from(sample.hex, 'hex');
      const key = keyOf(sample);
      const hasFingerprint = name !== 'long-term-request';
      expect(checkIntegrity(read(data), key, 'sha1')).toBe('good');
      expect(checkIntegrity(read(data), `${String(key)}x`, 'sha1')).toBe('bad');
      expect(checkIntegrity(read(data), key, 'sha256')).toBe('absent');
      expect(checkFingerprint(read(data))).toBe(hasFingerprint ? 'good' : 'absent');
      const bare = data.length - INTEGRITY_BYTES - (hasFingerprint ? FINGERPRINT_BYTES : 0);
      const signed = withIntegrity(cut(data, bare), key, 'sha1');
      expect(hex(hasFingerprint ? withFingerprint(signed) : signed)).toBe(sample.hex);
    });
  }

  it('§2.4: the key of long-term credentials is MD5 of user name, realm and password (RFC 8489 §9.2.2)', (context) => {
    const sample = rfc5769()?.find((each) => each.name === 'long-term-request');
    if (sample === undefined) return context.skip();
    expect(hex(keyOf(sample) as Uint8Array)).toBe(sample.key.hex);
  });
});

describe('RFC 8489 §14.5, §14.6: integrity', () => {
  const plain = message(0x0001, [0x8022, '616263'], [0xc057, '00010203']);

  it('§14.6: SHA-256 is the HMAC of what stands before, under the length that ends with it', () => {
    const signed = withIntegrity(plain, KEY, 'sha256');
    const covered = Buffer.from(plain);
    covered.writeUInt16BE(plain.length - 20 + 36, 2);
    expect(hex(signed)).toBe(`${hex(covered)}001c0020${createHmac('sha256', KEY).update(covered).digest('hex')}`);
    expect(checkIntegrity(read(signed), KEY, 'sha256')).toBe('good');
  });

  it('§14.5: both may stand in one message, SHA-256 behind, and a fingerprint behind both', () => {
    const both = withFingerprint(withIntegrity(withIntegrity(plain, KEY, 'sha1'), KEY, 'sha256'));
    expect(checkIntegrity(read(both), KEY, 'sha1')).toBe('good');
    expect(checkIntegrity(read(both), KEY, 'sha256')).toBe('good');
    expect(checkFingerprint(read(both))).toBe('good');
  });

  it('§14.6: a SHA-256 that is cut short, or an HMAC of another length, is bad', () => {
    for (const size of [0, 4, 16, 28, 36]) {
      expect(checkIntegrity(read(message(1, [0x001c, '00'.repeat(size)])), KEY, 'sha256')).toBe('bad');
    }
    expect(checkIntegrity(read(message(1, [0x0008, '00'.repeat(16)])), KEY, 'sha1')).toBe('bad');
  });

  it('a change of any bit before it is found out', () => {
    for (const by of ['sha1', 'sha256'] as const) {
      const signed = withIntegrity(plain, KEY, by);
      fc.assert(
        fc.property(fc.integer({ min: 4, max: plain.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
          const changed = Buffer.from(signed);
          changed[at] = (changed[at] ?? 0) ^ (1 << bit);
          let verdict: string;
          try {
            verdict = checkIntegrity(read(changed), KEY, by);
          } catch {
            verdict = 'no message';
          }
          expect(verdict).not.toBe('good');
        }),
      );
    }
  });
});

describe('RFC 8489 §14.7: FINGERPRINT', () => {
  it('of a bare request, as Python computes it', () => {
    const data = withFingerprint(message(0x0001));
    expect(hex(data)).toBe(`000100082112a442${ID}80280004fdf6ae02`);
    expect(checkFingerprint(read(data))).toBe('good');
  });

  it('is bad when a bit has changed, when it is no four bytes, and when it is not the last', () => {
    const data = withFingerprint(message(0x0001, [0x8022, '61626364']));
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 27 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const changed = Buffer.from(data);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        let verdict: string;
        try {
          verdict = checkFingerprint(read(changed));
        } catch {
          verdict = 'no message';
        }
        expect(verdict).not.toBe('good');
      }),
    );
    expect(checkFingerprint(read(message(1, [0x8028, ''])))).toBe('bad');
    expect(checkFingerprint(read(message(1, [0x8028, '0000000000000000'])))).toBe('bad');
    const inside = Buffer.concat([data, Buffer.from('80220000', 'hex')]);
    inside.writeUInt16BE(inside.length - 20, 2);
    expect(checkFingerprint(read(inside))).toBe('bad');
  });
});
