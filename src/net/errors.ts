import { PbxkitError } from '../base/errors.js';
import { formatAddress, type SocketAddress } from '../base/ip.js';

/** The protocols on which a `Network` can listen. */
export type ListenProtocol = 'udp' | 'tcp' | 'tls';

/**
 * A port could not be opened. `PBX_PORT_IN_USE`: another socket has it. `PBX_LISTEN_FAILED`: no permission, no such
 * address on this machine, or any other refusal of the system; the message says what to do.
 */
export class ListenError extends PbxkitError {
  readonly protocol: ListenProtocol;
  /** What was asked for. */
  readonly local: SocketAddress;

  constructor(
    code: 'PBX_PORT_IN_USE' | 'PBX_LISTEN_FAILED',
    endpoint: { readonly protocol: ListenProtocol; readonly local: SocketAddress },
    problem: string,
    options?: { readonly cause?: unknown },
  ) {
    super(code, 'transport', `${endpoint.protocol}://${formatAddress(endpoint.local)} ${problem}`, options);
    this.protocol = endpoint.protocol;
    this.local = endpoint.local;
  }

  /** The port is taken. */
  static portInUse(protocol: ListenProtocol, local: SocketAddress, cause?: unknown): ListenError {
    return new ListenError(
      'PBX_PORT_IN_USE',
      { protocol, local },
      'is taken by another program; choose another port in `listen` or stop that program',
      { cause },
    );
  }

  /** The error for a system error code such as `EADDRINUSE` or `EACCES`. */
  static fromSystem(protocol: ListenProtocol, local: SocketAddress, cause: unknown): ListenError {
    const code = systemCode(cause);
    if (code === 'EADDRINUSE') return ListenError.portInUse(protocol, local, cause);
    return new ListenError('PBX_LISTEN_FAILED', { protocol, local }, adviceFor(code, local), { cause });
  }
}

/** A name has no address, or the name service did not answer. */
export class DnsError extends PbxkitError {
  readonly host: string;
  /** The resolver's own code, such as `ENOTFOUND` or `EAI_AGAIN`. */
  readonly reason: string;

  constructor(host: string, reason: string, options?: { readonly cause?: unknown }) {
    super(
      'DNS_FAILED',
      'transport',
      `no address for "${host.slice(0, 255)}" (${reason}): ${dnsAdvice(reason)}`,
      options,
    );
    this.host = host;
    this.reason = reason;
  }

  /** True if the name is known not to exist, as against a name service that failed for now. */
  get notFound(): boolean {
    return this.reason === 'ENOTFOUND' || this.reason === 'ENODATA';
  }
}

/** The `code` of a Node.js system error; `UNKNOWN` if it has none. */
export function systemCode(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return 'UNKNOWN';
}

function adviceFor(code: string, local: SocketAddress): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return local.port > 0 && local.port < 1024
        ? `may not be opened (${code}): ports below 1024 need a privilege; choose a port from 1024 on or grant CAP_NET_BIND_SERVICE`
        : `may not be opened (${code}): the system forbids it; check permissions, sandbox and firewall rules`;
    case 'EADDRNOTAVAIL':
      return 'is no address of this machine (EADDRNOTAVAIL); use one of its interface addresses, 0.0.0.0 or [::]';
    case 'EAFNOSUPPORT':
      return 'needs an address family that this machine has switched off (EAFNOSUPPORT); listen on the other family';
    case 'EMFILE':
    case 'ENFILE':
      return `could not be opened (${code}): too many open files; raise the limit (ulimit -n)`;
    default:
      return `could not be opened (${code})`;
  }
}

function dnsAdvice(reason: string): string {
  return reason === 'ENOTFOUND' || reason === 'ENODATA'
    ? 'check the spelling of the name'
    : 'the name service did not answer; check the DNS settings of this machine';
}
