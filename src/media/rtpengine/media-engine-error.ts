import { PbxkitError } from '../../base/errors.js';

/**
 * A media engine that stands elsewhere did not do what it was asked (MEDIA_ENGINE_FAILED). Kind `transport`: it could not be
 * reached, or its answer could not be read; another one may do it. Kind `remote`: it refused, and said why.
 */
export class MediaEngineError extends PbxkitError {
  constructor(kind: 'transport' | 'remote', message: string, options?: { readonly cause?: unknown }) {
    super('MEDIA_ENGINE_FAILED', kind, message, options);
  }
}
