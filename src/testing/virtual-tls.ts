import { X509Certificate } from 'node:crypto';
import { CertificateError } from '../base/errors.js';
import { ipVersion, type SocketAddress } from '../base/ip.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import { certificateNames, isForDomain } from '../net/certificate-names.js';
import type { TcpConnection, TcpHandlers } from '../net/network.js';
import type { TlsIdentity, TlsSession, TlsSettings } from '../net/tls-settings.js';
import { systemError } from './packet.js';

/** The certificates that were shown on a network, by number: bytes on the wire must not depend on how a key came out. */
export class ShownCertificates {
  readonly #all: TlsIdentity[] = [];

  /** The same certificate has the same number. */
  numberOf(identity: TlsIdentity): number {
    const known = this.#all.indexOf(identity);
    return known >= 0 ? known : this.#all.push(identity) - 1;
  }

  of(number: number | undefined): X509Certificate | undefined {
    const identity = number === undefined ? undefined : this.#all[number];
    return identity === undefined ? undefined : new X509Certificate(identity.cert);
  }
}

export interface VirtualTlsOptions {
  readonly tcp: TcpConnection;
  readonly role: 'client' | 'server';
  readonly tls: TlsSettings;
  /** Client only: what the certificate must be for. */
  readonly name?: string;
  /** Client only: how long connection and handshake may take, in milliseconds. */
  readonly timeoutMs?: number;
  readonly scheduler: Scheduler;
  readonly shown: ShownCertificates;
}

/** One message of the handshake, as JSON behind the byte of a TLS record and before an empty line. */
type Handshake =
  | { readonly kind: 'hello'; readonly name?: string }
  | { readonly kind: 'certificate'; readonly number: number; readonly asks: boolean }
  | { readonly kind: 'finished'; readonly number?: number }
  | { readonly kind: 'alert'; readonly text: string };

const RECORD = 0x16;
const END = '\r\n\r\n';
const LONGEST_RECORD_BYTES = 4096;

/**
 * TLS as a program sees it, without the cryptography: one round trip more, server names, real certificates with their
 * chains, dates and names, refusals. What follows the handshake crosses the network in the clear, so that a ladder can
 * show it. A chain is a certificate and the authority that signed it; authorities in between are not modelled.
 */
export class VirtualTlsConnection implements TcpConnection {
  readonly #options: VirtualTlsOptions;
  readonly #tcp: TcpConnection;
  #state: 'greeting' | 'finishing' | 'open' | 'closed' = 'greeting';
  #inbox = Buffer.alloc(0);
  #early: Uint8Array[] = [];
  #ending = false;
  #session: TlsSession | undefined;
  #error: Error | undefined;
  #handlers: TcpHandlers | undefined;
  #cancelTimeout: Cancel | undefined;

  constructor(options: VirtualTlsOptions) {
    this.#options = options;
    this.#tcp = options.tcp;
    const { timeoutMs } = options;
    if (timeoutMs !== undefined) {
      const late = systemError('ETIMEDOUT', `no connection within ${timeoutMs} ms`);
      this.#cancelTimeout = options.scheduler.after(timeoutMs, () => this.#fail(late));
    }
    this.#tcp.handle({
      onOpen: () => this.#greet(),
      onData: (data) => this.#onData(data),
      onClose: (error) => this.#onClose(error),
    });
  }

  get local(): SocketAddress {
    return this.#tcp.local;
  }

  get remote(): SocketAddress {
    return this.#tcp.remote;
  }

  get isOpen(): boolean {
    return this.#state === 'open' && this.#tcp.isOpen;
  }

  get session(): TlsSession | undefined {
    return this.#session;
  }

  get queuedBytes(): number {
    return this.#early.reduce((sum, data) => sum + data.length, this.#tcp.queuedBytes);
  }

  handle(handlers: TcpHandlers): void {
    this.#handlers ??= handlers;
  }

  send(data: Uint8Array): void {
    if (this.#ending || data.length === 0) return;
    if (this.#state === 'open') this.#tcp.send(data);
    else if (this.#state !== 'closed') this.#early.push(data.slice());
  }

  end(): void {
    this.#ending = true;
    if (this.#state === 'open') this.#tcp.end();
  }

  destroy(): void {
    this.#tcp.destroy();
  }

  #greet(): void {
    const { name = '' } = this.#options;
    this.#say({ kind: 'hello', ...(ipVersion(name) === 0 ? { name } : {}) });
  }

  #onData(data: Uint8Array): void {
    if (this.#state === 'open') {
      this.#handlers?.onData(data);
      return;
    }
    if (this.#state === 'closed') return;
    this.#inbox = Buffer.concat([this.#inbox, data]);
    if (this.#inbox[0] !== RECORD) return this.#refuse('wrong version number');
    const end = this.#inbox.indexOf(END);
    if (end < 0) {
      if (this.#inbox.length > LONGEST_RECORD_BYTES) this.#refuse('record too long');
      return;
    }
    const record = readRecord(this.#inbox.toString('latin1', 1, end));
    if (record === undefined) return this.#refuse('unreadable record');
    const rest = this.#inbox.subarray(end + END.length);
    this.#inbox = Buffer.alloc(0);
    this.#onRecord(record);
    if (rest.length > 0) this.#onData(rest);
  }

  #onRecord(record: Handshake): void {
    const { role, tls, shown } = this.#options;
    if (record.kind === 'alert') {
      this.#fail(systemError('ERR_SSL_ALERT', `the far end refused the handshake: ${record.text}`));
    } else if (role === 'server' && record.kind === 'hello' && this.#state === 'greeting') {
      const identity = identityFor(tls, record.name);
      if (identity === undefined) return this.#refuse('no certificate');
      this.#state = 'finishing';
      const asks = (tls.clientCertificates ?? 'none') !== 'none';
      this.#say({ kind: 'certificate', number: shown.numberOf(identity), asks });
    } else if (role === 'client' && record.kind === 'certificate' && this.#state === 'greeting') {
      this.#onServerCertificate(record);
    } else if (role === 'server' && record.kind === 'finished' && this.#state === 'finishing') {
      const certificate = shown.of(record.number);
      const problem = certificate === undefined ? 'no certificate came' : this.#chainProblem(certificate);
      if (tls.clientCertificates === 'require' && problem !== undefined) return this.#refuse(problem);
      this.#open(problem === undefined ? certificate : undefined);
    } else {
      this.#refuse('unexpected message');
    }
  }

  #onServerCertificate({ number, asks }: { readonly number: number; readonly asks: boolean }): void {
    const { tls, shown, name = '' } = this.#options;
    const certificate = shown.of(number);
    if (certificate === undefined) return this.#refuse('no certificate came');
    const isPinned = (tls.pinned ?? []).some((pin) => plain(pin) === plain(certificate.fingerprint256));
    const problem = isPinned
      ? undefined
      : (this.#chainProblem(certificate) ??
        (isForDomain(certificateNames(certificate), name) ? undefined : `the certificate is not for ${name}`));
    if (problem !== undefined && tls.verifyServers !== false) return this.#refuse(problem);
    const own = asks ? tls.certificates?.[0] : undefined;
    this.#say({ kind: 'finished', ...(own === undefined ? {} : { number: shown.numberOf(own) }) });
    this.#open(problem === undefined ? certificate : undefined);
  }

  /** Why a certificate proves nothing; undefined when it was signed by somebody who is trusted, and is valid now. */
  #chainProblem(certificate: X509Certificate): string | undefined {
    const { tls, scheduler } = this.#options;
    const now = scheduler.wallTime();
    if (now < Date.parse(certificate.validFrom)) return 'the certificate is not valid yet';
    if (now > Date.parse(certificate.validTo)) return 'the certificate has expired';
    const trusted = (tls.trust ?? []).some((pem) => {
      const authority = new X509Certificate(pem);
      return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
    });
    return trusted ? undefined : 'unable to get the certificate of its issuer';
  }

  #open(certificate: X509Certificate | undefined): void {
    this.#state = 'open';
    this.#cancelTimeout?.();
    this.#session = {
      version: 'TLSv1.3',
      cipher: 'virtual',
      ...(certificate === undefined ? {} : { peer: certificateNames(certificate) }),
    };
    for (const data of this.#early) this.#tcp.send(data);
    this.#early = [];
    if (this.#ending) this.#tcp.end();
    this.#handlers?.onOpen?.();
  }

  #say(message: Handshake): void {
    this.#tcp.send(Buffer.from(`\x16${JSON.stringify(message)}${END}`, 'latin1'));
  }

  /** Tells the far end why, then closes. */
  #refuse(text: string): void {
    this.#say({ kind: 'alert', text });
    this.#error ??= systemError('ERR_SSL_HANDSHAKE', `the TLS handshake failed: ${text}`);
    this.#state = 'closed';
    this.#tcp.end();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#tcp.destroy();
  }

  #onClose(error: Error | undefined): void {
    this.#state = 'closed';
    this.#cancelTimeout?.();
    this.#early = [];
    this.#handlers?.onClose(this.#error ?? error);
  }
}

/** Undefined for what no virtual end has written: peers of a test may send anything. */
function readRecord(text: string): Handshake | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'kind' in value ? (value as Handshake) : undefined;
  } catch {
    return undefined;
  }
}

/** @throws CertificateError for a listener without a certificate, or one that cannot be read */
export function checkVirtualTls(settings: TlsSettings): void {
  const { certificates = [] } = settings;
  if (certificates.length === 0) throw new CertificateError('a TLS listener needs a certificate and its key');
  certificates.forEach(({ cert }, i) => {
    try {
      new X509Certificate(cert);
    } catch (cause) {
      throw new CertificateError(`certificates[${i}].cert cannot be read`, { cause });
    }
  });
}

function identityFor({ certificates = [] }: TlsSettings, name: string | undefined): TlsIdentity | undefined {
  if (name === undefined) return certificates[0];
  const fits = ({ cert }: TlsIdentity): boolean => isForDomain(certificateNames(new X509Certificate(cert)), name);
  return certificates.find(fits) ?? certificates[0];
}

function plain(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}
