import type { Params } from './params.js';

/** A SIP or SIPS URI (RFC 3261 §19.1). */
export interface SipUri {
  readonly kind: 'sip';
  readonly scheme: 'sip' | 'sips';
  /** Unescaped once. */
  readonly user?: string;
  /** As it stands, escapes included. */
  readonly password?: string;
  /** Host name or address; IPv6 without brackets. */
  readonly host: string;
  readonly port?: number;
  /** Raw text, escapes included. */
  readonly params: Params;
  /** The part behind `?`: raw text, escapes included. */
  readonly headers: Params;
}

/** A tel URI (RFC 3966). */
export interface TelUri {
  readonly kind: 'tel';
  /** As it stands, visual separators included. */
  readonly number: string;
  readonly params: Params;
}

/** Any other scheme, kept as text. */
export interface OtherUri {
  readonly kind: 'other';
  readonly scheme: string;
  /** The whole URI. */
  readonly text: string;
}

export type Uri = SipUri | TelUri | OtherUri;

/** name-addr or addr-spec with the header's parameters (RFC 3261 §20.10). */
export interface NameAddr {
  /** Without quotes and escapes. */
  readonly displayName?: string;
  readonly uri: Uri;
  readonly params: Params;
}

/** One Via value (RFC 3261 §20.42). */
export interface Via {
  /** 'SIP/2.0' */
  readonly protocol: string;
  /** 'UDP', 'TCP', 'TLS', 'WS', 'WSS' or another token, as it stands. */
  readonly transport: string;
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port?: number;
  /** Raw text; `branch`, `received`, `rport`, `maddr`, `ttl`, … */
  readonly params: Params;
}

/** CSeq (RFC 3261 §20.16). */
export interface CSeq {
  /** 0 to 2³¹−1. */
  readonly sequence: number;
  readonly method: string;
}
