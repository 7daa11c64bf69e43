import { WavError } from './wav-error.js';
import { LONGEST_FORMAT, readFormat, UNKNOWN_SIZE, type WavFormat, type WavLayout } from './wav-format.js';
import { framesReader, type ReadFrames } from './wav-samples.js';

/** A whole WAV file: mono samples at its own rate (`format.rate`, repeated here), and what it was made of. */
export interface WavSound {
  readonly rate: number;
  readonly samples: Int16Array;
  readonly format: WavFormat;
}

const RIFF_HEADER = 12;
const CHUNK_HEADER = 8;
/** Of a ds64 chunk: the sizes of the file and of the samples, 64 bits each. */
const LONG_SIZES = 16;

type Part = 'riff' | 'chunk' | 'ds64' | 'fmt' | 'skip' | 'data' | 'done';

/**
 * Reads a WAV file in pieces of any size: `push` returns the mono samples (channels mixed, 16 bits, at the file's own
 * rate) that are complete. Takes RIFF, its big-endian form RIFX and RF64; PCM of 1 to 64 bits, IEEE float, A-law and
 * µ-law, plain and WAVE_FORMAT_EXTENSIBLE. Other chunks are skipped unread, and what follows the samples is left
 * alone. A file that ends early has the samples that it has; a size of samples that is missing (0, or none that can be)
 * reaches to the end of the file. It keeps at most one frame and 40 bytes of header, whatever the file claims.
 */
export class WavReader {
  #part: Part = 'riff';
  /** Bytes of the part that is being collected: #need of them, #have so far. */
  readonly #header = new Uint8Array(LONGEST_FORMAT);
  #need = RIFF_HEADER;
  #have = 0;
  /** Bytes of the chunk, its padding included, that follow what is collected. */
  #left = 0;
  /** Octets from the start of the file to the next byte. */
  #offset = 0;
  #littleEndian = true;
  #riffEnd = Number.POSITIVE_INFINITY;
  #longSize: number | undefined;
  #layout: WavLayout | undefined;
  #readFrames: ReadFrames | undefined;
  /** The beginning of a frame that was cut. */
  #cut = new Uint8Array(0);

  /** What the file says of its samples; undefined until that was read. Known before any sample comes out. */
  get format(): WavFormat | undefined {
    return this.#layout?.format;
  }

  /**
   * Takes the next bytes of the file.
   * @throws WavError if they cannot be played; afterwards the reader is of no use
   */
  push(bytes: Uint8Array): Int16Array {
    let at = 0;
    while (at < bytes.length && this.#part !== 'done') {
      if (this.#part === 'data') return this.#samples(bytes.subarray(at));
      const taken = this.#part === 'skip' ? this.#skip(bytes.length - at) : this.#collect(bytes.subarray(at));
      at += taken;
      this.#offset += taken;
      if (this.#part === 'skip' ? this.#left === 0 : this.#have === this.#need) this.#next();
    }
    return new Int16Array(0);
  }

  /**
   * The file has ended.
   * @throws WavError if it ended before its samples began
   */
  end(): void {
    if (this.#part === 'data' || this.#part === 'done') return;
    const missing = this.#layout === undefined ? 'a fmt chunk and a data chunk' : 'a data chunk';
    throw new WavError('the end of the file', missing, this.#offset);
  }

  #skip(available: number): number {
    const taken = Math.min(available, this.#left);
    this.#left -= taken;
    return taken;
  }

  #collect(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.#need - this.#have);
    this.#header.set(taken, this.#have);
    this.#have += taken.length;
    return taken.length;
  }

  /** A header is complete, or a chunk has been skipped. */
  #next(): void {
    const header = new DataView(this.#header.buffer, 0, this.#have);
    switch (this.#part) {
      case 'riff':
        this.#onRiff(header);
        return this.#expectChunk();
      case 'chunk':
        return this.#onChunk(header);
      case 'ds64':
        this.#longSize = Number(header.getBigUint64(8, this.#littleEndian));
        return this.#expect('skip', 0);
      case 'fmt':
        this.#onFormat(header);
        return this.#expect('skip', 0);
      default:
        return this.#expectChunk();
    }
  }

  #expectChunk(): void {
    this.#expect('chunk', CHUNK_HEADER);
  }

  #expect(part: Part, bytes: number): void {
    this.#part = part;
    this.#need = bytes;
    this.#have = 0;
    if (part === 'skip' && this.#left === 0) this.#expectChunk();
  }

  #onRiff(header: DataView): void {
    const container = nameAt(header, 0);
    if (container !== 'RIFF' && container !== 'RIFX' && container !== 'RF64') {
      throw new WavError(shown(container), 'RIFF, RIFX or RF64', 0);
    }
    if (nameAt(header, 8) !== 'WAVE') throw new WavError(shown(nameAt(header, 8)), 'WAVE', 8);
    this.#littleEndian = container !== 'RIFX';
    const size = header.getUint32(4, this.#littleEndian);
    if (size > 0 && size < UNKNOWN_SIZE) this.#riffEnd = CHUNK_HEADER + size;
  }

  #onChunk(header: DataView): void {
    const name = nameAt(header, 0);
    const size = header.getUint32(4, this.#littleEndian);
    if (name === 'data') return this.#onData(size);
    const collected = name === 'fmt ' ? Math.min(size, LONGEST_FORMAT) : name === 'ds64' ? LONG_SIZES : 0;
    this.#left = Math.max(0, size + (size % 2) - collected);
    if (collected > size) throw new WavError(`a ds64 chunk of ${size} bytes`, `at least ${LONG_SIZES}`, this.#offset);
    if (collected > 0) return this.#expect(name === 'ds64' ? 'ds64' : 'fmt', collected);
    if (name === 'fmt ') throw new WavError('an empty fmt chunk', 'at least 16 bytes', this.#offset);
    this.#expect('skip', 0);
  }

  #onFormat(header: DataView): void {
    const offset = this.#offset - header.byteLength;
    if (this.#layout !== undefined) throw new WavError('a second fmt chunk', 'one', offset);
    this.#layout = readFormat(header, this.#littleEndian, offset);
    this.#readFrames = framesReader(this.#layout, this.#littleEndian);
  }

  #onData(size: number): void {
    if (this.#layout === undefined) {
      throw new WavError('the data chunk', 'the fmt chunk before it', this.#offset - CHUNK_HEADER);
    }
    const known = size >= UNKNOWN_SIZE && this.#longSize !== undefined ? this.#longSize : size;
    // 0 with other chunks after it is meant; else its writer was stopped before it filled in the size
    const followed = Number.isFinite(this.#riffEnd) && this.#offset + CHUNK_HEADER <= this.#riffEnd;
    const unknown = known === 0 ? !followed : known >= UNKNOWN_SIZE && this.#longSize === undefined;
    this.#left = unknown ? Number.POSITIVE_INFINITY : known;
    this.#part = this.#left === 0 ? 'done' : 'data';
  }

  /** The frames that these bytes complete. */
  #samples(bytes: Uint8Array): Int16Array {
    const taken = bytes.subarray(0, Math.min(bytes.length, this.#left));
    this.#left -= taken.length;
    this.#offset += taken.length;
    if (this.#left === 0) this.#part = 'done';
    const frameBytes = this.#layout?.frameBytes ?? 1;
    const whole = this.#cut.length === 0 ? taken : joined(this.#cut, taken);
    const out = new Int16Array(Math.floor(whole.length / frameBytes));
    this.#readFrames?.(new DataView(whole.buffer, whole.byteOffset, whole.byteLength), out);
    this.#cut = whole.slice(out.length * frameBytes);
    return out;
  }
}

/**
 * Reads a whole WAV file; see `WavReader` for what it takes.
 * @throws WavError
 */
export function readWav(bytes: Uint8Array): WavSound {
  const reader = new WavReader();
  const samples = reader.push(bytes);
  reader.end();
  const { format } = reader;
  if (format === undefined) throw new WavError('no format', 'a fmt chunk', 0);
  return { rate: format.rate, samples, format };
}

function nameAt(header: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => header.getUint8(at + i)));
}

/** Foreign bytes as a message may show them. */
function shown(name: string): string {
  return JSON.stringify(name.replaceAll(/[^ -~]/g, '.'));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
