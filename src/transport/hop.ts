import type { Millis } from '../base/clock.js';
import type { SocketAddress } from '../base/ip.js';

/** The transports of RFC 3261 §18 and RFC 7118. */
export type TransportProtocol = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** The transports over connections that are built: what is sent is framed by Content-Length (RFC 3261 §18.3). */
export type StreamProtocol = 'tcp' | 'tls';

/** The transports that can be listened on. */
export type ListenProtocol = 'udp' | StreamProtocol;

/** Where to listen. `host` is an IP literal, a wildcard (`0.0.0.0`, `::`) or a name of this machine; port 0 is any free one. */
export interface ListenPoint {
  readonly protocol: ListenProtocol;
  readonly host: string;
  readonly port: number;
}

/**
 * A way to reach a peer that is already open (RFC 5626 §3.1), as plain data that can be stored. UDP: the socket to send
 * from. Connections: that very connection while it is open, of which `connectionId` is unique over restarts too.
 */
export interface FlowRef {
  readonly protocol: TransportProtocol;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly connectionId?: string;
}

/** One next hop: what RFC 3263 §4 ends in. */
export interface Hop {
  readonly protocol: TransportProtocol;
  /** An IP literal, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  /**
   * The domain that the hop was found for, before any look-up: for TLS the server name that is asked for, and what the
   * peer's certificate must be for (RFC 5922 §7.3). Absent: `address`.
   */
  readonly name?: string;
  readonly flow?: FlowRef;
  /** Stay with `protocol` however large the request is (the retry of RFC 3261 §18.1.1 after TCP has failed). */
  readonly forceProtocol?: boolean;
  /**
   * Of an ACK or CANCEL: the socket that its INVITE left by (`OutgoingRequest.local`). It leaves there too, with the Via that it has, whatever
   * routes and addresses have become: by that Via the peer knows the INVITE (RFC 3261 §9.1, §17.1.1.3).
   */
  readonly sentFrom?: SocketAddress;
}

/** Where a message came from. */
export interface Source {
  readonly protocol: TransportProtocol;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly flow: FlowRef;
  /** True over TLS. */
  readonly secure: boolean;
  readonly receivedAt: Millis;
}

/** An open socket of ours. */
export interface Listening {
  readonly protocol: ListenProtocol;
  readonly local: SocketAddress;
}

/** Whether that transport sends over connections of ours. */
export function isStream(protocol: TransportProtocol): protocol is StreamProtocol {
  return protocol === 'tcp' || protocol === 'tls';
}
