import { normalizeHost } from '../base/ip.js';
import { type Params, withParam } from '../protocol/sip/params.js';
import { readable } from '../protocol/sip/parse-error.js';
import { parseUri, type SipUri } from '../protocol/sip/uri.js';
import { callConfig, type TrunkCallConfig, type TrunkCallOptions } from './call-options.js';
import { checkName, checkNumber, checkText, realmList, refuse, serverUri } from './checks.js';

/** A server that is trusted by its address, without registration; as a person would write it down. */
export interface TrunkOptions extends TrunkCallOptions {
  /** Unique among the lines and trunks of a tenant: 1–64 letters, digits, `-`, `_`, `.`, `+`. */
  readonly name: string;
  /** Host name, address or SIP URI: `trunk.carrier.example`, `192.0.2.9:5080`, `sip:carrier.example;transport=tls`. */
  readonly server: string;
  /** The host of Request-URIs where it is not the server's; requests from this domain count as the trunk's, see `identify`. */
  readonly domain?: string;
  /** Where everything is sent first, the outbound proxy. Default: the server. */
  readonly proxy?: string;
  /** For carriers that challenge calls: answered to the trunk's own addresses alone. */
  readonly username?: string;
  readonly password?: string;
  /** The realm, or realms, whose challenges are answered. Default: any that the trunk's own addresses name. */
  readonly realm?: string | readonly string[];
  /** The number that every call shows, whoever calls. Default: the caller's own. */
  readonly callerNumber?: string;
  /** Parameters that every Request-URI gets: `tgrp=office;trunk-context=carrier.example`. */
  readonly uriParams?: string;
  /** How the called number is written: `sip:number@domain`, or `tel:number` (RFC 3966). Default `sip`. */
  readonly format?: 'sip' | 'tel';
  /** Whether called numbers carry `;user=phone`; with `format: 'sip'` alone. Default false. */
  readonly userPhone?: boolean;
  /**
   * Whether calls that come in by it may go out by another trunk. Default false. A UDP source address proves nothing, so even then
   * `identify` demands a digest of what came by UDP.
   */
  readonly transit?: boolean;
  /** How often OPTIONS asks whether it lives, in seconds; 0: never. Default 60, at least 10. */
  readonly qualifySeconds?: number;
}

/** What the other side gets to see of a trunk when nobody calls: a change of it begins anew. */
export interface TrunkPeer {
  readonly server: SipUri;
  readonly proxy: SipUri | undefined;
  readonly domain: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly realms: readonly string[];
  /** 0: never asked. */
  readonly qualifySeconds: number;
}

/** A trunk's options, checked and complete. */
export interface TrunkPeerConfig {
  readonly name: string;
  readonly fixed: TrunkPeer;
  readonly callerNumber: string | undefined;
  readonly uriParams: Params;
  readonly format: 'sip' | 'tel';
  readonly userPhone: boolean;
  readonly transit: boolean;
  readonly calls: TrunkCallConfig;
}

const DEFAULT_QUALIFY_SECONDS = 60;

/** @throws UsageError PBX_INVALID_ARGUMENT that names the field, what was found and what was expected */
export function trunkConfig(options: TrunkOptions): TrunkPeerConfig {
  const { name, username, password, format = 'sip', qualifySeconds = DEFAULT_QUALIFY_SECONDS } = options;
  const where = `trunk ${checkName(name)}`;
  const server = serverUri(options.server, `${where}: server`);
  const proxy = options.proxy === undefined ? undefined : serverUri(options.proxy, `${where}: proxy`);
  const domain = options.domain === undefined ? server.host : serverUri(options.domain, `${where}: domain`).host;
  checkText(`${where}: username`, username);
  checkText(`${where}: callerNumber`, options.callerNumber);
  if ((username === undefined) !== (password === undefined) || password === '') {
    refuse(`${where}: username`, username ?? '', 'user name and password together, or neither');
  }
  if (format !== 'sip' && format !== 'tel') refuse(`${where}: format`, format, '"sip" or "tel"');
  if (qualifySeconds !== 0) checkNumber(`${where}: qualifySeconds`, qualifySeconds, 10, 86_400);
  return {
    name,
    fixed: {
      server,
      proxy: proxy === undefined ? undefined : { ...proxy, params: withParam(proxy.params, 'lr') },
      domain: normalizeHost(domain),
      username,
      password,
      realms: realmList(`${where}: realm`, options.realm),
      qualifySeconds,
    },
    callerNumber: options.callerNumber,
    uriParams: options.uriParams === undefined ? [] : readUriParams(options.uriParams, `${where}: uriParams`),
    format,
    userPhone: options.userPhone ?? false,
    transit: options.transit ?? false,
    calls: callConfig(options, where),
  };
}

function readUriParams(text: string, where: string): Params {
  const uri = readable(() => parseUri(`sip:h;${text}`));
  if (uri?.kind !== 'sip' || uri.headers.length > 0) return refuse(where, text, 'parameters such as "tgrp=office"');
  return uri.params;
}
