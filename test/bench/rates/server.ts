/**
 * The server under test: the modules of a PBX joined as `createPbx` joins them, but calls need no password (as those of a trunk) and all
 * go to one place, so that it does what the proxies beside it do. Answers questions about itself over the channel to its parent.
 */
import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { silentLogger } from '../../../src/base/logger.js';
import { SystemRandom } from '../../../src/base/random.js';
import { SystemScheduler } from '../../../src/base/scheduler.js';
import { DEFAULT_TENANT } from '../../../src/base/tenant.js';
import { CallService } from '../../../src/call/call-service.js';
import { DialogLayer } from '../../../src/dialog/dialog-layer.js';
import { extensionFrom } from '../../../src/directory/extension.js';
import { MemoryDirectory } from '../../../src/directory/memory-directory.js';
import { PassThroughEngine } from '../../../src/media/pass-through-engine.js';
import { NodeNetwork } from '../../../src/net/node-network.js';
import { RecordJournal } from '../../../src/pbx/record-journal.js';
import { parseUri, sipUri } from '../../../src/protocol/sip/uri.js';
import { Registrar } from '../../../src/registrar/registrar.js';
import { Resolver } from '../../../src/resolver/resolver.js';
import { lmdb } from '../../../src/storage/lmdb/index.js';
import { memoryStorage } from '../../../src/storage/memory-storage.js';
import type { Storage } from '../../../src/storage/storage.js';
import { TransactionLayer } from '../../../src/transaction/layer.js';
import { TransportLayer } from '../../../src/transport/layer.js';
import { DigestChallenger } from '../../../src/ua/digest-challenger.js';
import { Uas } from '../../../src/ua/request-chain.js';
import type { Target } from '../../../src/ua/target.js';
import { Uac } from '../../../src/ua/uac.js';
import { type Holdings, type LoopDelay, type Memory, RINGING, type ServerOptions } from './server-options.js';

const ALLOW = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER'];

const options = JSON.parse(process.argv[2] ?? '{}') as ServerOptions;
const { host, port, domain } = options;
const logger = silentLogger;
const random = new SystemRandom();
const scheduler = new SystemScheduler({ onError: (error) => console.error(error) });
const network = new NodeNetwork();
const storage: Storage = options.lmdb === undefined ? memoryStorage() : lmdb({ path: options.lmdb });
const { records } = storage;
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
  media: new PassThroughEngine(),
  scheduler,
  random,
  logger,
  identify: (incoming) => {
    const { uri } = incoming.request.from;
    return Promise.resolve({ number: uri.kind === 'sip' ? (uri.user ?? '') : '' });
  },
  domainOf: () => domain,
  journal: new RecordJournal({ records, nodeId: 'bench', tenants: [DEFAULT_TENANT] }),
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

let delay: IntervalHistogram | undefined;
let profile: Session | undefined;

const answers: Readonly<Record<string, (detail: unknown) => unknown>> = {
  memory: memoryNow,
  holdings: holdingsNow,
  'delay-start': () => {
    delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
  },
  'delay-stop': (): LoopDelay => {
    delay?.disable();
    const ms = (nanoseconds: number): number => Math.round(nanoseconds / 1e4) / 100;
    return { p50: ms(delay?.percentile(50) ?? 0), p99: ms(delay?.percentile(99) ?? 0), max: ms(delay?.max ?? 0) };
  },
  'profile-start': async () => {
    profile = new Session();
    profile.connect();
    await profile.post('Profiler.enable');
    await profile.post('Profiler.setSamplingInterval', { interval: 200 });
    await profile.post('Profiler.start');
  },
  /** Writes a .cpuprofile to the file that `detail` names. */
  'profile-stop': async (file) => {
    const result = await profile?.post('Profiler.stop');
    profile?.disconnect();
    await writeFile(String(file), JSON.stringify(result?.profile));
  },
};

function memoryNow(): Memory {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + external, residentBytes: rss };
}

async function holdingsNow(): Promise<Holdings> {
  const journal = await records.scan(`${DEFAULT_TENANT}/calls`, { limit: 100_000 });
  return {
    calls: calls.calls.length,
    dialogs: dialogs.size,
    transactions: transactions.size,
    bindings: registrar.size,
    timers: scheduler.pending,
    handles: process.getActiveResourcesInfo().length,
    records: journal.length,
  };
}

process.on('message', ({ id, question, detail }: { id: number; question: string; detail: unknown }) => {
  void Promise.resolve(answers[question]?.(detail)).then((answer) => process.send?.({ id, answer }));
});
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));

await storage.open?.();
await registrar.start();
await transport.start();
