import { ConfigError, type ConfigProblem } from '../../base/config-error.js';
import { formatAddress, ipVersion, normalizeHost, type SocketAddress } from '../../base/ip.js';
import { show } from '../../base/show.js';

/** One rtpengine: `udp://127.0.0.1:2223`, `udp://[::1]:2223`, or with its share of the calls. */
export type InstanceOption = string | { readonly url: string /** 1 to 1000; default 1. */; readonly weight?: number };

/** An instance as it is used. */
export interface InstanceAddress {
  /** One spelling for each address: what hashes and messages use. */
  readonly url: string;
  readonly remote: SocketAddress;
  readonly weight: number;
}

const SCHEME = 'udp://';

/** @throws ConfigError (PBX_INVALID_ARGUMENT) that names every instance that cannot be used */
export function readInstances(options: readonly InstanceOption[]): readonly InstanceAddress[] {
  const problems: ConfigProblem[] = [];
  const read: InstanceAddress[] = [];
  if (options.length === 0)
    problems.push({ path: 'instances', found: 'none', expected: 'at least one, such as "udp://127.0.0.1:2223"' });
  for (const [index, option] of options.entries()) {
    const path = `instances[${index}]`;
    const { url, weight = 1 } = typeof option === 'string' ? { url: option } : option;
    const remote = readUrl(url);
    if (remote === undefined)
      problems.push({
        path,
        found: show(path, url),
        expected: 'udp://ADDRESS:PORT with an IP address, such as "udp://127.0.0.1:2223"',
      });
    if (!(Number.isInteger(weight) && weight >= 1 && weight <= 1000)) {
      problems.push({ path: `${path}.weight`, found: show(path, weight), expected: 'a whole number from 1 to 1000' });
    }
    if (remote === undefined) continue;
    const known = `${SCHEME}${formatAddress(remote)}`;
    if (read.some((each) => each.url === known))
      problems.push({ path, found: `${known} a second time`, expected: 'each instance once' });
    read.push({ url: known, remote, weight });
  }
  if (problems.length > 0) throw new ConfigError('PBX_INVALID_ARGUMENT', 'the media engine', problems);
  return read;
}

function readUrl(url: string): SocketAddress | undefined {
  const colon = url.lastIndexOf(':');
  if (!url.startsWith(SCHEME) || colon < SCHEME.length) return undefined;
  const host = url.slice(SCHEME.length, colon);
  const port = Number(url.slice(colon + 1));
  const address = normalizeHost(host);
  const version = ipVersion(address);
  if (version === 0 || (version === 6) !== host.startsWith('[')) return undefined;
  return Number.isInteger(port) && port > 0 && port < 65_536 ? { address, port } : undefined;
}
