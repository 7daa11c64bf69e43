import type { SocketAddress } from '../base/ip.js';

/** What an engine has seen of a call's media. */
export interface MediaStats {
  /** `direct`: the media goes end to end and nothing was counted. */
  readonly path: 'direct' | 'relay';
  readonly streams: readonly StreamStats[];
}

/** What came from one leg in one stream (one m= line). */
export interface StreamStats {
  readonly legId: string;
  /** The leg that it was sent on to. */
  readonly toLeg: string;
  /** The index of the m= line. */
  readonly stream: number;
  readonly packetsReceived: number;
  readonly bytesReceived: number;
  /** Packets that were expected by their sequence numbers and did not come (RFC 3550 §A.3). */
  readonly packetsLost: number;
  /** RFC 3550 §A.8, in milliseconds; 0 when the clock rate is not known. */
  readonly jitterMs: number;
  /** Packets that were thrown away: from strangers, or not RTP. */
  readonly packetsDropped: number;
  /** Where it came from; absent before the first packet. */
  readonly source?: SocketAddress;
}
