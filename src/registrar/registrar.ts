import type { Clock } from '../base/clock.js';
import { errorText } from '../base/errors.js';
import { type Events, TypedEmitter } from '../base/events.js';
import { normalizeHost, type SocketAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import { type Extension, isNumber } from '../directory/extension.js';
import type { SipUri } from '../protocol/sip/uri.js';
import type { RecordStore } from '../storage/record-store.js';
import type { DigestChallenger, VerifyOptions } from '../ua/digest-challenger.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { RequestTaker } from '../ua/request-chain.js';
import type { Target } from '../ua/target.js';
import { acceptHeaders, refuse } from './answer.js';
import type { Binding, BindingChange, Flow, RemovalReason } from './binding.js';
import { BindingService } from './binding-service.js';
import {
  applyRegister,
  type BindingPolicy,
  type ExpiryPolicy,
  type RegisterOutcome,
  type RegisterWish,
} from './bindings.js';
import { Connections, type Owner } from './connections.js';
import { supports } from './outbound.js';
import { checkWhole, policyOf } from './policy.js';
import { readRegister, registeredAor } from './register-request.js';
import { isOwnFlow, targetsOf } from './targets.js';

/** What the registrar asks of a directory; `Directory` fits it. */
export interface ExtensionFinder {
  find(tenantId: TenantId, number: string): Promise<Extension | undefined>;
}

interface BindingEvent {
  readonly tenantId: TenantId;
  readonly aor: string;
  readonly binding: Binding;
}

/** Each goes out once the change is stored, on the node that made it. */
export interface RegistrarEvents {
  'binding.added': BindingEvent;
  'binding.refreshed': BindingEvent;
  'binding.removed': BindingEvent & { readonly reason: RemovalReason };
  /** Credentials that were not right: for whoever counts guesses. */
  'credentials.refused': {
    readonly tenantId: TenantId;
    readonly aor: string;
    readonly username: string;
    readonly cause: 'wrong' | 'replay' | 'stale' | 'not-owner';
    readonly remote: SocketAddress;
  };
}

export interface RegistrarOptions {
  readonly records: RecordStore;
  readonly directory: ExtensionFinder;
  readonly challenger: DigestChallenger;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** For stored times; default: the scheduler's. */
  readonly clock?: Clock;
  /** The digest realm of a tenant. */
  readonly realmOf: (tenantId: TenantId) => string;
  /** Whether addresses-of-record of `host` (lower case, no brackets) are this tenant's. Asked for To, and for a digest uri that is not the Request-URI. */
  readonly servesDomain: (tenantId: TenantId, host: string) => boolean;
  /** Whose bindings `start` loads; others are loaded when first asked for. Default: none. */
  readonly tenants?: () => Iterable<TenantId>;
  /** In whole seconds. Defaults: at least 60, at most 3600, 3600 when the phone does not say. */
  readonly expiry?: Partial<ExpiryPolicy>;
  /** Contacts an address-of-record may have, where its extension does not say. Default 10. */
  readonly maxContacts?: number;
  /** Contacts of one tenant in all; a REGISTER that adds more is answered 503, one that refreshes is served. Default 100,000. */
  readonly maxBindings?: number;
  /** What happens to the REGISTER that is one too many. Default `refuse`: 403 with the limit in its reason. */
  readonly whenFull?: BindingPolicy['whenFull'];
  /**
   * What happens to a REGISTER with a Path whose phone does not say `Supported: path`. Default `reject`: 420, which RFC
   * 3327 §5.3 recommends, because somebody on the way added it without the phone's consent. `accept` suits edge proxies of one's own.
   */
  readonly pathWithoutSupport?: 'reject' | 'accept';
  /**
   * Whether STUN keep-alives on the SIP sockets are answered (RFC 5626 §5.4). Default false: phones that register by UDP
   * without an edge proxy are then not told that their flows are kept, because they would wait for those answers.
   */
  readonly stunKeepAlive?: boolean;
}

/** What is registered, and what a limit has refused since the start. */
export interface RegistrarStats {
  /** Contacts that are registered now. */
  readonly bindings: number;
  /** REGISTERs that got 403 because the extension has all its contacts. */
  readonly refusedContacts: number;
  /** REGISTERs that got 503 because the tenant has all its bindings. */
  readonly refusedFull: number;
}

/** Contacts of one tenant, unless told otherwise. */
export const DEFAULT_MAX_BINDINGS = 100_000;

/**
 * The registrar (RFC 3261 §10.3, RFC 3327, RFC 5626 §6). It takes REGISTER from the chain, keeps bindings in the store, and answers
 * where an extension can be reached.
 *
 * Deviates: contacts other than sip and sips URIs are refused with 400, because a call could not be sent there.
 */
export class Registrar implements RequestTaker, Events<RegistrarEvents> {
  readonly name = 'registrar';
  readonly #options: RegistrarOptions;
  readonly #policy: BindingPolicy;
  readonly #maxBindings: number;
  readonly #clock: Clock;
  readonly #events: TypedEmitter<RegistrarEvents>;
  readonly #service: BindingService;
  readonly #connections = new Connections();
  #refusedFull = 0;
  #refusedContacts = 0;
  #closed = false;

  /** @throws UsageError PBX_INVALID_ARGUMENT for an expiry or a limit out of range */
  constructor(options: RegistrarOptions) {
    const { records, scheduler, logger, clock = scheduler } = options;
    this.#options = options;
    this.#clock = clock;
    this.#policy = policyOf(options);
    this.#maxBindings = options.maxBindings ?? DEFAULT_MAX_BINDINGS;
    checkWhole('maxBindings', this.#maxBindings, 1, Number.MAX_SAFE_INTEGER);
    this.#events = new TypedEmitter(logger);
    this.#service = new BindingService({
      records,
      scheduler,
      clock,
      logger,
      onChange: (tenantId, change) => this.#tell(tenantId, change),
    });
  }

  on<Name extends keyof RegistrarEvents>(name: Name, listener: (event: RegistrarEvents[Name]) => unknown): () => void {
    return this.#events.on(name, listener);
  }

  once<Name extends keyof RegistrarEvents>(
    name: Name,
    listener: (event: RegistrarEvents[Name]) => unknown,
  ): () => void {
    return this.#events.once(name, listener);
  }

  /** Loads the tenants' bindings; those that ended meanwhile are removed at once. @throws what the store throws */
  async start(): Promise<void> {
    for (const tenantId of this.#options.tenants?.() ?? []) await this.#service.load(tenantId);
  }

  /** Finishes what runs; later REGISTERs get 503. Bindings stay in the store. The store is not closed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#service.close();
    this.#connections.clear();
    this.#events.removeAll();
  }

  /** How many bindings are known here. */
  get size(): number {
    return this.#service.size;
  }

  stats(): RegistrarStats {
    const { size: bindings } = this.#service;
    return { bindings, refusedContacts: this.#refusedContacts, refusedFull: this.#refusedFull };
  }

  /** The live bindings of an extension. Never rejects: when the store fails, what was known last. */
  async bindings(tenantId: TenantId, user: string): Promise<readonly Binding[]> {
    return isNumber(user) ? this.#service.find(tenantId, user) : [];
  }

  /** Where to send for an extension: by q, newest first; empty when it is not registered. Never rejects. */
  async locate(tenantId: TenantId, user: string): Promise<readonly Target[]> {
    const now = this.#options.scheduler.now();
    const isOpen = (connectionId: string): boolean => this.#connections.isOpen(connectionId, now);
    return targetsOf(await this.bindings(tenantId, user), isOpen);
  }

  /** Removes one contact of an extension, or all. Resolves to how many. @throws what the store throws */
  remove(tenantId: TenantId, user: string, contact?: string): Promise<number> {
    const isMeant = (binding: Binding): boolean => contact === undefined || binding.contact === contact;
    return isNumber(user) ? this.#remove(tenantId, user, 'administrative', isMeant) : Promise.resolve(0);
  }

  /**
   * To be told by the transport when a connection is closed. What was bound to it as a flow is removed (RFC 5626 §7); calls
   * to other contacts go to their own address from now on.
   */
  flowClosed({ connectionId }: Flow): void {
    if (connectionId === undefined || this.#closed) return;
    const { logger, scheduler } = this.#options;
    for (const { tenantId, user } of this.#connections.closed(connectionId, scheduler.now())) {
      const isDead = (binding: Binding): boolean => isOwnFlow(binding) && binding.flow.connectionId === connectionId;
      this.#remove(tenantId, user, 'flow-failed', isDead).catch((error: unknown) =>
        logger.warn({ err: error, tenantId }, `a binding outlives its connection: ${errorText(error)}`),
      );
    }
  }

  async #remove(
    tenantId: TenantId,
    user: string,
    reason: RemovalReason,
    isMeant: (binding: Binding) => boolean,
  ): Promise<number> {
    let removed = 0;
    await this.#service.inOrder(tenantId, user, () =>
      this.#service.change(tenantId, user, (live) => {
        const gone = live.filter(isMeant);
        removed = gone.length;
        return {
          kind: 'applied',
          bindings: live.filter((binding) => !gone.includes(binding)),
          changes: gone.map((binding) => ({ type: 'removed', binding, reason })),
        };
      }),
    );
    return removed;
  }

  take(incoming: IncomingRequest): boolean | Promise<boolean> {
    if (incoming.request.method !== 'REGISTER') return false;
    if (this.#closed) {
      incoming.respond(503);
      return true;
    }
    return this.#take(incoming);
  }

  async #take(incoming: IncomingRequest): Promise<boolean> {
    const { tenantId, request } = incoming;
    const aor = registeredAor(request);
    if (!this.#options.servesDomain(tenantId, normalizeHost(aor.host))) {
      incoming.respond(404, { once: true });
      return true;
    }
    // A request without credentials is challenged whatever came before it.
    if (request.headers.has('Authorization'))
      await this.#service.inOrder(tenantId, aor.user ?? '', () => this.#register(incoming, aor));
    else await this.#authenticate(incoming, aor);
    return true;
  }

  async #register(incoming: IncomingRequest, aor: SipUri): Promise<void> {
    const extension = await this.#authenticate(incoming, aor);
    if (extension === undefined) return;
    const wish = readRegister(incoming);
    if (wish.path.length > 0 && !this.#mayHavePath(incoming)) {
      refuse(incoming, { kind: 'path-without-support' });
      return;
    }
    if (wish.outbound === 'lacking') {
      refuse(incoming, { kind: 'first-hop-lacks-outbound' });
      return;
    }
    const outcome = await this.#apply(incoming.tenantId, extension, wish);
    if (outcome === undefined) refuse(incoming, { kind: 'store-failed' });
    else if (outcome.kind === 'refused') {
      if (outcome.refusal.kind === 'full') this.#refusedFull++;
      if (outcome.refusal.kind === 'too-many') this.#refusedContacts++;
      refuse(incoming, outcome.refusal);
    } else {
      const keepsFlow = wish.outbound === 'announced' && this.#keepsAlive(wish);
      incoming.respond(200, { headers: acceptHeaders(outcome, wish, this.#clock.wallTime(), keepsFlow) });
    }
  }

  /** RFC 5626 §5.4: somebody answers the pings: the edge proxy, our connections, or the UDP sockets where they do. */
  #keepsAlive({ path, flow }: RegisterWish): boolean {
    return path.length > 0 || flow.protocol !== 'udp' || this.#options.stunKeepAlive === true;
  }

  /** The extension that may change these bindings (§10.3 steps 3 and 4), or undefined when the request has been answered. */
  async #authenticate(incoming: IncomingRequest, aor: SipUri): Promise<Extension | undefined> {
    const { challenger, directory, realmOf, servesDomain, logger } = this.#options;
    const { tenantId, request } = incoming;
    const realm = realmOf(tenantId);
    const named = await directory.find(tenantId, aor.user ?? '');
    const own = named?.enabled === false ? undefined : named?.digest;
    const algorithms = own === undefined ? {} : { algorithms: own };
    let extension: Extension | undefined;
    const options: VerifyOptions = {
      kind: 'www',
      tenantId,
      realm,
      ...algorithms,
      acceptsUri: (uri) => uri.kind === 'sip' && servesDomain(tenantId, normalizeHost(uri.host)),
      lookup: async (username) => {
        const found = username === aor.user ? named : await directory.find(tenantId, username);
        if (found === undefined || found.enabled === false) return undefined;
        if (found.secret.realm !== realm) {
          logger.warn(
            { tenantId, number: username },
            `its secret is of realm "${found.secret.realm}", expected "${realm}"`,
          );
          return undefined;
        }
        extension = found;
        return found.secret;
      },
    };
    const verdict = await challenger.verify(request, options);
    if (verdict.kind === 'malformed') {
      incoming.respond(verdict.status, { once: true, reason: verdict.reason });
      return undefined;
    }
    if (verdict.kind === 'challenge') {
      if (verdict.cause !== 'missing') this.#refused(incoming, aor, verdict.username ?? '', verdict.cause);
      incoming.respond(401, {
        once: true,
        headers: challenger.challengeHeaders({ kind: 'www', tenantId, realm, stale: verdict.stale, ...algorithms }),
      });
      return undefined;
    }
    if (extension === undefined || verdict.username !== aor.user) {
      this.#refused(incoming, aor, verdict.username, 'not-owner');
      incoming.respond(403);
      return undefined;
    }
    return extension;
  }

  /** What became of the wish; undefined when the store failed and nothing has changed. */
  async #apply(tenantId: TenantId, extension: Extension, wish: RegisterWish): Promise<RegisterOutcome | undefined> {
    const { number, maxContacts = this.#policy.maxContacts } = extension;
    const policy = Object.assign({}, this.#policy, { maxContacts });
    try {
      const outcome = await this.#service.change(tenantId, number, (live) =>
        this.#withinLimit(tenantId, live, applyRegister(live, wish, policy, this.#clock.wallTime())),
      );
      if (outcome.kind === 'applied') this.#rememberConnection({ tenantId, user: number }, wish, outcome.granted);
      return outcome;
    } catch (error) {
      this.#options.logger.error({ err: error, tenantId, callId: wish.callId }, `REGISTER failed: ${errorText(error)}`);
      return undefined;
    }
  }

  /** For as long as the registration that came by it lasts. */
  #rememberConnection(owner: Owner, { flow }: RegisterWish, granted: ReadonlyMap<Binding, number>): void {
    const seconds = Math.max(0, ...granted.values());
    if (flow.connectionId === undefined || seconds === 0) return;
    const now = this.#options.scheduler.now();
    const endsWithIt = [...granted.keys()].some(isOwnFlow);
    this.#connections.remember(flow.connectionId, now + seconds * 1000, now, endsWithIt ? owner : undefined);
  }

  #withinLimit(tenantId: TenantId, live: readonly Binding[], outcome: RegisterOutcome): RegisterOutcome {
    if (outcome.kind === 'refused') return outcome;
    const more = outcome.bindings.length - live.length;
    const fits = more <= 0 || this.#service.sizeOf(tenantId) + more <= this.#maxBindings;
    return fits ? outcome : { kind: 'refused', refusal: { kind: 'full' } };
  }

  #mayHavePath(incoming: IncomingRequest): boolean {
    if (this.#options.pathWithoutSupport === 'accept') return true;
    return supports(incoming.request, 'path');
  }

  #refused(
    incoming: IncomingRequest,
    aor: SipUri,
    username: string,
    cause: RegistrarEvents['credentials.refused']['cause'],
  ): void {
    const { tenantId, source } = incoming;
    const aorText = `${aor.user}@${aor.host}`;
    this.#events.emit('credentials.refused', { tenantId, aor: aorText, username, cause, remote: source.remote });
  }

  #tell(tenantId: TenantId, change: BindingChange): void {
    const { binding } = change;
    const event = { tenantId, aor: binding.aor, binding };
    if (change.type === 'removed') this.#events.emit('binding.removed', { reason: change.reason, ...event });
    else this.#events.emit(`binding.${change.type}`, event);
  }
}
