import { PbxkitError } from '../base/errors.js';

const MEDIA_FAULTS: ReadonlySet<string> = new Set(['SDP_PARSE', 'SDP_NEGOTIATION']);

/** Whether a description could not be read, or nothing in it suits: the peer is refused with 488. */
export function isMediaFault(error: unknown): boolean {
  return error instanceof PbxkitError && MEDIA_FAULTS.has(error.code);
}

/** What `take` makes of a peer's description; undefined when it cannot be read, or nothing in it suits. */
export function unlessFaulty<T>(take: () => T): T | undefined {
  try {
    return take();
  } catch (error) {
    if (isMediaFault(error)) return undefined;
    throw error;
  }
}

/** Whether it is only for now that the server has no ports for media: the caller is refused with 503. */
export function isFull(error: unknown): boolean {
  return error instanceof PbxkitError && error.code === 'MEDIA_NO_PORT';
}
