import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WavError } from '../../../src/protocol/audio/wav-error.js';
import { readWav, WavReader } from '../../../src/protocol/audio/wav-reader.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { CORPORA_NEEDED, corporaPresent, corpusFile, corpusPaths, dictionary } from './corpus.js';
import { bytes, chunk, extensible, type Fmt, fmt, le16, riff } from './riff.js';
import { cut, joined } from './signals.js';

const SAMPLES = le16(1, 2, -3);
const samplesOf = (file: Uint8Array): number[] => [...readWav(file).samples];

function float32(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.of(...values).buffer);
}

function float64(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.of(...values).buffer);
}

describe('encodings', () => {
  test.each<[string, Fmt, Uint8Array, number[]]>([
    ['PCM 8 bits, whose zero is 128', { bits: 8 }, Uint8Array.of(128, 0, 255, 129), [0, -32_768, 32_512, 256]],
    ['PCM 16 bits', {}, le16(0, -32_768, 32_767), [0, -32_768, 32_767]],
    ['PCM 24 bits, rounded', { bits: 24 }, Uint8Array.of(0x80, 1, 0, 0x7f, 1, 0, 0xff, 0xff, 0x7f), [2, 1, 32_767]],
    ['PCM 32 bits, rounded', { bits: 32 }, bytes(0x0001_8000, 0xffff_7fff, 0x7fff_ffff), [2, -1, 32_767]],
    ['PCM 12 bits, which count from the top', { bits: 12 }, le16(0x7ff0, -0x8000), [0x7ff0, -32_768]],
    [
      'IEEE float 32',
      { tag: 3, bits: 32 },
      float32(0, 0.5, -0.25, 1, -1, 7),
      [0, 16_384, -8_192, 32_767, -32_768, 32_767],
    ],
    ['IEEE float 64', { tag: 3, bits: 64 }, float64(0.5, -1e300, 0.25), [16_384, -32_768, 8_192]],
    [
      'IEEE float: no number is silence',
      { tag: 3, bits: 32 },
      float32(Number.NaN, Number.POSITIVE_INFINITY),
      [0, 32_767],
    ],
    ['A-law', { tag: 6, bits: 8 }, Uint8Array.of(0xd5, 0x55, 0xaa, 0x2a), [8, -8, 32_256, -32_256]],
    ['µ-law', { tag: 7, bits: 8 }, Uint8Array.of(0xff, 0x7f, 0x80, 0x00), [0, 0, 32_124, -32_124]],
    ['extensible PCM', { tag: 0xfffe, bits: 16, extra: extensible(1, 16) }, le16(5), [5]],
    ['extensible float', { tag: 0xfffe, bits: 32, extra: extensible(3, 32) }, float32(0.5), [16_384]],
    ['extensible µ-law', { tag: 0xfffe, bits: 8, extra: extensible(7, 8) }, Uint8Array.of(0x80), [32_124]],
  ])('%s', (_name, format, data, expected) => {
    expect(samplesOf(riff(fmt(format), chunk('data', data)))).toEqual(expected);
  });

  test('channels are mixed to their mean', () => {
    const stereo = riff(fmt({ channels: 2 }), chunk('data', le16(100, 200, -32_768, -32_768, 32_767, 32_767, 3, -3)));
    expect(samplesOf(stereo)).toEqual([150, -32_768, 32_767, 0]);
    const three = readWav(riff(fmt({ channels: 3, bits: 8 }), chunk('data', Uint8Array.of(128, 128, 131))));
    expect([...three.samples]).toEqual([256]);
    expect(three.format).toEqual({ encoding: 'pcm', bits: 8, rate: 8_000, channels: 3 });
  });

  test('RIFX is big-endian', () => {
    const head = 'RIFX\0\0\0\x2cWAVEfmt \0\0\0\x10\0\x01\0\x01\0\0\x1f\x40\0\0\x3e\x80\0\x02\0\x10data\0\0\0\x04';
    expect(samplesOf(bytes(head, Uint8Array.of(1, 0, 0xff, 0xfe)))).toEqual([256, -2]);
  });
});

describe('chunks', () => {
  test('unknown ones are skipped, with the padding of odd lengths', () => {
    const file = riff(
      chunk('LIST', Buffer.from('odd')),
      fmt(),
      chunk('junk', Buffer.alloc(999)),
      chunk('data', SAMPLES),
    );
    expect(samplesOf(file)).toEqual([1, 2, -3]);
  });

  test('what follows the samples is left alone', () => {
    const odd = riff(fmt({ bits: 8 }), chunk('data', Uint8Array.of(128, 129, 130)), chunk('LIST', SAMPLES));
    expect(samplesOf(odd)).toEqual([0, 256, 512]);
    expect(samplesOf(bytes(riff(fmt(), chunk('data', SAMPLES)), 'ID3 and whatever'))).toEqual([1, 2, -3]);
  });

  test('part of a frame at the end is left out', () => {
    expect(samplesOf(riff(fmt({ channels: 2 }), chunk('data', SAMPLES)))).toEqual([2]);
  });

  test.each([
    ['0, the writer was killed', 0, 0],
    ['0, and a RIFF size that ends there', 36, 0],
    ['0xFFFFFFFF, the writer streamed', 0xffff_ffff, 0xffff_ffff],
    ['0x7FFFF000, as SoX writes to a pipe', 0x7fff_f024, 0x7fff_f000],
    ['more than there is', 1_000, 964],
    ['2 GB more than there is', 0x7fff_0000, 0x7ffe_0000],
  ])('a size of samples of %s: what is there is read', (_name, riffSize, dataSize) => {
    expect(samplesOf(bytes('RIFF', riffSize, 'WAVE', fmt(), 'data', dataSize, SAMPLES))).toEqual([1, 2, -3]);
  });

  test('a size of 0 with other chunks after it is meant', () => {
    const file = riff(fmt(), chunk('data', new Uint8Array(0)), chunk('LIST', SAMPLES));
    expect(samplesOf(file)).toEqual([]);
  });

  test('RF64: the sizes of ds64 count where the others are too small to say', () => {
    const ds64 = (data: number): Uint8Array => chunk('ds64', bytes(100, 0, data, 0, 3, 0, 0));
    const file = (size: number, data: number): Uint8Array =>
      bytes('RF64', 0xffff_ffff, 'WAVE', ds64(data), fmt(), 'data', size, SAMPLES, chunk('LIST', SAMPLES));
    expect(samplesOf(file(0xffff_ffff, 4))).toEqual([1, 2]);
    expect(samplesOf(file(6, 4))).toEqual([1, 2, -3]);
  });
});

describe('what cannot be played is refused, with what was found, what was expected, and where', () => {
  const data = chunk('data', SAMPLES);
  const guid = extensible(1, 16);
  guid[10] = 1;

  test.each<[string, Uint8Array, string]>([
    ['another container', bytes('OggS', 0, 'WAVE'), 'offset 0: found "OggS", expected RIFF, RIFX or RF64'],
    ['foreign bytes', bytes(Uint8Array.of(0, 1, 200, 65), 0, 'WAVE'), 'offset 0: found "...A"'],
    ['RIFF of another kind', bytes('RIFF', 100, 'AVI '), 'offset 8: found "AVI ", expected WAVE'],
    ['an unknown encoding', riff(fmt({ tag: 0x55 }), data), 'offset 20: found format tag 0x0055, expected PCM'],
    ['an unknown GUID', riff(fmt({ tag: 0xfffe, extra: guid }), data), 'offset 44: found another GUID'],
    [
      'extensible, cut short',
      riff(fmt({ tag: 0xfffe }), data),
      'found an extensible fmt chunk of 16 bytes, expected 40',
    ],
    ['no channels', riff(fmt({ channels: 0 }), data), 'offset 22: found 0 channels, expected 1 to 64'],
    ['too many channels', riff(fmt({ channels: 65_535, frameBytes: 2 }), data), 'found 65535 channels'],
    ['no rate', riff(fmt({ rate: 0 }), data), 'offset 24: found 0 samples a second, expected 1 to 768000'],
    ['a rate of 4 GHz', riff(fmt({ rate: 0xffff_ffff, frameBytes: 0 }), data), 'found 4294967295 samples a second'],
    ['no bits', riff(fmt({ bits: 0 }), data), 'offset 34: found pcm samples of 0 bits, expected 1 to 64'],
    ['8191 bytes a sample', riff(fmt({ bits: 65_528, frameBytes: 8_191 }), data), 'found pcm samples of 65528 bits'],
    ['float of 16 bits', riff(fmt({ tag: 3, bits: 16 }), data), 'found float samples of 16 bits, expected 32 or 64'],
    ['A-law of 16 bits', riff(fmt({ tag: 6, bits: 16 }), data), 'found alaw samples of 16 bits, expected 8'],
    ['blocks of no bytes', riff(fmt({ frameBytes: 0 }), data), 'offset 32: found blocks of 0 bytes, expected 2 for 1'],
    ['blocks that do not fit', riff(fmt({ channels: 2, frameBytes: 6 }), data), 'found blocks of 6 bytes, expected 4'],
    ['a short fmt chunk', riff(chunk('fmt ', le16(1, 1)), data), 'offset 20: found a fmt chunk of 4 bytes'],
    ['an empty fmt chunk', riff(chunk('fmt ', new Uint8Array(0)), data), 'offset 20: found an empty fmt chunk'],
    ['two fmt chunks', riff(fmt(), fmt(), data), 'offset 44: found a second fmt chunk, expected one'],
    [
      'samples before their format',
      riff(data, fmt()),
      'offset 12: found the data chunk, expected the fmt chunk before',
    ],
    ['a short ds64 chunk', riff(chunk('ds64', le16(1)), fmt(), data), 'found a ds64 chunk of 2 bytes'],
    ['nothing', new Uint8Array(0), 'offset 0: found the end of the file'],
    ['no samples', riff(fmt()), 'offset 36: found the end of the file, expected a data chunk'],
    ['a chunk of 4 GB', bytes('RIFF', 100, 'WAVE', 'huge', 0xffff_ffff, fmt(), data), 'found the end of the file'],
  ])('%s', (_name, file, message) => {
    expect(() => readWav(file)).toThrow(
      expect.objectContaining({ code: 'WAV_PARSE', kind: 'remote', message: expect.stringContaining(message) }),
    );
  });
});

describe('WavReader', () => {
  const file = riff(
    chunk('LIST', Buffer.alloc(77)),
    fmt({ channels: 2, bits: 24, rate: 44_100, tag: 0xfffe, extra: extensible(1, 24) }),
    chunk(
      'data',
      Uint8Array.from({ length: 6 * 500 }, (_none, i) => (i * 37) % 256),
    ),
    chunk('LIST', Buffer.alloc(20)),
  );

  test('in pieces of any size it gives the same, and the format before any sample', () => {
    const { samples, format } = readWav(file);
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(1, 3, 50, 1_000), (seed, most) => {
        const reader = new WavReader();
        const parts: Int16Array[] = [];
        for (const piece of cut(file, new SeededRandom(seed), most)) {
          const part = reader.push(piece);
          if (part.length > 0) expect(reader.format).toEqual(format);
          parts.push(part);
        }
        reader.end();
        expect(joined(...parts)).toEqual(samples);
      }),
      { numRuns: 30 },
    );
  });

  test('nothing is known at first, the format before the samples', () => {
    const reader = new WavReader();
    expect(reader.format).toBeUndefined();
    reader.push(bytes('RIFF', 0, 'WAVE', fmt()));
    expect(reader.format).toEqual({ encoding: 'pcm', bits: 16, rate: 8_000, channels: 1 });
    expect(() => reader.end()).toThrow('expected a data chunk');
  });
});

describe.skipIf(!corporaPresent)(`hostile files ${CORPORA_NEEDED}`, () => {
  test('files of the corpus with words of the dictionary thrown in: read or WavError, and never more than is there', () => {
    const random = new SeededRandom('wav');
    const words = dictionary('wav.dict');
    const seeds = corpusPaths('wav', '.wav').map((path) => corpusFile(`wav/${path}`));
    const outcomes = { read: 0, refused: 0 };
    for (let run = 0; run < 6_000; run++) {
      const seed = seeds[run % seeds.length] ?? new Uint8Array(0);
      const mutant = Buffer.from(seed.subarray(0, 2_000));
      for (let edits = random.integer(4); edits >= 0; edits--) {
        const word = words[random.integer(words.length)] ?? new Uint8Array(0);
        // mostly where the header is
        const at = random.integer(random.chance(0.8) ? Math.min(100, mutant.length) : mutant.length);
        mutant.set(word.subarray(0, mutant.length - at), at);
      }
      const whole = random.chance(0.1) ? mutant.subarray(0, random.integer(mutant.length)) : mutant;
      try {
        const reader = new WavReader();
        let samples = 0;
        for (const piece of cut(whole, random, 700)) samples += reader.push(piece).length;
        reader.end();
        expect(samples).toBeLessThanOrEqual(whole.length);
        outcomes.read++;
      } catch (error) {
        if (!(error instanceof WavError)) throw error;
        expect(error.offset).toBeLessThanOrEqual(whole.length);
        outcomes.refused++;
      }
    }
    // both ends are reached, or the mutants prove nothing
    expect(outcomes.read).toBeGreaterThan(500);
    expect(outcomes.refused).toBeGreaterThan(500);
  });
});
