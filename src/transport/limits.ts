import { DEFAULT_PARSE_LIMITS } from '../protocol/sip/parse.js';

/** What the transports allow a peer. Every figure can be set; the defaults suit a server that faces the Internet. */
export interface TransportLimits {
  /** Requests larger than this many bytes leave by TCP instead of UDP (RFC 3261 §18.1.1). */
  readonly maxUdpRequestBytes: number;
  /** Start line and headers of one message, in bytes; beyond it 513, and a connection closes. At most 65,536. */
  readonly maxHeaderBytes: number;
  /** Start line of one message, in bytes; beyond it 414. */
  readonly maxStartLineBytes: number;
  /** Header lines of one message; beyond it 513. */
  readonly maxHeaders: number;
  /** One header line with its folds, in bytes; beyond it 513. */
  readonly maxHeaderLineBytes: number;
  /** Body of one message, in bytes; beyond it 413, and a connection closes. */
  readonly maxBodyBytes: number;
  /** Accepted connections in all; as many again may be opened by us. */
  readonly maxConnections: number;
  /** Accepted connections from one address. */
  readonly maxConnectionsPerAddress: number;
  /** A peer that leaves more bytes than this unread is cut off. */
  readonly maxQueuedBytes: number;
  /** What all connections together may hold of incomplete messages and unread bytes; beyond it those that hold most are cut off. */
  readonly maxBufferedBytes: number;
  /** How long connecting may take, in milliseconds; for TLS with the handshake. */
  readonly connectTimeoutMs: number;
  /** How long the TLS handshake of an accepted connection may take, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** From the first byte of a message on a connection to its last, in milliseconds. */
  readonly messageTimeoutMs: number;
  /** An accepted connection must bring its first whole message within this time, in milliseconds. */
  readonly firstMessageTimeoutMs: number;
  /**
   * An accepted connection over which nothing has been granted yet (no REGISTER, call or subscription was answered with
   * 2xx) is closed after this time without a message, in milliseconds; keep-alives do not count.
   */
  readonly strangerIdleTimeoutMs: number;
  /** A connection without any traffic is closed after this time, in milliseconds. Longer than the longest registration. */
  readonly idleTimeoutMs: number;
  /** How long a connection that we close may take to hand over what is queued, in milliseconds. */
  readonly closeTimeoutMs: number;
}

/** Proposed by RFC 3261 where it names a figure; the rest from what public servers use. */
export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = Object.freeze({
  maxUdpRequestBytes: 1300,
  maxHeaderBytes: DEFAULT_PARSE_LIMITS.maxHeadBytes,
  maxStartLineBytes: DEFAULT_PARSE_LIMITS.maxStartLineBytes,
  maxHeaders: DEFAULT_PARSE_LIMITS.maxHeaders,
  maxHeaderLineBytes: DEFAULT_PARSE_LIMITS.maxHeaderLineBytes,
  maxBodyBytes: 256 * 1024,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 256,
  maxQueuedBytes: 1024 * 1024,
  maxBufferedBytes: 128 * 1024 * 1024,
  connectTimeoutMs: 5_000,
  handshakeTimeoutMs: 10_000,
  messageTimeoutMs: 10_000,
  firstMessageTimeoutMs: 30_000,
  strangerIdleTimeoutMs: 5 * 60_000,
  idleTimeoutMs: 65 * 60_000,
  closeTimeoutMs: 1_000,
});
