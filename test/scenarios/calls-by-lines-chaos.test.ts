/** Random calls out, in and on by two lines, under loss: every place on a line is given back, every leg ends once, whatever crosses what. */
import { expect } from 'vitest';
import { sipUri } from '../../src/protocol/sip/uri.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { twoCarriers } from '../support/carrier.js';
import { DOMAIN } from '../support/office.js';

const to = (number: string) => sipUri({ user: number, host: DOMAIN });

for (let seed = 1; seed <= 20; seed++) {
  twoCarriers(
    `seed ${seed}`,
    {
      seed,
      delayMs: [5, 60],
      loss: 0.03,
      pbx: {
        dialPlan: {
          called: [{ prefix: '9', route: { kind: 'line' }, transform: { type: 'delete', start: 0, length: 1 } }],
        },
      },
    },
    async ({ office, a, b }, world) => {
      const random = new SeededRandom(seed);
      /** What a phone does that is called. */
      const onCall = (call: PhoneCall): void => {
        const then = random.integer(6);
        if (then === 0) call.reject(486);
        else if (then === 1) call.reject(503);
        else if (then === 2) call.redirect(to(`9${5551}`));
        else if (then < 5) call.answer();
        else call.ring();
      };
      const inside = [];
      for (const number of ['100', '101']) inside.push(await office.registered(number, { onCall }));
      const outside = [await a.subscriber('5551', { onCall }), await b.subscriber('5551', { onCall })];
      const accounts = ['1234', '5678'];
      for (let i = 0; i < 25; i++) {
        const [phone, number] = random.chance(0.6)
          ? [inside[random.integer(2)], ['95551', '101', '100'][random.integer(3)]]
          : [outside[i % 2], accounts[i % 2]];
        const call = phone?.call(number ?? '') ?? expect.fail('no phone');
        await world.advance({ ms: random.integer(3_000) });
        const act = call.state.kind === 'talking' ? random.integer(10) : 10;
        if (act < 3) call.transfer({ to: to(random.chance(0.5) ? '95551' : '101') });
        else if (act < 5) void call.hold().catch(() => {});
        if (random.chance(0.7)) call.hangUp();
        await world.advance({ ms: random.integer(2_000) });
      }
      for (const phone of [...inside, ...outside])
        for (const call of phone.calls) if (call.state.kind !== 'ended') call.hangUp();
      await world.advance({ minutes: 5 });
      expect(office.pbx.calls).toEqual([]);
      expect(office.pbx.lines.map(({ inUse }) => inUse)).toEqual(Array(2).fill({ out: 0, in: 0 }));
      for (const { legs } of office.records)
        expect(legs.filter(({ endedAt, outcome }) => endedAt === undefined || outcome === undefined)).toEqual([]);
      expect(office.records.some(({ legs }) => legs.some(({ via }) => via !== undefined))).toBe(true);
    },
    { 1234: { inbound: '100', maxCalls: 2 }, 5678: { inbound: '101' } },
  );
}
