/** Lines at carriers that answer anything, over a wire that loses and repeats: what holds whatever they do. */
import { describe, expect, test } from 'vitest';
import type { World } from '../../src/testing/world.js';
import type { LineOptions } from '../../src/trunk/line-options.js';
import { runScenario } from '../support/scenario.js';
import { type Reply, registersOf, scriptedRegistrar, trunkStack } from '../support/trunks.js';

const TENANT = 'default';
const HOUR_MS = 3_600_000;
const LINES: readonly LineOptions[] = [
  { name: 'plain', server: '198.51.100.1', username: '1', password: 'a' },
  { name: 'new-call-id', server: '198.51.100.1', username: '2', password: 'b', callId: 'new', expiresSeconds: 60 },
  { name: 'fixed', server: '198.51.100.1', username: '3', password: 'c', rewriteContact: false },
];

const CHALLENGE = 'WWW-Authenticate: Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"';

/** Anything that a carrier has been seen to say, but for what suspends a line at once. */
function anyReply(world: World): Reply | undefined {
  const { random } = world;
  const replies: (Reply | undefined)[] = [
    undefined,
    { status: 100 },
    { status: 200, grantSeconds: 60 + random.integer(600) },
    { status: 200, grantSeconds: 60 + random.integer(600) },
    { status: 200, contact: '<sip:somebody@192.0.2.200>;expires=90' },
    { status: 200, contact: '<<broken', headers: ['Expires: 61', 'Service-Route: ;;'] },
    { status: 401, headers: [CHALLENGE] },
    {
      status: 407,
      headers: [CHALLENGE.replace('WWW', 'Proxy').replace('"n"', `"n${random.integer(99)}", stale=true`)],
    },
    { status: 423, headers: [`Min-Expires: ${60 + random.integer(4000)}`] },
    { status: 500 },
    { status: 503, headers: [`Retry-After: ${random.integer(900)}`] },
    { status: 480 },
  ];
  return replies[random.integer(replies.length)];
}

describe('whatever a carrier does', () => {
  test.each(Array.from({ length: 25 }, (_, i) => i + 1))(
    'it is not hammered, and has its lines back when it behaves (seed %i)',
    async (seed) => {
      await runScenario({ seed, loss: 0.05, duplicate: 0.02, delayMs: [1, 80] }, async (world) => {
        let wild = true;
        const nat = world.nat({ publicAddress: '203.0.113.1', kind: seed % 2 === 0 ? 'port-restricted' : 'symmetric' });
        const machine = world.host('office', '192.168.1.2', { behind: nat });
        const carrier = await scriptedRegistrar(world, () =>
          wild ? anyReply(world) : { status: 200, grantSeconds: 600 },
        );
        // Refusals are a part of the noise here: only the waits are looked at.
        const { trunks, told } = await trunkStack(world, { machine, suspendAfter: { refusals: 1000 } });
        await world.run(() => trunks.configure(TENANT, { lines: LINES }));
        await world.advance({ minutes: 180 });
        wild = false;
        await world.advance({ minutes: 70 });
        expect(trunks.lines(TENANT).map(({ name, state }) => `${name} ${state.kind}`)).toEqual([
          'plain registered',
          'new-call-id registered',
          'fixed registered',
        ]);

        const all = registersOf(carrier);
        for (let user = 1; user <= 3; user++) {
          const own = all.filter((each) => each.header('To')?.includes(`sip:${user}@`) === true);
          // An attempt is six requests at most (two corrections, each challenged and stale), and attempts are 21 s apart at the least.
          const times = own.map(({ at }) => at);
          expect(times.length).toBeGreaterThan(25);
          times.forEach((at, i) => expect((times[i + 12] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThan(15_000));
          expect(own.filter(({ at }) => at < HOUR_MS).length).toBeLessThan(400);
          // RFC 3261 §10.2: CSeq rises within a Call-ID.
          const last = new Map<string, number>();
          for (const { callId, cseq } of own) {
            expect(cseq).toBeGreaterThan(last.get(callId) ?? 0);
            last.set(callId, cseq);
          }
        }
        // For each line: registered and unregistered take turns.
        for (const { name } of LINES) {
          const turns = told.filter((each) => /^line\.(un)?registered /.test(each) && each.endsWith(` ${name}`));
          turns.forEach((each, i) => expect(each.startsWith('line.registered')).toBe(i % 2 === 0));
        }
      });
    },
  );
});
