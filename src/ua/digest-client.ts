import type { Random } from '../base/random.js';
import { type DigestChallenge, parseChallenge } from '../protocol/digest/challenge.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import { readAuthLine } from './auth-line.js';
import type { ChallengingPeer, CredentialSource } from './credential-source.js';
import { DigestSession } from './digest-session.js';

/** What a challenge was answered with. */
interface Space {
  readonly kind: Kind;
  /** The address that the request had gone to. */
  readonly address: string;
  readonly session: DigestSession;
}

/**
 * How often one request has answered challenges, by protection space: what was rejected is not tried again (RFC 3261 §22.1). Each
 * request keeps its own, because others under way beside it have challenges of their own.
 */
export type AnsweredChallenges = Map<string, number>;

/** A request that was challenged, and the challenge. */
export interface ChallengedRequest {
  /** Its body and Request-URI must be those that were challenged; it stays as it is. */
  readonly request: SipRequest;
  /** The 401 or 407. */
  readonly response: SipResponse;
  /** Who sent the challenge. */
  readonly peer: ChallengingPeer;
  /** The address that the request had gone to, see `isFor`. */
  readonly address: string;
  /** What this request has answered before; noted here. */
  readonly answered: AnsweredChallenges;
}

type Kind = 'www' | 'proxy';

const HEADERS = {
  www: { challenge: 'WWW-Authenticate', credentials: 'Authorization' },
  proxy: { challenge: 'Proxy-Authenticate', credentials: 'Proxy-Authorization' },
} as const;

/**
 * Answers digest challenges for one line, one dialog or one request (RFC 3261 §22, RFC 8760 §2.4). Each realm is answered once for
 * each request, and once more if it says that only the nonce was stale; a further challenge means that the credentials are
 * wrong. Keeps the nonces, so that later requests can carry credentials at once: see `authorize`.
 */
export class DigestClient {
  readonly #credentials: CredentialSource;
  readonly #random: Random;
  readonly #spaces = new Map<string, Space>();

  constructor(options: { readonly credentials: CredentialSource; readonly random: Random }) {
    this.#credentials = options.credentials;
    this.#random = options.random;
  }

  /**
   * The request again, with credentials, in answer to a 401 or 407; the CSeq is the sender's to count up. Undefined when the
   * challenge cannot be answered, or has been (`answered`) and was refused: the response is final then.
   */
  answer({ request, response, peer, address, answered }: ChallengedRequest): SipRequest | undefined {
    const opened: { readonly key: string; readonly kind: Kind; readonly session: DigestSession }[] = [];
    for (const kind of ['www', 'proxy'] as const) {
      for (const [realm, challenges] of challengesByRealm(response, kind)) {
        const session = DigestSession.open(challenges, { credentials: this.#credentials, peer, random: this.#random });
        if (session !== undefined) opened.push({ key: `${kind} ${realm}`, kind, session });
      }
    }
    if (opened.length === 0) return undefined;
    if (opened.some(({ key, session }) => refused(answered.get(key) ?? 0, session))) return undefined;
    for (const { key, kind, session } of opened) {
      answered.set(key, (answered.get(key) ?? 0) + 1);
      this.#spaces.set(key, { kind, session, address });
    }
    return this.authorize(request);
  }

  /** A copy of the request with credentials for every realm known so far; without any, the request itself. */
  authorize(request: SipRequest): SipRequest {
    if (this.#spaces.size === 0) return request;
    const again = request.with({});
    again.headers.remove('Authorization');
    again.headers.remove('Proxy-Authorization');
    const subject = { method: request.method, uri: request.requestUri, body: request.body };
    for (const { kind, session } of this.#spaces.values()) {
      again.headers.append(HEADERS[kind].credentials, session.authorize(subject));
    }
    return again;
  }

  /**
   * Whether credentials may be shown there unasked: a challenge to something that was sent there has been answered. Elsewhere, such as
   * at a Contact that the peer has named, they wait until the credential source is asked for that peer.
   */
  isFor(address: string): boolean {
    for (const space of this.#spaces.values()) if (space.address === address) return true;
    return this.#spaces.size === 0;
  }

  /** Another server is asked: the nonces of the one before are of no use there. */
  forget(): void {
    this.#spaces.clear();
  }
}

function refused(answered: number, session: DigestSession): boolean {
  return answered >= 2 || (answered === 1 && !session.stale);
}

function challengesByRealm(response: SipResponse, kind: Kind): Map<string, DigestChallenge[]> {
  const realms = new Map<string, DigestChallenge[]>();
  for (const line of response.headers.raw(HEADERS[kind].challenge)) {
    for (const value of readAuthLine(line).values) {
      const challenge = parseChallenge(value);
      if (challenge === undefined) continue;
      const others = realms.get(challenge.realm);
      if (others === undefined) realms.set(challenge.realm, [challenge]);
      else others.push(challenge);
    }
  }
  return realms;
}

export function removeCredentials({ headers }: SipRequest): void {
  headers.remove('Authorization');
  headers.remove('Proxy-Authorization');
}
