/** A caller without an offer, and a trunk that must get one: RFC 3725, RFC 3261 §13.2.1; carriers that refuse a delayed offer. */
import { describe, expect } from 'vitest';
import type { PbxOptions } from '../../src/pbx/options.js';
import { parseSdp } from '../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../src/protocol/sdp/media.js';
import type { World } from '../../src/testing/world.js';
import { type Office, officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';

const OFFICE: { readonly pbx: Partial<PbxOptions> } = {
  pbx: {
    trunks: [{ name: 'gw', server: '198.51.100.9', domain: 'carrier.test', qualifySeconds: 0 }],
    dialPlan: { called: [{ prefix: '0', route: { kind: 'trunk', trunk: 'gw' } }] },
  },
};

const gateway = (world: World): Promise<RawPeer> => RawPeer.open(world, { name: 'gateway', address: '198.51.100.9' });

const says = (port: number, version: number, more = ''): string =>
  `v=0\r\no=gw 1 ${version} IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\nm=audio ${port} RTP/AVP 8\r\n${more}`;
const INACTIVE = says(6000, 1, 'a=inactive\r\n');

const stream = (body: string | undefined) => mediaSummary(parseSdp(body ?? ''))[0];

/** Extension 100 calls by the trunk without an offer. */
async function dialled(office: Office, world: World) {
  const peer = await gateway(world);
  const alice = await office.registered('100');
  const call = alice.call('04930', { lateOffer: true });
  const invite = await peer.expect('INVITE');
  return { peer, alice, call, invite, far: peer.take(invite) };
}

/** A raw caller, extension 100, whose ACK is the test's own. */
async function rawCaller(office: Office, world: World, headers: readonly string[] = []) {
  const peer = await gateway(world);
  const raw = await RawPeer.open(world);
  await raw.register('100', 'secret-100');
  const caller = raw.dial('04930', { from: '<sip:100@office.test>', body: '', headers });
  caller.authorize(await raw.expect(407), '100', 'secret-100', { body: '', headers });
  const invite = await peer.expect('INVITE');
  return { office, peer, raw, caller, invite, far: peer.take(invite) };
}

/** Each leg of the only call was ended, once. */
function expectEnded(office: Office): void {
  expect(office.record.legs.map(({ id, outcome }) => [id, outcome !== undefined])).toEqual([
    ['a', true],
    ['b1', true],
  ]);
}

describe('the trunk gets an offer in its INVITE all the same', () => {
  officeScenario('one that promises nothing; then the descriptions of both', OFFICE, async (office, world) => {
    const { peer, call, invite, far } = await dialled(office, world);
    expect(stream(invite.body)).toMatchObject({ type: 'audio', port: 9, direction: 'inactive', address: '0.0.0.0' });
    expect(stream(invite.body)?.formats).toEqual(['0', '8', '101']);
    far.respond(180);
    await world.until(call.ringing());
    far.respond(200, { body: INACTIVE });
    expect((await peer.expect('ACK')).body).toBe('');
    const again = await peer.expect('INVITE');
    // What the trunk has answered was offered to the caller, in both directions; the caller’s answer comes to the trunk.
    expect(stream(call.media.remote)).toMatchObject({ port: 6000, direction: 'sendrecv', formats: ['8'] });
    expect(stream(again.body)).toMatchObject({ address: '10.0.0.1', direction: 'sendrecv', formats: ['8'] });
    peer.respond(again, 200, { body: says(6000, 2) });
    expect((await peer.expect('ACK')).body).toBe('');
    await world.advance({ seconds: 1 });
    expect(call.state.kind).toBe('talking');
    expect(office.pbx.calls).toHaveLength(1);
    // From here on the two ask each other.
    far.invite({ body: says(6002, 3) });
    const changed = await peer.expect('200 INVITE');
    far.ack();
    expect(stream(call.media.remote)).toMatchObject({ port: 6002 });
    expect(stream(changed.body)).toMatchObject({ address: '10.0.0.1' });
    call.hangUp();
    peer.respond(await peer.expect('BYE'), 200);
    await office.quiet();
    expect(office.record.answeredAt).toBeDefined();
    expectEnded(office);
  });

  officeScenario(
    'a trunk that names another address now: the caller is told by re-INVITE',
    OFFICE,
    async (office, world) => {
      const { peer, call, far } = await dialled(office, world);
      far.respond(200, { body: INACTIVE });
      const again = await peer.expect('INVITE');
      peer.respond(again, 200, { body: says(7000, 2) });
      await peer.expect('ACK');
      await world.advance({ seconds: 1 });
      expect(stream(call.media.remote)).toMatchObject({ port: 7000 });
      far.request('BYE');
      await peer.expect('200 BYE');
      await office.quiet();
      expectEnded(office);
    },
  );

  officeScenario(
    'with the codecs of the trunk',
    {
      pbx: {
        ...OFFICE.pbx,
        trunks: [
          {
            name: 'gw',
            server: '198.51.100.9',
            domain: 'carrier.test',
            qualifySeconds: 0,
            codecs: ['G722', 'PCMA'],
          },
        ],
      },
    },
    async (office, world) => {
      const { call, invite, far } = await dialled(office, world);
      expect(stream(invite.body)?.formats).toEqual(['9', '8']);
      far.respond(486);
      await world.until(call.ended());
      await office.quiet();
    },
  );

  officeScenario('a phone of the house is asked for an offer, as ever', OFFICE, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const next = bob.incoming();
    const call = alice.call('101', { lateOffer: true });
    const answered = await world.run(() => next);
    expect(answered.invite.sdp).toBeUndefined();
    answered.reject(486);
    await world.until(call.ended());
    await office.quiet();
  });
});

describe('100rel (RFC 3262)', () => {
  officeScenario('a trunk that answers reliably before it answers; no early media', OFFICE, async (office, world) => {
    const { peer, call, invite, far } = await dialled(office, world);
    expect(invite.header('Supported')).toContain('100rel');
    far.respond(183, { body: INACTIVE, headers: ['Require: 100rel', 'RSeq: 1'] });
    peer.respond(await peer.expect('PRACK'), 200);
    await world.until(call.ringing());
    expect(call.progress.at(-1)).toMatchObject({ status: 183, sdp: undefined });
    far.respond(200);
    await peer.expect('ACK');
    const again = await peer.expect('INVITE');
    expect(stream(call.media.remote)).toMatchObject({ port: 6000, direction: 'sendrecv' });
    peer.respond(again, 200, { body: says(6000, 2) });
    await peer.expect('ACK');
    call.hangUp();
    peer.respond(await peer.expect('BYE'), 200);
    await office.quiet();
    expectEnded(office);
  });

  for (const header of ['Supported: 100rel', 'Require: 100rel']) {
    officeScenario(`a caller with ${header} is offered in the 200`, OFFICE, async (office, world) => {
      const { peer, raw, caller, far } = await rawCaller(office, world, [header]);
      far.respond(180);
      far.respond(183, { body: INACTIVE });
      await world.advance({ seconds: 1 });
      // An offer could only be the trunk’s, and that one has made none: no description comes before the 200.
      expect(raw.received.filter(({ body }) => body !== '')).toHaveLength(0);
      far.respond(200, { body: INACTIVE });
      await peer.expect('ACK');
      const ok = await raw.expect('200 INVITE');
      caller.learn(ok);
      expect(stream(ok.body)).toMatchObject({ port: 6000, direction: 'sendrecv' });
      caller.ack({ body: rawSdp().replace('AVP 0', 'AVP 8') });
      const again = await peer.expect('INVITE');
      expect(stream(again.body)).toMatchObject({ port: 4000 });
      peer.respond(again, 200, { body: says(6000, 2) });
      await peer.expect('ACK');
      caller.request('BYE');
      await raw.expect('200 BYE');
      peer.respond(await peer.expect('BYE'), 200);
      await office.quiet();
      expectEnded(office);
    });
  }
});

describe('it ends in between', () => {
  officeScenario('CANCEL while it rings', OFFICE, async (office, world) => {
    const { peer, call, far } = await dialled(office, world);
    far.respond(180);
    await world.until(call.ringing());
    call.cancel();
    peer.respond(await peer.expect('CANCEL'), 200);
    far.respond(487);
    await world.until(call.ended());
    await office.quiet();
    expect(office.record.legs.map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled']);
  });

  officeScenario('CANCEL crosses the trunk’s 200: ACK and BYE', OFFICE, async (office, world) => {
    const { peer, call, far } = await dialled(office, world);
    far.respond(180);
    await world.until(call.ringing());
    call.cancel();
    far.respond(200, { body: INACTIVE });
    await peer.expect('ACK');
    peer.respond(await peer.expect('BYE'), 200);
    await world.until(call.ended());
    await office.quiet();
    expect(peer.received.filter(({ method }) => method === 'INVITE')).toHaveLength(1);
  });

  officeScenario('CANCEL crosses our 200: the caller hangs up, so do we', OFFICE, async (office, world) => {
    const { peer, raw, caller, far } = await rawCaller(office, world);
    far.respond(200, { body: INACTIVE });
    await peer.expect('ACK');
    const ok = await raw.expect('200 INVITE');
    caller.cancel();
    await raw.expect('200 CANCEL');
    caller.learn(ok);
    caller.ack({ body: rawSdp().replace('AVP 0', 'AVP 8') });
    caller.request('BYE');
    await raw.expect('200 BYE');
    peer.respond(await peer.expect((message) => message.method === 'INVITE'), 487);
    peer.respond(await peer.expect('BYE'), 200);
    await office.quiet();
    expectEnded(office);
  });

  officeScenario('RFC 3261 §13.2.1: an ACK without an answer: BYE to both', OFFICE, async (office, world) => {
    const { peer, raw, caller, far } = await rawCaller(office, world);
    far.respond(200, { body: INACTIVE });
    await peer.expect('ACK');
    caller.learn(await raw.expect('200 INVITE'));
    caller.ack();
    raw.respond(await raw.expect('BYE'), 200);
    peer.respond(await peer.expect('BYE'), 200);
    await office.quiet();
    expect(peer.received.filter(({ method }) => method === 'INVITE')).toHaveLength(1);
    expectEnded(office);
  });

  officeScenario('the ACK never comes: BYE to both after 64·T1', OFFICE, async (office, world) => {
    const { peer, raw, far } = await rawCaller(office, world);
    far.respond(200, { body: INACTIVE });
    await peer.expect('ACK');
    raw.respond(await raw.expect('BYE'), 200);
    peer.respond(await peer.expect('BYE'), 200);
    await office.quiet();
    expectEnded(office);
  });

  officeScenario('the trunk hangs up before the caller’s ACK', OFFICE, async (office, world) => {
    const { peer, raw, caller, far } = await rawCaller(office, world);
    far.respond(200, { body: INACTIVE });
    await peer.expect('ACK');
    far.request('BYE');
    await peer.expect('200 BYE');
    caller.learn(await raw.expect('200 INVITE'));
    caller.ack({ body: rawSdp().replace('AVP 0', 'AVP 8') });
    raw.respond(await raw.expect('BYE'), 200);
    await office.quiet();
    expect(peer.received.filter(({ method }) => method === 'INVITE')).toHaveLength(1);
    expectEnded(office);
  });

  officeScenario('the trunk hangs up instead of answering the re-INVITE', OFFICE, async (office, world) => {
    const { peer, call, far } = await dialled(office, world);
    far.respond(200, { body: INACTIVE });
    const again = await peer.expect('INVITE');
    far.request('BYE');
    await peer.expect('200 BYE');
    peer.respond(again, 487);
    await world.until(call.ended());
    await office.quiet();
    expectEnded(office);
  });

  officeScenario('the caller hangs up while the trunk thinks about the re-INVITE', OFFICE, async (office, world) => {
    const { peer, call, far } = await dialled(office, world);
    far.respond(200, { body: INACTIVE });
    const again = await peer.expect('INVITE');
    call.hangUp();
    peer.respond(again, 200, { body: says(6000, 2) });
    peer.respond(await peer.expect('BYE'), 200);
    await office.quiet();
    expectEnded(office);
  });

  officeScenario('the trunk refuses the re-INVITE: BYE to both', OFFICE, async (office, world) => {
    const { peer, call, far } = await dialled(office, world);
    far.respond(200, { body: INACTIVE });
    peer.respond(await peer.expect('INVITE'), 488);
    peer.respond(await peer.expect('BYE'), 200);
    await world.until(call.ended());
    await office.quiet();
    expectEnded(office);
  });

  for (const [what, body] of [
    ['refuses the stream', says(0, 1)],
    ['answers without a description', ''],
  ] as const) {
    officeScenario(`the trunk ${what}: 488, and BYE to it`, OFFICE, async (office, world) => {
      const { peer, call, far } = await dialled(office, world);
      far.respond(200, { body });
      await peer.expect('ACK');
      peer.respond(await peer.expect('BYE'), 200);
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 488 });
      await office.quiet();
      expectEnded(office);
    });
  }

  officeScenario(
    'what the trunk asks before the caller’s ACK waits: 491 (RFC 3261 §14.1)',
    OFFICE,
    async (office, world) => {
      const { peer, raw, caller, far } = await rawCaller(office, world);
      far.respond(200, { body: INACTIVE });
      await peer.expect('ACK');
      caller.learn(await raw.expect('200 INVITE'));
      far.invite({ body: says(6004, 2) });
      far.ackFailure(await peer.expect('491 INVITE'));
      caller.ack({ body: rawSdp().replace('AVP 0', 'AVP 8') });
      const again = await peer.expect('INVITE');
      peer.respond(again, 200, { body: says(6000, 2) });
      await peer.expect('ACK');
      caller.request('BYE');
      await raw.expect('200 BYE');
      peer.respond(await peer.expect('BYE'), 200);
      await office.quiet();
      expectEnded(office);
    },
  );
});
