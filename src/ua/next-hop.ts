import { PbxkitError } from '../base/errors.js';
import type { SipRequest } from '../protocol/sip/message.js';
import type { SipUri, Uri } from '../protocol/sip/uri.js';
import type { FlowRef, Hop, TransportProtocol } from '../transport/hop.js';
import type { SendTarget, Target } from './target.js';

/** Finds the hops of a next-hop URI, best first (RFC 3263); `Resolver` fits it as it is. */
export interface NextHopResolver {
  /** @throws DnsError (DNS_FAILED), PbxkitError SIP_NO_ROUTE */
  resolve(
    uri: SipUri,
    options?: { readonly transport?: TransportProtocol; readonly signal?: AbortSignal },
  ): Promise<readonly Hop[]>;
  /** The hop of a URI that needs no look-up, undefined for any other. @throws PbxkitError SIP_NO_ROUTE */
  atOnce?(uri: SipUri, transport?: TransportProtocol): Hop | undefined;
}

/** The hop at the other end of a flow. */
export function hopOfFlow(flow: FlowRef): Hop {
  return { protocol: flow.protocol, address: flow.remote.address, port: flow.remote.port, flow };
}

/** The URI that decides where a request to that target goes, before it is made: a strict router, the top of its routes, or its own. */
export function nextHopOf({ nextHop, route, uri }: Pick<Target, 'nextHop' | 'route' | 'uri'>): Uri {
  return nextHop ?? route?.[0]?.uri ?? uri;
}

/** Whether the next hop's own address may be tried when the flow fails: a connection died, and no NAT is in between. */
export function mayLeaveFlow({ flow, flowOnly }: SendTarget): boolean {
  return flow !== undefined && flow.protocol !== 'udp' && flowOnly !== true;
}

/**
 * The URI that decides where a request goes: the top Route, else the Request-URI (RFC 3261 §8.1.2).
 * @throws PbxkitError SIP_NO_ROUTE when that is no SIP URI: a tel URI without a Route leads nowhere.
 */
export function nextHopUri(request: SipRequest, target: SendTarget): SipUri {
  const uri = target.nextHop ?? request.headers.get('Route')?.[0]?.uri ?? request.uri;
  if (uri.kind === 'sip') return uri;
  throw new PbxkitError(
    'SIP_NO_ROUTE',
    'misuse',
    `found ${request.requestUri} as the next hop, expected a SIP URI: give the request a route`,
  );
}

/**
 * Every hop to try, in order; never none. The target's flow is left out: it comes first and needs no look-up.
 * @throws what the resolver throws, and SIP_NO_ROUTE
 */
export async function hopsFor(
  request: SipRequest,
  target: SendTarget,
  resolver: NextHopResolver,
  signal?: AbortSignal,
): Promise<readonly Hop[]> {
  const uri = nextHopUri(request, target);
  const hops = await resolver.resolve(uri, {
    ...(target.transport === undefined ? {} : { transport: target.transport }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (hops.length > 0) return hops;
  throw new PbxkitError('SIP_NO_ROUTE', 'transport', `${uri.host} has no address to send to`);
}

/** The hop of a request that goes to an IP literal, as most do: known without waiting. Undefined where `hopsFor` is to be asked. */
export function hopAtOnce(request: SipRequest, target: SendTarget, resolver: NextHopResolver): Hop | undefined {
  try {
    return resolver.atOnce?.(nextHopUri(request, target), target.transport);
  } catch {
    return undefined; // `hopsFor` fails in the same way, when whoever sends is ready to hear of it
  }
}
