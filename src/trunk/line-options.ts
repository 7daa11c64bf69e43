import { normalizeHost } from '../base/ip.js';
import { withParam } from '../protocol/sip/params.js';
import type { SipUri } from '../protocol/sip/uri.js';
import { callConfig, type TrunkCallConfig, type TrunkCallOptions } from './call-options.js';
import { checkName, checkNumber, checkText, realmList, refuse, serverUri } from './checks.js';

/** An account at a carrier, as a person would write it down. */
export interface LineOptions extends TrunkCallOptions {
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
  /** The realm, or realms, whose challenges are answered. Default: the first one that the registrar accepts credentials for. */
  readonly realm?: string | readonly string[];
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

/** What the registrar gets to see of a line: a change of it begins anew. */
export interface Account {
  /** Next hop for REGISTER, and for calls where nothing else is said. */
  readonly server: SipUri;
  /** With `lr`: goes into a Route. */
  readonly proxy: SipUri | undefined;
  readonly domain: string;
  readonly username: string;
  readonly authorizationId: string;
  readonly password: string;
  readonly realms: readonly string[];
  readonly displayName: string | undefined;
  readonly expiresSeconds: number;
  readonly callId: 'same' | 'new';
  readonly rewriteContact: boolean;
}

/** A line's options, checked and complete. */
export interface LineConfig {
  readonly name: string;
  readonly fixed: Account;
  readonly userPhone: boolean;
  readonly calls: TrunkCallConfig;
}

const DEFAULT_EXPIRES_SECONDS = 3600;

/** @throws UsageError PBX_INVALID_ARGUMENT that names the field, what was found and what was expected */
export function lineConfig(options: LineOptions): LineConfig {
  const { name, username, password, expiresSeconds = DEFAULT_EXPIRES_SECONDS, callId = 'same' } = options;
  const where = `line ${checkName(name)}`;
  const server = serverUri(options.server, `${where}: server`);
  checkText(`${where}: username`, username);
  if (username.includes('@')) refuse(`${where}: username`, username, 'the user part of the account, without a domain');
  // Never in a message, not even a wrong one.
  if (password === '') refuse(`${where}: password`, '', 'some text');
  checkNumber(`${where}: expiresSeconds`, expiresSeconds, 60, 86_400);
  checkText(`${where}: authorizationId`, options.authorizationId);
  checkText(`${where}: displayName`, options.displayName);
  const proxy = options.proxy === undefined ? undefined : serverUri(options.proxy, `${where}: proxy`);
  const domain = options.domain === undefined ? server.host : serverUri(options.domain, `${where}: domain`).host;
  return {
    name,
    fixed: {
      server,
      proxy: proxy === undefined ? undefined : { ...proxy, params: withParam(proxy.params, 'lr') },
      domain: normalizeHost(domain),
      username,
      authorizationId: options.authorizationId ?? username,
      password,
      realms: realmList(`${where}: realm`, options.realm),
      displayName: options.displayName,
      expiresSeconds,
      callId,
      rewriteContact: options.rewriteContact ?? true,
    },
    userPhone: options.userPhone ?? false,
    calls: callConfig(options, where),
  };
}
