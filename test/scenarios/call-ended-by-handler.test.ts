/** A handler that ends its call while `answer()` is under way (RFC 3261 §13.3.1.4, §15): refused before the 200, hung up after it. */
import { describe, expect } from 'vitest';
import type { CallControl } from '../../src/call/control/call-control.js';
import type { World } from '../../src/testing/world.js';
import { type Office, officeScenario } from '../support/office.js';
import { seenBy } from '../support/wire.js';

type Ending = (call: CallControl, office: Office) => void;

const ENDINGS: readonly (readonly [string, Ending, number])[] = [
  ['hangUp()', (call) => call.hangUp(), 480],
  ['reject(486)', (call) => call.reject(486), 486],
  ['endCall() of the host', (call, office) => void office.pbx.endCall(call.id), 480],
];

/** Serves 700 by `end` after `whileMs` of the answer; what the caller saw of its INVITE, and how `answer()` ended. */
async function ended(office: Office, world: World, end: Ending, whileMs: number, lateOffer = false) {
  const errors: unknown[] = [];
  const after: unknown[] = [];
  office.pbx.onCall('700', async (call) => {
    const answering = call.answer().catch((error: unknown) => errors.push(error));
    if (whileMs > 0) await new Promise<void>((resolve) => world.ports.scheduler.after(whileMs, resolve));
    end(call, office);
    await answering;
    after.push(call.answered, call.audio);
    await call.play([]).catch((error: unknown) => errors.push(error));
  });
  const alice = await office.registered('100');
  const begin = world.clock.now();
  const call = alice.call('700', { lateOffer });
  await world.until(call.ended());
  await office.quiet();
  expect(errors).toMatchObject([{ code: 'CALL_ENDED' }, { code: 'CALL_ENDED' }]);
  expect(after).toEqual([false, undefined]);
  expect(office.pbx.stats().media.ports.used).toBe(0);
  expect(world.log.lines('error')).toEqual([]);
  return {
    call,
    seen: seenBy(world, '100', begin)
      .filter((each) => each !== '<100')
      .slice(3),
  };
}

for (const [name, end, status] of ENDINGS) {
  describe(name, () => {
    officeScenario('while the ports are being opened: a refusal, and no 200', {}, async (office, world) => {
      const { call, seen } = await ended(office, world, end, 0);
      expect(seen).toEqual(['>INVITE', `<${status}`, '>ACK']);
      expect(call.state).toMatchObject({ status });
      expect(office.record.leg('a')).toMatchObject({ releasedBy: 'server', status });
      expect(office.record.answeredAt).toBeUndefined();
    });

    for (const lateOffer of [false, true]) {
      const offers = lateOffer ? ', which brings an answer' : '';
      officeScenario(`after the 200, before the ACK${offers}: BYE follows the ACK`, {}, async (office, world) => {
        const { call, seen } = await ended(office, world, end, 3, lateOffer);
        expect(seen).toEqual(['>INVITE', '<200', '>ACK', '<BYE', '>200']);
        expect(call.state).toMatchObject({ kind: 'ended', by: 'other-side' });
        expect(office.record.leg('a')).toMatchObject({ outcome: 'answered', releasedBy: 'server' });
      });
    }
  });
}

officeScenario('an answer that is asked for twice is one answer', {}, async (office, world) => {
  office.pbx.onCall('700', async (call) => {
    await Promise.all([call.answer(), call.answer()]);
    await call.answer();
  });
  const alice = await office.registered('100');
  const begin = world.clock.now();
  const call = alice.call('700');
  await world.until(call.ended());
  await office.quiet();
  expect(seenBy(world, '100', begin).filter((each) => each === '<200')).toHaveLength(1);
});

officeScenario('a handler that goes on after it has refused: the call is over at once', {}, async (office, world) => {
  const order: string[] = [];
  office.pbx.on('call.ended', () => order.push('call.ended'));
  office.pbx.onCall('700', async (call) => {
    call.signal.addEventListener('abort', () => order.push('signal'));
    call.reject(603);
    await new Promise<void>((resolve) => world.ports.scheduler.after(60_000, resolve));
    order.push('handler');
  });
  const alice = await office.registered('100');
  const call = alice.call('700');
  await world.until(call.ended());
  await world.advance({ seconds: 61 });
  expect(order).toEqual(['signal', 'call.ended', 'handler']);
  expect(office.record.leg('a')).toMatchObject({ outcome: 'rejected', status: 603 });
});
