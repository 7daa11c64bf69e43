import { UsageError } from '../../../src/base/errors.js';
import { WavDecoder } from '../../../src/media/audio/stream-decoders.js';
import { LOWEST_RATE } from '../../../src/protocol/audio/resampler.js';
import { WavError } from '../../../src/protocol/audio/wav-error.js';
import { HIGHEST_WAV_RATE } from '../../../src/protocol/audio/wav-format.js';
import { readWav, WavReader, type WavSound } from '../../../src/protocol/audio/wav-reader.js';
import { bytes, chunk, extensible, fmt, riff } from '../../protocol/audio/riff.js';
import { corpusFiles, dictionary } from '../input/corpora.js';
import { type FuzzTarget, hold, refusedAs } from './target.js';

const SOUND = new Uint8Array(320).map((_none, i) => i * 7);
/** Larger files say nothing more, only more slowly. */
const LONGEST_SEED = 4_000;
/** What the resampler holds back and gives at the end: 32 samples of the lower rate, and rounding. */
const TAIL = 128;

const SEEDS: readonly Uint8Array[] = [
  riff(fmt(), chunk('data', SOUND)),
  riff(fmt({ rate: 44_100, channels: 2 }), chunk('LIST', SOUND.subarray(0, 33)), chunk('data', SOUND)),
  riff(fmt({ tag: 6, bits: 8 }), chunk('fact', SOUND.subarray(0, 4)), chunk('data', SOUND)),
  riff(fmt({ tag: 3, bits: 32, rate: 48_000 }), chunk('data', SOUND, 0)),
  riff(fmt({ tag: 0xfffe, bits: 24, extra: extensible(1, 20) }), chunk('data', SOUND, 0xffffffff)),
  bytes('RF64', 0xffffffff, 'WAVE', chunk('ds64', new Uint8Array(28).fill(1)), fmt(), chunk('data', SOUND, 0xffffffff)),
  ...[...corpusFiles('wav/scipy', '.wav'), ...corpusFiles('wav/hound', '.wav'), ...corpusFiles('wav/hound/fuzz')].map(
    (file) => file.subarray(0, LONGEST_SEED),
  ),
];

/**
 * WAV files: read or refused, the same at once and in pieces, never more samples than there are bytes; what a player makes of them is
 * no longer than it should be at 8 kHz.
 */
export const wavTarget: FuzzTarget = {
  name: 'wav',
  share: 40,
  material: { seeds: SEEDS, words: dictionary('wav.dict'), lines: false, binary: true },
  check(input) {
    const whole = refusedAs(WavError, () => readWav(input));
    const pieces = refusedAs(WavError, () => inPieces(input));
    hold((whole === undefined) === (pieces === undefined), 'in pieces it is read exactly when it is at once');
    if (whole !== undefined) checkSound(whole, input.length, pieces);
    // The filter of a rate costs more than all reading.
    if (input.length % 4 !== 0) return;
    const played = refusedAs(WavError, () => refusedAs(UsageError, () => playedLength(input)));
    if (whole === undefined || played === undefined) return;
    hold(whole.samples.length === 0 || whole.rate >= LOWEST_RATE, 'a rate that is out of range is refused');
    hold(
      played <= (whole.samples.length * 8_000) / whole.rate + TAIL,
      `${played} samples are played of ${input.length} bytes`,
    );
  },
};

function checkSound({ samples, rate, format }: WavSound, bytesThere: number, pieces: Int16Array | undefined): void {
  hold(samples.length * Math.ceil(format.bits / 8) * format.channels <= bytesThere, 'no samples but those of the file');
  hold(rate >= 1 && rate <= HIGHEST_WAV_RATE && format.channels >= 1 && format.channels <= 64, 'a format that can be');
  hold(pieces !== undefined && Buffer.from(pieces.buffer).equals(Buffer.from(samples.buffer)), 'the same in pieces');
}

function inPieces(input: Uint8Array): Int16Array {
  const reader = new WavReader();
  const samples: number[] = [];
  for (let at = 0, size = 1; at < input.length; at += size, size = 1 + ((size * 5 + 3) % 97)) {
    for (const sample of reader.push(input.subarray(at, at + size))) samples.push(sample);
  }
  reader.end();
  return Int16Array.from(samples);
}

function playedLength(input: Uint8Array): number {
  const decoder = new WavDecoder();
  let length = decoder.decode(input).length;
  length += decoder.end().length;
  return length;
}
