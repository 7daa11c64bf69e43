import { ipVersion, normalizeHost } from '../base/ip.js';
import type { SipRequest } from '../protocol/sip/message.js';
import { hasParam } from '../protocol/sip/params.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { FlowRef, Source } from '../transport/layer.js';

/**
 * Whether a request comes through a NAT: its Via names an IP address that is not the one that the datagram came from,
 * or, for a peer that asked to be answered symmetrically (RFC 3581), another port.
 */
export function isBehindNat(request: SipRequest, source: Source): boolean {
  const via = request.topVia;
  const host = normalizeHost(via.host);
  if (ipVersion(host) !== 0 && host !== normalizeHost(source.remote.address)) return true;
  // A connection leaves from a port of its own, whatever port the peer listens on.
  if (source.protocol !== 'udp') return false;
  return hasParam(via.params, 'rport') && (via.port ?? 5060) !== source.remote.port;
}

/**
 * The flow by which `uri`, the Contact of the peer at `source`, is reached, or undefined when the URI can be used as it
 * stands. A connection is used again as long as it is open (RFC 3261 §18); over UDP what stands behind a NAT is answered
 * by its flow, and what gave a Contact that no UDP datagram can be sent to (tel, sips), or asks for its flow by `ob`
 * (RFC 5626 §4.3).
 */
export function flowTo(uri: Uri, source: Source, behindNat: boolean): FlowRef | undefined {
  if (source.protocol !== 'udp') return source.flow;
  if (uri.kind !== 'sip' || uri.scheme === 'sips') return source.flow;
  if (hasParam(uri.params, 'ob')) return source.flow;
  if (!behindNat) return undefined;
  const atSource =
    normalizeHost(uri.host) === normalizeHost(source.remote.address) && (uri.port ?? 5060) === source.remote.port;
  return atSource ? undefined : source.flow;
}
