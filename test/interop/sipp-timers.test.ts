import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Lab } from './support/lab.js';
import { Callee, Caller, sdp } from './support/parties.js';
import { anyPossible, interopTest } from './support/programs.js';
import { extensions, type SipServer, standIn, startServer } from './support/server.js';
import { answers, caller, ladderOf, phone, received } from './support/sipp-phones.js';

const NEEDS = ['sipp'] as const;
const SHORT = { needs: NEEDS, concurrent: true };
/** For tests that sit out 64·T1 (32 s), all at the same time. */
const LONG = { needs: NEEDS, concurrent: true, timeoutMs: 90_000 };
const AUTHENTICATED = ['>INVITE', '<407', '>ACK', '>INVITE'];

/**
 * All of them and none too soon, but for what a capture rounds. The exact times are told on the virtual clock: on a busy
 * machine they come late, and the last may be lost to the end of the 32 seconds.
 */
function expectNotBefore(seconds: readonly number[], earliest: readonly number[]): void {
  expect(seconds.length).toBeLessThanOrEqual(earliest.length);
  expect(seconds.length).toBeGreaterThanOrEqual(earliest.length - 1);
  for (const [i, each] of seconds.entries()) expect(each).toBeGreaterThan((earliest[i] ?? 0) - 0.1);
}

describe('sipp: lost messages and phones that do not answer', () => {
  const lab = new Lab();
  let server: SipServer;
  const impatient = extensions(250, 1).map((extension) => ({ ...extension, noAnswerSeconds: 3 }));
  // every test has extensions of its own, so that they may run at the same time
  beforeAll(async () => {
    if (anyPossible(NEEDS)) server = await startServer(lab, { extensions: [...extensions(200, 40), ...impatient] });
  });
  afterAll(() => lab.close());

  interopTest(
    'RFC 3261 §13.2.2.4: the called phone lost our ACK and repeats its 200: acknowledged again',
    SHORT,
    async (own) => {
      const callee = new Callee('213');
      const call = new Caller('212', '213');
      const ok = callee.finalOnce(200, 'OK', { body: sdp() });
      const b = await phone(
        own,
        server,
        '213',
        [
          Callee.invited,
          callee.provisional(180, 'Ringing'),
          ok,
          // deaf: the first ACK is lost
          { pauseMs: 500 },
          ok,
          { receive: 'ACK' },
          ...callee.isHungUp(),
        ],
        { deafWhilePausing: true },
      );
      const a = await caller(own, server, '212', [
        ...call.invite(),
        ...call.isAnswered(),
        call.inside('ACK', 2),
        { pauseMs: 1_000 },
        call.inside('BYE', 3),
        { receive: 200 },
      ]);
      const [, two] = await Promise.all([a.succeeded(), b.succeeded()]);
      const acks = received(two, 'ACK');
      expect(acks.length).toBeGreaterThanOrEqual(2);
      // the same ACK, octet by octet
      if (!standIn) expect(new Set(acks.map(({ text }) => text)).size).toBe(1);
    },
  );

  interopTest(
    'RFC 3261 §13.3.1.4: the caller lost the 200: it is repeated, and the late ACK ends that',
    SHORT,
    async (own) => {
      const callee = new Callee('215');
      const call = new Caller('214', '215');
      const b = await phone(own, server, '215', [...callee.answers(), ...callee.isHungUp()]);
      const a = await caller(
        own,
        server,
        '214',
        [
          ...call.invite(),
          { receive: 180 },
          // deaf: the first 200 (at 0 s) is lost, the repetition (0.5 s later) is taken
          { pauseMs: 400 },
          { receive: 200, route: true },
          call.inside('ACK', 2),
          { pauseMs: 1_500 },
          call.inside('BYE', 3),
          { receive: 200 },
        ],
        { deafWhilePausing: true },
      );
      const [one] = await Promise.all([a.succeeded(), b.succeeded()]);
      // one lost, one taken; none within the 1.5 s after the ACK
      expect(answers(one, 200, 'INVITE')).toHaveLength(2);
    },
  );

  // a proxy keeps no time for its phones and ends no calls
  if (standIn) return;

  interopTest(
    'C9: rings, nobody takes it: after its time the phone is cancelled and the caller hears 480 or 408',
    SHORT,
    async (own) => {
      const callee = new Callee('250');
      const call = new Caller('230', '250');
      const b = await phone(own, server, '250', [
        Callee.invited,
        callee.provisional(180, 'Ringing'),
        ...callee.cancelled(),
      ]);
      const a = await caller(own, server, '230', [
        ...call.invite(),
        { receive: 180 },
        { receive: 408, optional: true, skip: 1 },
        { receive: 480 },
        call.ackFailure(),
      ]);
      const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
      expect(two.ladder).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
      const [ringing, last] = [received(one, 'SIP/2.0 180')[0], one.messages.at(-1)];
      const waited = (last?.at ?? 0) - (ringing?.at ?? 0);
      expect(waited).toBeGreaterThan(2_500);
      expect(waited).toBeLessThan(30_000);
    },
  );

  interopTest(
    'C8: a phone that says nothing: INVITE at 0, .5, 1.5, 3.5, 7.5, 15.5, 31.5 s, the caller hears 408 or 480',
    LONG,
    async (own) => {
      const call = new Caller('224', '225');
      // its socket is open, but whatever comes in the pause is thrown away
      const b = await phone(own, server, '225', [{ receive: 'INVITE' }, { pauseMs: 35_000 }], {
        timeoutSeconds: 60,
        deafWhilePausing: true,
      });
      const a = await caller(
        own,
        server,
        '224',
        [...call.invite(), { receive: 408, optional: true, skip: 1 }, { receive: 480 }, call.ackFailure()],
        {
          timeoutSeconds: 60,
        },
      );
      const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
      expect(ladderOf(one).slice(0, 4)).toEqual(AUTHENTICATED);
      expect(one.ladder.at(-1)).toBe('>ACK');
      expect(new Set(two.ladder)).toEqual(new Set(['<INVITE']));
      const [first] = two.messages;
      const at = two.messages.map((message) => (message.at - (first?.at ?? 0)) / 1000);
      expectNotBefore(at, [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]);
    },
  );

  interopTest(
    'RFC 3261 §13.3.1.4: the ACK never comes: 200 repeated for 64·T1, then BYE to both',
    LONG,
    async (own) => {
      const callee = new Callee('227');
      const call = new Caller('226', '227');
      const b = await phone(own, server, '227', [...callee.answers(), ...callee.isHungUp()], {
        timeoutSeconds: 50,
      });
      const a = await caller(
        own,
        server,
        '226',
        [...call.invite(), ...call.isAnswered(), { receive: 'BYE' }, new Callee('226').okInside()],
        { timeoutSeconds: 50 },
      );
      const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
      const oks = answers(one, 200, 'INVITE');
      const gaps = oks.slice(1).map((message, i) => (message.at - (oks[i]?.at ?? 0)) / 1000);
      // T1 doubling up to T2, until 32 s: 0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4
      expectNotBefore(gaps, [0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4]);
      const [bye] = received(one, 'BYE');
      const waited = ((bye?.at ?? 0) - (oks[0]?.at ?? 0)) / 1000;
      expect(waited).toBeGreaterThan(31.5);
      expect(two.ladder.slice(0, 6)).toEqual(['<INVITE', '>180', '>200', '<ACK', '<BYE', '>200']);
    },
  );
});
