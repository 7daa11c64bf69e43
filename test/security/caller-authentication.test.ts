import { describe, expect, test } from 'vitest';
import { DEFAULT_TENANT } from '../../src/base/tenant.js';
import type { Directory } from '../../src/directory/directory.js';
import type { Extension } from '../../src/directory/extension.js';
import { extensionFrom } from '../../src/directory/extension.js';
import { CallerAuthentication, type RefusedCaller } from '../../src/security/caller-authentication.js';
import type { World } from '../../src/testing/world.js';
import { TransactionLayer } from '../../src/transaction/layer.js';
import { TransportLayer } from '../../src/transport/layer.js';
import { DigestChallenger } from '../../src/ua/digest-challenger.js';
import { Uas } from '../../src/ua/request-chain.js';
import { officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';
import { runScenario } from '../support/scenario.js';

const EXTENSIONS = [
  { number: '100', password: 'secret-100' },
  { number: '101', password: 'secret-101', enabled: false },
  { number: '102', password: 'secret-102', digest: ['SHA-256'] as const },
];

/** The authentication behind a bare server: what it accepts is answered 200 with the number. */
async function served(world: World, options: { readonly slow?: boolean } = {}) {
  const { network, scheduler, random, logger } = world.ports;
  const listen = [{ protocol: 'udp', host: '192.0.2.1', port: 5060 }] as const;
  const transport = world.use(new TransportLayer({ network, scheduler, random, logger, listen }));
  const transactions = world.use(new TransactionLayer({ transport, scheduler, random, logger }));
  const found = new Map<string, Extension>(
    EXTENSIONS.map((each) => [each.number, extensionFrom(each, 'office.test')] as const),
  );
  const directory: Directory = {
    find: (tenantId, number) =>
      new Promise((resolve) => {
        const value = tenantId === DEFAULT_TENANT ? found.get(number) : undefined;
        if (options.slow === true) scheduler.after(1000, () => resolve(value));
        else resolve(value);
      }),
    list: async () => [...found.values()],
  };
  const refused: RefusedCaller[] = [];
  const callers = new CallerAuthentication({
    challenger: new DigestChallenger({ clock: scheduler, random }),
    directory,
    realmOf: () => 'office.test',
    acceptsUri: () => false,
    onRefused: (each) => refused.push(each),
  });
  const identified: (string | undefined)[] = [];
  new Uas({
    transactions,
    logger,
    scheduler,
    allow: ['INVITE', 'ACK', 'CANCEL', 'OPTIONS'],
    supported: [],
    tenantOf: () => DEFAULT_TENANT,
    takers: [
      {
        name: 'test',
        take: async (incoming) => {
          const extension = await callers.identify(incoming);
          identified.push(extension?.number);
          if (extension !== undefined) incoming.respond(486);
          return true;
        },
      },
    ],
  });
  await world.run(() => transport.start());
  const peer = await RawPeer.open(world);
  return { peer, refused, identified };
}

describe('who may call (RFC 3261 §22.3)', () => {
  test('a caller without credentials is challenged with 407; that is no guess', () =>
    runScenario({ seed: 1, delayMs: 5 }, async (world) => {
      const { peer, refused, identified } = await served(world);
      const raw = peer.dial('101', { from: '<sip:100@office.test>' });
      const challenge = await peer.expect('407 INVITE');
      expect(challenge.header('Proxy-Authenticate')).toMatch(/^Digest .*realm="office\.test"/);
      expect([refused, identified]).toEqual([[], [undefined]]);
      raw.authorize(challenge, '100', 'secret-100');
      await peer.expect('486 INVITE');
      expect(identified).toEqual([undefined, '100']);
    }));

  for (const [what, username, password] of [
    ['a wrong password', '100', 'wrong'],
    ['a user who does not exist', '777', 'secret-100'],
    ['an extension that is switched off', '101', 'secret-101'],
  ] as const) {
    test(`${what}: a new challenge, and it is told with the address it came from`, () =>
      runScenario({ seed: 2, delayMs: 5 }, async (world) => {
        const { peer, refused, identified } = await served(world);
        const raw = peer.dial('101', { from: `<sip:${username}@office.test>` });
        const first = await peer.expect('407 INVITE');
        raw.authorize(first, username, password);
        const second = await peer.expect('407 INVITE');
        raw.ackFailure(second);
        expect(second.header('Proxy-Authenticate')).not.toBe(first.header('Proxy-Authenticate'));
        expect(second.header('Proxy-Authenticate')).not.toContain('stale=true');
        expect(refused).toEqual([
          { tenantId: DEFAULT_TENANT, username, cause: 'wrong', remote: { address: '10.1.0.1', port: 5060 } },
        ]);
        expect(identified).toEqual([undefined, undefined]);
      }));
  }

  test('an extension with algorithms of its own is challenged with those', () =>
    runScenario({ seed: 3, delayMs: 5 }, async (world) => {
      const { peer } = await served(world);
      const raw = peer.dial('101', { from: '<sip:102@office.test>' });
      const challenge = await peer.expect('407 INVITE');
      expect(challenge.all('Proxy-Authenticate')).toHaveLength(1);
      expect(challenge.header('Proxy-Authenticate')).toContain('algorithm=SHA-256');
      raw.ackFailure(challenge);
    }));

  test('RFC 7616 §3.4: credentials for another Request-URI are refused', () =>
    runScenario({ seed: 4, delayMs: 5 }, async (world) => {
      const { peer, identified } = await served(world);
      const raw = peer.dial('101', { from: '<sip:100@office.test>' });
      const challenge = await peer.expect('407 INVITE');
      raw.authorize(challenge, '100', 'secret-100', { uri: 'sip:999@office.test' });
      const refused = await peer.expect((message) => message.cseq === 2 && (message.status ?? 0) >= 400);
      expect([400, 407]).toContain(refused.status);
      expect(identified).toEqual([undefined, undefined]);
    }));

  test('§9.2: a caller who cancels while the directory is asked gets 487 alone', () =>
    runScenario({ seed: 5, delayMs: 5 }, async (world) => {
      const { peer, identified } = await served(world, { slow: true });
      const raw = peer.dial('101', { from: '<sip:100@office.test>' });
      await world.advance({ ms: 300 });
      raw.cancel();
      await peer.expect('487 INVITE');
      await world.advance({ seconds: 5 });
      expect(peer.heard.filter((each) => each === '407 INVITE')).toEqual([]);
      expect(identified).toEqual([undefined]);
    }));
});

describe('through the PBX', () => {
  officeScenario(
    'From may say what it likes: the record and the callee see who authenticated',
    {},
    async (office, world) => {
      const bob = await office.registered('101');
      const peer = await RawPeer.open(world);
      const raw = peer.dial('101', { from: '"The Boss" <sip:102@office.test>' });
      raw.authorize(await peer.expect(407), '100', 'secret-100');
      await world.until(bob.ringing);
      expect(bob.calls[0]?.invite.request.from).toMatchObject({ displayName: 'Person 100', uri: { user: '100' } });
      raw.cancel({ uri: 'sip:101@office.test' });
      await peer.expect('487 INVITE');
      await office.quiet();
      expect(office.record).toMatchObject({ caller: '100' });
    },
  );

  officeScenario('guesses are told as events with their address', {}, async (office, world) => {
    const told: unknown[] = [];
    office.pbx.on('credentials.refused', (event) => told.push(event));
    const alice = await office.phone('100', { password: 'wrong' });
    const call = alice.call('101');
    await world.until(call.ended());
    expect(told).toMatchObject([
      { username: '100', aor: '100@office.test', cause: 'wrong', remote: { address: '10.0.0.1', port: 5060 } },
    ]);
    await office.quiet();
  });
});
