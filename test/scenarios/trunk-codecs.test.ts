/** The codecs of a trunk: an allow-list on every description of its legs. Carriers that lock codecs down: product facts part 2, RFC 3264. */
import { describe, expect, test } from 'vitest';
import type { PbxOptions } from '../../src/pbx/options.js';
import type { OfferedCodec } from '../../src/protocol/sdp/create.js';
import { parseSdp } from '../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../src/protocol/sdp/media.js';
import { sipUri } from '../../src/protocol/sip/uri.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN, Office, officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';
import { runScenario } from '../support/scenario.js';

const PCMA: OfferedCodec = { payloadType: 8, name: 'PCMA', clockRate: 8000 };
const OPUS: OfferedCodec = { payloadType: 111, name: 'opus', clockRate: 48_000, channels: 2, fmtp: 'useinbandfec=1' };
const EVENTS: OfferedCodec = { payloadType: 101, name: 'telephone-event', clockRate: 8000, fmtp: '0-15' };

const OFFICE: { readonly pbx: Partial<PbxOptions> } = {
  pbx: {
    trunks: [
      {
        name: 'gw',
        server: '198.51.100.9',
        domain: 'carrier.test',
        qualifySeconds: 0,
        codecs: ['pcma', 'PCMU', 'telephone-event'],
      },
    ],
    dialPlan: { called: [{ prefix: '0', route: { kind: 'trunk', trunk: 'gw' } }] },
  },
};

const gateway = (world: World): Promise<RawPeer> => RawPeer.open(world, { name: 'gateway', address: '198.51.100.9' });

/** A description of the gateway. */
const says = (formats: string, version = 1, more = ''): string =>
  `v=0\r\no=gw 1 ${version} IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\nm=audio ${6000 + 2 * version} RTP/AVP ${formats}\r\n${more}`;
const OPUS_MAP = 'a=rtpmap:111 opus/48000/2\r\n';

/** The formats of the streams in use. */
const formats = (body: string | undefined): readonly string[] =>
  body === undefined
    ? []
    : mediaSummary(parseSdp(body))
        .filter(({ active }) => active)
        .map((stream) => stream.formats.join(' '));

/** Extension 100 talks by the trunk; its phone knows opus, PCMA and digits. */
async function talking(office: Office, world: World) {
  const peer = await gateway(world);
  const alice = await office.registered('100', { codecs: [OPUS, PCMA, EVENTS] });
  const call = alice.call('04930');
  const invite = await peer.expect('INVITE');
  const far = peer.take(invite);
  far.respond(200, { body: says('8 101', 1, 'a=rtpmap:101 telephone-event/8000\r\n') });
  await peer.expect('ACK');
  await world.until(call.talking());
  return { peer, alice, call, far, invite };
}

/** The gateway's side hangs up. */
async function over(office: Office, peer: RawPeer, far: { request(method: string): string }): Promise<void> {
  far.request('BYE');
  await peer.expect('200 BYE');
  await office.quiet();
}

describe('what is sent to a trunk holds its codecs alone', () => {
  officeScenario('an INVITE: the formats in their order, everything else as it was', OFFICE, async (office, world) => {
    const { peer, call, far, invite } = await talking(office, world);
    expect(formats(invite.body)).toEqual(['8 101']);
    expect(invite.body).not.toContain('opus');
    expect(invite.body).not.toContain('useinbandfec');
    // Without the formats taken out and the o= line of the leg it is what the phone has said.
    const rest = (body: string | undefined): string[] =>
      (body ?? '').split('\r\n').filter((line) => !/^(o=|m=|a=(rtpmap|fmtp):111 )/.test(line));
    expect(rest(invite.body)).toEqual(rest(call.media.local));
    await over(office, peer, far);
  });

  officeScenario('a re-INVITE and an answer of the phone', OFFICE, async (office, world) => {
    const { peer, call, far } = await talking(office, world);
    const held = call.hold();
    const invite = await peer.expect('INVITE');
    expect(formats(invite.body)).toEqual(['8 101']);
    expect(invite.body).toContain('a=sendonly');
    peer.respond(invite, 200, { body: says('8', 1, 'a=recvonly\r\n') });
    await peer.expect('ACK');
    await world.run(() => held);

    far.invite({ body: says('111 8', 2, OPUS_MAP) });
    const answered = await peer.expect('200 INVITE');
    far.ack();
    // The phone repeats all that it can; the trunk hears of none that it may not have.
    expect(formats(call.media.remote)).toEqual(['8']);
    expect(formats(answered.body)).toEqual(['8 101']);
    await over(office, peer, far);
  });

  officeScenario('RFC 3264 §5: no codec is left: 488, and no INVITE leaves', { ...OFFICE }, async (office, world) => {
    const peer = await gateway(world);
    const alice = await office.registered('100', { codecs: [OPUS, EVENTS] });
    const call = alice.call('04930');
    await world.until(call.ended());
    expect(call.state).toMatchObject({ status: 488, reason: 'No Codec In Common' });
    await office.quiet();
    expect(peer.received).toHaveLength(0);
    expect(office.record.leg('b1')).toMatchObject({ via: 'gw', outcome: 'failed', status: 488 });
  });

  officeScenario(
    'RFC 3261 §14.1: a re-INVITE without one is refused, the call goes on',
    OFFICE,
    async (office, world) => {
      const { peer, call, far } = await talking(office, world);
      const before = call.media.local ?? '';
      const result = await world.run(() =>
        call.reinvite(before.replace(/RTP\/AVP .*/, 'RTP/AVP 111').replace(/a=(rtpmap|fmtp):(8|101) .*\r\n/g, '')),
      );
      expect(result).toMatchObject({ kind: 'rejected', status: 488 });
      expect(peer.received.filter(({ method }) => method === 'INVITE')).toHaveLength(1);
      expect(call.state.kind).toBe('talking');
      await over(office, peer, far);
    },
  );

  officeScenario('an answer to an offer that the trunk was asked for, in the ACK', OFFICE, async (office, world) => {
    const { peer, call, far } = await talking(office, world);
    const result = call.reinvite();
    const invite = await peer.expect('INVITE');
    expect(invite.body).toBe('');
    peer.respond(invite, 200, { body: says('111 8', 2, OPUS_MAP) });
    const ack = await peer.expect('ACK');
    await world.run(() => result);
    expect(formats(call.media.remote)).toEqual(['8']);
    expect(formats(ack.body)).toEqual(['8 101']);
    await over(office, peer, far);
  });

  officeScenario(
    'whoever takes over the call from the phone speaks with the same codecs',
    OFFICE,
    async (office, world) => {
      const { peer, call, far } = await talking(office, world);
      const bob = await office.registered('101', { codecs: [OPUS, PCMA, EVENTS] });
      const next = bob.incoming();
      call.transfer({ to: sipUri({ user: '101', host: DOMAIN }) });
      const answered = await world.run(() => next);
      expect(formats(answered.invite.sdp)).toEqual(['8 101']);
      answered.answer();
      const invite = await peer.expect('INVITE');
      expect(formats(invite.body)).toEqual(['8 101']);
      peer.respond(invite, 200, { body: says('8 101', 2, 'a=rtpmap:101 telephone-event/8000\r\n') });
      await peer.expect('ACK');
      await over(office, peer, far);
    },
  );
});

describe('what a trunk offers is taken with its codecs alone', () => {
  officeScenario('a call from it: the phone is not tempted by others', OFFICE, async (office, world) => {
    const peer = await gateway(world);
    const alice = await office.registered('100', { codecs: [OPUS, PCMA, EVENTS] });
    const next = alice.incoming();
    const far = peer.dial('100', { body: says('111 8', 1, OPUS_MAP) });
    const call = await world.run(() => next);
    expect(formats(call.invite.sdp)).toEqual(['8']);
    expect(call.invite.sdp).not.toContain('opus');
    call.earlyMedia();
    const early = await peer.expect(183);
    expect(formats(early.body)).toEqual(['8']);
    call.answer();
    const ok = await peer.expect(200);
    far.learn(ok);
    far.ack();
    expect(ok.body).toBe(early.body);
    await over(office, peer, far);
  });

  officeScenario('a call from it without an offer is offered its codecs', OFFICE, async (office, world) => {
    const peer = await gateway(world);
    const alice = await office.registered('100', { codecs: [OPUS, PCMA, EVENTS] });
    const next = alice.incoming();
    const far = peer.dial('100', { body: '' });
    const call = await world.run(() => next);
    call.answer();
    const ok = await peer.expect(200);
    far.learn(ok);
    expect(formats(ok.body)).toEqual(['8 101']);
    far.ack({ body: says('8') });
    await over(office, peer, far);
  });

  officeScenario('only others: 488, and no phone rings', OFFICE, async (office, world) => {
    const peer = await gateway(world);
    const alice = await office.registered('100');
    const far = peer.dial('100', { body: says('111', 1, OPUS_MAP) });
    const refused = await peer.expect(488);
    expect(refused.text).toContain('488 No Codec In Common');
    far.ackFailure(refused);
    await office.quiet();
    expect(alice.calls).toHaveLength(0);
    expect(office.record.leg('a')).toMatchObject({ outcome: 'failed', status: 488 });
  });

  officeScenario(
    'only others in mid-call, by re-INVITE and UPDATE: 488, the call goes on',
    OFFICE,
    async (office, world) => {
      const { peer, call, far } = await talking(office, world);
      const before = call.media.remote;
      far.invite({ body: says('111', 2, OPUS_MAP) });
      const refused = await peer.expect('488 INVITE');
      far.ackFailure(refused);
      far.request('UPDATE', { body: says('111', 3, OPUS_MAP) });
      await peer.expect('488 UPDATE');
      expect(call.media.remote).toBe(before);
      expect(call.state.kind).toBe('talking');
      await over(office, peer, far);
    },
  );
});

test('the legs of a restored call keep their codecs', () =>
  runScenario({ seed: 1, delayMs: 5 }, async (world) => {
    const { records, blobs } = memoryStorage({ clock: world.clock });
    const life = () => new Office(world, { ...OFFICE.pbx, storage: { records, blobs, close: async () => {} } });
    const first = life();
    await world.run(() => first.pbx.start());
    const { peer, call, far } = await talking(first, world);
    world.pbx.restart();
    const second = life();
    await world.run(() => second.pbx.start());
    peer.respond(
      await peer.expect((message) => message.method === 'OPTIONS' && message.callId === far.dialog.callId),
      200,
    );
    const held = call.hold();
    const invite = await peer.expect('INVITE');
    expect(formats(invite.body)).toEqual(['8 101']);
    peer.respond(invite, 200, { body: says('8', 1, 'a=recvonly\r\n') });
    await peer.expect('ACK');
    await world.run(() => held);
    await over(second, peer, far);
  }));
