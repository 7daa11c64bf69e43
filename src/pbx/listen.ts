import { ipVersion } from '../base/ip.js';
import type { ListenPoint } from '../transport/hop.js';
import { defaultPort } from '../transport/via.js';

/** What a listen point may look like, for messages. */
export const LISTEN_EXAMPLE =
  'an address such as "udp://0.0.0.0:5060", "tcp://127.0.0.1:5060", "tls://0.0.0.0:5061" or "udp://[::1]:5060"';

const PROTOCOLS = ['udp', 'tcp', 'tls'] as const;

/** Reads `udp://HOST:PORT`, `tcp://` or `tls://`; the port may be left out (5060, of TLS 5061) or 0 (any free one). */
export function parseListen(text: string): ListenPoint | undefined {
  const protocol = PROTOCOLS.find((each) => text.startsWith(`${each}://`));
  if (protocol === undefined) return undefined;
  const rest = text.slice(6);
  const bracket = rest.indexOf(']');
  const colon = rest.indexOf(':', bracket + 1);
  const host = colon < 0 ? rest : rest.slice(0, colon);
  const port = colon < 0 ? defaultPort(protocol) : portOf(rest.slice(colon + 1));
  if (port === undefined) return undefined;
  if (host.startsWith('[')) {
    const bare = host.slice(1, -1);
    return host.endsWith(']') && ipVersion(bare) === 6 ? { protocol, host: bare, port } : undefined;
  }
  return isHost(host) ? { protocol, host, port } : undefined;
}

function portOf(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

function isHost(host: string): boolean {
  if (host === '' || host.length > 253) return false;
  // Digits and dots alone must be an address: 1.2.3 is a slip, not a name.
  if (/^[\d.]+$/.test(host)) return ipVersion(host) === 4;
  return /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(host);
}
