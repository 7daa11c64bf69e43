import { PbxkitError } from '../../base/errors.js';

/** Whether a description could not be read, or nothing in it suits: the peer is refused with 488. */
export function isMediaFault(error: unknown): boolean {
  return error instanceof PbxkitError && (error.code === 'SDP_PARSE' || error.code === 'SDP_NEGOTIATION');
}
