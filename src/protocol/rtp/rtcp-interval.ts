import type { Millis } from '../../base/clock.js';

/** What the time between two RTCP packets depends on (RFC 3550 §6.3). */
export interface RtcpSituation {
  /** Ourselves included. */
  readonly members: number;
  /** Those of them that send RTP. */
  readonly senders: number;
  /** Of all RTCP of the session, in bytes per second: 5 % of the session's. */
  readonly bandwidth: number;
  /** Whether we have sent RTP since the report before the last. */
  readonly weSent: boolean;
  /** Of compound packets with UDP and IP headers, in bytes (`averageRtcpSize`). */
  readonly averageSize: number;
  /** No report has been sent yet: the first comes sooner. */
  readonly initial: boolean;
}

const MINIMUM_MS = 5000;
const SENDERS_SHARE = 0.25;
/** e − 3/2: a timer that is reconsidered fires sooner than intended on the average (§6.3.1). */
const COMPENSATION = Math.E - 1.5;

/**
 * The time to the next RTCP packet in milliseconds (RFC 3550 §6.2, §A.7): five seconds or more, half of it before the first report,
 * spread from one half to one and a half, then made shorter by the compensation.
 * @param fraction a random number from 0 up to, but without, 1
 */
export function rtcpInterval(situation: RtcpSituation, fraction: number): Millis {
  const { members, senders, weSent, averageSize, initial } = situation;
  let { bandwidth } = situation;
  let sharers = members;
  if (senders <= members * SENDERS_SHARE) {
    bandwidth *= weSent ? SENDERS_SHARE : 1 - SENDERS_SHARE;
    sharers = weSent ? senders : members - senders;
  }
  const byBandwidth = (1000 * averageSize * sharers) / bandwidth;
  const meanMs = Math.max(byBandwidth, initial ? MINIMUM_MS / 2 : MINIMUM_MS);
  return (meanMs * (fraction + 0.5)) / COMPENSATION;
}

/** The average size after another packet, sent or received, of `size` bytes (RFC 3550 §6.3.3). */
export function averageRtcpSize(average: number, size: number): number {
  return average + (size - average) / 16;
}
