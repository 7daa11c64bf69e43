/** Counts since the start, as plain data. */
export interface TransportStats {
  /** Datagrams and framed messages that came in, keep-alives not counted. */
  readonly received: number;
  /** Messages handed to the network, retransmissions included. */
  readonly sent: number;
  /** Messages that were no SIP or broke RFC 3261; some were answered, none went up. */
  readonly malformed: number;
  /** Datagrams and connections that `admit` or a limit turned away. */
  readonly refused: number;
  /** Well-formed messages that are nobody's: responses with a Via of somebody else, requests that cannot be answered. */
  readonly dropped: number;
  readonly keepAlives: number;
  /** STUN datagrams on SIP sockets. */
  readonly stun: number;
  /** Messages that the network did not take. */
  readonly failed: number;
  /** Connections open or opening now. */
  readonly connections: number;
}

/** The counters while they run. */
export type TransportCounters = { -readonly [Name in keyof Omit<TransportStats, 'connections'>]: number };

/** All at zero. */
export function newCounters(): TransportCounters {
  return { received: 0, sent: 0, malformed: 0, refused: 0, dropped: 0, keepAlives: 0, stun: 0, failed: 0 };
}
