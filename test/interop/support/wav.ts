import { readFileSync, writeFileSync } from 'node:fs';

/** Mono sound, 16 bits a sample. */
export interface Sound {
  readonly rateHz: number;
  readonly samples: Int16Array;
}

/** Bytes of the smallest RIFF header: what comes before the samples in the files written here and by libsndfile. */
export const WAV_HEADER_BYTES = 44;

/**
 * Reads a mono 16-bit PCM file. A file that is still being written is read too: its header does not know the length yet,
 * so the data chunk reaches to the end of the file.
 */
export function readWav(file: string): Sound {
  const bytes = readFileSync(file);
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error(`${file} is no WAV file`);
  }
  let rateHz = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const body = at + 8;
    if (id === 'fmt ') {
      const [format, channels, bits] = [
        bytes.readUInt16LE(body),
        bytes.readUInt16LE(body + 2),
        bytes.readUInt16LE(body + 14),
      ];
      if (format !== 1 || channels !== 1 || bits !== 16) {
        throw new Error(`${file}: format ${format}, ${channels} channels, ${bits} bits; expected 16-bit PCM, mono`);
      }
      rateHz = bytes.readUInt32LE(body + 4);
    }
    if (id === 'data') {
      const end = size === 0 || body + size > bytes.length ? bytes.length : body + size;
      const samples = new Int16Array((end - body) >> 1);
      for (let i = 0; i < samples.length; i++) samples[i] = bytes.readInt16LE(body + 2 * i);
      return { rateHz, samples };
    }
    at = body + size + (size & 1);
  }
  throw new Error(`${file} has no data chunk`);
}

/** Reads mono 16-bit samples of 8 kHz behind a header that is still empty: what linphone has recorded of a call that goes on. */
export function readHeadless(file: string): Sound {
  const bytes = readFileSync(file);
  const samples = new Int16Array(Math.max(0, bytes.length - WAV_HEADER_BYTES) >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = bytes.readInt16LE(WAV_HEADER_BYTES + 2 * i);
  return { rateHz: 8_000, samples };
}

/** Writes a sine of `levelDb` (RMS, dB below a full-scale square wave: a full-scale sine has −3.01). */
export function writeTone(file: string, tone: { hz: number; levelDb: number; seconds: number; rateHz?: number }): void {
  const rateHz = tone.rateHz ?? 8_000;
  const count = Math.round(tone.seconds * rateHz);
  const bytes = Buffer.alloc(WAV_HEADER_BYTES + 2 * count);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rateHz, 24);
  bytes.writeUInt32LE(2 * rateHz, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(2 * count, 40);
  const amplitude = Math.min(32_767, 32_768 * 10 ** (tone.levelDb / 20) * Math.SQRT2);
  for (let i = 0; i < count; i++) {
    bytes.writeInt16LE(
      Math.round(amplitude * Math.sin((2 * Math.PI * tone.hz * i) / rateHz)),
      WAV_HEADER_BYTES + 2 * i,
    );
  }
  writeFileSync(file, bytes);
}
