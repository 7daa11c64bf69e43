/** Where the media of a call goes: end to end, or through the engine, and why. */
import { describe, expect } from 'vitest';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx } from '../../src/pbx/pbx.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import { MarkingEngine } from '../call/ports.js';
import { DOMAIN, Office, officeScenario } from '../support/office.js';
import { RawPeer, rawSdp, type WireMessage } from '../support/raw-peer.js';
import { scenario } from '../support/scenario.js';

const THROUGH = 'a=through:';

function marked(): {
  readonly engine: MarkingEngine;
  readonly pbx: { readonly media: { readonly path: 'auto'; readonly engine: MarkingEngine } };
} {
  const engine = new MarkingEngine();
  return { engine, pbx: { media: { path: 'auto', engine } } };
}

describe('auto (product.md part 3)', () => {
  const near = marked();
  officeScenario('two phones that reach each other talk directly', { pbx: near.pbx }, async (office) => {
    const { call, answered } = await office.talk(await office.registered('100'), await office.registered('101'));
    expect(call.media.remote).not.toContain(THROUGH);
    expect(answered.media.remote).not.toContain(THROUGH);
    call.hangUp();
    await office.quiet();
    expect(near.engine.asked).toEqual([]);
    expect(office.record.media).toMatchObject([{ path: 'direct' }]);
  });

  const called = marked();
  officeScenario(
    'the called phone has registered through a NAT: relayed from the first offer',
    { pbx: called.pbx },
    async (office) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101', { behindNat: true });
      const { call, answered } = await office.talk(alice, bob);
      expect(answered.media.remote).toContain(`${THROUGH}offer-b1`);
      expect(call.media.remote).toContain(`${THROUGH}answer-a`);
      call.hangUp();
      await office.quiet();
      expect(called.engine.asked).toEqual(['offer a>b1', 'answer b1>a']);
      expect(called.engine.deleted).toHaveLength(1);
      expect(office.record.media?.map(({ path }) => path)).toEqual(['relay']);
      expect(office.record.media?.[0]?.reason).toContain('101 is behind a NAT (seen as 203.0.113.');
    },
  );

  const caller = marked();
  officeScenario('the calling phone is behind a NAT', { pbx: caller.pbx }, async (office) => {
    const alice = await office.registered('100', { behindNat: 'symmetric' });
    const { call } = await office.talk(alice, await office.registered('101'));
    expect(call.media.remote).toContain(`${THROUGH}answer-a`);
    call.hangUp();
    await office.quiet();
    expect(office.record.media?.[0]?.reason).toMatch(
      /^100 is behind a NAT \(192\.168\.\d+\.10 seen as 203\.0\.113\.\d+\)/,
    );
  });

  const late = marked();
  officeScenario(
    'an answer shows that the called phone cannot be heard: both are moved to the relay',
    { pbx: late.pbx },
    async (office, world) => {
      const alice = await office.registered('100');
      const peer = await RawPeer.open(world);
      await peer.register('101', 'secret-101');
      const call = alice.call('101');
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(200, { body: rawSdp('192.168.77.7') });
      await world.until(call.talking());
      await peer.expect('ACK');
      expect(call.media.remote).not.toContain(THROUGH);
      const moved = await peer.expect('INVITE');
      expect(moved.body).toContain(`${THROUGH}offer-b1`);
      peer.respond(moved, 200, { body: rawSdp('192.168.77.7') });
      await peer.expect('ACK');
      await world.advance({ ms: 200 });
      expect(call.media.remote).toContain(THROUGH);
      call.hangUp();
      peer.respond(await peer.expect('BYE'), 200);
      await office.quiet();
      expect(office.record.media?.map(({ path }) => path)).toEqual(['direct', 'relay']);
    },
  );

  const forked = marked();
  officeScenario(
    'of the phones that ring the engine keeps the one that answers',
    { pbx: forked.pbx },
    async (office, world) => {
      const alice = await office.registered('100');
      const first = await office.registered('101', { behindNat: true });
      const second = await office.registered('101', { behindNat: true });
      const [one, other] = [first.incoming(), second.incoming()];
      const call = alice.call('101');
      const answered = await world.run(() => one);
      await world.run(() => other);
      answered.answer();
      await world.until(call.talking());
      await world.advance({ ms: 200 });
      expect(forked.engine.left).toHaveLength(1);
      call.hangUp();
      await office.quiet();
      expect(forked.engine.deleted).toHaveLength(1);
    },
  );
});

describe('what parties are set to', () => {
  const engine = new MarkingEngine();
  const person = (number: string) => ({ number, password: `secret-${number}` });
  const extensions = [{ ...person('100'), media: 'relay' as const }, person('101'), person('102')];
  officeScenario(
    'one that is set to relay is relayed, two others are not asked about',
    { pbx: { extensions, media: { engine } } },
    async (office) => {
      const [alice, bob, carol] = [
        await office.registered('100'),
        await office.registered('101'),
        await office.registered('102'),
      ];
      const plain = await office.talk(bob, carol);
      expect(plain.call.media.remote).not.toContain(THROUGH);
      plain.call.hangUp();
      await office.quiet();
      expect(office.record.media).toBeUndefined();
      const { call, answered } = await office.talk(bob, alice);
      expect(answered.media.remote).toContain(THROUGH);
      call.hangUp();
      await office.quiet();
      expect(office.records[1]?.media).toMatchObject([{ path: 'relay', reason: '100 is set to relay' }]);
    },
  );
});

describe('a call under way is moved', () => {
  const engine = new MarkingEngine();
  officeScenario('to the relay and back', { pbx: { media: { path: 'auto', engine } } }, async (office, world) => {
    const { call, answered } = await office.talk(await office.registered('100'), await office.registered('101'));
    const callId = office.pbx.calls[0]?.id ?? '';
    expect(await world.run(() => office.pbx.moveMedia(callId, 'relay'))).toEqual({ moved: true });
    expect([call.media.remote, answered.media.remote].every((sdp) => sdp?.includes(THROUGH))).toBe(true);
    expect(await world.run(() => office.pbx.moveMedia(callId, 'direct'))).toEqual({ moved: true });
    expect([call.media.remote, answered.media.remote].some((sdp) => sdp?.includes(THROUGH))).toBe(false);
    // The engine keeps nothing open for them, but knows the call.
    expect(engine.left).toEqual(['a', 'b1']);
    expect(engine.deleted).toEqual([]);
    expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
    call.hangUp();
    await office.quiet();
    expect(office.record.media?.map(({ path }) => path)).toEqual(['direct', 'relay', 'direct']);
    expect(await world.run(() => office.pbx.moveMedia(callId, 'relay'))).toEqual({
      moved: false,
      status: 481,
      reason: 'No Such Call',
    });
  });

  const refusing = new MarkingEngine();
  officeScenario(
    'a phone that refuses leaves everything as it was',
    { pbx: { media: { path: 'auto', engine: refusing } } },
    async (office, world) => {
      const { call, answered } = await office.talk(await office.registered('100'), await office.registered('101'));
      const before = [call.media.remote, answered.media.remote];
      answered.onModify = (modify) => modify.reject(488);
      const callId = office.pbx.calls[0]?.id ?? '';
      expect(await world.run(() => office.pbx.moveMedia(callId, 'relay'))).toMatchObject({ moved: false, status: 488 });
      expect([call.media.remote, answered.media.remote]).toEqual(before);
      call.hangUp();
      await office.quiet();
      expect(office.record.media?.map(({ path }) => path)).toEqual(['direct']);
    },
  );

  const storage = memoryStorage();
  const restarted = new MarkingEngine();
  officeScenario(
    'a relayed call is relayed anew after a restart',
    { pbx: { storage, media: { path: 'relay', engine: restarted } } },
    async (office, world) => {
      const { call, answered } = await office.talk(await office.registered('100'), await office.registered('101'));
      await world.advance({ ms: 100 });
      world.pbx.kill();
      world.pbx.restart();
      const asked = restarted.asked.length;
      const next = new Office(world, { storage, media: { path: 'relay', engine: restarted } });
      await world.run(() => next.pbx.start());
      await world.advance({ seconds: 1 });
      expect(restarted.asked.slice(asked)).toContain('offer a>b1');
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      expect(next.pbx.calls[0]?.media?.at(-1)).toMatchObject({ path: 'relay', reason: 'the server was restarted' });
      call.hangUp();
      await next.quiet();
    },
  );
});

describe('a PBX behind a NAT, and a carrier given by host name', () => {
  const EXTERNAL = '203.0.113.200';
  const server = { address: '10.0.0.2', port: 5060 };

  /** A phone inside calls through the carrier; what reached it, and what the phone was told of its answer. */
  async function calling(world: World, options: Partial<PbxOptions>) {
    const nat = world.nat({ publicAddress: EXTERNAL, kind: 'full-cone' });
    const machine = world.host('server', server.address, { behind: nat });
    world.network.dns.set('sip.carrier.example', ['198.51.100.30']);
    const carrier = await RawPeer.open(world, { name: 'carrier', address: '198.51.100.30' });
    const pbx = world.use(
      createPbx({
        domain: DOMAIN,
        listen: ['udp://10.0.0.2:5060'],
        extensions: [{ number: '100', password: 'secret-100' }],
        externalAddress: EXTERNAL,
        dialPlan: { called: [{ prefix: '0', route: { kind: 'trunk', trunk: 'city' } }] },
        ...machine.ports,
        ...options,
      }),
      machine,
    );
    await world.run(() => pbx.start());
    const inside = world.host('inside', '10.0.0.100', { behind: nat });
    const alice = world.use(
      new VirtualPhone({ machine: inside, number: '100', domain: DOMAIN, password: 'secret-100', server }),
    );
    await world.run(() => alice.register());
    const call = alice.call('0555');
    const invite: WireMessage = await carrier.expect('INVITE');
    carrier.take(invite).respond(200, { body: rawSdp('198.51.100.40') });
    await world.until(call.talking());
    const path = pbx.calls[0]?.media?.map(({ path }) => path);
    const reason = pbx.calls[0]?.media?.[0]?.reason;
    await carrier.expect('ACK');
    call.hangUp();
    carrier.respond(await carrier.expect('BYE'), 200);
    await world.advance({ seconds: 40 });
    return { offered: invite.body, told: call.media.remote, path, reason };
  }

  const TRUNK = { name: 'city', server: 'sip.carrier.example', qualifySeconds: 0 };
  for (const mode of ['relay', 'auto'] as const) {
    scenario(
      `${mode}: relayed, and the carrier is told the external address`,
      { seed: 1, delayMs: 5 },
      async (world) => {
        const { offered, told, path } = await calling(world, { media: { path: mode }, trunks: [TRUNK] });
        expect(path).toEqual(['relay']);
        expect(offered).toContain(`c=IN IP4 ${EXTERNAL}\r\n`);
        expect(offered).not.toContain('10.0.0.');
        // The phone is inside: it sends to the server's own address.
        expect(told).toContain('c=IN IP4 10.0.0.2\r\n');
      },
    );
  }

  scenario('the reason says by what the carrier is called', { seed: 1, delayMs: 5 }, async (world) => {
    const { reason } = await calling(world, { media: { path: 'auto' }, trunks: [TRUNK] });
    expect(reason).toBe("100 is in the server's network (10.0.0.100), city is called by a host name");
  });
});
