import { PbxkitError } from '../../base/errors.js';

/** The bytes are no session description. The only error that `parseSdp` throws. */
export class SdpParseError extends PbxkitError {
  /** Octets (for text input: UTF-16 units) from the start of the body to the offending line or character. */
  readonly offset: number;
  /** The offending line, counted from 1. */
  readonly line: number;
  /** The SIP status that tells the sender: 400. */
  readonly status = 400;

  constructor(problem: string, position: { readonly offset: number; readonly line: number }) {
    super('SDP_PARSE', 'remote', `SDP line ${position.line} (offset ${position.offset}): ${problem}`);
    this.offset = position.offset;
    this.line = position.line;
  }
}
