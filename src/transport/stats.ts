import type { MessageLimit } from '../protocol/sip/parse-error.js';

/** The limits that end or refuse a connection. */
export const CONNECTION_LIMITS = [
  'connections',
  'connectionsPerAddress',
  'handshakeTime',
  'firstMessageTime',
  'messageTime',
  'idleTime',
  'queuedBytes',
  'bufferedBytes',
] as const;

export type ConnectionLimit = (typeof CONNECTION_LIMITS)[number];

/** The limits that refuse a message. */
export const MESSAGE_LIMITS = [
  'startLineBytes',
  'headerBytes',
  'headers',
  'headerLineBytes',
  'bodyBytes',
] as const satisfies readonly MessageLimit[];

/** What a limit of the transport is counted under. */
export type TransportLimit = ConnectionLimit | (typeof MESSAGE_LIMITS)[number];

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
  /** STUN datagrams on SIP sockets, answered or not. */
  readonly stun: number;
  /** Messages that the network did not take. */
  readonly failed: number;
  /** TLS handshakes that failed, on either side: a wrong version, a certificate that is not good, no TLS at all. */
  readonly failedHandshakes: number;
  /** Messages that a limit refused and connections that one refused or ended, by limit. */
  readonly limited: Readonly<Record<TransportLimit, number>>;
  /** Connections open or opening now. */
  readonly connections: number;
}

/** The counters while they run. */
export type TransportCounters = {
  -readonly [Name in keyof Omit<TransportStats, 'connections' | 'limited'>]: number;
} & { readonly limited: Record<TransportLimit, number> };

/** All at zero. */
export function newCounters(): TransportCounters {
  const names: readonly TransportLimit[] = [...CONNECTION_LIMITS, ...MESSAGE_LIMITS];
  const limited = Object.fromEntries(names.map((limit) => [limit, 0])) as Record<TransportLimit, number>;
  return {
    received: 0,
    sent: 0,
    malformed: 0,
    refused: 0,
    dropped: 0,
    keepAlives: 0,
    stun: 0,
    failed: 0,
    failedHandshakes: 0,
    limited,
  };
}
