/**
 * The server under test: the modules of a PBX joined as `createPbx` joins them, but calls need no password (as those of a trunk) and all
 * go to one place, so that it does what the proxies beside it do.
 */
import { silentLogger } from '../../../src/base/logger.js';
import { SystemRandom } from '../../../src/base/random.js';
import type { Scheduler } from '../../../src/base/scheduler.js';
import { DEFAULT_TENANT } from '../../../src/base/tenant.js';
import { CallService } from '../../../src/call/call-service.js';
import { DialogLayer } from '../../../src/dialog/dialog-layer.js';
import { extensionFrom } from '../../../src/directory/extension.js';
import { MemoryDirectory } from '../../../src/directory/memory-directory.js';
import type { Network } from '../../../src/net/network.js';
import { RecordJournal } from '../../../src/pbx/record-journal.js';
import { parseUri, sipUri } from '../../../src/protocol/sip/uri.js';
import { Registrar } from '../../../src/registrar/registrar.js';
import { Resolver } from '../../../src/resolver/resolver.js';
import type { Storage } from '../../../src/storage/storage.js';
import { TransactionLayer } from '../../../src/transaction/layer.js';
import { TransportLayer } from '../../../src/transport/layer.js';
import { DigestChallenger } from '../../../src/ua/digest-challenger.js';
import { Uas } from '../../../src/ua/request-chain.js';
import type { Target } from '../../../src/ua/target.js';
import { Uac } from '../../../src/ua/uac.js';
import { RINGING, type ServerOptions } from './server-options.js';

const ALLOW = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER'];

/** What a stack stands on. */
export interface Ground {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly storage: Storage;
}

/** The parts that a benchmark looks at. */
export interface Stack {
  readonly transport: TransportLayer;
  readonly transactions: TransactionLayer;
  readonly dialogs: DialogLayer;
  readonly registrar: Registrar;
  readonly calls: CallService;
}

/** Joins the modules and opens them. */
export async function startStack(ground: Ground, options: ServerOptions): Promise<Stack> {
  const { network, scheduler, storage } = ground;
  const { host, port, domain } = options;
  const { records } = storage;
  const logger = silentLogger;
  const random = new SystemRandom();
  const extensions = Array.from({ length: options.users }, (_, i) =>
    extensionFrom({ number: String(10_000 + i), password: options.password }, domain),
  );
  const directory = new MemoryDirectory(extensions, DEFAULT_TENANT);

  const transport = new TransportLayer({
    network,
    scheduler,
    random,
    logger,
    listen: [{ protocol: 'udp', host, port }],
  });
  const isOurs = (name: string): boolean => name === domain || transport.isLocal(name);
  const transactions = new TransactionLayer({ transport, scheduler, random, logger });
  const uac = new Uac({
    transactions,
    transport,
    resolver: new Resolver({ network, scheduler, logger }),
    scheduler,
    random,
    logger,
  });
  const dialogs = new DialogLayer({
    uac,
    contactFor: (source, user) => ({ uri: sipUri({ user, ...transport.contactFor(source) }), params: [] }),
    scheduler,
    random,
    logger,
    allow: ALLOW,
  });
  const registrar = new Registrar({
    records,
    directory,
    challenger: new DigestChallenger({ clock: scheduler, random }),
    scheduler,
    logger,
    realmOf: () => domain,
    servesDomain: (_tenant, name) => isOurs(name),
    tenants: () => [DEFAULT_TENANT],
  });
  const answering: Target = { uri: parseUri(options.calledUri), policy: { peer: 'phone' } };
  const ringing: Target = { uri: parseUri(options.ringingUri), policy: { peer: 'phone' } };
  const calls = new CallService({
    dialogs,
    router: {
      next: ({ called }, last) =>
        Promise.resolve(
          last === undefined
            ? { kind: 'targets', targets: [called === RINGING ? ringing : answering], called }
            : { kind: 'reject', status: last.status },
        ),
    },
    scheduler,
    random,
    logger,
    identify: (incoming) => {
      const { uri } = incoming.request.from;
      return Promise.resolve({ party: { number: uri.kind === 'sip' ? (uri.user ?? '') : '' } });
    },
    domainOf: () => domain,
    // As createPbx does: storage that ends with the process has no journal.
    ...(options.lmdb === undefined
      ? {}
      : { journal: new RecordJournal({ records, nodeId: 'bench', tenants: [DEFAULT_TENANT] }) }),
    maxCalls: 100_000,
  });
  new Uas({
    transactions,
    logger,
    scheduler,
    allow: ALLOW,
    supported: ['path'],
    takers: [dialogs, registrar, calls],
    tenantOf: (request) => (request.uri.kind !== 'sip' || isOurs(request.uri.host) ? DEFAULT_TENANT : undefined),
  });

  await storage.open?.();
  await registrar.start();
  await transport.start();
  return { transport, transactions, dialogs, registrar, calls };
}
