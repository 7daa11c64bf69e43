/** What has become of the packets of all calls of a relay since it was made. */
export interface RelayCounters {
  /** Sent on, RTCP included. */
  relayed: number;
  /** From addresses that are not the peer's. */
  strangers: number;
  /** From what may be the peer's address, and too few yet to say. */
  learning: number;
  /** STUN: nobody checks connectivity here. */
  stun: number;
  /** Neither RTP nor RTCP, cut short, or longer than any media packet. */
  malformed: number;
  /** Of one leg and stream more in a second than media has. */
  flood: number;
  /** Accepted, but the other leg has not said where it is, or wants nothing (0.0.0.0). */
  nowhere: number;
}

export function newRelayCounters(): RelayCounters {
  return { relayed: 0, strangers: 0, learning: 0, stun: 0, malformed: 0, flood: 0, nowhere: 0 };
}
