import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LocalDescription, sameButOrigin } from '../../src/dialog/local-description.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { butOrigin } from '../support/but-origin.js';
import { rawSdp } from '../support/raw-peer.js';

function origin(sdp: string): string[] {
  return (/^o=(.*?)\r?$/m.exec(sdp)?.[1] ?? '').split(' ');
}

describe('the o= line of a leg (RFC 3264 §8, RFC 8866 §5.2)', () => {
  test('is the leg’s own: one session id, no address of anybody behind it', () => {
    const local = LocalDescription.create(new SeededRandom(1));
    const first = origin(local.write(rawSdp('10.1.0.1', 4000)));
    const second = origin(local.write(rawSdp('10.7.7.7', 5000, 9)));
    expect(first.slice(3)).toEqual(['IN', 'IP4', '127.0.0.1']);
    expect(first[1]).toMatch(/^\d{1,15}$/);
    expect(second[1]).toBe(first[1]);
  });

  test('RFC 3264 §8: the version is one higher exactly when the rest differs from what was sent last', () => {
    const local = LocalDescription.create(new SeededRandom(1));
    const texts = [
      rawSdp('10.1.0.1', 4000, 1),
      rawSdp('10.1.0.1', 4000, 2),
      rawSdp('10.1.0.1', 4002, 2),
      rawSdp('10.1.0.1', 4000, 3),
      rawSdp('10.1.0.1', 4000, 3),
    ];
    expect(texts.map((text) => origin(local.write(text))[2])).toEqual(['1', '1', '2', '3', '3']);
  });

  test('all other lines stay byte for byte, with LF line ends and without a last one too', () => {
    const endings = ['\r\n', '\n'];
    const line = fc.stringMatching(/^[a-z]=[ -~äß]{0,20}$/).filter((each) => !each.startsWith('o='));
    fc.assert(
      fc.property(
        fc.array(line),
        fc.array(line),
        fc.constantFrom(...endings),
        fc.boolean(),
        (head, tail, end, open) => {
          const text = ['v=0', ...head, 'o=x 1 1 IN IP4 h', ...tail].join(end) + (open ? '' : end);
          const written = LocalDescription.create(new SeededRandom(1)).write(text);
          expect(written.replace(/o=- \d+ 1 IN IP4 127\.0\.0\.1/, 'o=x 1 1 IN IP4 h')).toBe(text);
        },
      ),
    );
  });

  test('what has no o= line stays as it is', () => {
    const local = LocalDescription.create(new SeededRandom(1));
    for (const text of ['', 'v=0\r\n', 'xo=1\r\n', 'no description at all']) expect(local.write(text)).toBe(text);
    expect(local.sent).toBeUndefined();
  });

  test('a fork counts for itself; a snapshot goes on where it was', () => {
    const local = LocalDescription.create(new SeededRandom(1));
    local.write(rawSdp('10.1.0.1', 4000));
    const fork = local.fork();
    expect(origin(fork.write(rawSdp('10.1.0.1', 4002)))[2]).toBe('2');
    expect(origin(local.write(rawSdp('10.1.0.1', 4000, 8)))[2]).toBe('1');
    const restored = LocalDescription.restore(JSON.parse(JSON.stringify(fork.snapshot())));
    expect(restored.write(rawSdp('10.1.0.1', 4002, 5))).toBe(fork.sent);
    expect(origin(restored.write(rawSdp('10.1.0.1', 4004)))[2]).toBe('3');
  });
});

test('sameButOrigin: the o= lines apart, everything counts', () => {
  expect(sameButOrigin(rawSdp('10.1.0.1', 4000, 1), rawSdp('10.1.0.1', 4000, 77))).toBe(true);
  expect(sameButOrigin(rawSdp('10.1.0.1', 4000), rawSdp('10.1.0.1', 4001))).toBe(false);
  expect(sameButOrigin('v=0\r\n', 'v=0\r\n')).toBe(true);
  expect(sameButOrigin('v=0\r\n', rawSdp())).toBe(false);
  expect(butOrigin(rawSdp('10.1.0.1', 4000, 1))).toBe(butOrigin(rawSdp('10.1.0.1', 4000, 2)));
});
