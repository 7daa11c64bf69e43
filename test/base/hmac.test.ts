import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HmacSha256 } from '../../src/base/hmac.js';

test('RFC 4231 §4.2, §4.3, §4.7: test cases 1, 2 and 6', () => {
  const hex = (key: Uint8Array, text: string): string => new HmacSha256(key).hex(text);
  expect(hex(Buffer.alloc(20, 0x0b), 'Hi There')).toBe(
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  );
  expect(hex(Buffer.from('Jefe'), 'what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
  expect(hex(Buffer.alloc(131, 0xaa), 'Test Using Larger Than Block-Size Key - Hash Key First')).toBe(
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  );
});

test('equal to the HMAC of node:crypto for any key and text', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ maxLength: 300, unit: 'binary' }),
      fc.uint8Array({ maxLength: 80 }),
      (key, text, more) => {
        const expected = createHmac('sha256', key).update(text).update(more).digest('hex');
        expect(new HmacSha256(key).hex(text, more)).toBe(expected);
      },
    ),
  );
});
