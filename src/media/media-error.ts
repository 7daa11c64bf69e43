import { PbxkitError } from '../base/errors.js';

/** Media could not be set up on this machine (MEDIA_NO_PORT); the message says what to do. */
export class MediaError extends PbxkitError {
  constructor(code: 'MEDIA_NO_PORT', message: string, options?: { readonly cause?: unknown }) {
    super(code, 'transport', message, options);
  }
}
