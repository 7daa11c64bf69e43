/** Several phones at once, and the leases of their targets. */
import { describe, expect } from 'vitest';
import { sipUri } from '../../src/protocol/sip/uri.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import type { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { LeaseOutcome, Target } from '../../src/ua/target.js';
import { DOMAIN, officeScenario } from '../support/office.js';
import { deciding, NOWHERE, targetOf } from './ports.js';

/** A router that sends the first attempt of every call to these targets. */
function to(targets: () => Target[], noAnswerSeconds = 30) {
  return {
    pbx: {
      router: deciding((_context, last) =>
        last === undefined ? { kind: 'targets', targets: targets(), called: '101', noAnswerSeconds } : undefined,
      ),
    },
  };
}

describe('a lease is released exactly once, with how it went', () => {
  for (const [status, expected] of [
    [486, 'busy'],
    [600, 'busy'],
    [403, 'rejected'],
    [603, 'rejected'],
    [480, 'no-answer'],
    [500, 'failed'],
    [302, 'failed'],
  ] as const) {
    const phones: VirtualPhone[] = [];
    const released: LeaseOutcome[] = [];
    officeScenario(
      `${status}: ${expected}`,
      to(() => phones.map((phone) => targetOf(phone, released))),
      async (office, world) => {
        const alice = await office.registered('100');
        phones.push(await office.phone('101', { onCall: (call) => call.reject(status) }));
        const call = alice.call('101');
        await world.until(call.ended());
        await office.quiet();
        expect(released).toEqual([expected]);
      },
    );
  }

  const pair: VirtualPhone[] = [];
  const leases: [LeaseOutcome[], LeaseOutcome[]] = [[], []];
  officeScenario(
    'answered, and cancelled for the phone that was slower',
    to(() => pair.map((phone, index) => targetOf(phone, leases[index]))),
    async (office, world) => {
      const alice = await office.registered('100');
      pair.push(await office.phone('101'), await office.phone('102', { onCall: (call) => call.answer() }));
      const call = alice.call('101');
      await world.until(call.talking());
      call.hangUp();
      await office.quiet();
      expect(leases).toEqual([['cancelled'], ['answered']]);
    },
  );

  const ringing: VirtualPhone[] = [];
  const gone: LeaseOutcome[] = [];
  officeScenario(
    'cancelled when the caller gives up',
    to(() => ringing.map((phone) => targetOf(phone, gone))),
    async (office, world) => {
      const alice = await office.registered('100');
      ringing.push(await office.phone('101'));
      const call = alice.call('101');
      await world.until(call.ringing());
      call.cancel();
      await world.until(call.ended());
      await office.quiet();
      expect(gone).toEqual(['cancelled']);
    },
  );

  const silent: LeaseOutcome[] = [];
  officeScenario(
    'no-answer when the time is up, failed when nobody is there at all',
    to(() => [{ ...NOWHERE, lease: { release: (how) => void silent.push(how) } }], 60),
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('101');
      await world.until(call.ended());
      await office.quiet();
      expect(silent).toEqual(['failed']);
    },
  );
});

describe('what ends an attempt', () => {
  const three: VirtualPhone[] = [];
  officeScenario(
    'a 6xx of one phone ends it for all (RFC 3261 §16.7 step 5)',
    to(() => three.map((phone) => targetOf(phone))),
    async (office, world) => {
      const alice = await office.registered('100');
      three.push(
        await office.phone('101'),
        await office.phone('102'),
        await office.phone('103', { onCall: (call) => call.reject(600) }),
      );
      const call = alice.call('101');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 600 });
      await office.quiet();
      expect(office.record.legs.map((leg) => leg.outcome)).toEqual(['busy', 'cancelled', 'cancelled', 'busy']);
      for (const phone of three) expect(phone.busy).toEqual({ dialogs: 0, transactions: 0 });
    },
  );

  const good: VirtualPhone[] = [];
  const lost: LeaseOutcome[] = [];
  officeScenario(
    'a target that no INVITE can be made of fails alone: the other phone rings, the lease is released once',
    to(() => [
      {
        uri: sipUri({ user: 'x'.repeat(75_000), host: '10.0.0.99' }),
        policy: { peer: 'phone' },
        lease: { release: (how) => void lost.push(how) },
      },
      ...good.map((phone) => targetOf(phone)),
    ]),
    async (office, world) => {
      const alice = await office.registered('100');
      good.push(await office.phone('101', { onCall: (call) => call.answer() }));
      const call = alice.call('101');
      await world.until(call.talking());
      call.hangUp();
      await office.quiet();
      expect(lost).toEqual(['failed']);
      expect(office.record.legs.map((leg) => leg.outcome)).toEqual(['answered', 'unreachable', 'answered']);
    },
  );

  const two: VirtualPhone[] = [];
  officeScenario(
    'the best of their answers is told: busy before not available (RFC 3261 §16.7 step 6)',
    to(() => two.map((phone) => targetOf(phone))),
    async (office, world) => {
      const alice = await office.registered('100');
      two.push(
        await office.phone('101', { onCall: (call) => call.reject(486) }),
        await office.phone('102', { onCall: (call) => call.reject(480) }),
      );
      const call = alice.call('101');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 486 });
      await office.quiet();
    },
  );
});

describe('a redirection among other answers (RFC 3261 §16.7 step 6, §8.1.3.4)', () => {
  const redirects = (call: PhoneCall): void => call.redirect(sipUri({ user: '103', host: DOMAIN }));
  for (const [what, other, afterMs] of [
    ['before another phone’s 486', (call: PhoneCall) => call.reject(486), 0],
    ['before another phone’s 480', (call: PhoneCall) => call.reject(480), 0],
    ['while another phone rings on, until nobody answers', (call: PhoneCall) => call.ring(), 30_000],
  ] as const) {
    const phones: VirtualPhone[] = [];
    officeScenario(
      `${what}: it is followed`,
      to(() => phones.map((phone) => targetOf(phone))),
      async (office, world) => {
        const alice = await office.registered('100');
        const elsewhere = await office.registered('103', { onCall: (call) => call.answer() });
        phones.push(await office.phone('101', { onCall: redirects }), await office.phone('102', { onCall: other }));
        const begin = world.clock.now();
        const call = alice.call('101');
        await world.until(call.talking());
        expect(world.clock.now() - begin).toBeGreaterThanOrEqual(afterMs);
        expect(elsewhere.calls).toHaveLength(1);
        call.hangUp();
        await office.quiet();
        for (const phone of phones) expect(phone.busy).toEqual({ dialogs: 0, transactions: 0 });
      },
    );
  }

  const declining: VirtualPhone[] = [];
  officeScenario(
    'but not after a 603: whoever is called wants no call at all (§16.7 step 5)',
    to(() => declining.map((phone) => targetOf(phone))),
    async (office, world) => {
      const alice = await office.registered('100');
      const elsewhere = await office.registered('103');
      declining.push(
        await office.phone('101', { onCall: redirects }),
        await office.phone('102', { onCall: (call) => call.reject(603) }),
      );
      const call = alice.call('101');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 603 });
      await office.quiet();
      expect(elsewhere.calls).toEqual([]);
    },
  );
});
