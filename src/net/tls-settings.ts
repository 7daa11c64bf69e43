import type { CertificateNames } from './certificate-names.js';

/** A certificate and its key, as text in PEM. */
export interface TlsIdentity {
  /** The certificate, followed by the intermediate ones of its chain. */
  readonly cert: string;
  /** The private key of the certificate, not encrypted. */
  readonly key: string;
}

/** How TLS is spoken: versions 1.2 and 1.3 only, no renegotiation, no compression. */
export interface TlsSettings {
  /**
   * What we show. A client that names a server (SNI, RFC 6066 §3) gets the first that is for this name, any other client
   * the first of all. A listener needs one; on a connection of ours the first is shown if the peer asks for it.
   */
  readonly certificates?: readonly TlsIdentity[];
  /** The authorities that a peer's certificate must come from, PEM. Default: those that Node.js knows. */
  readonly trust?: readonly string[];
  /**
   * SHA-256 fingerprints (hexadecimal, colons or not) of servers' certificates that are taken as they are: whoever signed
   * them, whatever name they carry.
   */
  readonly pinned?: readonly string[];
  /** Whether clients are asked for a certificate; `require` ends a handshake without a good one. Default `none`. */
  readonly clientCertificates?: 'none' | 'request' | 'require';
  /** False: whatever a server shows is taken, and anybody in between can listen. For laboratories. Default true. */
  readonly verifyServers?: boolean;
}

/** What a handshake has shown. */
export interface TlsSession {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  readonly cipher: string;
  /** The names in the peer's certificate, if it showed one and it was found good; on a connection of ours also a pinned one. */
  readonly peer?: CertificateNames;
}
