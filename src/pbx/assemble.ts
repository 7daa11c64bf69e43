import { AddressSet } from '../base/address-set.js';
import { Disposer } from '../base/disposer.js';
import { errorText } from '../base/errors.js';
import { TypedEmitter } from '../base/events.js';
import { normalizeHost } from '../base/ip.js';
import { type Logger, silentLogger } from '../base/logger.js';
import { SystemRandom } from '../base/random.js';
import { type Scheduler, SystemScheduler } from '../base/scheduler.js';
import { DEFAULT_TENANT, type TenantId } from '../base/tenant.js';
import { CallService } from '../call/call-service.js';
import type { Router } from '../call/route.js';
import { DialogLayer } from '../dialog/dialog-layer.js';
import type { Directory } from '../directory/directory.js';
import { type ExtensionOptions, extensionFrom } from '../directory/extension.js';
import { MemoryDirectory } from '../directory/memory-directory.js';
import { NatService } from '../nat/nat-service.js';
import { StunServer } from '../nat/stun-server.js';
import { NodeNetwork } from '../net/node-network.js';
import { SubscriptionService } from '../presence/subscription-service.js';
import { sipUri, type Uri } from '../protocol/sip/uri.js';
import { Registrar } from '../registrar/registrar.js';
import { Resolver } from '../resolver/resolver.js';
import { CallerAuthentication } from '../security/caller-authentication.js';
import { memoryStorage } from '../storage/memory-storage.js';
import { TransactionLayer } from '../transaction/layer.js';
import { TransportLayer } from '../transport/layer.js';
import type { TrunkManager } from '../trunk/trunk-manager.js';
import { DigestChallenger } from '../ua/digest-challenger.js';
import { Uas } from '../ua/request-chain.js';
import { Uac } from '../ua/uac.js';
import { admission, rateLimiter } from './admission.js';
import { Callers } from './callers.js';
import { CertificateWatch } from './certificate-watch.js';
import { dialogPolicies } from './dialog-policies.js';
import type { PbxEvents } from './events.js';
import { joinEvents } from './join-events.js';
import { parseListen } from './listen.js';
import type { PbxChanges, PbxOptions } from './options.js';
import { Outside } from './outside.js';
import { PbxMedia } from './pbx-media.js';
import { presentContact } from './present-contact.js';
import { reachedFamilies, spokenProtocols } from './reach.js';
import { RecordJournal } from './record-journal.js';
import { PbxRouter } from './router.js';
import { ServedNumbers } from './served-numbers.js';
import type { PbxStats } from './stats.js';
import { tlsSettings } from './tls-schema.js';

/** The methods that are served, for Allow. */
const ALLOW = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'OPTIONS',
  'PRACK',
  'UPDATE',
  'INFO',
  'REGISTER',
  'REFER',
  'SUBSCRIBE',
  'NOTIFY',
] as const;
/** The option tags that may stand in Require. */
const DIALOG_TAGS = ['replaces', 'norefersub'] as const;
const SUPPORTED = ['path', 'outbound', '100rel', 'timer', ...DIALOG_TAGS] as const;
/** How long `close()` waits for phones to answer the BYE. */
const GOODBYE_MS = 1000;
const DEFAULT_LISTEN = ['udp://0.0.0.0:5060', 'tcp://0.0.0.0:5060'];

/** The modules of a running PBX, joined. */
export interface PbxParts {
  readonly tenantId: TenantId;
  readonly events: TypedEmitter<PbxEvents>;
  readonly transport: TransportLayer;
  readonly registrar: Registrar;
  readonly calls: CallService;
  readonly served: ServedNumbers;
  readonly media: PbxMedia;
  readonly trunks: TrunkManager;
  readonly subscriptions: SubscriptionService;
  stats(): PbxStats;
  start(): Promise<void>;
  drain(): Promise<void>;
  close(): Promise<void>;
  reconfigure(changes: PbxChanges): void;
}

/** Makes every module and joins them; opens nothing. */
export function assemble(options: PbxOptions): PbxParts {
  const tenantId = DEFAULT_TENANT;
  const { domain, limits = {} } = options;
  const logger = options.logger ?? silentLogger;
  const network = options.network ?? new NodeNetwork();
  const random = options.random ?? new SystemRandom();
  const scheduler = options.scheduler ?? systemScheduler(logger);
  const storage = options.storage ?? memoryStorage();
  const configured = new MemoryDirectory(toExtensions(options.extensions ?? [], domain), tenantId);
  const directory: Directory = options.directory ?? configured;
  const names = new Set([domain, ...(options.aliases ?? [])].map(normalizeHost));

  const listen = (options.listen ?? DEFAULT_LISTEN)
    .map((text) => parseListen(text))
    .filter((point) => point !== undefined);
  const tls = tlsSettings(options.tls ?? {});
  const certificates = new CertificateWatch(scheduler, logger);
  const limiter = rateLimiter(options, scheduler);
  const nat = new NatService({
    ...{ network, scheduler, random, logger },
    ...given(options, ['externalAddress', 'localNetworks']),
  });
  const stun =
    options.stun === undefined
      ? undefined
      : new StunServer({
          ...{ network, scheduler, logger, listen: options.stun.listen },
          ...(options.serverName === undefined ? {} : { software: options.serverName }),
        });
  const transport = new TransportLayer({
    network: nat.network,
    scheduler,
    random,
    logger,
    listen,
    tls,
    advisor: options.addressAdvisor ?? nat.advisor,
    ...admission(options.admit, limiter),
    ...(limits.transport === undefined ? {} : { limits: limits.transport }),
    ...(options.serverName === undefined ? {} : { serverName: options.serverName }),
  });
  const isOurs = (host: string): boolean =>
    names.has(normalizeHost(host)) || transport.isLocal(host) || nat.isExternal(host);
  const acceptsUri = (uri: Uri): boolean => uri.kind === 'sip' && isOurs(uri.host);

  const transactions = new TransactionLayer({
    transport,
    scheduler,
    random,
    logger,
    ...(limits.transactions === undefined ? {} : { limits: limits.transactions }),
  });
  const resolver = new Resolver({
    network,
    scheduler,
    random,
    logger,
    protocols: () => spokenProtocols(transport.listening),
    families: () => reachedFamilies(transport.listening),
  });
  const uac = new Uac({
    transactions,
    transport,
    resolver,
    scheduler,
    random,
    logger,
    ...(options.serverName === undefined ? {} : { userAgent: options.serverName }),
  });
  const dialogs = new DialogLayer({
    uac,
    contactFor: (source, user, address) => ({
      uri: sipUri({ user, ...transport.contactFor(source), ...address }),
      params: [],
    }),
    presentContact: (contact) => presentContact(contact, nat),
    scheduler,
    random,
    logger,
    allow: ALLOW,
    supported: DIALOG_TAGS,
    ...dialogPolicies(options.calls),
    ...given(limits, ['maxDialogs', 'maxEarlyDialogs', 'maxEarlyDialogsInAll']),
  });
  const challenger = new DigestChallenger({
    clock: scheduler,
    random,
    ...(options.digest === undefined ? {} : { algorithms: options.digest }),
    ...(options.nonceSecret === undefined ? {} : { secret: options.nonceSecret }),
    ...given(limits, ['maxNonces']),
  });
  const registrar = new Registrar({
    records: storage.records,
    directory,
    challenger,
    scheduler,
    logger,
    realmOf: () => domain,
    servesDomain: (_tenant, host) => isOurs(host),
    tenants: () => [tenantId],
    stunKeepAlive: true,
    ...(options.registration === undefined ? {} : { expiry: options.registration }),
    ...(options.registration?.maxContacts === undefined ? {} : { maxContacts: options.registration.maxContacts }),
    ...given(limits, ['maxBindings']),
  });
  const events = new TypedEmitter<PbxEvents>(logger);
  const callers = new CallerAuthentication({
    challenger,
    directory,
    realmOf: () => domain,
    acceptsUri,
    onRefused: (refused) => events.emit('credentials.refused', { ...refused, aor: `${refused.username}@${domain}` }),
  });
  const outside = new Outside({
    ...{ options, tenantId, directory, storage, uac, resolver, scheduler, random, logger, events },
  });
  const { trunks } = outside;
  const media = new PbxMedia(options, {
    ...{ network, scheduler, random, logger, listen },
    advisor: options.addressAdvisor ?? nat.advisor,
  });
  const served = new ServedNumbers((peer) => media.open(peer), options.media?.tones ?? 'us');
  const own = new PbxRouter({
    directory,
    isOurs,
    locate: (tenant, user) => registrar.locate(tenant, user),
    plan: () => outside.plan,
    served: (number) => served.destination(number),
    trunks,
    clock: scheduler,
    random,
    ...(options.outbound?.selection === undefined ? {} : { strategy: options.outbound.selection }),
  });
  const router: Router = options.router === undefined ? own : options.router(own);
  const identifying = new Callers({
    trunks,
    extensions: callers,
    trusted: new AddressSet(options.trustedPeers ?? []),
  });
  const calls = new CallService({
    dialogs,
    router,
    media,
    ...(media.music === undefined ? {} : { music: media.music }),
    scheduler,
    random,
    logger,
    identify: (incoming) => identifying.identify(incoming),
    admit: (tenant, caller) => identifying.admit(tenant, caller),
    occupy: (tenant, via, direction) => trunks.occupy(tenant, via, direction),
    credentialsFor: (tenant, via) => trunks.credentialsFor(tenant, via),
    domainOf: () => domain,
    // Storage of our own ends with the process: nobody could ever read a journal in it.
    ...(options.journal === undefined && options.storage === undefined
      ? {}
      : {
          journal:
            options.journal ??
            new RecordJournal({ records: storage.records, nodeId: options.nodeId ?? 'node', tenants: [tenantId] }),
        }),
    ...options.calls,
  });
  const subscriptions = new SubscriptionService({
    dialogs,
    identify: async (incoming) => (await callers.identify(incoming))?.number,
  });
  // The order in which a request is offered to those who may take it.
  const uas = new Uas({
    transactions,
    logger,
    scheduler,
    allow: ALLOW,
    supported: SUPPORTED,
    schemes: listen.some(({ protocol }) => protocol === 'tls') ? ['sip', 'sips', 'tel'] : ['sip', 'tel'],
    ...(limits.requests === undefined ? {} : { limits: limits.requests }),
    takers: [dialogs, registrar, subscriptions, calls],
    // Some carriers write their own domain into the Request-URI.
    tenantOf: ({ uri }, source) =>
      uri.kind !== 'sip' || isOurs(uri.host) || trunks.isPeer(source.remote.address) ? tenantId : undefined,
    ...(options.serverName === undefined ? {} : { server: options.serverName }),
  });

  joinEvents({ events, transport, registrar, calls, trunks, media, nat });

  return {
    tenantId,
    events,
    transport,
    registrar,
    calls,
    served,
    media,
    trunks,
    subscriptions,
    stats: () => ({
      transport: transport.stats(),
      transactions: transactions.stats(),
      requests: uas.stats(),
      dialogs: {
        live: dialogs.size,
        pendingInvites: dialogs.pendingInvites,
        early: dialogs.early.live,
        refusedEarly: dialogs.early.refused,
      },
      calls: calls.stats(),
      registrations: registrar.stats(),
      nonces: challenger.nonces,
      media: media.stats(),
      ...(limiter === undefined ? {} : { rate: limiter.stats() }),
      ...(stun === undefined ? {} : { stun: stun.stats() }),
      ...(nat.discovered.length === 0 ? {} : { externalAddresses: nat.discovered }),
    }),
    start: async () => {
      await storage.open?.();
      await registrar.start();
      const restored = await calls.restore();
      await transport.start();
      await stun?.start();
      certificates.watch(tls.certificates ?? []);
      // Before lines register: their carriers are told where we are.
      await nat.start();
      await outside.start();
      if (restored > 0) logger.info({ calls: restored }, 'established calls were taken over');
      calls.probeRestored();
    },
    drain: () => calls.drain(),
    close: async () => {
      const closing = new Disposer();
      closing.add(() => events.removeAll());
      closing.add(() => storage.close());
      closing.add(() => registrar.close());
      closing.add(() => transport.close());
      closing.add(() => stun?.close());
      closing.add(() => nat.close());
      closing.add(() => certificates.close());
      closing.add(() => resolver.close());
      closing.add(() => transactions.close());
      closing.add(() => media.close());
      closing.add(() => dialogs.close());
      closing.add(() => outside.close());
      closing.add(() => calls.settled());
      closing.add(() => dialogs.idle(GOODBYE_MS));
      closing.add(() => subscriptions.close());
      closing.add(() => calls.endAll());
      await closing.dispose();
    },
    reconfigure: (changes) => {
      // First what may still fail.
      outside.reconfigure(changes);
      media.reconfigure(changes);
      if (changes.tls !== undefined) {
        const next = tlsSettings(changes.tls);
        transport.reconfigure({ tls: next });
        certificates.watch(next.certificates ?? []);
      }
      if (changes.extensions !== undefined) {
        configured.replaceAll(tenantId, toExtensions(changes.extensions, domain));
      }
      if (changes.calls !== undefined) {
        calls.reconfigure(changes.calls);
        dialogs.reconfigure(dialogPolicies(changes.calls));
      }
    },
  };
}

/** Those of the options that are given, for a module that has defaults of its own. */
function given<T extends object, Name extends keyof T>(options: T, names: readonly Name[]): Pick<T, Name> {
  const entries = names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]] as const]));
  return Object.fromEntries(entries) as Pick<T, Name>;
}

function toExtensions(extensions: readonly ExtensionOptions[], domain: string) {
  return extensions.map((extension) => extensionFrom(extension, domain));
}

function systemScheduler(logger: Logger): Scheduler {
  return new SystemScheduler({
    onError: (error) => logger.error({ err: error }, `a timed task failed: ${errorText(error)}`),
  });
}
