/** Flow T5 (RFC 5589 §7.6): the transferor hands over while the target still rings. */
import { describe, expect } from 'vitest';
import type { CallControl } from '../../src/call/control/call-control.js';
import { sipUri } from '../../src/protocol/sip/uri.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import { DOMAIN, type Office, type OfficeScenario, officeScenario } from '../support/office.js';
import { seenBy } from '../support/wire.js';

const to = (number: string) => sipUri({ user: number, host: DOMAIN });
const hears = (side: PhoneCall): string | undefined => side.media.remote?.match(/c=IN IP4 (\S+)/)?.[1];

/** 100 has called 101, who calls 102, where it rings. */
async function ringing(office: Office) {
  const { world } = office;
  const alice = await office.registered('100');
  const bob = await office.registered('101');
  const carol = await office.registered('102');
  const { call, answered } = await office.talk(alice, bob);
  await world.run(() => answered.hold());
  const next = carol.incoming();
  const asking = bob.call('102');
  const rings = await world.run(() => next);
  await world.until(asking.ringing());
  return { alice, bob, carol, call, answered, asking, rings };
}

function semi(
  name: string,
  body: (office: Office, phones: Awaited<ReturnType<typeof ringing>>) => Promise<void>,
  options: OfficeScenario = {},
): void {
  officeScenario(name, options, async (office) => body(office, await ringing(office)));
}

describe('T5: semi-attended transfer', () => {
  semi('one INVITE stays at the target; when it answers the two talk', async (office, phones) => {
    const { call, answered, asking, rings, bob } = phones;
    const { world } = office;
    const begin = world.clock.now();
    const transfer = answered.transfer({ to: to('102'), replacing: asking });
    await world.run(() => transfer.answered);
    await world.advance({ seconds: 2 });
    expect([transfer.status, transfer.result]).toEqual([202, undefined]);
    expect(asking.state.kind).toBe('ringing');
    rings.answer();
    await world.run(() => transfer.settled);
    await world.until(asking.ended());
    await world.until(answered.ended());
    await world.advance({ seconds: 1 });
    expect(transfer.result).toBe(200);
    expect(asking.state).toMatchObject({ status: 487 });
    expect(seenBy(world, '102', begin)).toEqual(['>200', '<ACK', '<INVITE', '>200', '<ACK']);
    expect(seenBy(world, '100', begin)).toEqual(['<INVITE', '>200', '<ACK']);
    expect([hears(call), hears(rings)]).toEqual(['10.0.0.3', '10.0.0.1']);
    rings.hangUp();
    await world.until(call.ended());
    await office.quiet();
    const [waiting, first] = office.records;
    expect(waiting?.legs.map(({ number, outcome }) => [number, outcome])).toEqual([['101', 'cancelled']]);
    expect(waiting?.continuedIn).toBe(first?.id);
    expect(first?.legs.map(({ number, outcome }) => [number, outcome])).toEqual([
      ['100', 'answered'],
      ['101', 'answered'],
      ['102', 'answered'],
    ]);
    expect(bob.busy).toEqual({ dialogs: 0, transactions: 0 });
  });

  semi('the transferor gives its INVITE up, and hangs up: the transfer goes on', async (office, phones) => {
    const { call, answered, asking, rings } = phones;
    const { world } = office;
    const begin = world.clock.now();
    answered.transfer({ to: to('102'), replacing: asking });
    await world.advance({ ms: 50 });
    asking.cancel();
    answered.hangUp();
    await world.advance({ seconds: 2 });
    expect(asking.state.kind).toBe('ended');
    expect(rings.state.kind).toBe('ringing');
    rings.answer();
    await world.advance({ seconds: 2 });
    expect([hears(call), hears(rings)]).toEqual(['10.0.0.3', '10.0.0.1']);
    expect(seenBy(world, '102', begin)).not.toContain('<CANCEL');
    call.hangUp();
    await world.until(rings.ended());
    await office.quiet();
    expect(office.records).toHaveLength(2);
  });

  semi(
    'the target is busy after all: NOTIFY 486, the caller gets it too, and the first call goes on',
    async (office, phones) => {
      const { call, answered, asking, rings } = phones;
      const { world } = office;
      const transfer = answered.transfer({ to: to('102'), replacing: asking });
      await world.advance({ ms: 50 });
      rings.reject(486);
      await world.run(() => transfer.settled);
      await world.until(asking.ended());
      expect(transfer.result).toBe(486);
      expect(asking.state).toMatchObject({ status: 486 });
      expect((await world.run(() => answered.resume())).kind).toBe('accepted');
      expect(hears(call)).toBe('10.0.0.2');
      call.hangUp();
      await office.quiet();
    },
  );

  semi(
    'nobody answers: the time to ring of the first INVITE holds',
    async (office, phones) => {
      const { answered, asking, rings } = phones;
      const { world } = office;
      const transfer = answered.transfer({ to: to('102'), replacing: asking });
      await world.run(() => transfer.settled);
      expect(transfer.result).toBe(480);
      await world.until(rings.ended());
      answered.hangUp();
      await office.quiet();
    },
    { pbx: { calls: { noAnswerSeconds: 15 } } },
  );

  semi('the transferee hangs up: the transferor’s own call to the target goes on', async (office, phones) => {
    const { call, answered, asking, rings } = phones;
    const { world } = office;
    answered.transfer({ to: to('102'), replacing: asking });
    await world.advance({ ms: 50 });
    call.hangUp();
    await world.until(answered.ended());
    rings.answer();
    await world.until(asking.talking());
    expect(hears(rings)).toBe('10.0.0.2');
    asking.hangUp();
    await office.quiet();
  });

  semi('the transferee hangs up, and the transferor has given up: nothing rings on', async (office, phones) => {
    const { call, answered, asking, rings } = phones;
    const { world } = office;
    answered.transfer({ to: to('102'), replacing: asking });
    await world.advance({ ms: 50 });
    asking.cancel();
    await world.advance({ ms: 50 });
    call.hangUp();
    await world.until(rings.ended());
    await office.quiet();
    expect(office.records).toHaveLength(2);
  });

  semi(
    'the transferee refuses the target’s description: the transferor gets its answer after all',
    async (office, phones) => {
      const { call, answered, asking, rings } = phones;
      const { world } = office;
      call.onModify = (modify) => modify.reject(488);
      const transfer = answered.transfer({ to: to('102'), replacing: asking });
      await world.advance({ ms: 50 });
      rings.answer();
      await world.run(() => transfer.settled);
      expect(transfer.result).toBe(488);
      await world.until(asking.talking());
      await world.advance({ seconds: 2 });
      expect(hears(rings)).toBe('10.0.0.2');
      expect(call.state.kind).toBe('talking');
      asking.hangUp();
      answered.hangUp();
      await office.quiet();
    },
  );

  semi('the target answers while the transferor cancels', async (office, phones) => {
    const { call, answered, asking, rings } = phones;
    const { world } = office;
    answered.transfer({ to: to('102'), replacing: asking });
    await world.advance({ ms: 50 });
    rings.answer();
    asking.cancel();
    await world.advance({ seconds: 3 });
    expect([call.state.kind, rings.state.kind]).toEqual(['talking', 'talking']);
    expect([hears(call), hears(rings)]).toEqual(['10.0.0.3', '10.0.0.1']);
    call.hangUp();
    await office.quiet();
    const legs = office.records.flatMap((record) => record.legs.map((leg) => leg.sipCallId));
    expect([legs.length, new Set(legs).size]).toEqual([4, 4]);
  });

  for (const seed of [21, 22, 23, 24]) {
    semi(
      `over a wire that loses (seed ${seed})`,
      async (office, phones) => {
        const { call, answered, asking, rings } = phones;
        const { world } = office;
        answered.transfer({ to: to('102'), replacing: asking });
        await world.advance({ seconds: 20 });
        rings.answer();
        await world.advance({ seconds: 70 });
        expect([answered.state.kind, asking.state.kind]).toEqual(['ended', 'ended']);
        expect([hears(call), hears(rings)]).toEqual(['10.0.0.3', '10.0.0.1']);
        call.hangUp();
        await world.advance({ seconds: 40 });
        await office.quiet();
      },
      { seed, loss: 0.15, duplicate: 0.1, reorder: 0.1 },
    );
  }
});

describe('T5: the transferor waits for a handler that has not answered', () => {
  /** What the handler does for the transferor, before it answers. */
  const starts = {
    rings: (call: CallControl) => call.ring(),
    'lets early media be heard': (call: CallControl) => call.early(),
  };

  /** 101 talks to 100 and waits at 700; `then` serves whoever comes after it. */
  async function waiting(
    office: Office,
    start: (call: CallControl) => void | Promise<void>,
    then: (call: CallControl) => void | Promise<void>,
  ) {
    const { world } = office;
    const served: CallControl[] = [];
    office.pbx.onCall('700', async (call) => {
      served.push(call);
      await (served.length === 1 ? start(call) : then(call));
      await new Promise<void>((resolve) => call.signal.addEventListener('abort', () => resolve(), { once: true }));
    });
    const [alice, bob] = [await office.registered('100'), await office.registered('101')];
    const { call: stays, answered: leaving } = await office.talk(alice, bob);
    await world.run(() => leaving.hold());
    const asking = bob.call('700');
    await world.until(asking.ringing());
    await world.advance({ ms: 100 });
    return { stays, leaving, asking, served };
  }

  for (const [name, start] of Object.entries(starts)) {
    officeScenario(`it ${name}: the transferee is served, and the transferor is out`, {}, async (office, world) => {
      const { stays, leaving, asking, served } = await waiting(office, start, (call) => call.answer());
      const transfer = leaving.transfer({ to: to('700'), replacing: asking });
      await world.run(() => transfer.settled);
      await world.until(asking.ended());
      await world.until(leaving.ended());
      expect([transfer.result, asking.state]).toMatchObject([200, { status: 487 }]);
      expect(served.map(({ caller, answered, signal }) => [caller.number, answered, signal.aborted])).toEqual([
        ['101', false, true],
        ['100', true, false],
      ]);
      expect(hears(stays)).toBe('192.0.2.1');
      stays.hangUp();
      await office.over();
      expect(office.records.map(({ legs }) => legs.map(({ outcome, cause }) => [outcome, cause]))).toEqual([
        [['cancelled', 'transferred to 100']],
        [
          ['answered', undefined],
          ['answered', 'transferred to 700'],
        ],
      ]);
    });
  }

  officeScenario(
    'the transferor gives its INVITE up: the transferee is served all the same',
    {},
    async (office, world) => {
      const { stays, leaving, asking, served } = await waiting(office, starts.rings, async (call) => {
        call.ring();
        await new Promise<void>((resolve) => world.ports.scheduler.after(500, resolve));
        await call.answer();
      });
      const transfer = leaving.transfer({ to: to('700'), replacing: asking });
      await world.run(() => transfer.answered);
      asking.cancel();
      await world.run(() => transfer.settled);
      expect([transfer.result, served.map(({ signal }) => signal.aborted)]).toEqual([200, [true, false]]);
      stays.hangUp();
      await office.over();
    },
  );

  officeScenario('the transferee is refused: the transferor is told, and waits on', {}, async (office, world) => {
    const { stays, leaving, asking, served } = await waiting(office, starts.rings, (call) => call.reject(486));
    const transfer = leaving.transfer({ to: to('700'), replacing: asking });
    await world.run(() => transfer.settled);
    expect([transfer.result, asking.state.kind, stays.state.kind]).toEqual([486, 'ringing', 'talking']);
    await world.run(() => (served[0] as CallControl).answer());
    await world.until(asking.talking());
    asking.hangUp();
    stays.hangUp();
    await office.over();
  });
});
