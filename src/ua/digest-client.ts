import type { Random } from '../base/random.js';
import { type DigestChallenge, parseChallenge } from '../protocol/digest/challenge.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import { readAuthLine } from './auth-line.js';
import type { ChallengingPeer, CredentialSource } from './credential-source.js';
import { DigestSession } from './digest-session.js';

/** What a challenge was answered with, and how often. */
interface Space {
  readonly kind: Kind;
  session: DigestSession;
  /** Challenges answered since the last success. */
  answered: number;
}

type Kind = 'www' | 'proxy';

const HEADERS = {
  www: { challenge: 'WWW-Authenticate', credentials: 'Authorization' },
  proxy: { challenge: 'Proxy-Authenticate', credentials: 'Proxy-Authorization' },
} as const;

/**
 * Answers digest challenges for one line or one request (RFC 3261 §22, RFC 8760 §2.4). Each realm is answered once, and once
 * more if it says that only the nonce was stale; a further challenge means that the credentials are wrong. Keeps the nonces,
 * so that later requests can carry credentials at once: see `authorize` and `succeeded`.
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
   * The request again, with credentials and the next CSeq number, in answer to a 401 or 407. Undefined when the challenge
   * cannot be answered, or has been and was refused: the response is final then. The given request stays as it is; its body
   * and Request-URI must be those of the request that was challenged.
   */
  answer(request: SipRequest, response: SipResponse, peer: ChallengingPeer): SipRequest | undefined {
    const opened: { readonly key: string; readonly kind: Kind; readonly session: DigestSession }[] = [];
    for (const kind of ['www', 'proxy'] as const) {
      for (const [realm, challenges] of challengesByRealm(response, kind)) {
        const session = DigestSession.open(challenges, { credentials: this.#credentials, peer, random: this.#random });
        if (session !== undefined) opened.push({ key: `${kind} ${realm}`, kind, session });
      }
    }
    if (opened.length === 0) return undefined;
    if (opened.some(({ key, session }) => this.#refused(this.#spaces.get(key), session))) return undefined;
    for (const { key, kind, session } of opened) {
      const answered = (this.#spaces.get(key)?.answered ?? 0) + 1;
      this.#spaces.set(key, { kind, session, answered });
    }
    const again = this.authorize(request);
    const { sequence, method } = request.cseq;
    again.headers.set('CSeq', { sequence: sequence + 1, method });
    return again;
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

  /** Another server is asked: the nonces of the one before are of no use there, and neither are its refusals. */
  forget(): void {
    this.#spaces.clear();
  }

  /** A request went through: the next challenge is a new one, not a refusal. For those who keep a client over many requests. */
  succeeded(): void {
    for (const space of this.#spaces.values()) space.answered = 0;
  }

  #refused(space: Space | undefined, session: DigestSession): boolean {
    if (space === undefined || space.answered === 0) return false;
    return space.answered >= 2 || !session.stale;
  }
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
