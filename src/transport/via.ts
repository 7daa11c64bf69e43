import { ipVersion, normalizeHost, type SocketAddress } from '../base/ip.js';
import type { Via } from '../protocol/sip/header/registry.js';
import { getParam, hasParam, type Params, withoutParam, withParam } from '../protocol/sip/params.js';
import type { TransportProtocol } from './hop.js';
import { isUnicast } from './peer-address.js';

/** The port that a Via or URI without one means: 5061 for TLS, 80 and 443 for WebSocket, else 5060. */
export function defaultPort(protocol: TransportProtocol): number {
  switch (protocol) {
    case 'tls':
      return 5061;
    case 'ws':
      return 80;
    case 'wss':
      return 443;
    default:
      return 5060;
  }
}

/** `host:port` in one spelling: what sent-by values are compared by (RFC 3261 §18.1.2). */
export function sentByKey(host: string, port: number): string {
  return `${normalizeHost(host)}:${port}`;
}

/**
 * The top Via of a request that leaves (RFC 3261 §18.1.1): transport and sent-by filled in, and `rport` asked for
 * (RFC 3581 §3). The branch and other parameters stay.
 */
export function stampSent(via: Via, protocol: TransportProtocol, sentBy: SocketAddress): Via {
  return {
    protocol: via.protocol,
    transport: protocol.toUpperCase(),
    host: sentBy.address,
    port: sentBy.port,
    params: hasParam(via.params, 'rport') ? via.params : withParam(via.params, 'rport'),
  };
}

/**
 * The top Via of a request that came in: `received` if the sent-by is not the address it came from (RFC 3261 §18.2.1)
 * or `rport` was asked for, and then `rport` with the source port (RFC 3581 §4). Whatever the client wrote there itself
 * is replaced. Returns the same object if nothing is to change.
 */
export function stampReceived(via: Via, from: SocketAddress): Via {
  const asksPort = hasParam(via.params, 'rport');
  const claimed = getParam(via.params, 'received');
  const wanted = asksPort || normalizeHost(via.host) !== from.address ? from.address : undefined;
  let params: Params = via.params;
  if (claimed !== wanted) {
    params = wanted === undefined ? withoutParam(params, 'received') : withParam(params, 'received', wanted);
  }
  if (asksPort && getParam(via.params, 'rport') !== String(from.port))
    params = withParam(params, 'rport', String(from.port));
  return params === via.params ? via : { ...via, params };
}

/**
 * Where the response to a request goes, if its connection is gone or it came by UDP (RFC 3261 §18.2.2, RFC 3581 §4):
 * always to the address the request came from (which is what `received` says), to the source port if `rport` was asked
 * for, else to the port of the sent-by.
 *
 * Deviates: `maddr` is ignored. It would let anyone point our answers at a third party, and it is meant for multicast.
 */
export function responseTarget(via: Via, protocol: TransportProtocol, from: SocketAddress): SocketAddress {
  if (protocol === 'udp' && hasParam(via.params, 'rport')) return from;
  return { address: from.address, port: via.port ?? defaultPort(protocol) };
}

/** False if no answer may be sent: the Via names a multicast or broadcast address, or port 0. */
export function canAnswer(via: Via, protocol: TransportProtocol, from: SocketAddress): boolean {
  const host = normalizeHost(via.host);
  if (ipVersion(host) !== 0 && !isUnicast(host) && !isUnspecified(host)) return false;
  return responseTarget(via, protocol, from).port !== 0;
}

/** Phones that do not know their address yet write it; `received` mends it. */
function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
