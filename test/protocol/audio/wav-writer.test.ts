import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { G711 } from '../../../src/protocol/audio/g711.js';
import { readWav } from '../../../src/protocol/audio/wav-reader.js';
import { completeWav, type WavWriterOptions, wavHeader } from '../../../src/protocol/audio/wav-writer.js';
import { noise } from './signals.js';

const encodings = ['pcm', 'alaw', 'ulaw'] as const;

function encoded(encoding: WavWriterOptions['encoding'], pcm: Int16Array): Uint8Array {
  if (encoding === 'alaw') return G711.encodeAlaw(pcm);
  if (encoding === 'ulaw') return G711.encodeUlaw(pcm);
  return new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
}

/** What reading back must give: the samples as the encoding keeps them. */
function kept(encoding: WavWriterOptions['encoding'], pcm: Int16Array): Int16Array {
  if (encoding === 'alaw') return G711.decodeAlaw(G711.encodeAlaw(pcm));
  return encoding === 'ulaw' ? G711.decodeUlaw(G711.encodeUlaw(pcm)) : pcm;
}

function patched(file: Buffer, { bytes, offset, padding }: ReturnType<typeof completeWav>): Buffer {
  const whole = Buffer.concat([file, padding]);
  whole.set(bytes, offset);
  return whole;
}

describe.each(encodings)('%s', (encoding) => {
  test('what is written is read: never patched, and patched', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.constantFrom(8_000, 44_100), (count, rate) => {
        const pcm = noise(count, 5_000, count);
        const data = encoded(encoding, pcm);
        const file = Buffer.concat([wavHeader({ encoding, rate }), data]);
        const whole = patched(file, completeWav({ encoding, rate }, data.length));
        for (const one of [file, whole]) {
          const sound = readWav(one);
          expect(sound.samples).toEqual(kept(encoding, pcm));
          expect(sound.format).toEqual({ encoding, rate, channels: 1, bits: encoding === 'pcm' ? 16 : 8 });
        }
        expect(whole.readUInt32LE(4)).toBe(whole.length - 8);
        expect(whole.length % 2).toBe(0);
      }),
    );
  });

  test('stereo: the reader mixes the two', () => {
    const file = Buffer.concat([
      wavHeader({ encoding, channels: 2 }),
      encoded(encoding, Int16Array.of(800, 400, 0, 0)),
    ]);
    const [left, right] = kept(encoding, Int16Array.of(800, 400));
    expect(readWav(file).samples[0]).toBe(Math.round(((left ?? 0) + (right ?? 0)) / 2));
    expect(readWav(file).format.channels).toBe(2);
  });

  test('chunks after the samples: a patched file ends where they begin', () => {
    const data = encoded(encoding, Int16Array.of(1_000, 2_000, 3_000));
    const file = patched(Buffer.concat([wavHeader({ encoding }), data]), completeWav({ encoding }, data.length));
    expect(readWav(Buffer.concat([file, Buffer.from('LIST\x04\0\0\0abcd', 'latin1')])).samples).toHaveLength(3);
  });
});

describe('wavHeader, completeWav', () => {
  test('the patch is the header from byte 4 on, and may be applied while the file grows', () => {
    const empty = Buffer.from(wavHeader({ encoding: 'pcm' }));
    expect(empty).toHaveLength(44);
    const grown = patched(Buffer.concat([empty, Buffer.alloc(320)]), completeWav({ encoding: 'pcm' }, 160));
    expect(readWav(grown).samples).toHaveLength(80);
    expect(readWav(patched(grown, completeWav({ encoding: 'pcm' }, 320))).samples).toHaveLength(160);
  });

  test('what is not PCM has a fact chunk with the number of samples', () => {
    const file = patched(Buffer.from(wavHeader({ encoding: 'ulaw', channels: 2 })), {
      ...completeWav({ encoding: 'ulaw', channels: 2 }, 320),
      padding: new Uint8Array(0),
    });
    expect(file.toString('latin1', 38, 42)).toBe('fact');
    expect(file.readUInt32LE(46)).toBe(160);
  });

  test('more than 4 GB: the size says "to the end"', () => {
    const { bytes } = completeWav({ encoding: 'pcm' }, 2 ** 33);
    expect(Buffer.from(bytes).readUInt32LE(36)).toBe(0xffff_ffff);
  });

  test.each([0, -8_000, 8_000.5, 768_001, Number.NaN])('a rate of %d is a misuse', (rate) => {
    expect(() => wavHeader({ encoding: 'pcm', rate })).toThrow(
      expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }),
    );
  });

  test.each([-2, 3, 1.5, Number.NaN])('%d bytes of stereo A-law are a misuse', (length) => {
    expect(() => completeWav({ encoding: 'alaw', channels: 2 }, length)).toThrow('expected a multiple of 2');
  });
});
