import { UsageError } from '../base/errors.js';
import { normalizeHost } from '../base/ip.js';
import { getParam, hasParam, withParam } from '../protocol/sip/params.js';
import { readable } from '../protocol/sip/parse-error.js';
import { parseUri, type SipUri, sipUri } from '../protocol/sip/uri.js';

/** An account at a carrier, as a person would write it down. */
export interface LineOptions {
  /** Unique among the lines and trunks of a tenant: 1–64 letters, digits, `-`, `_`, `.`, `+`. */
  readonly name: string;
  /** Host name, address or SIP URI of the registrar: `sip.carrier.example`, `192.0.2.9:5080`, `sip:carrier.example;transport=tcp`. */
  readonly server: string;
  /** The user part of the account's address. */
  readonly username: string;
  readonly password: string;
  /** The user name in credentials, `@domain` and all; default `username`. */
  readonly authorizationId?: string;
  /** The SIP domain of the account where it is not the server's host. */
  readonly domain?: string;
  /** Where everything is sent first, the outbound proxy; written like `server`. Default: the server. */
  readonly proxy?: string;
  /** The realm whose challenges are answered. Default: the first one that the registrar accepts credentials for. */
  readonly realm?: string;
  readonly displayName?: string;
  /** What is asked for; the registrar decides. Default 3600, from 60 to 86,400. */
  readonly expiresSeconds?: number;
  /** The Call-ID of REGISTERs: one for all (RFC 3261 §10.2), or for carriers that break on that a new one each time. Default `same`. */
  readonly callId?: 'same' | 'new';
  /**
   * Whether the Contact follows what the registrar sees of us (received, rport: RFC 3581), as is needed behind a NAT. Default true.
   */
  readonly rewriteContact?: boolean;
  /** Whether called numbers carry `;user=phone` (RFC 3261 §19.1.1). Default false. */
  readonly userPhone?: boolean;
}

/** A line's options, checked and complete. */
export interface LineConfig {
  readonly name: string;
  /** Next hop for REGISTER, and for calls where nothing else is said. */
  readonly server: SipUri;
  /** With `lr`: goes into a Route. */
  readonly proxy: SipUri | undefined;
  readonly domain: string;
  readonly username: string;
  readonly authorizationId: string;
  readonly password: string;
  readonly realm: string | undefined;
  readonly displayName: string | undefined;
  readonly expiresSeconds: number;
  readonly callId: 'same' | 'new';
  readonly rewriteContact: boolean;
  readonly userPhone: boolean;
}

const DEFAULT_EXPIRES_SECONDS = 3600;

/** @throws UsageError PBX_INVALID_ARGUMENT that names the field, what was found and what was expected */
export function lineConfig(options: LineOptions): LineConfig {
  const { name, username, password, expiresSeconds = DEFAULT_EXPIRES_SECONDS, callId = 'same' } = options;
  const where = `line ${checkName(name)}`;
  const server = serverUri(options.server, `${where}: server`);
  if (username === '' || username.includes('@') || hasControl(username)) {
    refuse(`${where}: username`, username, 'the user part of the account, without a domain');
  }
  if (password === '') throw new UsageError('PBX_INVALID_ARGUMENT', `${where}: password: found "", expected some text`);
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 60 || expiresSeconds > 86_400) {
    refuse(`${where}: expiresSeconds`, expiresSeconds, 'a whole number from 60 to 86400');
  }
  for (const key of ['authorizationId', 'realm', 'displayName'] as const) {
    const value = options[key];
    if (value !== undefined && (value === '' || hasControl(value))) refuse(`${where}: ${key}`, value, 'a line of text');
  }
  const proxy = options.proxy === undefined ? undefined : serverUri(options.proxy, `${where}: proxy`);
  const domain = options.domain === undefined ? server.host : serverUri(options.domain, `${where}: domain`).host;
  return {
    name,
    server,
    proxy: proxy === undefined ? undefined : { ...proxy, params: withParam(proxy.params, 'lr') },
    domain: normalizeHost(domain),
    username,
    authorizationId: options.authorizationId ?? username,
    password,
    realm: options.realm,
    displayName: options.displayName,
    expiresSeconds,
    callId,
    rewriteContact: options.rewriteContact ?? true,
    userPhone: options.userPhone ?? false,
  };
}

/** Whether two configurations are the same in everything that the registrar gets to see. */
export function sameConfig(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** @throws UsageError PBX_INVALID_ARGUMENT; returns the name */
export function checkName(name: string): string {
  if (typeof name === 'string' && /^[\w.+-]{1,64}$/.test(name)) return name;
  return refuse('name', name, '1–64 letters, digits, "-", "_", "." or "+"');
}

/** The SIP URI of a server that is written as a host, `host:port` or URI. @throws UsageError PBX_INVALID_ARGUMENT */
export function serverUri(text: string, where: string): SipUri {
  const isUri = /^sips?:/i.test(text);
  const bare = !isUri && text.includes(':') && !text.includes('[') && text.split(':').length > 2 ? `[${text}]` : text;
  const uri = readable(() => parseUri(isUri ? text : `sip:${bare}`));
  const expected = 'a host name, address or SIP URI such as "sip.carrier.example"';
  if (uri?.kind !== 'sip' || uri.user !== undefined || uri.headers.length > 0) return refuse(where, text, expected);
  const transport = getParam(uri.params, 'transport')?.toLowerCase();
  if (hasParam(uri.params, 'transport') && !['udp', 'tcp', 'tls'].includes(transport ?? '')) {
    refuse(where, text, 'transport=udp, tcp or tls');
  }
  return sipUri({ host: uri.host, port: uri.port, scheme: uri.scheme, params: uri.params });
}

/** @throws UsageError PBX_INVALID_ARGUMENT, always */
export function refuse(what: string, found: unknown, expected: string): never {
  throw new UsageError('PBX_INVALID_ARGUMENT', `${what}: found ${JSON.stringify(found)}, expected ${expected}`);
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return true;
  return false;
}
