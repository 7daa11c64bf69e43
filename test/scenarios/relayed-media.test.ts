/** Media through the server itself, in real RTP packets: phones behind NATs hear each other, and no port is left of any call. */
import { describe, expect } from 'vitest';
import { parseUri } from '../../src/protocol/sip/uri.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import type { NatKind } from '../../src/testing/nat.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN, Office, officeScenario } from '../support/office.js';
import { movedTo, natOf, Voices } from '../support/voices.js';

const AUTO = { media: { path: 'auto' } } as const;
const RELAYED = { media: { path: 'relay' } } as const;
const DIRECT = { media: { path: 'direct' } } as const;

const KINDS = ['full-cone', 'address-restricted', 'port-restricted', 'symmetric'] as const;
const PLACES = ['public', ...KINDS] as const;
type Place = (typeof PLACES)[number];
const PAIRS = PLACES.flatMap((from) => PLACES.map((to) => [from, to] as const)).filter(
  ([from, to]) => from !== 'public' || to !== 'public',
);

/** Of the 50 packets of a second so many at least: four may go by until the relay has learned where they come from. */
const BOTH_HEAR = [44, 44] as const;

function behind(place: Place): { readonly behindNat?: NatKind } {
  return place === 'public' ? {} : { behindNat: place };
}

function expectBothHear(heard: readonly number[], seconds = 1): void {
  for (const [i, least] of BOTH_HEAR.entries()) {
    expect(heard[i], `heard ${heard.join(' and ')} packets in ${seconds} s`).toBeGreaterThanOrEqual(
      least + 50 * (seconds - 1),
    );
  }
}

/** Two registered phones that talk, and their voices. */
async function talking(
  office: Office,
  world: World,
  places: readonly [Place, Place] = ['port-restricted', 'port-restricted'],
) {
  const alice = await office.registered('100', behind(places[0]));
  const bob = await office.registered('101', behind(places[1]));
  const { call, answered } = await office.talk(alice, bob);
  return { alice, bob, call, answered, voices: await Voices.of(world, call, answered) };
}

function portsUsed(office: Office): number {
  return office.pbx.stats().media.ports.used;
}

/** Lets the call end. Its ports rest first, so that late packets reach nobody, and are free afterwards. */
async function expectPortsBack(office: Office, world: World, rested: number): Promise<void> {
  await world.advance({ seconds: 2 });
  const { ports } = office.pbx.stats().media;
  expect(ports).toMatchObject({ used: 0, resting: rested });
  await office.quiet();
  expect(office.pbx.stats().media.ports).toMatchObject({ used: 0, resting: 0, free: ports.total });
  expect(office.pbx.stats().media.relay).toMatchObject({ calls: 0, streams: 0 });
}

describe('auto: phones behind NATs hear each other (RFC 7362 §4, RFC 4961)', () => {
  for (const places of PAIRS) {
    officeScenario(`${places[0]} calls ${places[1]}`, { pbx: AUTO }, async (office, world) => {
      const { call, voices } = await talking(office, world, places);
      expectBothHear(await voices.speak(1000));
      expect(portsUsed(office)).toBe(2);
      call.hangUp();
      await expectPortsBack(office, world, 2);
      expect(office.record.media).toMatchObject([{ path: 'relay', reason: expect.stringContaining('behind a NAT') }]);
    });
  }

  officeScenario('two behind the same box hear each other without the server', { pbx: AUTO }, async (office, world) => {
    const nat = world.nat({ publicAddress: '203.0.113.200' });
    const inside = async (number: string, address: string): Promise<VirtualPhone> => {
      const machine = world.host(number, address, { behind: nat });
      const server = { address: '192.0.2.1', port: 5060 };
      const options = { machine, number, domain: DOMAIN, password: `secret-${number}`, server };
      const phone = world.use(new VirtualPhone(options));
      await world.run(() => phone.register());
      return phone;
    };
    const [alice, bob] = [await inside('100', '192.168.50.10'), await inside('101', '192.168.50.11')];
    const { call, answered } = await office.talk(alice, bob);
    const voices = await Voices.of(world, call, answered);
    expectBothHear(await voices.speak(1000));
    expect(portsUsed(office)).toBe(0);
    call.hangUp();
    await expectPortsBack(office, world, 0);
    expect(office.record.media?.map(({ path }) => path)).toEqual(['direct']);
  });
});

describe('direct: who is behind a NAT hears nobody', () => {
  for (const places of PAIRS) {
    officeScenario(`${places[0]} calls ${places[1]}`, { pbx: DIRECT }, async (office, world) => {
      const { call, voices } = await talking(office, world, places);
      const heard = await voices.speak(500);
      // Only a party in the open can be reached: by the other, who cannot hear it.
      expect(heard.map((packets) => packets > 0)).toEqual(places.map((place) => place === 'public'));
      call.hangUp();
      await expectPortsBack(office, world, 0);
    });
  }
});

describe('a relayed call', () => {
  for (const kind of KINDS) {
    officeScenario(`hold and resume behind ${kind} boxes`, { pbx: AUTO }, async (office, world) => {
      const { call, answered, voices } = await talking(office, world, [kind, kind]);
      expectBothHear(await voices.speak(1000));
      expect((await world.run(() => answered.hold())).kind).toBe('accepted');
      await world.advance({ ms: 100 });
      const held = await voices.speak(500);
      expect(held[1]).toBe(0);
      expect((await world.run(() => answered.resume())).kind).toBe('accepted');
      expectBothHear(await voices.speak(1000));
      expect(portsUsed(office)).toBe(2);
      answered.hangUp();
      await world.until(call.ended());
      await expectPortsBack(office, world, 2);
    });
  }

  officeScenario('a re-INVITE names another port: heard there and from there', { pbx: AUTO }, async (office, world) => {
    const { call, voices } = await talking(office, world, ['symmetric', 'port-restricted']);
    expectBothHear(await voices.speak(1000));
    const sdp = movedTo(call.media.local, { address: '192.168.1.10', port: 31_000 });
    expect((await world.run(() => call.reinvite(sdp))).kind).toBe('accepted');
    await voices.moved(call);
    expectBothHear(await voices.speak(1000));
    expect(portsUsed(office)).toBe(2);
    call.hangUp();
    await expectPortsBack(office, world, 2);
  });

  officeScenario(
    'the phone is in another network: its re-INVITE comes from there, and its media too',
    { pbx: AUTO },
    async (office, world) => {
      const { call, answered, voices } = await talking(office, world);
      expectBothHear(await voices.speak(1000));
      world.network.readdress(natOf(world, '100'), '203.0.113.150');
      const sdp = movedTo(call.media.local, { address: '192.168.1.10', port: 31_000 });
      expect((await world.run(() => call.reinvite(sdp))).kind).toBe('accepted');
      await voices.moved(call);
      expectBothHear(await voices.speak(1000));
      answered.hangUp();
      call.hangUp();
      await expectPortsBack(office, world, 2);
    },
  );

  for (const who of [0, 1] as const) {
    officeScenario(
      `the box of the ${who === 0 ? 'caller' : 'callee'} forgets its mappings: heard again when the old one has been silent`,
      { pbx: AUTO },
      async (office, world) => {
        const { call, answered, voices } = await talking(office, world);
        expectBothHear(await voices.speak(1000));
        natOf(world, who === 0 ? '100' : '101').rebind();
        await voices.speak(1500);
        expectBothHear(await voices.speak(1000));
        const moving = who === 0 ? call : answered;
        moving.hangUp();
        await expectPortsBack(office, world, 2);
      },
    );
  }

  officeScenario('from the relay to direct and back while packets flow', { pbx: AUTO }, async (office, world) => {
    const { call, answered, voices } = await talking(office, world, ['public', 'public']);
    const callId = office.pbx.calls[0]?.id ?? '';
    const move = async (path: 'direct' | 'relay', ports: number): Promise<void> => {
      const moved = office.pbx.moveMedia(callId, path);
      await voices.speak(400);
      expect(await world.run(() => moved)).toEqual({ moved: true });
      expectBothHear(await voices.speak(1000));
      expect(portsUsed(office)).toBe(ports);
    };
    expectBothHear(await voices.speak(1000));
    expect(portsUsed(office)).toBe(0);
    await move('relay', 2);
    await move('direct', 0);
    await move('relay', 2);
    expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
    call.hangUp();
    // Those of the first time in the relay have rested for a second only.
    await expectPortsBack(office, world, 4);
    expect(office.record.media?.map(({ path }) => path)).toEqual(['direct', 'relay', 'direct', 'relay']);
  });

  officeScenario(
    'early media is heard before the answer, and the same ports go on',
    { pbx: AUTO },
    async (office, world) => {
      const alice = await office.registered('100', { behindNat: 'symmetric' });
      const bob = await office.registered('101', { behindNat: true });
      const next = bob.incoming();
      const call = alice.call('101');
      const answered = await world.run(() => next);
      answered.earlyMedia();
      await world.until(() => call.progress.some(({ sdp }) => sdp !== undefined));
      const voices = await Voices.of(world, call, answered);
      expectBothHear(await voices.speak(1000));
      expect(portsUsed(office)).toBe(2);
      answered.answer();
      await world.until(call.talking());
      await world.advance({ ms: 200 });
      expectBothHear(await voices.speak(1000));
      expect(portsUsed(office)).toBe(2);
      call.hangUp();
      await expectPortsBack(office, world, 2);
    },
  );

  officeScenario(
    'of the phones that ring one answers: the ports of the others go back',
    { pbx: AUTO },
    async (office, world) => {
      const alice = await office.registered('100', { behindNat: true });
      const bobs = [
        await office.registered('101', { behindNat: true }),
        await office.registered('101', { behindNat: 'symmetric' }),
      ];
      const ringing = bobs.map((bob) => bob.incoming());
      const call = alice.call('101');
      const rings = await world.run(() => Promise.all(ringing));
      expect(portsUsed(office)).toBe(4);
      const answered = rings[1] as PhoneCall;
      answered.answer();
      await world.until(call.talking());
      await world.advance({ ms: 200 });
      expect(portsUsed(office)).toBe(2);
      const voices = await Voices.of(world, call, answered);
      expectBothHear(await voices.speak(1000));
      call.hangUp();
      await expectPortsBack(office, world, 4);
    },
  );

  for (const who of ['caller', 'callee'] as const) {
    officeScenario(
      `the ${who} transfers: the relay serves the new pair, the old ports go back`,
      { pbx: AUTO },
      async (office, world) => {
        const { call, answered, voices } = await talking(office, world, ['port-restricted', 'symmetric']);
        const carol = await office.registered('102', { behindNat: 'address-restricted' });
        expectBothHear(await voices.speak(1000));
        const [leaves, stays] = who === 'caller' ? [call, answered] : [answered, call];
        const next = carol.incoming();
        const to = parseUri(`sip:102@${DOMAIN}`);
        if (to.kind !== 'sip') throw new Error('no SIP URI');
        const transfer = leaves.transfer({ to });
        const third = await world.run(() => next);
        third.answer();
        await world.run(() => transfer.settled);
        await world.until(leaves.ended());
        await world.advance({ seconds: 1 });
        expect(transfer.result).toBe(200);
        expect(portsUsed(office)).toBe(2);
        const after = await Voices.of(world, third);
        after.adopt(voices, stays);
        expectBothHear(await after.speak(1000));
        third.hangUp();
        await world.until(stays.ended());
        await expectPortsBack(office, world, 4);
      },
    );
  }

  officeScenario('the caller gives up: its ports go back', { pbx: AUTO }, async (office, world) => {
    const alice = await office.registered('100', { behindNat: true });
    const bob = await office.registered('101', { behindNat: true });
    const call = alice.call('101');
    await world.until(bob.ringing);
    expect(portsUsed(office)).toBe(2);
    call.cancel();
    await world.until(call.ended());
    await expectPortsBack(office, world, 2);
  });

  officeScenario('who is called refuses: the ports go back', { pbx: AUTO }, async (office, world) => {
    const alice = await office.registered('100', { behindNat: true });
    await office.registered('101', { behindNat: true, onCall: (call) => call.reject(486) });
    const call = alice.call('101');
    await world.until(call.ended());
    await expectPortsBack(office, world, 2);
  });

  officeScenario('late packets of a call that is over reach nobody', { pbx: AUTO }, async (office, world) => {
    const { call, answered, voices } = await talking(office, world);
    await voices.speak(1000);
    const told = answered.media.remote;
    call.hangUp();
    await world.advance({ seconds: 1 });
    const next = await office.talk(
      await office.registered('102', { behindNat: true }),
      await office.registered('103', { behindNat: true }),
    );
    const port = /^m=audio (\d+)/m.exec(told ?? '')?.[1];
    expect([next.call.media.remote, next.answered.media.remote].some((sdp) => sdp?.includes(`m=audio ${port} `))).toBe(
      false,
    );
    next.call.hangUp();
    await expectPortsBack(office, world, 4);
  });
});

describe('a server that was killed', () => {
  const storage = memoryStorage();
  officeScenario(
    'relays the call anew: both hear each other again',
    { pbx: { storage, ...RELAYED } },
    async (office, world) => {
      const { call, answered, voices } = await talking(office, world);
      expectBothHear(await voices.speak(1000));
      world.pbx.kill();
      expect(await voices.speak(200)).toEqual([0, 0]);
      world.pbx.restart();
      const next = new Office(world, { storage, ...RELAYED });
      await world.run(() => next.pbx.start());
      await world.advance({ seconds: 1 });
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      expectBothHear(await voices.speak(1000));
      expect(portsUsed(next)).toBe(2);
      call.hangUp();
      await expectPortsBack(next, world, 2);
    },
  );
});
