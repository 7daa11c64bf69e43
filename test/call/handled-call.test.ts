/** A `handler` destination: a program answers a call instead of a phone. */
import { describe, expect } from 'vitest';
import type { CallHandler, HandledCall } from '../../src/call/handled-call.js';
import type { Router } from '../../src/call/route.js';
import type { PbxOptions } from '../../src/pbx/options.js';
import { ANSWER, OFFER } from '../dialog/stack.js';
import { butOrigin } from '../support/but-origin.js';
import { officeScenario } from '../support/office.js';
import { seenBy } from '../support/wire.js';

/** Calls to 700 are served by `run`; the others go their way. */
function handler(run: CallHandler): { readonly pbx: Partial<PbxOptions> } {
  const router = (own: Router): Router => ({
    next: (context, last) =>
      context.called === '700' ? Promise.resolve({ kind: 'handler', run }) : own.next(context, last),
  });
  return { pbx: { router } };
}

const forever = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('a call that a program serves', () => {
  const seen: HandledCall[] = [];
  officeScenario(
    'rings, answers with a description, and hangs up when the handler is done',
    handler(async (call) => {
      seen.push(call);
      call.ring();
      expect(await call.accept(ANSWER)).toBeUndefined();
      expect(call.session?.ended).toBe(false);
    }),
    async (office, world) => {
      const alice = await office.registered('100');
      const begin = world.clock.now();
      const call = alice.call('700');
      await world.until(call.ended());
      expect(call.state).toEqual({ kind: 'ended', by: 'other-side' });
      expect(butOrigin(call.media.remote)).toBe(butOrigin(ANSWER));
      await office.quiet();
      expect(seenBy(world, '100', begin).slice(4)).toEqual(['<180', '<200', '>ACK', '<BYE', '>200']);
      expect(seen[0]).toMatchObject({
        caller: { number: '100', extension: '100' },
        called: '700',
        tenantId: 'default',
      });
      expect(butOrigin(seen[0]?.sdp)).toBe(butOrigin(call.media.local));
      expect(office.record.legs).toHaveLength(1);
      expect(office.record.leg('a')).toMatchObject({ outcome: 'answered', releasedBy: 'server' });
      expect(office.record.answeredAt).toBeDefined();
    },
  );

  const answers: (string | undefined)[] = [];
  officeScenario(
    'RFC 3261 §13.2.1: offers when the caller did not; the ACK brings the answer',
    handler(async (call, signal) => {
      expect(call.sdp).toBeUndefined();
      answers.push(await call.accept(OFFER));
      await forever(signal);
    }),
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('700', { lateOffer: true });
      await world.until(call.talking());
      await world.advance({ seconds: 1 });
      expect(answers.map(butOrigin)).toEqual([butOrigin(call.media.local)]);
      call.hangUp();
      await office.quiet();
      expect(office.record.leg('a')).toMatchObject({ releasedBy: 'this-party' });
    },
  );

  officeScenario(
    'early media: 183 with a description, the same in the 200',
    handler(async (call) => {
      call.ring(ANSWER);
      await call.accept(ANSWER);
    }),
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('700');
      await world.until(call.ended());
      expect(call.progress.map(({ status, sdp }) => [status, butOrigin(sdp)])).toEqual([[183, butOrigin(ANSWER)]]);
      await office.quiet();
    },
  );

  officeScenario(
    'refuses with a status and a reason',
    handler(async (call) => {
      call.reject(486, 'Closed Today');
      call.reject(500);
      expect(await call.accept(ANSWER).catch((error: Error) => error.message)).toContain('answered already');
    }),
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('700');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 486, reason: 'Closed Today' });
      await office.quiet();
      expect(office.record.leg('a')).toMatchObject({ outcome: 'busy', releasedBy: 'server', status: 486 });
    },
  );

  officeScenario(
    'that does nothing: 480',
    handler(async () => {}),
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('700');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 480 });
      await office.quiet();
      expect(office.records).toHaveLength(1);
    },
  );

  officeScenario(
    'that throws before the answer: 500 for this caller, and nobody else is harmed',
    handler(() => Promise.reject(new Error('a bug of the handler'))),
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const call = alice.call('700');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 500 });
      const talk = await office.talk(alice, bob);
      talk.call.hangUp();
      await office.quiet();
      expect(office.records).toHaveLength(2);
      expect(world.log.lines('error').map((line) => String((line.fields['err'] as Error).message))).toEqual([
        'a bug of the handler',
      ]);
    },
  );

  officeScenario(
    'that throws at once, not as a promise, after the answer: hung up',
    handler(async (call) => {
      await call.accept(ANSWER);
      throw new Error('too late');
    }),
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('700');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ by: 'other-side' });
      await office.quiet();
      expect(office.record.leg('a')).toMatchObject({ outcome: 'answered' });
    },
  );
});

describe('a handler that does not wait for the ACK', () => {
  officeScenario(
    'and is done: BYE leaves after the ACK (RFC 3261 §15.1.1), the leg is on record as answered',
    handler(async (call) => {
      void call.accept(ANSWER);
    }),
    async (office, world) => {
      const alice = await office.registered('100');
      const begin = world.clock.now();
      const call = alice.call('700');
      await world.until(call.ended());
      await office.quiet();
      expect(seenBy(world, '100', begin).slice(4)).toEqual(['<200', '>ACK', '<BYE', '>200']);
      expect(office.record.leg('a')).toMatchObject({
        outcome: 'answered',
        releasedBy: 'server',
        endedAt: expect.any(Number),
      });
    },
  );

  officeScenario(
    'and throws: likewise',
    handler((call) => {
      void call.accept(ANSWER);
      throw new Error('not even a promise');
    }),
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('700');
      await world.until(call.ended());
      await office.quiet();
      expect(office.record.leg('a')).toMatchObject({ outcome: 'answered', endedAt: expect.any(Number) });
    },
  );
});

describe('when the caller goes', () => {
  const fired: boolean[] = [];
  officeScenario(
    'while it rings: the signal fires, accept() comes to nothing',
    handler(async (call, signal) => {
      call.ring();
      await forever(signal);
      fired.push(signal.aborted);
      expect(await call.accept(ANSWER)).toBeUndefined();
      call.reject(486);
      call.end();
    }),
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('700');
      await world.until(call.ringing());
      call.cancel();
      await world.until(call.ended());
      await office.quiet();
      expect(call.state).toMatchObject({ status: 487 });
      expect(fired).toEqual([true]);
      expect(office.record.leg('a')).toMatchObject({ outcome: 'cancelled', releasedBy: 'this-party' });
      expect(office.records).toHaveLength(1);
    },
  );

  const hungUp: boolean[] = [];
  officeScenario(
    'by BYE: the signal fires, the record says who hung up, and a handler that never ends keeps nothing',
    handler(async (call, signal) => {
      await call.accept(ANSWER);
      signal.addEventListener('abort', () => hungUp.push(true));
      await new Promise(() => {});
    }),
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('700');
      await world.until(call.talking());
      await world.advance({ seconds: 30 });
      call.hangUp();
      await office.quiet();
      expect(hungUp).toEqual([true]);
      expect(office.record.leg('a')).toMatchObject({ outcome: 'answered', releasedBy: 'this-party' });
      expect(office.record.talkMs).toBeGreaterThanOrEqual(30_000);
    },
  );

  officeScenario(
    'endCall() of the host: BYE to the caller',
    handler(async (call, signal) => {
      await call.accept(ANSWER);
      await forever(signal);
    }),
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('700');
      await world.until(call.talking());
      await world.advance({ seconds: 1 });
      expect(office.pbx.endCall(office.pbx.calls[0]?.id ?? '')).toBe(true);
      await world.until(call.ended());
      await office.quiet();
      expect(office.record.leg('a')).toMatchObject({ releasedBy: 'server' });
    },
  );

  officeScenario(
    'a re-INVITE is refused with 488; the call goes on',
    handler(async (call, signal) => {
      await call.accept(ANSWER);
      await forever(signal);
    }),
    async (office, world) => {
      const alice = await office.registered('100');
      const call = alice.call('700');
      await world.until(call.talking());
      await world.advance({ seconds: 1 });
      expect(await world.run(() => call.hold())).toMatchObject({ kind: 'rejected', status: 488 });
      call.hangUp();
      await office.quiet();
    },
  );
});
