import type { SdpDirection } from './direction.js';
import { bumpVersion, withDirection } from './edit.js';
import type { Sdp } from './lines.js';
import { mediaSummary } from './media.js';

/**
 * The offer that puts the other party on hold (RFC 3264 §8.4), made from our current description: of each stream only sending
 * is left, so that music can be played. With `silent` nothing is left. The version is one higher.
 */
export function holdOffer(current: Sdp, options: { readonly silent?: boolean } = {}): Sdp {
  return bumpVersion(
    eachStream(current, (direction) =>
      options.silent === true || direction === 'recvonly' || direction === 'inactive' ? 'inactive' : 'sendonly',
    ),
  );
}

/**
 * The offer that ends our hold: what we want, in full, even if the last answer was narrower, because otherwise two parties
 * that hold each other never come back (RFC 6337 §5.3). The version is one higher.
 */
export function resumeOffer(current: Sdp, wanted: SdpDirection = 'sendrecv'): Sdp {
  return bumpVersion(eachStream(current, () => wanted));
}

function eachStream(sdp: Sdp, change: (direction: SdpDirection) => SdpDirection): Sdp {
  let changed = sdp;
  for (const stream of mediaSummary(sdp)) {
    if (stream.active) changed = withDirection(changed, change(stream.direction), stream.index);
  }
  return changed;
}
