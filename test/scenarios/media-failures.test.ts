/** An engine that fails, and calls that end while it is asked: nobody else is harmed, and nothing is left behind. */
import { describe, expect } from 'vitest';
import type { DialOutcome } from '../../src/call/control/dial-outcome.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import { MarkingEngine } from '../call/ports.js';
import { Office, officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';
import { headerOf, messagesOf } from '../support/wire.js';

const DOWN = new Error('no engine answers');

function relayed(path: 'auto' | 'relay' = 'relay') {
  const engine = new MarkingEngine();
  return { engine, pbx: { media: { path, engine } } };
}

describe('no port is left for media', () => {
  const FULL = { media: { path: 'relay', ports: { from: 20_000, to: 20_002 } } } as const;
  officeScenario(
    'a new call is refused with 503 and Retry-After (RFC 3261 §21.5.4), others are served on, and soon so is it',
    { pbx: FULL },
    async (office, world) => {
      const { call, answered } = await office.talk(await office.registered('100'), await office.registered('101'));
      const dora = await office.registered('102');
      const refused = dora.call('101');
      await world.until(refused.ended());
      expect(refused.state).toMatchObject({ status: 503 });
      const answer = messagesOf(world, '102').find(({ status }) => status === 503);
      expect(answer && headerOf(answer, 'Retry-After')).toBe('10');
      expect((await world.run(() => dora.register())).status).toBe(200);
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      call.hangUp();
      await world.advance({ seconds: 12 });
      const again = dora.call('101');
      await world.until(again.talking());
      again.hangUp();
      await office.quiet();
    },
  );

  officeScenario(
    'a router’s own 503 tells no time: it is about one number, and a Retry-After would be about the whole server',
    { pbx: { router: () => ({ next: () => Promise.resolve({ kind: 'reject', status: 503 }) }) } },
    async (office, world) => {
      const call = (await office.registered('100')).call('101');
      await world.until(call.ended());
      const answer = messagesOf(world, '100').find(({ status }) => status === 503);
      expect(answer && [answer.status, headerOf(answer, 'Retry-After')]).toEqual([503, undefined]);
      await office.quiet();
    },
  );

  officeScenario('a served call, too', { pbx: FULL }, async (office, world) => {
    office.pbx.onCall('700', async (call) => {
      await call.answer();
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    });
    const [first, second] = [await office.registered('100'), await office.registered('101')];
    const calls = [first.call('700'), second.call('700')];
    await world.until(() => calls.every(({ state }) => state.kind === 'talking'));
    const refused = (await office.registered('102')).call('700');
    await world.until(refused.ended());
    expect(refused.state).toMatchObject({ status: 503 });
    expect(world.log.format('error')).toBe('');
    for (const call of calls) call.hangUp();
    await office.quiet();
  });
});

describe('an engine that fails', () => {
  const restarted = relayed();
  const storage = memoryStorage();
  officeScenario(
    'after a restart: the call is kept, nobody else is harmed, and the next life tries again',
    { pbx: { storage, ...restarted.pbx } },
    async (office, world) => {
      const { call, answered } = await office.talk(await office.registered('100'), await office.registered('101'));
      await world.advance({ ms: 100 });
      world.pbx.kill();
      world.pbx.restart();
      restarted.engine.before = () => Promise.reject(DOWN);
      const next = new Office(world, { storage, ...restarted.pbx });
      await world.run(() => next.pbx.start());
      await world.advance({ seconds: 2 });
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      expect(next.pbx.calls).toHaveLength(1);
      world.pbx.kill();
      world.pbx.restart();
      restarted.engine.before = () => Promise.resolve();
      const asked = restarted.engine.asked.length;
      const third = new Office(world, { storage, ...restarted.pbx });
      await world.run(() => third.pbx.start());
      await world.advance({ seconds: 2 });
      expect(restarted.engine.asked.slice(asked)).toContain('offer a>b1');
      expect([call.state.kind, answered.state.kind]).toEqual(['talking', 'talking']);
      call.hangUp();
      await third.quiet();
    },
  );

  const moved = relayed('auto');
  officeScenario('when a call is to be moved: it stays where it is', { pbx: moved.pbx }, async (office, world) => {
    const { call, answered } = await office.talk(await office.registered('100'), await office.registered('101'));
    const callId = office.pbx.calls[0]?.id ?? '';
    moved.engine.before = () => Promise.reject(DOWN);
    await expect(world.run(() => office.pbx.moveMedia(callId, 'relay'))).rejects.toBe(DOWN);
    expect((await world.run(() => call.hold())).kind).toBe('accepted');
    expect((await world.run(() => call.resume())).kind).toBe('accepted');
    expect(answered.media.remote).toContain('a=sendrecv');
    call.hangUp();
    await office.quiet();
  });

  const offerless = relayed();
  officeScenario(
    'with an offer that was asked for: who made it has its ACK all the same (RFC 3261 §13.2.2.4)',
    { pbx: offerless.pbx },
    async (office, world) => {
      const alice = await office.registered('100');
      const peer = await RawPeer.open(world);
      await peer.register('101', 'secret-101');
      const call = alice.call('101');
      peer.take(await peer.expect('INVITE')).respond(200, { body: rawSdp() });
      await world.until(call.talking());
      await peer.expect('ACK');
      offerless.engine.before = (what) => (what === 'offer' ? Promise.reject(DOWN) : Promise.resolve());
      const asked = call.reinvite();
      peer.respond(await peer.expect('INVITE'), 200, { body: rawSdp('10.1.0.1', 4002, 2) });
      await peer.expect('ACK');
      expect(await world.run(() => asked)).toMatchObject({ kind: 'rejected', status: 500 });
      call.hangUp();
      peer.respond(await peer.expect('BYE'), 200);
      await office.quiet();
    },
  );
});

describe('what ends while the engine is asked', () => {
  const slow = relayed();
  officeScenario('a call: the engine is told again that it is over', { pbx: slow.pbx }, async (office, world) => {
    const { call } = await office.talk(await office.registered('100'), await office.registered('101'));
    let go = (): void => {};
    slow.engine.before = () => new Promise((resolve) => (go = resolve));
    void call.hold();
    await world.advance({ ms: 100 });
    call.hangUp();
    await world.advance({ ms: 100 });
    expect(slow.engine.deleted).toHaveLength(1);
    go();
    await world.advance({ ms: 100 });
    expect(slow.engine.deleted).toHaveLength(2);
    slow.engine.before = () => Promise.resolve();
    await office.quiet();
  });

  const hunted = relayed();
  officeScenario(
    'a dial that finds nobody: what was kept for its legs goes',
    { pbx: hunted.pbx },
    async (office, world) => {
      office.pbx.onCall('700', async (call) => {
        for (let i = 0; i < 3; i++) await call.dial('101', { noAnswerSeconds: 2 });
      });
      await office.registered('101');
      const alice = await office.registered('100');
      const call = alice.call('700');
      await world.until(call.talking());
      await world.advance({ seconds: 8 });
      expect(hunted.engine.left).toEqual(['b1', 'b2', 'b3']);
      await office.quiet();
    },
  );
});

describe('auto', () => {
  const late = relayed('auto');
  officeScenario(
    'the caller’s answer in the ACK shows that it is behind a NAT: both are moved to the relay',
    { pbx: late.pbx },
    async (office, world) => {
      const alice = await office.registered('100', { behindNat: true });
      const bob = await office.registered('101', { onCall: (call) => call.answer() });
      const next = bob.incoming();
      const call = alice.call('101', { lateOffer: true });
      const answered = await world.run(() => next);
      await world.until(call.talking());
      await world.advance({ seconds: 1 });
      expect(answered.media.remote).toContain('a=through:');
      expect(call.media.remote).toContain('a=through:');
      call.hangUp();
      await office.quiet();
    },
  );
});

describe('early media of somebody who then does not answer', () => {
  officeScenario('the caller’s 491 to it does not bring it back later (RFC 3261 §14.1)', {}, async (office, world) => {
    const outcomes: DialOutcome[] = [];
    office.pbx.onCall('700', async (call) => {
      outcomes.push(await call.dial('101'));
      await call.collect({ firstDigitMs: 20_000 });
    });
    const bob = await office.registered('101', { onCall: (call) => call.earlyMedia() });
    const next = bob.incoming();
    const alice = await office.registered('100');
    const call = alice.call('700');
    const { onModify } = call;
    let refused = 0;
    call.onModify = (modify, media) => (refused++ === 0 ? modify.reject(491) : onModify(modify, media));
    const ringing = await world.run(() => next);
    await world.advance({ ms: 50 });
    ringing.reject(486);
    await world.advance({ seconds: 8 });
    expect(outcomes).toMatchObject([{ kind: 'busy' }]);
    expect(refused).toBeGreaterThan(1);
    expect(call.media.remote).toContain('c=IN IP4 192.0.2.1');
    call.hangUp();
    await office.quiet();
    expect(office.pbx.stats().media.ports.used).toBe(0);
  });
});
