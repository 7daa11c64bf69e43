import { PbxkitError } from '../base/errors.js';
import { ipVersion, normalizeHost } from '../base/ip.js';
import { getParam } from '../protocol/sip/params.js';
import { formatUri, type SipUri } from '../protocol/sip/uri.js';

/** The transports that a SIP URI can name (RFC 3261 §19.1.1, RFC 7118 §4.3). */
export type HopProtocol = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** What a URI says about its next hop before any name is looked up. */
export interface HopTarget {
  readonly protocol: HopProtocol;
  /** A name or an IP literal. */
  readonly host: string;
  readonly port: number;
}

/**
 * Transport, host and port of a next-hop URI (RFC 3263 §4.1, §4.2): `maddr` goes before the host, a `sips` URI means
 * TLS, no transport means UDP for `sip`, no port the default of the transport.
 * @param transport what the caller wants, before what the URI says
 * @throws PbxkitError SIP_NO_ROUTE for an unknown transport, or UDP for a sips URI
 */
export function hopTarget(uri: SipUri, transport?: HopProtocol): HopTarget {
  const named = transport ?? getParam(uri.params, 'transport')?.toLowerCase();
  const protocol = uri.scheme === 'sips' ? secured(uri, named) : plain(uri, named);
  const maddr = getParam(uri.params, 'maddr');
  const host = maddr === undefined || maddr === '' ? uri.host : normalizeHost(maddr);
  if (host === '' || host.length > 255) throw noRoute(uri, 'its host is no name and no address');
  if (ipVersion(normalizeHost(host)) === 0 && host.includes(':')) throw noRoute(uri, 'its host is no IPv6 address');
  return { protocol, host, port: uri.port ?? defaultPort(protocol) };
}

function plain(uri: SipUri, named: string | undefined): HopProtocol {
  switch (named) {
    case undefined:
    case '':
      return 'udp';
    case 'udp':
    case 'tcp':
    case 'tls':
    case 'ws':
    case 'wss':
      return named;
    default:
      throw noRoute(uri, `the transport "${named.slice(0, 32)}" is not known here`);
  }
}

/** RFC 3261 §26.2.2: over TLS on every hop. `transport=tcp` in a sips URI means TLS over TCP. */
function secured(uri: SipUri, named: string | undefined): HopProtocol {
  const protocol = plain(uri, named === undefined || named === '' ? 'tls' : named);
  switch (protocol) {
    case 'tls':
    case 'tcp':
      return 'tls';
    case 'ws':
    case 'wss':
      return 'wss';
    case 'udp':
      throw noRoute(uri, 'a sips URI cannot go by UDP');
  }
}

function defaultPort(protocol: HopProtocol): number {
  switch (protocol) {
    case 'udp':
    case 'tcp':
      return 5060;
    case 'tls':
      return 5061;
    case 'ws':
      return 80;
    case 'wss':
      return 443;
  }
}

function noRoute(uri: SipUri, problem: string): PbxkitError {
  return new PbxkitError('SIP_NO_ROUTE', 'transport', `${formatUri(uri).slice(0, 255)} leads nowhere: ${problem}`);
}
