import { normalizeHost } from '../base/ip.js';
import type { TenantId } from '../base/tenant.js';
import type { Destination, RouteContext, Router } from '../call/route.js';
import type { RouteOutcome } from '../call/route-outcome.js';
import type { Directory } from '../directory/directory.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { Target } from '../ua/target.js';

export interface PbxRouterOptions {
  readonly directory: Directory;
  /** Where the phones of an extension are: the registrar. */
  readonly locate: (tenantId: TenantId, user: string) => Promise<readonly Target[]>;
  /** Whether a host is this PBX: its domain, an alias, or an address that it listens on. */
  readonly isOurs: (host: string) => boolean;
}

/** Redirections that are followed before a call is given up. */
const MAX_REDIRECTIONS = 5;

/** Where a call goes: the phones of the extension that was dialled; a redirection is followed within the PBX. */
export class PbxRouter implements Router {
  readonly #options: PbxRouterOptions;

  constructor(options: PbxRouterOptions) {
    this.#options = options;
  }

  next(context: RouteContext, lastOutcome?: RouteOutcome): Promise<Destination> {
    if (lastOutcome === undefined) return this.#toCalled(context);
    if (lastOutcome.kind === 'redirected') return this.#redirect(context, lastOutcome);
    const { status, reason, reasonHeaders } = lastOutcome;
    return Promise.resolve({ kind: 'reject', status, reason, reasonHeaders });
  }

  /** A phone may transfer a call to a number here, not to the outside: as with redirections, that would be at our cost. */
  #toCalled(context: RouteContext): Promise<Destination> {
    const { requestUri, transferor, called } = context;
    const outside = requestUri.kind === 'sip' && !this.#options.isOurs(normalizeHost(requestUri.host));
    if (transferor !== undefined && outside) return Promise.resolve({ kind: 'reject', status: 403 });
    return this.#toNumber(context, called);
  }

  async #toNumber(context: RouteContext, number: string): Promise<Destination> {
    const extension = await this.#options.directory.find(context.tenantId, number);
    if (extension === undefined || extension.enabled === false) return { kind: 'reject', status: 404 };
    const targets = await this.#options.locate(context.tenantId, number);
    if (targets.length === 0) return { kind: 'reject', status: 480 };
    const { noAnswerSeconds } = extension;
    return { kind: 'targets', targets, called: number, ...(noAnswerSeconds === undefined ? {} : { noAnswerSeconds }) };
  }

  /** A phone may send a call to another number here, not to the outside: that would be a way to call out at our cost. */
  #redirect(context: RouteContext, { contacts }: RouteOutcome): Promise<Destination> {
    if (context.redirections > MAX_REDIRECTIONS) {
      return Promise.resolve({ kind: 'reject', status: 482, reason: 'Too Many Redirections' });
    }
    for (const uri of contacts) {
      const number = this.#numberOf(uri);
      if (number !== undefined) return this.#toNumber(context, number);
    }
    return Promise.resolve({ kind: 'reject', status: 480 });
  }

  #numberOf(uri: Uri): string | undefined {
    return uri.kind === 'sip' && this.#options.isOurs(normalizeHost(uri.host)) ? uri.user : undefined;
  }
}
