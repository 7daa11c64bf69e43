import type { SocketAddress } from '../base/ip.js';
import type { TenantId } from '../base/tenant.js';
import type { Directory } from '../directory/directory.js';
import type { Extension } from '../directory/extension.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { DigestChallenger } from '../ua/digest-challenger.js';
import type { IncomingRequest } from '../ua/incoming.js';

export interface CallerAuthenticationOptions {
  readonly challenger: DigestChallenger;
  readonly directory: Directory;
  readonly realmOf: (tenantId: TenantId) => string;
  /** Whether a digest `uri` that is not the Request-URI addresses this server all the same. */
  readonly acceptsUri: (uri: Uri) => boolean;
  /** Told of credentials that were not right: for whoever counts guesses. */
  readonly onRefused?: (refused: RefusedCaller) => void;
}

/** Credentials of a caller that were not right. */
export interface RefusedCaller {
  readonly tenantId: TenantId;
  readonly username: string;
  readonly cause: 'wrong' | 'replay' | 'stale';
  readonly remote: SocketAddress;
}

/** Who may call: extensions that know their password (digest, 407; RFC 3261 §22.3). */
export class CallerAuthentication {
  readonly #options: CallerAuthenticationOptions;

  constructor(options: CallerAuthenticationOptions) {
    this.#options = options;
  }

  /** The extension that sent the request; undefined when the request has been answered with a challenge or a refusal. */
  async identify(incoming: IncomingRequest): Promise<Extension | undefined> {
    const { challenger, directory, realmOf, acceptsUri, onRefused } = this.#options;
    const { request, tenantId } = incoming;
    const realm = realmOf(tenantId);
    const claimed = await this.#claimed(incoming);
    const algorithms = claimed?.digest === undefined || claimed.enabled === false ? {} : { algorithms: claimed.digest };
    let found: Extension | undefined;
    const verdict = await challenger.verify(request, {
      kind: 'proxy',
      tenantId,
      realm,
      acceptsUri,
      ...algorithms,
      lookup: async (username) => {
        const extension = await directory.find(tenantId, username);
        found = extension?.enabled === false ? undefined : extension;
        return found?.secret;
      },
    });
    if (incoming.cancelled) return undefined;
    switch (verdict.kind) {
      case 'accepted':
        return found;
      case 'malformed':
        incoming.respond(verdict.status, { once: true, reason: verdict.reason });
        return undefined;
      case 'challenge': {
        const { cause, username = '' } = verdict;
        if (cause !== 'missing') onRefused?.({ tenantId, username, cause, remote: incoming.source.remote });
        const headers = challenger.challengeHeaders({
          kind: 'proxy',
          realm,
          tenantId,
          stale: verdict.stale,
          ...algorithms,
        });
        incoming.respond(407, { once: true, headers });
        return undefined;
      }
    }
  }

  /** The extension that From names: it may have digest algorithms of its own. */
  async #claimed(incoming: IncomingRequest): Promise<Extension | undefined> {
    const { uri } = incoming.request.from;
    if (uri.kind !== 'sip' || uri.user === undefined) return undefined;
    return this.#options.directory.find(incoming.tenantId, uri.user);
  }
}
