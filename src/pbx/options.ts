import type { AddressAdvisor } from '../base/address-advisor.js';
import type { SocketAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { MediaMode } from '../base/media-mode.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { CallJournal } from '../call/journal.js';
import type { Router } from '../call/route.js';
import type { TransferAttempt } from '../call/transfer-host.js';
import type { DialPlanRules } from '../dialplan/rules.js';
import type { Directory } from '../directory/directory.js';
import type { ExtensionOptions } from '../directory/extension.js';
import type { Mailer } from '../mailer/mailer.js';
import type { Sound } from '../media/audio/audio-source.js';
import type { MediaEngine } from '../media/media-engine.js';
import type { MediaTimeouts } from '../media/media-trouble.js';
import type { PortRange } from '../media/port-pool.js';
import type { ExternalAddressOptions, StunServerSettings } from '../nat/options.js';
import type { Network } from '../net/network.js';
import type { ToneCountry } from '../protocol/audio/tone-plans.js';
import type { DigestAlgorithm } from '../protocol/digest/algorithm.js';
import type { CertificatePair } from '../security/certificates.js';
import type { RateLimitSettings } from '../security/rate-limit.js';
import type { Storage } from '../storage/storage.js';
import type { TransactionLimits } from '../transaction/layer.js';
import type { TransportLimits, TransportProtocol } from '../transport/layer.js';
import type { LineOptions } from '../trunk/line-options.js';
import type { SelectionStrategy } from '../trunk/selection.js';
import type { TrunkOptions } from '../trunk/trunk-options.js';
import type { RequestLimits } from '../ua/request-chain.js';

export interface RegistrationOptions {
  /** Shorter registrations are refused with 423. Default 60. */
  readonly minSeconds?: number;
  /** Longer ones are cut to this. Default 3600. */
  readonly maxSeconds?: number;
  /** For phones that do not say. Default 3600. */
  readonly defaultSeconds?: number;
  /** Phones of one extension. Default 10. */
  readonly maxContacts?: number;
}

export interface SessionTimerSettings {
  /** How often a session is refreshed at the latest, in seconds. Default 1800. */
  readonly seconds?: number;
  /** Shorter intervals are refused with 422. Default 90, which RFC 4028 §5 names as the least. */
  readonly minSeconds?: number;
  /** Whether phones that know nothing of session timers are asked too, so that a dead one is found out. Default true. */
  readonly always?: boolean;
}

export interface CallOptions {
  /** How long phones ring before the caller is told that nobody answers. Default 60. */
  readonly noAnswerSeconds?: number;
  /** Calls at once; beyond it a new one gets 503. Default 10,000. */
  readonly maxCalls?: number;
  /** Calls that one extension has begun and that still live; a further one gets 403. Default: no limit of its own. */
  readonly maxCallsPerExtension?: number;
  /** Session timers (RFC 4028): a call whose phone has vanished ends by itself. `false`: none. */
  readonly sessionTimer?: SessionTimerSettings | false;
  /**
   * When provisional responses are sent reliably (RFC 3262): only to callers that require it, also with a description to
   * those that support it, or always to those. Default `sdp`.
   */
  readonly reliableProvisionals?: 'required' | 'sdp' | 'always';
  /**
   * Whether extensions may transfer their calls and take others' places; a function is asked each time. Somebody who is no
   * extension never may. Default true.
   */
  readonly transfers?: boolean | ((attempt: TransferAttempt) => boolean);
}

/** TLS 1.2 and 1.3, for `tls://` addresses and for connections that the PBX opens. */
export interface TlsOptions {
  /**
   * What the PBX shows, text in PEM (`loadCertificate` reads files): needed for a `tls://` address. Several: a phone that
   * names a server (SNI) gets the one for it, any other the first. Also shown to servers that ask for one.
   */
  readonly certificate?: CertificatePair | readonly CertificatePair[];
  /** The authorities that other servers' and clients' certificates must come from, PEM. Default: those that Node.js knows. */
  readonly trust?: string | readonly string[];
  /** SHA-256 fingerprints of servers' certificates that are taken as they are, whoever signed them. */
  readonly pinned?: readonly string[];
  /** Whether phones are asked for a certificate; `require` closes connections without a good one. Default `none`. */
  readonly clientCertificates?: 'none' | 'request' | 'require';
  /** False: other servers' certificates are not looked at, and anybody in between can listen. For laboratories. Default true. */
  readonly verifyServers?: boolean;
}

export interface PbxLimits {
  readonly transport?: Partial<TransportLimits>;
  readonly transactions?: Partial<TransactionLimits>;
  /** Requests that wait for a directory, a store or a router. */
  readonly requests?: Partial<RequestLimits>;
  /** Dialogs at once: two for each call. Default 100,000. */
  readonly maxDialogs?: number;
  /** Early dialogs of one call: sources that answer it before one takes it. Default 32. */
  readonly maxEarlyDialogs?: number;
  /** Early dialogs of all calls. Default 20,000. */
  readonly maxEarlyDialogsInAll?: number;
  /** Contacts of all extensions; a REGISTER that adds more gets 503. Default 100,000. */
  readonly maxBindings?: number;
  /** Nonces in use whose counts are remembered (RFC 7616 §3.4). Default 65,536. */
  readonly maxNonces?: number;
  /** What one source address may send. Default: no limit. `trustedPeers` have none in any case. */
  readonly rate?: RateLimitSettings;
}

/** How calls go out by lines and trunks, and how hard lines try to register. */
export interface OutboundOptions {
  /** Which of several lines or trunks a call takes. Default `round-robin`. */
  readonly selection?: SelectionStrategy;
  /** Registrations that begin in one second at most, over all lines. Default 10. */
  readonly registersPerSecond?: number;
  /**
   * Attempts in a row after which a line is suspended. `refusals`: those that the carrier refused (default 5; a 403 suspends at
   * once); `failures`: of any kind (default: never, for a carrier may be out of order for a night).
   */
  readonly suspendAfter?: { readonly refusals?: number; readonly failures?: number };
}

/** How the media of calls goes. */
export interface MediaSettings {
  /** For extensions, lines and trunks that have no `media` of their own. Default `direct`. */
  readonly path?: MediaMode;
  /** What relays media where it does not go end to end. Default: the server itself, `MediaRelay`. */
  readonly engine?: MediaEngine;
  /** Where the server itself receives media: even ports from `from` to `to`, and the odd ones above them. Default 20000 to 29998. */
  readonly ports?: Partial<PortRange>;
  /** The addresses of this machine on which it does. Default: those that are listened on. */
  readonly addresses?: readonly string[];
  /** When the relay tells that nothing is heard, in milliseconds. Default 5 s for one party, 5 min for both, 30 min on hold. */
  readonly timeouts?: Partial<MediaTimeouts>;
  /** What a held party hears: the path of a WAV file, or a sound. Default: what the phone that holds sends. */
  readonly holdMusic?: string | Sound;
  /** The country whose tones callers hear, as in `tonePlan`. Default `us`. */
  readonly tones?: ToneCountry;
}

/** Whom the PBX tells by mail. */
export interface NoticeOptions {
  /** Is told of lines without an owner, or whose owner has no `email`. Default: nobody is. */
  readonly administrator?: string;
}

/** Everything that `createPbx` takes. Only `domain` must be given. */
export interface PbxOptions {
  /** The host part of the phones' addresses, and the realm of their passwords: `office.example`. */
  readonly domain: string;
  /** Further names for `domain`. The addresses listened on are understood in any case. */
  readonly aliases?: readonly string[];
  /** Where to listen. Default `["udp://0.0.0.0:5060", "tcp://0.0.0.0:5060"]`. A wildcard stands for every address of the machine. */
  readonly listen?: readonly string[];
  readonly tls?: TlsOptions;
  /** The extensions. Not together with `directory`. */
  readonly extensions?: readonly ExtensionOptions[];
  /** Where extensions are looked up when they are not in the options. */
  readonly directory?: Directory;
  /**
   * Proxies and gateways that have authenticated their callers: IP addresses and networks (`192.0.2.7`, `10.0.0.0/8`). Their
   * INVITEs are not challenged when they carry P-Asserted-Identity (RFC 3325), which names the caller; such a caller is
   * nobody's extension (`caller.extension` is undefined), because an address can be forged. Default: none.
   */
  readonly trustedPeers?: readonly string[];
  /** Digest algorithms that phones are offered. Default `["MD5"]`, because deployed phones fail on a challenge that also offers SHA. */
  readonly digest?: readonly DigestAlgorithm[];
  /** Signs nonces: 32 bytes or more, the same on all nodes. Default: drawn at start. */
  readonly nonceSecret?: Uint8Array;
  /** Opened and closed with the PBX. Default `memoryStorage()`: bindings end with the process. */
  readonly storage?: Storage;
  readonly registration?: RegistrationOptions;
  /** Accounts at carriers: the PBX registers there, calls out by them, and takes their calls. */
  readonly lines?: readonly LineOptions[];
  /** Carriers and servers that are known by their address, without registration. */
  readonly trunks?: readonly TrunkOptions[];
  readonly outbound?: OutboundOptions;
  /** Sends mail, for example to the owner of a line that is suspended. Closed with the PBX. Default: nobody is told by mail. */
  readonly mailer?: Mailer;
  readonly notices?: NoticeOptions;
  /**
   * Where numbers lead. Default: extensions, and, where there are lines, out on any of them what begins with 9, without the 9.
   */
  readonly dialPlan?: DialPlanRules;
  readonly calls?: CallOptions;
  /** How media goes. Default: end to end, whatever it is. */
  readonly media?: MediaSettings;
  /** Decides before the PBX's own router, which it is given. */
  readonly router?: (own: Router) => Router;
  /** Default: over `storage`; without `storage` none, for nobody could read it after a restart. */
  readonly journal?: CallJournal;
  /** Names this node in shared storage. Default `node`. */
  readonly nodeId?: string;
  readonly limits?: PbxLimits;
  /** Asked before anything of a peer is read. Default: everyone. */
  readonly admit?: (source: { readonly protocol: TransportProtocol; readonly remote: SocketAddress }) => boolean;
  /**
   * What peers outside are told our address is, in Via, Contact and SDP: the IP address of a router that passes our ports on, or
   * what STUN servers see. Default: what the socket has. Not together with `addressAdvisor`.
   */
  readonly externalAddress?: string | ExternalAddressOptions;
  /**
   * Whose peers are inside, and are told what the socket has: IP addresses and networks. Default: private addresses (RFC 1918,
   * RFC 6598, RFC 4193). Loopback, link-local and the networks of the machine's interfaces are inside in any case.
   */
  readonly localNetworks?: readonly string[];
  /** A STUN server, for phones that find out their address themselves. Default: none, but that SIP ports answer STUN too. */
  readonly stun?: StunServerSettings;
  /** Decides what to tell peers our address is, in place of `externalAddress`. */
  readonly addressAdvisor?: AddressAdvisor;
  /** The Server and User-Agent header. Default: none. */
  readonly serverName?: string;
  /** Pino-shaped. Default: silent. */
  readonly logger?: Logger;
  /** Default: real sockets. */
  readonly network?: Network;
  /** Default: real time. */
  readonly scheduler?: Scheduler;
  /** Default: the system's. */
  readonly random?: Random;
}

/** What `reconfigure` may change while the PBX runs. */
export type PbxChanges = Pick<PbxOptions, 'extensions' | 'calls' | 'tls' | 'lines' | 'trunks' | 'dialPlan'>;
