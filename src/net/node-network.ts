import { lookup } from 'node:dns';
import { networkInterfaces } from 'node:os';
import { AbortedError, throwIfAborted } from '../base/errors.js';
import { ipVersion, normalizeHost } from '../base/ip.js';
import { DnsError, systemCode } from './errors.js';
import type {
  HostAddress,
  Network,
  TcpConnection,
  TcpConnectOptions,
  TcpListener,
  TcpListenOptions,
  TlsConnectOptions,
  TlsListener,
  TlsListenOptions,
  UdpOptions,
  UdpSocket,
} from './network.js';
import { connectNodeTcp, listenNodeTcp } from './node-tcp.js';
import { connectNodeTls, listenNodeTls } from './node-tls.js';
import { openNodeUdp } from './node-udp.js';

/** Real sockets and the system's name service. Holds no state: every socket belongs to whoever opened it. */
export class NodeNetwork implements Network {
  openUdp(options: UdpOptions): Promise<UdpSocket> {
    return openNodeUdp(options);
  }

  listenTcp(options: TcpListenOptions): Promise<TcpListener> {
    return listenNodeTcp(options);
  }

  connectTcp(options: TcpConnectOptions): TcpConnection {
    return connectNodeTcp(options);
  }

  listenTls(options: TlsListenOptions): Promise<TlsListener> {
    return listenNodeTls(options);
  }

  connectTls(options: TlsConnectOptions): TcpConnection {
    return connectNodeTls(options);
  }

  /**
   * The system's own look-up, in its order: hosts file, then DNS. It tells no TTL. An aborted look-up rejects at once;
   * the system's query behind it runs out by itself.
   */
  lookup(host: string, options: { readonly signal?: AbortSignal } = {}): Promise<readonly HostAddress[]> {
    const { signal } = options;
    const literal = normalizeHost(host);
    if (ipVersion(literal) !== 0) return Promise.resolve([{ address: literal }]);
    return new Promise((resolve, reject) => {
      throwIfAborted(signal, `looking up "${host}"`);
      const onAbort = (): void => reject(new AbortedError(`looking up "${host}"`, signal?.reason));
      const fail = (reason: string, cause?: unknown): void => reject(new DnsError(host, reason, { cause }));
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        lookup(host, { all: true, verbatim: true }, (error, found) => {
          signal?.removeEventListener('abort', onAbort);
          if (error !== null) return fail(systemCode(error), error);
          const addresses = new Set(found.map((each) => normalizeHost(each.address)));
          if (addresses.size === 0) return fail('ENODATA');
          resolve([...addresses].map((address) => ({ address })));
        });
      } catch (error) {
        signal?.removeEventListener('abort', onAbort);
        fail(systemCode(error), error); // a text that cannot be a name at all, such as one with a zero byte
      }
    });
  }

  /** Without IPv6 link-local addresses: they mean nothing without a zone, which no SIP or SDP field can carry. */
  localAddresses(): readonly string[] {
    const addresses = new Set<string>();
    for (const infos of Object.values(networkInterfaces())) {
      for (const info of infos ?? []) {
        const address = normalizeHost(info.address);
        if (!isLinkLocalIpv6(address)) addresses.add(address);
      }
    }
    return [...addresses];
  }
}

/** fe80::/10 (RFC 4291 §2.5.6). */
function isLinkLocalIpv6(address: string): boolean {
  if (!address.includes(':')) return false;
  const first = Number.parseInt(address.slice(0, 4), 16);
  return (first & 0xffc0) === 0xfe80;
}
