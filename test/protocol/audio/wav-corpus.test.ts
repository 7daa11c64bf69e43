import { describe, expect, test } from 'vitest';
import type { WavFormat } from '../../../src/protocol/audio/wav-format.js';
import { readWav } from '../../../src/protocol/audio/wav-reader.js';
import { CORPORA_NEEDED, corporaPresent, corpusFile, corpusPaths } from './corpus.js';

/** What a file must give: its format, how many mono samples, and the first of them; or how it is refused. */
type Expected = readonly [format: string, count: number, ...first: number[]] | RegExp;

const TENTH = [146, 3_226, 6_533, 9_544, 12_494] as const;
/** Full scale down, half down, nothing, half up, full up in two or three of three channels: their mean. */
const FIVE = [-21_845, -10_923, 0, 10_923, 21_845] as const;
const CUT = /offset \d+: found the end of the file, expected a fmt chunk and a data chunk/;

const HOUND: Readonly<Record<string, Expected>> = {
  'fuzz/crash-24728523ef4be15c838293b676f6853e73723bf4.wav': CUT,
  'fuzz/crash-b8447179832529c48f9c6bf17feab6337bbc78ea.wav': CUT,
  'fuzz/crash-cbd757427cea12bd8a21f86cd8cf74d98ce56bee.wav': CUT,
  'fuzz/crash-e5471f5b58397287b509db7d026e95f1724454f5.wav': /offset 34: found float samples of 0 bits/,
  'fuzz/crash-e879de4eb4d206c59e21f0e01def16457af80fdc.wav': CUT,
  'fuzz/oom-48ae4cd061ff8578ad3f23dc87624bd365cf5216.wav': CUT,
  'nonstandard-01.wav': ['pcm 24 48000 2', 1, 0],
  'nonstandard-02.wav': ['pcm 32 48000 2', 2, -1, -16_128],
  'pcmwaveformat-16bit-44100Hz-mono-extra.wav': ['pcm 16 44100 1', 4, 2, -3, 5, -7],
  'pcmwaveformat-16bit-44100Hz-mono.wav': ['pcm 16 44100 1', 4, 2, -3, 5, -7],
  'pcmwaveformat-24bit-4byte-48kHz-stereo.wav': /offset 32: found blocks of 8 bytes, expected 6 for 2 channels of 24/,
  'pcmwaveformat-8bit-44100Hz-mono.wav': ['pcm 8 44100 1', 4, 19 * 256, -53 * 256, 89 * 256, -127 * 256],
  'pop.wav': ['pcm 16 44100 1', 100, 0, 2_052, 4_097, 6_126, 8_130],
  'waveformatex-16bit-44100Hz-mono-extra.wav': ['pcm 16 44100 1', 4, 2, -3, 5, -7],
  'waveformatex-16bit-44100Hz-mono.wav': ['pcm 16 44100 1', 4, 2, -3, 5, -7],
  'waveformatex-16bit-44100Hz-stereo.wav': ['pcm 16 44100 2', 4, 0, -1, -1, -1],
  'waveformatex-8bit-11025Hz-mono.wav': ['pcm 8 11025 1', 4, -32_768, -32_768, -32_768, -32_768],
  'waveformatex-ieeefloat-44100Hz-mono.wav': ['float 32 44100 1', 4, 32_767, 32_767, -32_768, 32_767],
  'waveformatextensible-24bit-192kHz-mono.wav': ['pcm 24 192000 1', 4, 0, 16_384, -24_576, 32_640],
  // 24 valid bits of 32 count from the top, as the standard has it: the low bytes that are filled here are soft
  'waveformatextensible-24bit-4byte-48kHz-stereo.wav': ['pcm 32 48000 2', 2, 128, 128],
  'waveformatextensible-32bit-48kHz-stereo.wav': ['pcm 32 48000 2', 2, -1, -16_128],
  'waveformatextensible-ieeefloat-44100Hz-mono.wav': ['float 32 44100 1', 4, 32_767, 32_767, -32_768, 32_767],
};

const SCIPY: Readonly<Record<string, Expected>> = {
  'test-1234Hz-le-1ch-10S-20bit-extra.wav': ['pcm 20 1234 1', 10, 32_767, -32_768, 16_384, -16_384, 8_192, -8_192],
  'test-44100Hz-2ch-32bit-float-be.wav': ['float 32 44100 2', 441, 0, 1_642, 3_278, 4_901],
  'test-44100Hz-2ch-32bit-float-le.wav': ['float 32 44100 2', 441, 0, 1_642, 3_278, 4_901],
  'test-44100Hz-be-1ch-4bytes.wav': ['pcm 32 44100 1', 4_410, ...TENTH],
  'test-44100Hz-le-1ch-4bytes-early-eof-no-data.wav': /offset 72: found the end of the file, expected a data chunk/,
  'test-44100Hz-le-1ch-4bytes-early-eof.wav': ['pcm 32 44100 1', 236, ...TENTH],
  'test-44100Hz-le-1ch-4bytes-incomplete-chunk.wav': CUT,
  'test-44100Hz-le-1ch-4bytes-rf64.wav': ['pcm 32 44100 1', 4_410, ...TENTH],
  'test-44100Hz-le-1ch-4bytes.wav': ['pcm 32 44100 1', 4_410, ...TENTH],
  'test-48000Hz-2ch-64bit-float-le-wavex.wav': ['float 64 48000 2', 480, 0, 1_509, 3_013, 4_507],
  'test-8000Hz-be-3ch-5S-24bit.wav': ['pcm 24 8000 3', 5, ...FIVE],
  'test-8000Hz-le-1ch-1byte-ulaw.wav': ['ulaw 8 8000 1', 9, 0, 20_860, 29_052, 20_860, 0, -20_860, -29_052],
  'test-8000Hz-le-2ch-1byteu.wav': ['pcm 8 8000 2', 800, 2_048, 15_616, 22_912, 16_128],
  'test-8000Hz-le-3ch-5S-24bit-inconsistent.wav': /offset 32: found blocks of 4 bytes, expected 9 for 3 channels of 24/,
  'test-8000Hz-le-3ch-5S-24bit-rf64.wav': ['pcm 24 8000 3', 5, ...FIVE],
  'test-8000Hz-le-3ch-5S-24bit.wav': ['pcm 24 8000 3', 5, ...FIVE],
  'test-8000Hz-le-3ch-5S-36bit.wav': ['pcm 36 8000 3', 5, ...FIVE],
  'test-8000Hz-le-3ch-5S-45bit.wav': ['pcm 45 8000 3', 5, ...FIVE],
  'test-8000Hz-le-3ch-5S-53bit.wav': ['pcm 53 8000 3', 5, ...FIVE],
  'test-8000Hz-le-3ch-5S-64bit.wav': ['pcm 64 8000 3', 5, ...FIVE],
  'test-8000Hz-le-4ch-9S-12bit.wav': ['pcm 12 8000 4', 9, 0, 19_772, -4, 3_392, 0],
  'test-8000Hz-le-5ch-9S-5bit.wav': ['pcm 5 8000 5', 9, 0, 17_613, 4_096, 8_192],
};

const shown = ({ encoding, bits, rate, channels }: WavFormat): string => `${encoding} ${bits} ${rate} ${channels}`;

describe.skipIf(!corporaPresent).each([
  ['hound', HOUND],
  ['scipy', SCIPY],
])(`WAV files of %s ${CORPORA_NEEDED}`, (folder, expectations) => {
  test('each has its expectation here', () => {
    expect(corpusPaths(`wav/${folder}`, '.wav')).toEqual(Object.keys(expectations).sort());
  });

  test.each(Object.entries(expectations))('%s is read or cleanly refused', (name, expected) => {
    const file = corpusFile(`wav/${folder}/${name}`);
    if (expected instanceof RegExp) {
      expect(() => readWav(file)).toThrow(expect.objectContaining({ code: 'WAV_PARSE' }));
      expect(() => readWav(file)).toThrow(expected);
      return;
    }
    const [format, count, ...first] = expected;
    const sound = readWav(file);
    expect(shown(sound.format)).toBe(format);
    expect(sound.rate).toBe(sound.format.rate);
    expect(sound.samples).toHaveLength(count);
    expect([...sound.samples.subarray(0, first.length)]).toEqual(first);
  });
});
