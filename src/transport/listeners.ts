import { Disposer } from '../base/disposer.js';
import { UsageError } from '../base/errors.js';
import { formatAddress, ipVersion, isWildcardAddress, normalizeHost, type SocketAddress } from '../base/ip.js';
import { ListenError } from '../net/errors.js';
import type { Network } from '../net/network.js';
import type { ListenPoint, ListenProtocol } from './hop.js';

/** What `openAll` opens: one socket on one address. */
export interface ListenTarget {
  readonly protocol: ListenProtocol;
  readonly local: SocketAddress;
  /** True if this very address was asked for, false if it is one of those that a wildcard stands for. */
  readonly pinned: boolean;
}

/** An opened socket: its real address (port 0 was replaced by the system), and how to close it. */
export interface Opened {
  readonly local: SocketAddress;
  close(): Promise<void>;
}

/** How often a free port is looked for that is free on every address of a wildcard. */
const FREE_PORT_ATTEMPTS = 16;

/** Checks what the host app wrote. @throws UsageError PBX_INVALID_ARGUMENT */
export function checkListenPoints(points: readonly ListenPoint[]): void {
  points.forEach((point, i) => {
    const protocol: string = point.protocol;
    if (protocol !== 'udp' && protocol !== 'tcp' && protocol !== 'tls') {
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `listen[${i}].protocol: found "${protocol}", expected "udp", "tcp" or "tls"`,
      );
    }
    if (!Number.isInteger(point.port) || point.port < 0 || point.port > 65_535) {
      throw new UsageError('PBX_INVALID_ARGUMENT', `listen[${i}].port: found ${point.port}, expected 0 to 65535`);
    }
    if (point.host === '') {
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `listen[${i}].host: empty; expected an IP address, 0.0.0.0, :: or a name`,
      );
    }
  });
}

/**
 * Opens a socket for each listen point and, for a wildcard, one for each interface address of its family, so that it is
 * always known which address a message came to and an answer leaves from that address. Points that mean the same socket
 * are opened once. All or none.
 * @throws ListenError; DnsError for a host name that cannot be resolved
 */
export async function openAll(
  points: readonly ListenPoint[],
  network: Network,
  open: (target: ListenTarget) => Promise<Opened>,
): Promise<Disposer> {
  const opened = new Disposer();
  const taken = new Set<string>();
  try {
    for (const point of points) {
      const { addresses, pinned } = await expand(point, network);
      const wanted = addresses.filter((address) => !taken.has(keyOf(point, address)));
      if (point.port !== 0) for (const address of wanted) taken.add(keyOf(point, address));
      await openPoint(point, wanted, pinned, opened, open);
    }
  } catch (error) {
    await opened.dispose();
    throw error;
  }
  return opened;
}

function keyOf(point: ListenPoint, address: string): string {
  return `${point.protocol}:${formatAddress({ address, port: point.port })}`;
}

/** All addresses of one point get the same port; if any may be chosen, one that is free on all of them. */
async function openPoint(
  point: ListenPoint,
  addresses: readonly string[],
  pinned: boolean,
  opened: Disposer,
  open: (target: ListenTarget) => Promise<Opened>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const group = new Disposer();
    let { port } = point;
    try {
      for (const address of addresses) {
        const socket = await open({ protocol: point.protocol, local: { address, port }, pinned });
        group.add(() => socket.close());
        port = socket.local.port;
      }
      opened.add(() => group.dispose());
      return;
    } catch (error) {
      await group.dispose();
      const collided = point.port === 0 && port !== 0 && isPortInUse(error);
      if (!collided || attempt === FREE_PORT_ATTEMPTS) throw error;
    }
  }
}

function isPortInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'PBX_PORT_IN_USE';
}

async function expand(
  point: ListenPoint,
  network: Network,
): Promise<{ addresses: readonly string[]; pinned: boolean }> {
  const host = normalizeHost(point.host);
  const version = ipVersion(host);
  const own = network.localAddresses();
  if (version !== 0 && !isWildcardAddress(host)) return { addresses: [host], pinned: true };
  const addresses =
    version !== 0
      ? own.filter((address) => ipVersion(address) === version)
      : (await network.lookup(point.host)).map((each) => each.address).filter((address) => own.includes(address));
  if (addresses.length > 0) return { addresses, pinned: version === 0 };
  const local = { address: point.host, port: point.port };
  const problem =
    version !== 0
      ? `has no address to listen on: this machine has no IPv${version} address`
      : 'is no name of this machine; use one of its interface addresses, 0.0.0.0 or [::]';
  throw new ListenError('PBX_LISTEN_FAILED', { protocol: point.protocol, local }, problem);
}
