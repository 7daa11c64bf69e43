import type { Logger } from '../base/logger.js';
import type { ChallengingPeer, CredentialSource, PasswordSecret, SecretRequest } from '../ua/credential-source.js';
import type { PeerAddresses } from './peer-addresses.js';

export interface LineCredentialsOptions {
  readonly username: string;
  readonly password: string;
  /** The only realms that are answered; none: the first one that was accepted. */
  readonly realms: readonly string[];
  /** Who may ask. */
  readonly peers: Pick<PeerAddresses, 'has'>;
  readonly logger: Logger;
}

/**
 * The credentials of one line, which only the line's own server gets (a digest is enough to guess a password at leisure): who
 * challenges must be at an address that the line's server or proxy has, and name the line's realm. Anybody else gets nothing, also one
 * who copies the realm.
 */
export class LineCredentials implements CredentialSource {
  readonly #options: LineCredentialsOptions;
  #realms: readonly string[];
  #isPinned: boolean;
  #unanswered: string | undefined;

  constructor(options: LineCredentialsOptions) {
    this.#options = options;
    this.#realms = options.realms;
    this.#isPinned = options.realms.length > 0;
  }

  secretFor(request: SecretRequest, peer: ChallengingPeer): PasswordSecret | undefined {
    const refusal = this.#refusalOf(request, peer);
    if (refusal !== undefined) this.#options.logger.warn({}, refusal);
    const { username, password } = this.#options;
    return refusal === undefined ? { username, password } : undefined;
  }

  /**
   * For REGISTER alone: until a realm is known, the first that the registrar asks for is the line's; and why a challenge was not answered
   * is kept.
   */
  get forRegister(): CredentialSource {
    return {
      secretFor: (request, peer) => {
        this.#unanswered = this.#refusalOf(request, peer);
        if (this.#unanswered === undefined && this.#realms.length === 0) this.#realms = [request.realm];
        return this.secretFor(request, peer);
      },
    };
  }

  /** A REGISTER begins: forgets why a challenge was not answered. */
  begin(): void {
    this.#unanswered = undefined;
  }

  /** The registrar has accepted them: from now on its realm is the only one. */
  accepted(): void {
    this.#isPinned = this.#realms.length > 0;
  }

  /** They were not accepted: a realm that was only tried is forgotten. */
  rejected(): void {
    if (!this.#isPinned) this.#realms = [];
  }

  /** Why the last challenge to a REGISTER was not answered. */
  get unanswered(): string | undefined {
    return this.#unanswered;
  }

  #refusalOf({ realm }: SecretRequest, { remote }: ChallengingPeer): string | undefined {
    if (!this.#options.peers.has(remote.address)) {
      return `${remote.address} is not the server of this line, its challenge was not answered`;
    }
    if (this.#realms.length === 0 || this.#realms.includes(realm)) return undefined;
    return `the realm is "${this.#realms.join('" or "')}", a challenge for "${realm}" was not answered`;
  }
}
