import { createHmac } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { UsageError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import type { TenantId } from '../base/tenant.js';
import { algorithmStrength, type DigestAlgorithm, namedAlgorithm } from '../protocol/digest/algorithm.js';
import { formatChallenge } from '../protocol/digest/challenge.js';
import { type DigestSecret, digestResponse, equalHex } from '../protocol/digest/compute.js';
import { type DigestCredentials, DigestParseError, parseCredentials } from '../protocol/digest/credentials.js';
import type { HeaderInit } from '../protocol/sip/headers.js';
import type { SipRequest } from '../protocol/sip/message.js';
import { SipParseError } from '../protocol/sip/parse-error.js';
import { equalUris, parseUri, type Uri } from '../protocol/sip/uri.js';
import { readAuthLines } from './auth-line.js';
import { NonceMint, type NonceState } from './nonce.js';
import { NonceCounts } from './nonce-counts.js';

/** `www`: 401, WWW-Authenticate and Authorization; `proxy`: 407 and the Proxy- headers. */
export type ChallengeKind = 'www' | 'proxy';

/**
 * What credentials are worth. `challenge`: answer with `challengeHeaders`; `cause` says what was wrong: no credentials of
 * ours (`missing`), right but with a nonce too old (`stale`) or a count used before (`replay`), or `wrong` (this is the one
 * to count against a guesser). `malformed`: answer 400.
 */
export type Verdict =
  | { readonly kind: 'accepted'; readonly username: string }
  | {
      readonly kind: 'challenge';
      readonly stale: boolean;
      readonly cause: 'missing' | 'stale' | 'replay' | 'wrong';
      /** Whom the credentials named; absent for `missing`. */
      readonly username?: string;
    }
  | { readonly kind: 'malformed'; readonly status: 400; readonly reason: string };

export interface DigestChallengerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** At least 32 bytes, the same on all nodes and kept over restarts. Default: random, so that a restart makes nonces stale. */
  readonly secret?: Uint8Array;
  /** Default `['MD5']`: many phones fail at the sight of a SHA challenge, whatever its place. */
  readonly algorithms?: readonly DigestAlgorithm[];
  /** Default 300: a phone that registers every 60 s mostly reuses its nonce, one that comes hourly gets `stale=true` and tries again by itself. */
  readonly nonceLifetimeSeconds?: number;
  /** How many nonces in use have their counts remembered. Default 65,536 (about 15 MB when full). */
  readonly maxNonces?: number;
}

export interface ChallengeOptions {
  readonly kind: ChallengeKind;
  readonly tenantId: TenantId;
  readonly realm: string;
  /** For this user or service; default the challenger's. */
  readonly algorithms?: readonly DigestAlgorithm[];
}

export interface VerifyOptions extends ChallengeOptions {
  /** Unknown and disabled users: undefined. */
  lookup(username: string): Promise<DigestSecret | undefined>;
  /** Whether a digest uri that differs from the Request-URI addresses this server all the same. Default: no. */
  acceptsUri?(uri: Uri): boolean;
}

const HEADERS = {
  www: { challenge: 'WWW-Authenticate', credentials: 'Authorization' },
  proxy: { challenge: 'Proxy-Authenticate', credentials: 'Proxy-Authorization' },
} as const;

const SHORTEST_SECRET = 32;
/** Nonces whose counts are remembered, unless told otherwise. */
export const DEFAULT_MAX_NONCES = 65_536;

/**
 * The server's side of digest authentication (RFC 3261 §22, RFC 7616, RFC 8760): makes challenges and judges credentials.
 * Only `qop=auth` is offered and accepted. An unknown user gets the same answer, by the same way and in the same time, as a
 * wrong password.
 */
export class DigestChallenger {
  readonly #mint: NonceMint;
  readonly #counts: NonceCounts;
  readonly #secret: Uint8Array;
  readonly #algorithms: readonly DigestAlgorithm[];

  /** @throws UsageError (PBX_INVALID_ARGUMENT) for a short secret, no algorithm, or a lifetime that is not positive */
  constructor(options: DigestChallengerOptions) {
    const { clock, random, algorithms = ['MD5'], nonceLifetimeSeconds = 300, maxNonces = DEFAULT_MAX_NONCES } = options;
    this.#secret = options.secret ?? random.bytes(SHORTEST_SECRET);
    if (this.#secret.length < SHORTEST_SECRET) {
      throw new UsageError('PBX_INVALID_ARGUMENT', `secret: found ${this.#secret.length} bytes, expected at least 32`);
    }
    if (!(nonceLifetimeSeconds > 0)) {
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `nonceLifetimeSeconds: found ${nonceLifetimeSeconds}, expected more than 0`,
      );
    }
    this.#algorithms = strongestFirst(algorithms);
    const lifetimeMs = nonceLifetimeSeconds * 1000;
    this.#mint = new NonceMint({ clock, random, secret: this.#secret, lifetimeMs });
    this.#counts = new NonceCounts({ clock, capacity: maxNonces, lifetimeMs });
  }

  /** Nonces whose counts are remembered, and those that were forgotten because there were too many. */
  get nonces(): { readonly live: number; readonly forgotten: number } {
    return { live: this.#counts.size, forgotten: this.#counts.forgotten };
  }

  /** Judges the credentials of a request. Rejects only if `lookup` does. */
  async verify(request: SipRequest, options: VerifyOptions): Promise<Verdict> {
    const algorithms = options.algorithms === undefined ? this.#algorithms : strongestFirst(options.algorithms);
    const presented = findCredentials(request, options, algorithms);
    if (presented.kind !== 'found') return presented;
    const { credentials, algorithm } = presented;
    const { username, nonce, nc = 0 } = credentials;
    if (!acceptsUri(request, credentials.uri, options)) return malformed('the digest uri is not for this server');

    const secret = await options.lookup(username);
    const known = secret?.ha1[algorithm];
    const expected = digestResponse({
      algorithm,
      ha1: known ?? this.#decoy(username, options.realm, algorithm),
      nonce,
      nc: credentials.ncText,
      cnonce: credentials.cnonce,
      qop: credentials.qop,
      method: request.method,
      uri: credentials.uri,
    });
    const right = equalHex(expected, credentials.response) && known !== undefined;
    const state: NonceState = this.#mint.check(nonce, { tenantId: options.tenantId, realm: options.realm, algorithm });
    if (!right) return { kind: 'challenge', stale: false, cause: 'wrong', username };
    if (state.kind !== 'fresh') return { kind: 'challenge', stale: true, cause: 'stale', username };
    if (!this.#counts.use(state.nonce, nc, state.ageMs))
      return { kind: 'challenge', stale: true, cause: 'replay', username };
    return { kind: 'accepted', username };
  }

  /** The headers of a 401 or 407: one challenge for each algorithm, the strongest first (RFC 8760 §2.3), each with its own nonce. */
  challengeHeaders(options: ChallengeOptions & { readonly stale: boolean }): HeaderInit {
    const { tenantId, realm, stale } = options;
    const algorithms = options.algorithms === undefined ? this.#algorithms : strongestFirst(options.algorithms);
    const challenges = algorithms.map((algorithm) => {
      const nonce = this.#mint.issue({ tenantId, realm, algorithm });
      return formatChallenge({ realm, nonce, algorithm, qop: ['auth'], stale });
    });
    return { [HEADERS[options.kind].challenge]: challenges };
  }

  /** An HA1 that no password has, steady for each user, so that the arithmetic is the same. */
  #decoy(username: string, realm: string, algorithm: DigestAlgorithm): string {
    const mac = createHmac('sha256', this.#secret)
      .update(JSON.stringify(['decoy', username, realm, algorithm]))
      .digest('hex');
    return algorithm === 'MD5' ? mac.slice(0, 32) : mac;
  }
}

type Presented =
  | { readonly kind: 'found'; readonly credentials: DigestCredentials; readonly algorithm: DigestAlgorithm }
  | Exclude<Verdict, { kind: 'accepted' }>;

/**
 * The credentials for our realm and the strongest of the algorithms that we offer. Credentials for other realms and schemes
 * are passed over (RFC 3261 §22.3); those that cannot be read count only if no others are good.
 */
function findCredentials(
  request: SipRequest,
  options: ChallengeOptions,
  algorithms: readonly DigestAlgorithm[],
): Presented {
  const usable: { readonly credentials: DigestCredentials; readonly algorithm: DigestAlgorithm }[] = [];
  let fault: string | undefined;
  for (const read of readAuthLines(request.headers, HEADERS[options.kind].credentials)) {
    fault ??= read.fault?.message;
    for (const value of read.values) {
      try {
        const credentials = parseCredentials(value);
        const algorithm =
          credentials === undefined ? undefined : usableAlgorithm(credentials, options.realm, algorithms);
        if (credentials !== undefined && algorithm !== undefined) usable.push({ credentials, algorithm });
      } catch (error) {
        if (!(error instanceof DigestParseError)) throw error;
        fault ??= error.message;
      }
    }
  }
  usable.sort((a, b) => algorithmStrength(b.algorithm) - algorithmStrength(a.algorithm));
  const [best] = usable;
  if (best !== undefined) return { kind: 'found', ...best };
  return fault === undefined ? { kind: 'challenge', stale: false, cause: 'missing' } : malformed(fault);
}

/** Undefined: not an answer to a challenge of ours. */
function usableAlgorithm(
  credentials: DigestCredentials,
  realm: string,
  algorithms: readonly DigestAlgorithm[],
): DigestAlgorithm | undefined {
  // Without a challenge yet (RFC 8760 §2.7): the client only names itself.
  if (credentials.realm !== realm || credentials.nonce === '' || credentials.response === '') return undefined;
  // We always offer qop=auth; without it there is no count, and so no defence against replay (RFC 8760 §2.6 item 8).
  if (credentials.qop?.toLowerCase() !== 'auth') return undefined;
  const named = namedAlgorithm(credentials.algorithm);
  if (named === undefined || named.session) return undefined;
  return algorithms.includes(named.algorithm) ? named.algorithm : undefined;
}

/** RFC 8760 §2.6 item 6: the uri may differ from the Request-URI where a proxy has rewritten that, but must be for us. */
function acceptsUri(request: SipRequest, text: string, options: VerifyOptions): boolean {
  if (text === request.requestUri) return true;
  try {
    const uri = parseUri(text);
    return equalUris(uri, request.uri) || options.acceptsUri?.(uri) === true;
  } catch (error) {
    if (error instanceof SipParseError) return false;
    throw error;
  }
}

function malformed(reason: string): Verdict & { readonly kind: 'malformed' } {
  return { kind: 'malformed', status: 400, reason };
}

function strongestFirst(algorithms: readonly DigestAlgorithm[]): readonly DigestAlgorithm[] {
  if (algorithms.length === 0) throw new UsageError('PBX_INVALID_ARGUMENT', 'algorithms: expected at least one');
  return [...new Set(algorithms)].sort((a, b) => algorithmStrength(b) - algorithmStrength(a));
}
