/** External lines at Kamailio as a carrier: registrar and proxy with digest. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Disposer } from '../../src/base/disposer.js';
import { silentLogger } from '../../src/base/logger.js';
import { SystemRandom } from '../../src/base/random.js';
import { SystemScheduler } from '../../src/base/scheduler.js';
import { NodeNetwork } from '../../src/net/node-network.js';
import { createRequest } from '../../src/protocol/sip/message.js';
import { Resolver } from '../../src/resolver/resolver.js';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import { TransactionLayer } from '../../src/transaction/layer.js';
import { TransportLayer } from '../../src/transport/layer.js';
import type { InboundPeer } from '../../src/trunk/inbound.js';
import type { LineOptions } from '../../src/trunk/line-options.js';
import { TrunkManager } from '../../src/trunk/trunk-manager.js';
import { Uas } from '../../src/ua/request-chain.js';
import { Uac } from '../../src/ua/uac.js';
import { Kamailio } from './support/kamailio.js';
import { Lab } from './support/lab.js';
import { freeSipPort } from './support/ports.js';
import { anyPossible, interopTest } from './support/programs.js';
import { until } from './support/recorded.js';
import { extensions, passwordOf } from './support/server.js';

const TENANT = 'default';
const DOMAIN = 'carrier.test';
const NEEDS = ['kamailio'] as const;

/** A stack on real sockets with a TrunkManager on it; MESSAGEs that come in are answered 200 and kept with what they came in on. */
async function office(suspendAfterRefusals = 5) {
  const random = new SystemRandom();
  const logger = silentLogger;
  const failures: unknown[] = [];
  const scheduler = new SystemScheduler({ onError: (error) => failures.push(error) });
  const network = new NodeNetwork();
  const at = { host: '127.0.0.1', port: await freeSipPort() };
  const listen = [
    { protocol: 'udp', ...at },
    { protocol: 'tcp', ...at },
  ] as const;
  const transport = new TransportLayer({ network, scheduler, random, logger, listen });
  const transactions = new TransactionLayer({ transport, scheduler, random, logger });
  const resolver = new Resolver({ network, scheduler, random, logger });
  const uac = new Uac({ transactions, resolver, transport, scheduler, random, logger });
  const suspendAfter = { refusals: suspendAfterRefusals };
  const records = new MemoryRecords();
  const trunks = new TrunkManager({ uac, resolver, records, scheduler, random, logger, suspendAfter });
  const told: string[] = [];
  for (const name of ['line.registered', 'line.failed', 'line.suspended', 'line.unregistered'] as const) {
    trunks.on(name, ({ line }) => told.push(`${name} ${line}`));
  }
  const received: (InboundPeer | undefined)[] = [];
  new Uas({
    transactions,
    logger,
    scheduler,
    allow: ['MESSAGE'],
    supported: [],
    tenantOf: () => TENANT,
    takers: [
      {
        name: 'office',
        take: (incoming) => {
          received.push(trunks.identify(incoming.request, incoming.source));
          incoming.respond(200);
          return true;
        },
      },
    ],
  });
  await transport.start();
  const closing = new Disposer();
  closing.add(() => transport.close());
  closing.add(() => resolver.close());
  closing.add(() => transactions.close());
  closing.add(() => trunks.close());
  /** By that line to that number; the status. */
  const message = async (line: string, number: string): Promise<number> => {
    const selected = trunks.select(TENANT, { names: [line], number }).next() ?? expect.fail(`${line} is not up`);
    const { uri } = selected.target;
    const request = createRequest({
      method: 'MESSAGE',
      uri,
      headers: {
        From: `<sip:${line}@${DOMAIN}>;tag=${random.token(64)}`,
        To: { uri, params: [] },
        'Call-ID': random.token(),
        CSeq: { sequence: 1, method: 'MESSAGE' },
      },
      body: 'hello',
      contentType: 'text/plain',
    });
    const result = await uac.request(request, selected.target);
    selected.target.lease?.release('answered');
    return result.kind === 'response' ? result.response.status : 0;
  };
  return { trunks, told, received, message, failures, close: () => closing.dispose() };
}

describe('external lines at Kamailio (registrar and proxy with digest)', () => {
  const lab = new Lab();
  let kamailio: Kamailio;
  beforeAll(async () => {
    if (!anyPossible(NEEDS)) return;
    kamailio = await Kamailio.create(lab, { extensions: extensions(600, 4), domain: DOMAIN });
    await kamailio.start();
  });
  afterAll(() => lab.close());

  const line = (number: number, more: Partial<LineOptions> = {}): LineOptions => ({
    name: `${number}`,
    server: `127.0.0.1:${kamailio.port}`,
    domain: DOMAIN,
    username: `${number}`,
    password: passwordOf(number),
    ...more,
  });

  interopTest(
    'register by UDP and TCP, call out with credentials, are called by their token, and take leave',
    { needs: NEEDS },
    async () => {
      const { trunks, told, received, message, failures, close } = await office();
      try {
        const tcp = line(601, { server: `sip:127.0.0.1:${kamailio.port};transport=tcp` });
        await trunks.configure(TENANT, { lines: [line(600), tcp] });
        await until(() => told.length === 2, 'both lines are registered');
        expect([...told].sort()).toEqual(['line.registered 600', 'line.registered 601']);
        expect([await message('601', '600'), await message('600', '601')]).toEqual([200, 200]);
        expect(received).toMatchObject([
          { name: '600', certainty: 'token', fromPeer: true, transit: 'never' },
          { name: '601', certainty: 'token', fromPeer: true, transit: 'never' },
        ]);
        await trunks.remove(TENANT, '600');
        expect(told.at(-1)).toBe('line.unregistered 600');
        expect(await message('601', '600')).toBe(404);
        expect(failures).toEqual([]);
      } finally {
        await close();
      }
    },
  );

  interopTest(
    'a wrong password is suspended and nothing leaks; the right one registers',
    { needs: NEEDS },
    async () => {
      const { trunks, told, close } = await office(1);
      try {
        await trunks.configure(TENANT, { lines: [line(602, { password: 'wrong' })] });
        await until(() => told.length === 1, 'the line is suspended');
        expect(trunks.lines(TENANT)[0]?.state).toMatchObject({
          kind: 'suspended',
          fault: { kind: 'wrong-password', status: 401 },
        });
        await trunks.configure(TENANT, { lines: [line(602)] });
        await until(() => told.length === 2, 'the line is registered');
        expect(told).toEqual(['line.suspended 602', 'line.registered 602']);
      } finally {
        await close();
      }
    },
  );
});
