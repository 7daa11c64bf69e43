import { open } from 'node:fs/promises';
import { UsageError } from '../../base/errors.js';
import { type AudioSource, type G711Codec, SAMPLE_RATE, type Sound } from './audio-source.js';
import { G711Decoder, PcmDecoder, WavDecoder } from './stream-decoders.js';
import { type StreamDecoder, StreamedSource } from './streamed-source.js';

/** A stream, to be played once; or what opens one, to be played as often as wanted and from anywhere. */
export type AudioStream<Piece> = AsyncIterable<Piece> | (() => AsyncIterable<Piece>);

/** Larger pieces are taken apart, so that not all of them is decoded at once. */
const PIECE_BYTES = 16 * 1024;

/** A WAV file on disk, of any rate and format; read while it is played. That there is no such file shows when it is played. */
export function wavFile(path: string): Sound {
  return sound(
    () => fileBytes(path),
    () => new WavDecoder(),
  );
}

/** A WAV file as bytes, or as a stream of them. */
export function wav(content: Uint8Array | AudioStream<Uint8Array>): Sound {
  return sound(opened(content), () => new WavDecoder());
}

/** Raw G.711, a byte a sample, 8 kHz mono. */
export function g711(codec: G711Codec, content: Uint8Array | AudioStream<Uint8Array>): Sound {
  return sound(opened(content), () => new G711Decoder(codec));
}

/**
 * Raw mono samples of 16 bits: numbers, or little-endian bytes. `rate`: of the samples, 4000 to 192000; default 8000.
 */
export function pcm(
  content: Uint8Array | Int16Array | AudioStream<Uint8Array | Int16Array>,
  options: { readonly rate?: number } = {},
): Sound {
  return sound(opened(content), () => new PcmDecoder(options.rate ?? SAMPLE_RATE));
}

function sound<Piece extends Uint8Array | Int16Array>(
  stream: () => AsyncIterable<Piece>,
  decoder: () => StreamDecoder<Piece>,
): Sound {
  return { open: (startMs = 0): AudioSource => new StreamedSource(() => inPieces(stream()), decoder(), startMs) };
}

function opened<Piece extends Uint8Array | Int16Array>(
  content: Piece | AudioStream<Piece>,
): () => AsyncIterable<Piece> {
  if (typeof content === 'function') return content;
  if (content instanceof Uint8Array || content instanceof Int16Array) return () => once(content);
  let used = false;
  return () => {
    if (used) {
      throw new UsageError(
        'PBX_WRONG_STATE',
        'a stream can be played once and from its start; give a function that opens it to play it again or to seek',
      );
    }
    used = true;
    return content;
  };
}

async function* once<Piece>(piece: Piece): AsyncGenerator<Piece> {
  yield piece;
}

async function* inPieces<Piece extends Uint8Array | Int16Array>(stream: AsyncIterable<Piece>): AsyncGenerator<Piece> {
  for await (const piece of stream) {
    for (let at = 0; at < piece.length; at += PIECE_BYTES) yield piece.subarray(at, at + PIECE_BYTES) as Piece;
  }
}

async function* fileBytes(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
