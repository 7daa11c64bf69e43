import type { Clock } from '../base/clock.js';
import { normalizeHost } from '../base/ip.js';
import type { Random } from '../base/random.js';
import type { TenantId } from '../base/tenant.js';
import { type Party, withoutSeparators } from '../call/party.js';
import type { Destination, RouteContext, Router } from '../call/route.js';
import type { RouteOutcome } from '../call/route-outcome.js';
import type { RouteDecision } from '../dialplan/decision.js';
import type { DialPlan } from '../dialplan/dial-plan.js';
import type { Directory } from '../directory/directory.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { SelectionStrategy } from '../trunk/selection.js';
import type { TrunkManager } from '../trunk/trunk-manager.js';
import type { Target } from '../ua/target.js';
import { OutgoingRoute } from './outgoing-route.js';

export interface PbxRouterOptions {
  readonly directory: Directory;
  /** Where the phones of an extension are: the registrar. */
  readonly locate: (tenantId: TenantId, user: string) => Promise<readonly Target[]>;
  /** Whether a host is this PBX: its domain, an alias, or an address that it listens on. */
  readonly isOurs: (host: string) => boolean;
  /** As it stands now. */
  readonly plan: () => DialPlan;
  /** What the host app serves itself. */
  readonly served: (number: string) => Destination | undefined;
  readonly trunks: Pick<TrunkManager, 'select'>;
  readonly strategy?: SelectionStrategy;
  readonly clock: Clock;
  readonly random: Random;
}

/** Where a search stands: what was tried last, for the question that follows. */
type Stand =
  /** The phones of an extension. */
  { readonly kind: 'phones'; readonly extension: string } | { readonly kind: 'out'; readonly route: OutgoingRoute };

const TRANSIT_NOT_ALLOWED: Destination = { kind: 'reject', status: 403, reason: 'Transit Not Allowed' };
/** Redirections that are followed before a call is given up. */
const MAX_REDIRECTIONS = 5;
/** How finely the share of a black list rule is drawn. */
const DRAWS = 1_000_000;

/**
 * Where a call goes: what the dial plan says. Who decides by whose rights: the caller's; after a transfer the transferor's; after a
 * redirection those of the extension whose phone sent the call on, for it is at its cost.
 */
export class PbxRouter implements Router {
  readonly #options: PbxRouterOptions;
  /** By the signal of their search. */
  readonly #stands = new WeakMap<AbortSignal, Stand>();

  constructor(options: PbxRouterOptions) {
    this.#options = options;
  }

  next(context: RouteContext, lastOutcome?: RouteOutcome): Promise<Destination> {
    if (lastOutcome === undefined) return this.#toCalled(context);
    const stand = this.#stands.get(context.signal);
    if (lastOutcome.kind === 'redirected') return this.#redirect(context, lastOutcome, stand);
    const other = stand?.kind === 'out' ? stand.route.after(lastOutcome) : undefined;
    if (other !== undefined) return Promise.resolve(other);
    const { status, reason, reasonHeaders } = lastOutcome;
    return Promise.resolve({ kind: 'reject', status, reason, reasonHeaders });
  }

  /** A phone may transfer a call to a number here, not to a host outside: the dial plan says what outside is. */
  #toCalled(context: RouteContext): Promise<Destination> {
    const { requestUri, transferor, caller, called } = context;
    const outside = requestUri.kind === 'sip' && !this.#options.isOurs(normalizeHost(requestUri.host));
    if (transferor !== undefined && outside) return Promise.resolve({ kind: 'reject', status: 403 });
    const by = transferor ?? caller;
    return this.#toNumber(context, by.via?.inbound ?? called, by);
  }

  async #toNumber(context: RouteContext, called: string, by: Party): Promise<Destination> {
    const { plan, directory, clock, random } = this.#options;
    const dialled = await this.#dialled(context.tenantId, called);
    const owner = by.extension === undefined ? undefined : await directory.find(context.tenantId, by.extension);
    const decision = plan().decide({
      caller: by.number,
      called: dialled,
      at: clock.wallTime(),
      random: random.integer(DRAWS) / DRAWS,
      anonymous: by.withheld === true,
      levels: owner?.levels ?? [],
      ...(by.via?.plan === undefined ? {} : { plan: by.via.plan }),
    });
    return this.#follow(context, decision, by);
  }

  /** A telephone number is the same however it is written, so that no rule is passed by with a dash; an extension may have one in its name. */
  async #dialled(tenantId: TenantId, called: string): Promise<string> {
    if (!/^[+\d*#().-]*[().-][+\d*#().-]*$/.test(called.slice(0, 128))) return called;
    const isExtension = (await this.#options.directory.find(tenantId, called)) !== undefined;
    return isExtension ? called : withoutSeparators(called);
  }

  #follow(context: RouteContext, decision: RouteDecision, by: Party): Promise<Destination> {
    switch (decision.kind) {
      case 'extension':
        return this.#toExtension(context, decision, by);
      case 'reject': {
        const { status, reason } = decision;
        return Promise.resolve({ kind: 'reject', status, ...(reason === undefined ? {} : { reason }) });
      }
      case 'service':
        return Promise.resolve({ kind: 'reject', status: 501, reason: `No Service ${decision.service}` });
      case 'peer':
        return this.#toPeer(context, decision, by);
      default:
        return Promise.resolve(this.#out(context, decision, by));
    }
  }

  async #toExtension(
    context: RouteContext,
    decision: RouteDecision & { readonly kind: 'extension' },
    by: Party,
  ): Promise<Destination> {
    const { directory, locate, served } = this.#options;
    const { tenantId, signal } = context;
    const handler = served(decision.extension);
    if (handler !== undefined) return handler;
    const found = await directory.find(tenantId, decision.extension);
    if (found === undefined || found.enabled === false) {
      return decision.otherwise === undefined ? { kind: 'reject', status: 404 } : this.#out(context, decision, by);
    }
    const targets = await locate(tenantId, found.number);
    if (targets.length === 0) return { kind: 'reject', status: 480 };
    this.#stands.set(signal, { kind: 'phones', extension: found.number });
    const { number: called, noAnswerSeconds, media } = found;
    const caller = shownNumber(context, decision, by);
    const shown = caller === context.caller.number ? {} : { caller };
    return {
      kind: 'targets',
      targets:
        media === undefined ? targets : targets.map((target) => ({ ...target, policy: { peer: 'phone', media } })),
      called,
      ...shown,
      ...(noAnswerSeconds === undefined ? {} : { noAnswerSeconds }),
    };
  }

  /** Another server of ours: one that has registered here, or a trunk of that name. */
  async #toPeer(
    context: RouteContext,
    decision: RouteDecision & { readonly kind: 'peer' },
    by: Party,
  ): Promise<Destination> {
    const { directory, locate } = this.#options;
    const { peer: name, called } = decision;
    const found = await directory.find(context.tenantId, name);
    if (found?.kind !== 'server' || found.enabled === false) return this.#out(context, decision, by);
    if (!mayGoOut(by)) return TRANSIT_NOT_ALLOWED;
    // It has sent the call itself: its dial plan and ours send numbers to each other that are nobody's.
    if (by.via?.name === name) return { kind: 'reject', status: 482, reason: 'Loop Detected' };
    const media = found.media === undefined ? {} : { media: found.media };
    const located = await locate(context.tenantId, name);
    if (located.length === 0) return { kind: 'reject', status: 480 };
    const targets = located.map((target): Target => ({ ...target, policy: { peer: 'trunk', name, ...media } }));
    this.#stands.delete(context.signal);
    return { kind: 'targets', targets, called, caller: shownNumber(context, decision, by) };
  }

  /** Calls by lines and trunks cost money: only an extension's own, and those of a trunk whose calls may go on. */
  #out(context: RouteContext, decision: RouteDecision, by: Party): Destination {
    const { trunks, plan, strategy } = this.#options;
    // To an outsider a number that leads outside does not exist, like any other that is nobody's.
    if (!mayGoOut(by)) return decision.kind === 'extension' ? { kind: 'reject', status: 404 } : TRANSIT_NOT_ALLOWED;
    const route = new OutgoingRoute({
      decision,
      by,
      caller: shownNumber(context, decision, by),
      tellsWhy: context.caller.extension !== undefined,
      plan: plan(),
      select: (wanted) =>
        trunks.select(context.tenantId, { ...wanted, ...(strategy === undefined ? {} : { strategy }) }),
    });
    this.#stands.set(context.signal, { kind: 'out', route });
    return route.first();
  }

  #redirect(context: RouteContext, { contacts }: RouteOutcome, stand: Stand | undefined): Promise<Destination> {
    if (context.redirections > MAX_REDIRECTIONS) {
      return Promise.resolve({ kind: 'reject', status: 482, reason: 'Too Many Redirections' });
    }
    // What a carrier sends back, or somebody whom the host's own router has called, has no rights: it reaches extensions.
    const by: Party =
      stand?.kind === 'phones' ? { number: stand.extension, extension: stand.extension } : { number: context.called };
    for (const uri of contacts) {
      const number = this.#numberOf(uri);
      if (number !== undefined) return this.#toNumber(context, number, by);
    }
    return Promise.resolve({ kind: 'reject', status: 480 });
  }

  #numberOf(uri: Uri): string | undefined {
    return uri.kind === 'sip' && this.#options.isOurs(normalizeHost(uri.host)) ? uri.user : undefined;
  }
}

/** An extension by its own right, and whoever speaks by a server that is believed. */
function mayGoOut({ extension, via }: Party): boolean {
  return extension !== undefined || via?.transit === true;
}

/** The caller's number; another's, by whose right the call goes on, is not for rules that change the caller's. */
function shownNumber({ caller }: RouteContext, decision: RouteDecision, by: Party): string {
  return by === caller ? decision.caller : caller.number;
}
