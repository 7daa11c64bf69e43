import type { Random } from '../base/random.js';
import { algorithmStrength, type NamedAlgorithm, namedAlgorithm } from '../protocol/digest/algorithm.js';
import type { DigestChallenge } from '../protocol/digest/challenge.js';
import { digestResponse, ha1 } from '../protocol/digest/compute.js';
import { formatCredentials } from '../protocol/digest/credentials.js';
import type { ChallengingPeer, CredentialSource } from './credential-source.js';

/** What a request's digest is over. */
export interface DigestSubject {
  readonly method: string;
  /** The Request-URI as it is sent. */
  readonly uri: string;
  readonly body: Uint8Array;
}

/** A challenge together with what is needed to answer it. */
interface Answerable {
  readonly challenge: DigestChallenge;
  readonly named: NamedAlgorithm;
  readonly qop: 'auth' | 'auth-int' | undefined;
  readonly username: string;
  readonly ha1: string;
}

/**
 * The client's side of one protection space: a realm and its latest nonce (RFC 7616 §3.4). Counts `nc` and keeps one
 * `cnonce` for each nonce, as the `-sess` variants ask for.
 */
export class DigestSession {
  readonly #answerable: Answerable;
  readonly #cnonce: string;
  #nc = 0;

  private constructor(answerable: Answerable, random: Random) {
    this.#answerable = answerable;
    this.#cnonce = random.token();
  }

  /**
   * A session for the best of the challenges of one realm: the strongest algorithm that we know and have a secret for, the
   * topmost where two are equal (RFC 8760 §2.4 lets the client's policy decide). Undefined if none can be answered.
   */
  static open(
    challenges: readonly DigestChallenge[],
    options: { readonly credentials: CredentialSource; readonly peer: ChallengingPeer; readonly random: Random },
  ): DigestSession | undefined {
    const known = challenges.flatMap((challenge) => {
      const named = namedAlgorithm(challenge.algorithm);
      return named === undefined ? [] : [{ challenge, named }];
    });
    known.sort((a, b) => algorithmStrength(b.named.algorithm) - algorithmStrength(a.named.algorithm));
    for (const { challenge, named } of known) {
      const answerable = answer(challenge, named, options.credentials, options.peer);
      if (answerable !== undefined) return new DigestSession(answerable, options.random);
    }
    return undefined;
  }

  get stale(): boolean {
    return this.#answerable.challenge.stale;
  }

  /** The header text of credentials for one request; every call counts `nc` up. */
  authorize(subject: DigestSubject): string {
    const { challenge, named, qop, username } = this.#answerable;
    const { realm, nonce, algorithm, opaque } = challenge;
    const { method, uri, body } = subject;
    const nc = qop === undefined ? undefined : ++this.#nc;
    const cnonce = qop === undefined && !named.session ? undefined : this.#cnonce;
    const response = digestResponse({
      algorithm,
      ha1: this.#answerable.ha1,
      nonce,
      nc,
      cnonce,
      qop,
      method,
      uri,
      body,
    });
    return formatCredentials({
      username,
      realm,
      nonce,
      uri,
      response,
      algorithm,
      ...(cnonce === undefined ? {} : { cnonce }),
      ...(qop === undefined ? {} : { qop }),
      ...(nc === undefined ? {} : { nc }),
      ...(opaque === undefined ? {} : { opaque }),
    });
  }
}

function answer(
  challenge: DigestChallenge,
  named: NamedAlgorithm,
  credentials: CredentialSource,
  peer: ChallengingPeer,
): Answerable | undefined {
  const { realm, qop: offered } = challenge;
  const qop = offered.includes('auth') ? 'auth' : offered.includes('auth-int') ? 'auth-int' : undefined;
  // Only values that we do not know: there is no right answer. None at all is the legacy digest (RFC 3261 §22.4 item 8).
  if (qop === undefined && offered.length > 0) return undefined;
  const secret = credentials.secretFor({ realm, algorithm: named.algorithm }, peer);
  if (secret === undefined) return undefined;
  const { username } = secret;
  if ('password' in secret) {
    return { challenge, named, qop, username, ha1: ha1(named.algorithm, username, realm, secret.password) };
  }
  const value = secret.realm === realm ? secret.ha1[named.algorithm] : undefined;
  return value === undefined ? undefined : { challenge, named, qop, username, ha1: value };
}
