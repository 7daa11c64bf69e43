import { PbxkitError } from '../base/errors.js';
import { ipVersion, normalizeHost } from '../base/ip.js';
import { getParam } from '../protocol/sip/params.js';
import { formatUri, type SipUri } from '../protocol/sip/uri.js';

/** The transports that a SIP URI can name (RFC 3261 §19.1.1, RFC 7118 §4.3). */
export type HopProtocol = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** What a URI says about its next hop before any name is looked up. */
export interface HopTarget {
  /** The transport that the URI or the caller names; undefined: to be found out (RFC 3263 §4.1). */
  readonly protocol: HopProtocol | undefined;
  /** A name or an IP literal, lower case, without brackets. */
  readonly host: string;
  readonly isLiteral: boolean;
  /** As the URI names it; undefined: to be found out (RFC 3263 §4.2). */
  readonly port: number | undefined;
  /** A sips URI: TLS on every hop (RFC 3261 §26.2.2). */
  readonly secure: boolean;
}

/**
 * The TARGET of a next-hop URI (RFC 3263 §4): `maddr` goes before the host, a `sips` URI means TLS.
 * @param transport what the caller wants, before what the URI says
 * @throws PbxkitError SIP_NO_ROUTE for an unknown transport, or UDP for a sips URI
 */
export function hopTarget(uri: SipUri, transport?: HopProtocol): HopTarget {
  const param = getParam(uri.params, 'transport')?.toLowerCase();
  const named = transport ?? (param === '' ? undefined : param);
  const secure = uri.scheme === 'sips';
  const protocol = named === undefined ? undefined : secure ? secured(uri, named) : known(uri, named);
  const maddr = getParam(uri.params, 'maddr');
  const host = normalizeHost(maddr === undefined || maddr === '' ? uri.host : maddr);
  if (host === '' || host.length > 255) throw noRoute(uri, 'its host is no name and no address');
  const isLiteral = ipVersion(host) !== 0;
  if (!isLiteral && host.includes(':')) throw noRoute(uri, 'its host is no IPv6 address');
  return { protocol, host, isLiteral, port: uri.port, secure };
}

/** The port of a transport where neither URI nor DNS says another (RFC 3261 §19.1.2, RFC 7118 §5.1). */
export function defaultPort(protocol: HopProtocol): number {
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

function known(uri: SipUri, named: string): HopProtocol {
  switch (named) {
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
function secured(uri: SipUri, named: string): HopProtocol {
  const protocol = known(uri, named);
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

function noRoute(uri: SipUri, problem: string): PbxkitError {
  return new PbxkitError('SIP_NO_ROUTE', 'transport', `${formatUri(uri).slice(0, 255)} leads nowhere: ${problem}`);
}
