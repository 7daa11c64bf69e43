/** Files for the tests of the WAV reader, right and wrong ones, written by hand: not by our own writer. */

export interface Fmt {
  readonly tag?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly frameBytes?: number;
  readonly bits?: number;
  /** Bytes after the 16. */
  readonly extra?: Uint8Array;
}

export function bytes(...parts: readonly (string | number | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      return typeof part === 'number' ? le32(part) : part;
    }),
  );
}

export function le16(...values: readonly number[]): Uint8Array {
  const buffer = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) buffer.writeUInt16LE(value & 0xffff, 2 * i);
  return buffer;
}

export function le32(value: number): Uint8Array {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value >>> 0);
  return buffer;
}

export function chunk(name: string, body: Uint8Array, size = body.length): Uint8Array {
  return bytes(name, size, body, new Uint8Array(body.length % 2));
}

/** A fmt chunk; by default of 16-bit PCM, mono, 8 kHz. */
export function fmt(options: Fmt = {}): Uint8Array {
  const { tag = 1, channels = 1, rate = 8_000, bits = 16, extra = new Uint8Array(0) } = options;
  const frameBytes = options.frameBytes ?? channels * Math.ceil(bits / 8);
  return chunk('fmt ', bytes(le16(tag, channels), rate, rate * frameBytes, le16(frameBytes, bits), extra));
}

export function riff(...chunks: readonly Uint8Array[]): Uint8Array {
  const body = bytes('WAVE', ...chunks);
  return bytes('RIFF', body.length, body);
}

/** The last 24 bytes of WAVEFORMATEXTENSIBLE. */
export function extensible(tag: number, validBits: number): Uint8Array {
  const guid = Buffer.from('000000001000800000aa00389b71', 'hex');
  return bytes(le16(22, validBits), 0, le16(tag), guid);
}
