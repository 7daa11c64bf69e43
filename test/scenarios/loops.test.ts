/** Calls that go in a circle, and those that are forked too often: RFC 3261 §8.2.2.2, §16.3, RFC 5393, RFC 7332. */
import { describe, expect, test } from 'vitest';
import { createPbx } from '../../src/pbx/pbx.js';
import { parseUri } from '../../src/protocol/sip/uri.js';
import { sipSightings } from '../../src/testing/sightings.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN, type Office, officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';
import { runScenario } from '../support/scenario.js';
import { headerOf, messagesOf } from '../support/wire.js';

/** Extension 100 calls 101, with these header lines, past the challenge. */
async function dial(world: World, headers: readonly string[]): Promise<RawPeer> {
  const peer = await RawPeer.open(world);
  const raw = peer.dial('101', { from: '<sip:100@office.test>', headers });
  raw.authorize(await peer.expect(407), '100', 'secret-100', { headers });
  return peer;
}

/** The Max-Breadth of the INVITEs to the phones of 101. */
function breadths(world: World, machines: readonly string[]): (string | undefined)[] {
  return machines.map((machine) => {
    const [invite] = messagesOf(world, machine).filter(({ method }) => method === 'INVITE');
    return invite === undefined ? 'no INVITE' : headerOf(invite, 'Max-Breadth');
  });
}

async function threePhones(office: Office): Promise<string[]> {
  for (const _ of [1, 2, 3]) await office.registered('101', { onCall: (call) => call.reject(486) });
  return office.world.machines.map(({ name }) => name).filter((name) => name.startsWith('101'));
}

describe('RFC 5393 §5.3: Max-Breadth', () => {
  officeScenario('is shared by the phones that ring at once', {}, async (office, world) => {
    const phones = await threePhones(office);
    const peer = await dial(world, ['Max-Breadth: 8']);
    await peer.expect(486);
    expect(breadths(world, phones).sort()).toEqual(['2', '3', '3']);
    await office.quiet();
  });

  officeScenario(
    'a call that came without it has 60, which one branch alone need not be told',
    {},
    async (office, world) => {
      const phones = await threePhones(office);
      const peer = await dial(world, []);
      await peer.expect(486);
      expect(breadths(world, phones)).toEqual(['20', '20', '20']);
      await office.registered('102', { name: 'alone', onCall: (call) => call.reject(486) });
      const alice = await office.registered('100');
      await world.until(alice.call('102').ended());
      expect(breadths(world, ['alone'])).toEqual([undefined]);
      await office.quiet();
    },
  );

  officeScenario('more phones than it allows: 440, and none of them rings', {}, async (office, world) => {
    const phones = await threePhones(office);
    const peer = await dial(world, ['Max-Breadth: 2']);
    await peer.expect('440 INVITE');
    expect(breadths(world, phones)).toEqual(['no INVITE', 'no INVITE', 'no INVITE']);
    await office.quiet();
    expect(office.record.leg('a')).toMatchObject({ outcome: 'failed', status: 440 });
  });

  officeScenario('0: 440 at once; what is no number: 400', {}, async (office, world) => {
    const peer = await RawPeer.open(world);
    peer.dial('101', { from: '<sip:100@office.test>', headers: ['Max-Breadth: 0'] });
    await peer.expect('440 INVITE');
    peer.dial('101', { from: '<sip:100@office.test>', headers: ['Max-Breadth: many'] });
    await peer.expect('400 INVITE');
    await office.quiet();
  });
});

describe('RFC 3261 §8.2.2.2: a request that was forked on its way', () => {
  officeScenario('comes by two branches: the second gets 482, one phone rings once', {}, async (office, world) => {
    const bob = await office.registered('101');
    const peer = await RawPeer.open(world);
    const raw = peer.dial('101', { from: '<sip:100@office.test>' });
    raw.authorize(await peer.expect(407), '100', 'secret-100', { branch: 'z9hG4bKfirst' });
    await peer.expect('180 INVITE');
    const invite = sipSightings(world.trace).find(({ text }) => text.includes('z9hG4bKfirst'));
    peer.send((invite?.text ?? '').replace('z9hG4bKfirst', 'z9hG4bKsecond'));
    await peer.expect('482 INVITE');
    expect(bob.calls).toHaveLength(1);
    raw.cancel();
    await peer.expect('487 INVITE');
    await office.quiet();
  });
});

describe('two servers that send a call to each other (RFC 3261 §16.3, RFC 7332)', () => {
  test('Max-Forwards ends it with 483, and nothing is left of it on either', () =>
    runScenario({ seed: 21, delayMs: 1 }, async (world) => {
      const machines = [world.pbx, world.host('other', '192.0.2.2')];
      const addresses = ['192.0.2.1', '192.0.2.2'];
      const pbxes = machines.map((machine, index) =>
        world.use(
          createPbx({
            domain: DOMAIN,
            listen: [`udp://${addresses[index]}:5060`],
            extensions: [{ number: '100', password: 'secret-100' }],
            router: () => ({
              next: async (_context, last) =>
                last === undefined
                  ? {
                      kind: 'targets',
                      called: '199',
                      targets: [
                        {
                          uri: parseUri(`sip:199@${addresses[1 - index]}:5060`),
                          policy: { peer: 'trunk' },
                          credentials: { secretFor: () => ({ username: '100', password: 'secret-100' }) },
                        },
                      ],
                    }
                  : { kind: 'reject', status: last.status, reason: last.reason },
            }),
            ...machine.ports,
          }),
        ),
      );
      await world.run(() => Promise.all(pbxes.map((pbx) => pbx.start())));
      const alice = world.phone(`sip:100@${DOMAIN}`, { password: 'secret-100' });
      await world.run(() => alice.start());
      const call = alice.call('199', { maxForwards: 20 });
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 483 });
      const invites = sipSightings(world.trace).filter(({ method, again }) => method === 'INVITE' && !again);
      // One for each hop, and one more for each challenge.
      expect(invites.length).toBeLessThanOrEqual(42);
      await world.advance({ seconds: 40 });
      for (const pbx of pbxes) expect(pbx.calls).toEqual([]);
    }));
});
