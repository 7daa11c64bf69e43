import type { NaptrRecord } from '../net/dns.js';
import type { HopProtocol, HopTarget } from './hop-target.js';

/** A service to look for: its SRV records are at `name`. */
export interface Service {
  readonly protocol: HopProtocol;
  /** Such as `_sip._udp.office.example`. */
  readonly name: string;
}

/** The services of RFC 3263 §9 and RFC 7118 §7, as NAPTR records name them. */
const NAPTR_SERVICES: ReadonlyMap<string, HopProtocol> = new Map([
  ['SIP+D2U', 'udp'],
  ['SIP+D2T', 'tcp'],
  ['SIPS+D2T', 'tls'],
  ['SIP+D2W', 'ws'],
  ['SIPS+D2W', 'wss'],
]);

const SRV_PREFIX: Readonly<Record<HopProtocol, string>> = {
  udp: '_sip._udp',
  tcp: '_sip._tcp',
  tls: '_sips._tcp',
  ws: '_sip._ws',
  wss: '_sips._ws',
};

/** Where the SRV records of a transport are (RFC 3263 §4.2). */
export function srvService(protocol: HopProtocol, host: string): Service {
  return { protocol, name: `${SRV_PREFIX[protocol]}.${host}` };
}

/**
 * The services that a domain names itself, the preferred first (RFC 3263 §4.1): by order, then preference; for a sips URI
 * only those of TLS, and none that we cannot speak. Only terminal rules to SRV records (flag `s`) are followed, so a chain
 * of rules that leads on to other rules ends here.
 */
export function naptrServices(
  records: readonly NaptrRecord[],
  target: HopTarget,
  spoken: readonly HopProtocol[],
): readonly Service[] {
  const services: Service[] = [];
  const sorted = [...records].sort((a, b) => a.order - b.order || a.preference - b.preference);
  for (const { flags, service, regexp, replacement } of sorted) {
    const protocol = NAPTR_SERVICES.get(service.toUpperCase());
    if (flags.toLowerCase() !== 's' || regexp !== '' || replacement === '') continue;
    if (protocol === undefined || !spoken.includes(protocol) || (target.secure && !isSecure(protocol))) continue;
    services.push({ protocol, name: replacement.toLowerCase() });
  }
  return services;
}

/** The services to look for when the domain names none (RFC 3263 §4.1): `_sips` for a sips URI, else `_sip`. */
export function usualServices(target: HopTarget, spoken: readonly HopProtocol[]): readonly Service[] {
  return spoken
    .filter((protocol) => !isWeb(protocol) && isSecure(protocol) === target.secure)
    .map((protocol) => srvService(protocol, target.host));
}

/** The transport where neither the URI nor DNS says any (RFC 3263 §4.1): TLS for sips, else UDP, or what else we speak. */
export function usualProtocol(target: HopTarget, spoken: readonly HopProtocol[]): HopProtocol {
  if (target.protocol !== undefined) return target.protocol;
  if (target.secure) return 'tls';
  if (spoken.includes('udp')) return 'udp';
  return spoken.find((protocol) => !isWeb(protocol) && !isSecure(protocol)) ?? 'udp';
}

function isSecure(protocol: HopProtocol): boolean {
  return protocol === 'tls' || protocol === 'wss';
}

/** A browser's transport: nobody connects to it by chance, only where a URI or a NAPTR record says so. */
function isWeb(protocol: HopProtocol): boolean {
  return protocol === 'ws' || protocol === 'wss';
}
