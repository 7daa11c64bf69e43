/**
 * A party is in another network in mid-call, and says by a re-INVITE what it has said before: it is looked for where it is now. And the
 * server itself is known by another address from one moment to the next.
 */
import { describe, expect } from 'vitest';
import type { AddressQuestion } from '../../src/base/address-advisor.js';
import { sipSightings } from '../../src/testing/sightings.js';
import type { World } from '../../src/testing/world.js';
import { RtpPhone } from '../media/session/studio.js';
import { type Office, officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';
import { rtpOf, targetOf } from '../support/rtp-of-call.js';
import { natOf, Voices } from '../support/voices.js';

const AUTO = { media: { path: 'auto' } } as const;
const BEHIND = { behindNat: 'port-restricted' } as const;
/** Where the phone's box was, and is then. */
const BEFORE = '203.0.113.1';
const AFTER = '203.0.113.150';

async function talking(office: Office, world: World) {
  const alice = await office.registered('100', BEHIND);
  const bob = await office.registered('101', BEHIND);
  const { call, answered } = await office.talk(alice, bob);
  const voices = await Voices.of(world, call, answered);
  return { call, answered, voices };
}

function expectHears(heard: readonly number[]): void {
  for (const packets of heard) expect(packets, `heard ${heard.join(' and ')} packets in a second`).toBeGreaterThan(40);
}

describe('a re-INVITE from another network with the description of before', () => {
  officeScenario('a relayed call: both hear each other again', { pbx: AUTO }, async (office, world) => {
    const { call, voices } = await talking(office, world);
    expectHears(await voices.speak(1000));
    world.network.readdress(natOf(world, '100'), AFTER);
    const deaf = await voices.speak(1000);
    expect(deaf).toEqual([0, 0]);
    const said = call.media.local;
    expect((await world.run(() => call.reinvite(said))).kind).toBe('accepted');
    expect(call.media.local).toBe(said);
    expectHears(await voices.speak(1000));
    call.hangUp();
    await office.quiet();
  });

  officeScenario(
    'who has the old address now is nobody, and strangers stay strangers while it is learned',
    { pbx: AUTO },
    async (office, world) => {
      const { call, answered, voices } = await talking(office, world);
      expectHears(await voices.speak(1000));
      const relay = targetOf(call);
      world.network.readdress(natOf(world, '100'), AFTER);
      const strangers = await Promise.all(
        [BEFORE, '198.51.100.66'].map((address, i) => {
          const { host } = world.host(`stranger ${i}`, address);
          return RtpPhone.open(host, { address, port: 4000 }, world);
        }),
      );
      for (const [i, stranger] of strangers.entries()) {
        world.use(stranger);
        stranger.ssrc = 0xbad0 + i;
      }
      expect((await world.run(() => call.reinvite(call.media.local))).kind).toBe('accepted');
      const before = voices.heardInAll(answered);
      for (let i = 0; i < 100; i++) {
        for (const stranger of strangers) stranger.say(new Uint8Array(160), relay);
        await world.advance({ ms: 20 });
      }
      expect(voices.heardInAll(answered)).toBe(before);
      expectHears(await voices.speak(1000));
      // What Bob says goes to the phone, and not to who was the loudest.
      expect(strangers.map(({ heard }) => heard.length)).toEqual([0, 0]);
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario('a call that the server serves', {}, async (office, world) => {
    office.pbx.onCall('700', async (call) => {
      await call.answer();
      await call.collect({ maxDigits: 1, firstDigitMs: 60_000 });
    });
    const alice = await office.registered('100', BEHIND);
    const call = alice.call('700');
    await world.until(call.talking());
    const rtp = await rtpOf(world, call);
    const speak = async (): Promise<number> => {
      const before = rtp.heard.length;
      for (let i = 0; i < 50; i++) {
        rtp.say(new Uint8Array(160), targetOf(call));
        await world.advance({ ms: 20 });
      }
      return rtp.heard.length - before;
    };
    expect(await speak()).toBeGreaterThan(40);
    world.network.readdress(natOf(world, '100'), AFTER);
    expect(await speak()).toBe(0);
    expect((await world.run(() => call.reinvite(call.media.local))).kind).toBe('accepted');
    expect(await speak()).toBeGreaterThan(40);
    call.hangUp();
    await office.quiet();
  });

  officeScenario('refused once and said again: both hear each other again', { pbx: AUTO }, async (office, world) => {
    const { call, answered, voices } = await talking(office, world);
    world.network.readdress(natOf(world, '100'), AFTER);
    const said = call.media.local;
    const both = Promise.all([call.reinvite(said), answered.reinvite(answered.media.local)]);
    for (const each of await world.run(() => both)) expect(each).toMatchObject({ kind: 'rejected', status: 491 });
    expect(await voices.speak(1000)).toEqual([0, 0]);
    expect((await world.run(() => call.reinvite(said))).kind).toBe('accepted');
    expect(call.media.local).toBe(said);
    expectHears(await voices.speak(1000));
    call.hangUp();
    await office.quiet();
  });

  officeScenario('after an UPDATE from there that describes nothing', { pbx: AUTO }, async (office, world) => {
    const { call, voices } = await talking(office, world);
    world.network.readdress(natOf(world, '100'), AFTER);
    const refreshed = await world.run(async () => call.session?.request('UPDATE'));
    expect(refreshed).toMatchObject({ response: { status: 200 } });
    expect((await world.run(() => call.reinvite(call.media.local))).kind).toBe('accepted');
    expectHears(await voices.speak(1000));
    call.hangUp();
    await office.quiet();
  });

  officeScenario('a refresh from where it was is still answered here', { pbx: AUTO }, async (office, world) => {
    const { call } = await talking(office, world);
    const invites = (): number =>
      sipSightings(world.trace).filter(({ method, toHost }) => method === 'INVITE' && toHost === '101').length;
    const before = invites();
    expect((await world.run(() => call.reinvite(call.media.local))).kind).toBe('accepted');
    expect(invites()).toBe(before);
    call.hangUp();
    await office.quiet();
  });
});

describe('the address that peers are told changes while a phone rings', () => {
  let told = BEFORE;
  const pbx = {
    addressAdvisor: {
      advertise: ({ local, purpose }: AddressQuestion) => (purpose === 'media' ? local : { ...local, address: told }),
    },
  };

  officeScenario(
    'the caller gives up: the CANCEL is matched, and the phone rings no more',
    { pbx },
    async (office, world) => {
      told = BEFORE;
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const call = alice.call('101');
      await world.until(call.ringing());
      told = AFTER;
      call.cancel();
      await world.advance({ seconds: 1 });
      expect(bob.calls[0]?.state).toMatchObject({ kind: 'ended', by: 'other-side', status: 487 });
      await office.quiet();
    },
  );

  officeScenario(
    'CANCEL, and ACK to its 487, have the very Via of their INVITE (RFC 3261 §9.1, §17.1.1.3)',
    { pbx },
    async (office, world) => {
      told = BEFORE;
      const alice = await office.registered('100');
      const peer = await RawPeer.open(world);
      await peer.register('101', 'secret-101');
      const call = alice.call('101');
      const invite = await peer.expect('INVITE');
      const raw = peer.take(invite);
      raw.respond(180);
      await world.until(call.ringing());
      told = AFTER;
      call.cancel();
      const cancel = await peer.expect('CANCEL');
      peer.respond(cancel, 200);
      raw.respond(487);
      const ack = await peer.expect('ACK');
      const via = invite.header('Via');
      expect(via).toContain(BEFORE);
      expect([cancel.header('Via'), ack.header('Via')]).toEqual([via, via]);
      await office.quiet();
    },
  );
});
