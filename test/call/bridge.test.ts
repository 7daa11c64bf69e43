/** Two sessions joined: what a re-INVITE and a BYE of one side mean to the other. */
import { describe, expect, test } from 'vitest';
import { Mailbox } from '../../src/base/mailbox.js';
import { Bridge } from '../../src/call/bridge.js';
import { DIRECT_MEDIA } from '../../src/call/call-media.js';
import { established, OFFER, withStack } from '../dialog/stack.js';
import { butOrigin } from '../support/but-origin.js';
import { officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';
import { headerOf, messagesOf, seenBy } from '../support/wire.js';
import { MarkingEngine } from './ports.js';

describe('a re-INVITE passes', () => {
  officeScenario('one after the other, from both sides, in order', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    for (let i = 0; i < 3; i++) {
      expect((await world.run(() => call.hold())).kind).toBe('accepted');
      expect((await world.run(() => call.resume())).kind).toBe('accepted');
      await world.advance({ ms: 50 });
      expect((await world.run(() => answered.hold())).kind).toBe('accepted');
      expect((await world.run(() => answered.resume())).kind).toBe('accepted');
      await world.advance({ ms: 50 });
    }
    expect(call.media.remote).toContain('a=sendrecv');
    call.hangUp();
    await office.quiet();
    expect(office.records).toHaveLength(1);
  });

  officeScenario('the phone’s own refusal comes back with its reason', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    answered.onModify = (modify) => modify.reject(606, 'No Codec');
    expect(await world.run(() => call.hold())).toEqual({ kind: 'rejected', status: 606, reason: 'No Codec' });
    call.hangUp();
    await office.quiet();
  });

  officeScenario(
    'CANCEL of a re-INVITE reaches the other phone; the call goes on (RFC 3261 §14.1)',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call, answered } = await office.talk(alice, bob);
      answered.onModify = () => {};
      const begin = world.clock.now();
      const abort = new AbortController();
      const result = call.session?.modify({ sdp: call.media.hold(), signal: abort.signal });
      await world.advance({ ms: 500 });
      abort.abort();
      expect((await world.run(() => result))?.kind).toBe('ended');
      await world.advance({ seconds: 2 });
      expect(seenBy(world, '101', begin)).toEqual(['<INVITE', '>100', '<CANCEL', '>200', '>487', '<ACK']);
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      call.hangUp();
      await office.quiet();
    },
  );

  officeScenario(
    'a re-INVITE cancelled by its sender and accepted all the same: the other phone is brought back (RFC 3264 §8)',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const peer = await RawPeer.open(world);
      await peer.register('101', 'secret-101');
      const call = alice.call('101');
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(200, { body: rawSdp() });
      await world.until(call.talking());
      await peer.expect('ACK');
      const first = raw.taken?.body ?? '';
      const abort = new AbortController();
      const result = call.session?.modify({ sdp: call.media.hold(), signal: abort.signal });
      const held = await peer.expect('INVITE');
      peer.respond(held, 100, { contact: '' });
      await world.advance({ ms: 50 });
      abort.abort();
      const cancel = await peer.expect('CANCEL');
      peer.respond(held, 200, { body: rawSdp('10.1.0.1', 4000, 2) });
      peer.respond(cancel, 200);
      expect((await world.run(() => result))?.kind).toBe('ended');
      const back = await peer.expect((each) => each.method === 'INVITE' && each.cseq > held.cseq);
      expect(butOrigin(back.body)).toBe(butOrigin(first));
      const versions = [first, held.body, back.body].map((sdp) => /^o=- (\d+ \d+) /m.exec(sdp)?.[1]?.split(' '));
      expect(versions.map((each) => each?.[1])).toEqual(['1', '2', '3']);
      expect(new Set(versions.map((each) => each?.[0])).size).toBe(1);
      peer.respond(back, 200, { body: rawSdp('10.1.0.1', 4000, 3) });
      await world.advance({ seconds: 5 });
      expect(peer.heard.filter((each) => each === 'INVITE')).toHaveLength(3);
      call.hangUp();
      peer.respond(await peer.expect('BYE'), 200);
      await office.quiet();
    },
  );

  const engine = new MarkingEngine();
  officeScenario(
    'a media engine that fails: 500, and the call goes on as it was',
    { pbx: { media: { path: 'relay', engine: engine } } },
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call, answered } = await office.talk(alice, bob);
      engine.before = () => Promise.reject(new Error('no port left'));
      expect(await world.run(() => call.hold())).toMatchObject({ kind: 'rejected', status: 500 });
      await world.advance({ seconds: 5 });
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      engine.before = () => Promise.resolve();
      expect((await world.run(() => call.resume())).kind).toBe('accepted');
      call.hangUp();
      await office.quiet();
    },
  );
});

test('a re-INVITE that waited while the sides were being joined with others has its 491, and is not passed on afterwards', () =>
  withStack(async ({ world, stack, peer }) => {
    const [from, to] = [await established(stack, peer), await established(stack, peer)];
    const mailbox = new Mailbox();
    const bridge = new Bridge({
      callId: 'c',
      inbound: { legId: 'a', session: from.session },
      outbound: { legId: 'b1', session: to.session },
      media: DIRECT_MEDIA,
      mailbox,
      logger: world.ports.logger,
      onChanged: () => {},
      onEnded: () => {},
    });
    bridge.join();
    let leave: () => void = () => {};
    void mailbox.run(
      () =>
        new Promise<void>((resolve) => {
          leave = resolve;
        }),
    );
    from.raw.invite({ body: OFFER });
    await world.advance({ ms: 50 });
    bridge.suspend();
    bridge.resume();
    await peer.expect('491 INVITE');
    from.raw.ack();
    leave();
    await world.advance({ seconds: 1 });
    expect(peer.heard).not.toContain('INVITE');
    expect(world.log.format('error')).toBe('');
    bridge.end();
    for (let i = 0; i < 2; i++) peer.respond(await peer.expect('BYE'), 200);
  }));

describe('BYE passes', () => {
  officeScenario('with its Reason (RFC 3326), which is also on record', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    call.session?.end({ Reason: 'Q.850;cause=16;text="Normal"' });
    await world.until(answered.ended());
    const bye = messagesOf(world, '101').find((each) => each.method === 'BYE');
    expect(headerOf(bye as never, 'Reason')).toBe('Q.850;cause=16;text="Normal"');
    await office.quiet();
    expect(office.record.leg('a')).toMatchObject({ releasedBy: 'this-party', cause: 'Q.850;cause=16;text="Normal"' });
    expect(office.record.leg('b1')).toMatchObject({ releasedBy: 'other-party', cause: 'Q.850;cause=16;text="Normal"' });
  });

  officeScenario('of both sides at once: one record, nothing left', {}, async (office) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const { call, answered } = await office.talk(alice, bob);
    call.hangUp();
    answered.hangUp();
    await office.quiet();
    expect(office.records).toHaveLength(1);
    expect([alice.busy, bob.busy]).toEqual([
      { dialogs: 0, transactions: 0 },
      { dialogs: 0, transactions: 0 },
    ]);
  });

  officeScenario(
    'to a phone that has vanished: the other side is free at once, the rest after 64·T1',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call, answered } = await office.talk(alice, bob);
      await world.run(() => bob.close());
      const begin = world.clock.now();
      call.hangUp();
      await world.until(() => office.records.length === 1);
      expect(world.clock.now() - begin).toBeLessThan(100);
      await office.quiet();
      expect(answered.state).toEqual({ kind: 'ended', by: 'this-phone' });
    },
  );
});
