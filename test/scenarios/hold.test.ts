/** Flow H1 of RFC 5359 and what else a re-INVITE carries, through the PBX. */
import { describe, expect } from 'vitest';
import { butOrigin } from '../support/but-origin.js';
import { officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';
import { messagesOf, seenBy } from '../support/wire.js';

describe('H1: hold and resume (RFC 5359 §2.1)', () => {
  officeScenario('sendonly and back, answered rightly on both legs', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    const begin = world.clock.now();
    expect((await world.run(() => answered.hold())).kind).toBe('accepted');
    expect(call.media.remote).toContain('a=sendonly');
    expect(answered.media.remote).toContain('a=recvonly');
    expect((await world.run(() => answered.resume())).kind).toBe('accepted');
    expect(call.media.remote).toContain('a=sendrecv');
    expect(answered.media.remote).toContain('a=sendrecv');
    expect(seenBy(world, '100', begin)).toEqual(['<INVITE', '>200', '<ACK', '<INVITE', '>200', '<ACK']);
    await world.advance({ seconds: 1 });
    expect(seenBy(world, '101', begin)).toEqual(['>INVITE', '<200', '>ACK', '>INVITE', '<200', '>ACK']);
    call.hangUp();
    await office.quiet();
  });

  officeScenario('a re-INVITE without offer asks the other side for one', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    const begin = world.clock.now();
    expect((await world.run(() => call.reinvite())).kind).toBe('accepted');
    await world.advance({ seconds: 1 });
    expect(butOrigin(call.media.remote)).toBe(butOrigin(answered.media.local));
    expect(butOrigin(answered.media.remote)).toBe(butOrigin(call.media.local));
    const [invite] = messagesOf(world, '101', begin).filter((each) => each.method === 'INVITE');
    const [ack] = messagesOf(world, '101', begin).filter((each) => each.method === 'ACK');
    expect(invite?.hasSdp).toBe(false);
    expect(ack?.hasSdp).toBe(true);
    call.hangUp();
    await office.quiet();
  });

  officeScenario('a refused re-INVITE leaves the call as it was', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    answered.onModify = (modify) => modify.reject(488);
    expect(await world.run(() => call.hold())).toMatchObject({ kind: 'rejected', status: 488 });
    await world.advance({ seconds: 5 });
    expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
    call.hangUp();
    await office.quiet();
  });

  officeScenario('several streams, IPv6 addresses and unknown codecs pass untouched', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    const offer = [
      'v=0',
      'o=- 1 3 IN IP6 2001:db8::1',
      's=-',
      'c=IN IP6 2001:db8::1',
      't=0 0',
      'm=audio 4000 RTP/SAVPF 111 9',
      'a=rtpmap:111 opus/48000/2',
      'a=fmtp:111 useinbandfec=1',
      'm=video 4002 RTP/SAVPF 96',
      'a=rtpmap:96 VP8/90000',
      'm=application 4004 UDP/BFCP *',
      'a=x-unknown:yes',
      '',
    ].join('\r\n');
    answered.onModify = (modify) => void modify.accept(offer);
    const result = await world.run(() => call.reinvite(offer));
    expect(result.kind === 'accepted' && butOrigin(result.sdp)).toBe(butOrigin(offer));
    call.hangUp();
    await office.quiet();
  });
});

describe('glare (RFC 3261 §14.1)', () => {
  officeScenario('re-INVITEs from both sides cross: both get 491 and the call goes on', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    const results = await world.run(() => Promise.all([call.hold(), answered.hold()]));
    expect(results.some((result) => result.kind === 'rejected' && result.status === 491)).toBe(true);
    await world.advance({ seconds: 5 });
    expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
    call.hangUp();
    await office.quiet();
  });

  officeScenario(
    'BYE while a re-INVITE is under way: answered at once, the other side is hung up',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call, answered } = await office.talk(alice, bob);
      answered.onModify = () => {};
      const pending = call.hold();
      await world.advance({ ms: 50 });
      answered.hangUp();
      await world.until(call.ended());
      expect((await world.run(() => pending)).kind).not.toBe('accepted');
      await office.quiet();
      expect(office.records).toHaveLength(1);
    },
  );
});

describe('a re-INVITE that is never answered (RFC 3261 §13.2.1, §14.1)', () => {
  officeScenario(
    'but for a Trying: given up after a minute with 504; the call goes on, and the other side may ask again',
    {},
    async (office, world) => {
      const callee = await RawPeer.open(world);
      await callee.register('101', 'secret-101');
      const alice = await office.registered('100');
      const call = alice.call('101');
      const raw = callee.take(await callee.expect('INVITE'));
      raw.respond(200, { body: rawSdp() });
      await callee.expect('ACK');
      await world.until(call.talking());
      await world.advance({ ms: 100 });
      const begin = world.clock.now();
      const held = call.hold();
      const modify = await callee.expect('INVITE');
      callee.respond(modify, 100, { contact: '' });
      expect(await world.run(() => held)).toMatchObject({ kind: 'rejected', status: 504 });
      expect(world.clock.now() - begin).toBeGreaterThanOrEqual(60_000);
      expect(world.clock.now() - begin).toBeLessThan(61_000);
      callee.respond(await callee.expect('CANCEL'), 200, { contact: '' });
      callee.respond(modify, 487);
      await callee.expect('ACK');
      expect(call.state.kind).toBe('talking');
      raw.invite({ body: rawSdp('10.1.0.1', 4000, 2) });
      await callee.expect('200 INVITE');
      raw.ack();
      await world.advance({ ms: 100 });
      expect(butOrigin(call.media.remote)).toBe(butOrigin(rawSdp('10.1.0.1', 4000, 2)));
      call.hangUp();
      callee.respond(await callee.expect('BYE'), 200, { contact: '' });
      await office.quiet();
    },
  );
});
