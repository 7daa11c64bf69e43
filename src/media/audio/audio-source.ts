/** The sampling rate of telephone audio: every source gives and every sink takes mono samples at this rate. */
export const SAMPLE_RATE = 8000;

/** Samples of one millisecond. */
export const SAMPLES_A_MS = 8;

/** The two forms of G.711, by their names in RTP (RFC 3551 §4.5.14). */
export type G711Codec = 'PCMA' | 'PCMU';

/** Audio being played: 16-bit samples, mono, 8 kHz. It is asked on the beat of the media clock and never makes it wait. */
export interface AudioSource {
  /** Fills `out` from its start and returns how many samples it had. Fewer than asked: no more now; see `ended`. */
  read(out: Int16Array): number;
  /** True once nothing will come any more. */
  readonly ended: boolean;
  /** Why it has ended before its time. */
  readonly failure?: unknown;
  /** How far beyond the end of the sound it was opened, in samples; 0 while that is not known. */
  readonly overshoot?: number;
  /** Frees what it holds. Nothing more comes. */
  close(): void;
}

/** What many listeners hear at once and is encoded but once. */
export interface EncodedSource extends AudioSource {
  /** False while only `read` may be called. Absent: never. */
  readonly encoded?: boolean;
  /** As `read`, one byte a sample. What follows are the samples behind what was taken either way. */
  readEncoded(codec: G711Codec, out: Uint8Array): number;
}

/** Whether `readEncoded` may be called now. */
export function isEncoded(source: AudioSource): source is EncodedSource {
  return 'readEncoded' in source && (source as EncodedSource).encoded !== false;
}

/** Something that can be played, from any point and as often as wanted: a file, a tone, a pause, a sequence of these. */
export interface Sound {
  /**
   * Begins to play, `startMs` from the start (default 0). What is wrong with the sound shows in `failure` of the source.
   * @throws UsageError (PBX_WRONG_STATE) for a stream that can be played only once, the second time
   */
  open(startMs?: number): AudioSource;
}
