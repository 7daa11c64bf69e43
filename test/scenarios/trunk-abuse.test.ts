/** What carriers, callers and strangers may not get out of lines and trunks: places, credentials, ways round the rules. */
import { describe, expect } from 'vitest';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import { sipUri } from '../../src/protocol/sip/uri.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import type { World } from '../../src/testing/world.js';
import type { TrunkOptions } from '../../src/trunk/trunk-options.js';
import { DOMAIN, officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';

const TRUNK: TrunkOptions = { name: 'gw', server: '198.51.100.9', domain: 'carrier.test', qualifySeconds: 0 };
const OUT: PbxOptions['dialPlan'] = { called: [{ prefix: '0', route: { kind: 'trunk', trunk: 'gw' } }] };
const withTrunk = (options: Partial<TrunkOptions> = {}, dialPlan = OUT): { readonly pbx: Partial<PbxOptions> } => ({
  pbx: { trunks: [{ ...TRUNK, ...options }], dialPlan },
});
const gateway = (world: World): Promise<RawPeer> => RawPeer.open(world, { name: 'gateway', address: '198.51.100.9' });

/** PBXs that follow one another on the same machine, with the same storage. */
function lives(world: World, { pbx: options }: { readonly pbx: Partial<PbxOptions> }): () => Promise<Pbx> {
  const { records, blobs } = memoryStorage({ clock: world.clock });
  return async () => {
    const pbx = world.use(
      createPbx({
        domain: DOMAIN,
        listen: ['udp://192.0.2.1:5060'],
        extensions: ['100', '101'].map((number) => ({ number, password: `secret-${number}` })),
        ...options,
        storage: { records, blobs, close: async () => {} },
        ...world.ports,
      }),
      world.pbx,
    );
    await world.run(() => pbx.start());
    return pbx;
  };
}

officeScenario(
  'the digest of a call is not shown to whom the 200 names in Contact: not in the ACK either',
  withTrunk({ username: 'u', password: 'p' }),
  async (office, world) => {
    const peer = await gateway(world);
    const stranger = await RawPeer.open(world, { name: 'stranger', address: '203.0.113.66' });
    const call = (await office.registered('100')).call('04930');
    const challenge = 'Proxy-Authenticate: Digest realm="c", nonce="n1", algorithm=MD5, qop="auth"';
    peer.respond(await peer.expect('INVITE'), 407, { headers: [challenge], toTag: 'a' });
    const invite = await peer.expect('INVITE');
    expect(invite.header('Proxy-Authorization')).toContain('username="u"');
    peer.respond(invite, 200, { body: rawSdp('198.51.100.9'), contact: '<sip:x@203.0.113.66>', toTag: 'b' });
    const ack = await stranger.expect('ACK');
    expect(ack.header('Proxy-Authorization')).toBeUndefined();
    await world.until(call.talking());
    call.hangUp();
    stranger.respond(await stranger.expect('BYE'), 200);
    await office.quiet();
  },
);

officeScenario(
  'an INVITE that cannot be answered takes no place',
  withTrunk({ maxInboundCalls: 1 }),
  async (office, world) => {
    const peer = await gateway(world);
    const broken = peer.dial('100', { contact: '' });
    broken.ackFailure(await peer.expect(400));
    expect(office.pbx.trunks[0]?.inUse.in).toBe(0);
    await office.registered('100', { onCall: (call) => call.reject(600) });
    const good = peer.dial('100');
    good.ackFailure(await peer.expect(600));
    await office.quiet();
  },
);

officeScenario(
  'a place is taken until the gateway has answered the CANCEL',
  withTrunk({ maxCalls: 1 }),
  async (office, world) => {
    const peer = await gateway(world);
    const [alice, bob] = [await office.registered('100'), await office.registered('101')];
    const call = alice.call('04930');
    const taken = peer.take(await peer.expect('INVITE'));
    taken.respond(180);
    await world.until(call.ringing());
    call.cancel();
    const cancel = await peer.expect('CANCEL');
    await world.until(call.ended());
    const early = bob.call('04931');
    await world.until(early.ended());
    expect(early.state).toMatchObject({ status: 480 });
    peer.respond(cancel, 200, { toTag: 'x' });
    taken.respond(487);
    await world.advance({ seconds: 1 });
    expect(office.pbx.trunks[0]?.inUse.out).toBe(0);
    await office.quiet();
  },
);

officeScenario(
  'a call that outlives the PBX takes its place again',
  withTrunk({ maxCalls: 1 }),
  async (office, world) => {
    const life = lives(world, withTrunk({ maxCalls: 1 }));
    await world.run(() => office.pbx.close());
    await life();
    const peer = await gateway(world);
    const [alice, bob] = [await office.registered('100'), await office.registered('101')];
    const call = alice.call('04930');
    const taken = peer.take(await peer.expect('INVITE'));
    taken.respond(200, { body: rawSdp('198.51.100.9') });
    await world.until(call.talking());
    await world.advance({ seconds: 1 });
    world.pbx.restart();
    const second = await life();
    peer.respond(await peer.expect('OPTIONS'), 200);
    await world.advance({ seconds: 1 });
    expect(second.trunks[0]?.inUse).toEqual({ out: 1, in: 0 });
    const refused = bob.call('04931');
    await world.until(refused.ended());
    expect(refused.state).toMatchObject({ status: 480 });
    call.hangUp();
    peer.respond(await peer.expect('BYE'), 200);
    await world.advance({ seconds: 1 });
    expect(second.trunks[0]?.inUse.out).toBe(0);
  },
);

describe('RFC 3966 §5.1.1: a number is the same however it is written', () => {
  const RULES: PbxOptions['dialPlan'] = {
    called: [
      { prefix: '0', route: { kind: 'trunk', trunk: 'gw' } },
      { prefix: '0900', route: { kind: 'reject', status: 403 } },
    ],
  };
  for (const uri of ['tel:0-9001', 'tel:(0)900.1', 'sip:0-9001@office.test', 'sip:0.900-1@office.test']) {
    officeScenario(`${uri} is 09001: barred`, withTrunk({}, RULES), async (office, world) => {
      const peer = await gateway(world);
      const phone = await RawPeer.open(world, { name: 'phone', address: '10.1.0.7' });
      const call = phone.dial('x', { from: '<sip:100@office.test>', uri });
      call.authorize(await phone.expect(407), '100', 'secret-100');
      call.ackFailure(await phone.expect(403));
      await office.quiet();
      expect(peer.received).toHaveLength(0);
    });
  }

  officeScenario(
    'but an extension may have a dash in its name',
    {
      pbx: {
        extensions: [
          { number: '100', password: 'secret-100' },
          { number: '10-1', password: 'secret-10-1' },
        ],
      },
    },
    async (office, world) => {
      const next = (await office.registered('10-1')).incoming();
      const call = (await office.registered('100')).call('10-1');
      (await world.run(() => next)).reject(486);
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 486 });
    },
  );
});

officeScenario(
  'a From without a user (RFC 3261 §19.1.1): the phone is told nobody, in a header that it can read',
  withTrunk(),
  async (office, world) => {
    const peer = await gateway(world);
    const alice = await office.registered('100');
    const next = alice.incoming();
    const call = peer.dial('100', { from: '<sip:198.51.100.9>' });
    const answered = await world.run(() => next);
    expect(answered.invite.request.from.uri).toMatchObject({ user: 'anonymous', host: DOMAIN });
    answered.reject(486);
    call.ackFailure(await peer.expect(486));
    await office.quiet();
  },
);

officeScenario(
  'a recall reaches the one who transferred, not where the trunk leads',
  withTrunk({ inbound: '100' }),
  async (office, world) => {
    const peer = await gateway(world);
    const to = (number: string) => sipUri({ user: number, host: DOMAIN });
    const alice = await office.registered('100', { onCall: (call) => call.redirect(to('101')) });
    const bob = await office.registered('101');
    const carol = await office.registered('102', { onCall: (call) => call.ring() });
    const next = bob.incoming();
    const call = peer.dial('49');
    const answered = await world.run(() => next);
    answered.answer();
    call.learn(await peer.expect(200));
    call.ack();
    await world.until(answered.talking());
    const transfer = answered.transfer({ to: to('102') });
    await world.run(() => transfer.answered);
    await world.until(() => carol.calls.length > 0);
    answered.hangUp();
    const back = bob.incoming();
    carol.calls[0]?.reject(486);
    const recalled = await world.run(() => back);
    expect(alice.calls).toHaveLength(1);
    recalled.reject(486);
    await peer.expect('BYE').then((bye) => peer.respond(bye, 200));
    await office.quiet();
  },
);

officeScenario(
  'somebody from outside is not told which lines there are',
  {
    pbx: {
      trunks: [TRUNK, { ...TRUNK, name: 'out', server: '198.51.100.10', maxCalls: 0 }],
      dialPlan: { called: [{ prefix: '0', route: { kind: 'trunk', trunk: 'out' } }] },
    },
  },
  async (office, world) => {
    const peer = await gateway(world);
    await office.registered('100', { onCall: (call) => call.redirect(sipUri({ user: '0123', host: DOMAIN })) });
    const call = peer.dial('100');
    const refused = await peer.expect(480);
    expect(refused.text).toMatch(/^SIP\/2\.0 480 No Line Available\r\n/);
    call.ackFailure(refused);
    await office.quiet();
  },
);

officeScenario(
  'a call that outlives the PBX is hung up with credentials where its gateway asks for them',
  {},
  async (office, world) => {
    const life = lives(world, withTrunk({ username: 'u', password: 'p' }));
    await world.run(() => office.pbx.close());
    await life();
    const peer = await gateway(world);
    const alice = await office.registered('100');
    const call = alice.call('04930');
    const challenge = 'Proxy-Authenticate: Digest realm="c", nonce="n1", algorithm=MD5, qop="auth"';
    peer.respond(await peer.expect('INVITE'), 407, { headers: [challenge], toTag: 'a' });
    await peer.expect('ACK');
    peer.respond(await peer.expect('INVITE'), 200, { body: rawSdp('198.51.100.9'), toTag: 'b' });
    await world.until(call.talking());
    await world.advance({ seconds: 1 });
    world.pbx.restart();
    await life();
    peer.respond(await peer.expect('OPTIONS'), 200);
    call.hangUp();
    peer.respond(await peer.expect('BYE'), 407, { headers: [challenge] });
    const bye = await peer.expect('BYE');
    expect(bye.header('Proxy-Authorization')).toContain('username="u"');
    peer.respond(bye, 200);
    await world.advance({ seconds: 40 });
  },
);
