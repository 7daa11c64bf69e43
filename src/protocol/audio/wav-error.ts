import { PbxkitError } from '../../base/errors.js';

/** The bytes are no WAV file that can be played. The only error that reading one throws. */
export class WavError extends PbxkitError {
  /** Octets from the start of the file to what is wrong. */
  readonly offset: number;

  constructor(found: string, expected: string, offset: number) {
    super('WAV_PARSE', 'remote', `WAV offset ${offset}: found ${found}, expected ${expected}`);
    this.offset = offset;
  }
}
