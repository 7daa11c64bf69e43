import { parseUri, type SipUri } from '../../src/protocol/sip/uri.js';
import { Resolver, type ResolverLimits, type ResolverOptions } from '../../src/resolver/resolver.js';
import type { VirtualDns } from '../../src/testing/virtual-dns.js';
import { createWorld, type World } from '../../src/testing/world.js';

/** A URI that is a SIP URI. */
export function sip(text: string): SipUri {
  const uri = parseUri(text);
  if (uri.kind !== 'sip') throw new Error(`${text} is no SIP URI`);
  return uri;
}

/** A resolver in a world, and the name service that it asks. */
export interface ResolverBench {
  readonly world: World;
  readonly dns: VirtualDns;
  readonly resolver: Resolver;
  resolve(text: string, options?: Parameters<Resolver['resolve']>[1]): ReturnType<Resolver['resolve']>;
  /** The hops as `udp 192.0.2.1:5060`. */
  hops(text: string): Promise<string[]>;
}

export function setUp(
  limits: Partial<ResolverLimits> = {},
  options: Partial<ResolverOptions> & { readonly seed?: number } = {},
): ResolverBench {
  const { seed = 1, ...rest } = options;
  const world = createWorld({ seed });
  const resolver = new Resolver({ ...world.ports, limits, ...rest });
  const resolve: ResolverBench['resolve'] = (text, how) => world.run(() => resolver.resolve(sip(text), how));
  const hops = async (text: string): Promise<string[]> =>
    (await resolve(text)).map(({ protocol, address, port }) => `${protocol} ${address}:${port}`);
  return { world, dns: world.network.dns, resolver, resolve, hops };
}
