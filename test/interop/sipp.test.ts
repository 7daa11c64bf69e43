import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Lab } from './support/lab.js';
import { anyPossible, interopTest } from './support/programs.js';
import { Callee, Caller, registration, type Step, scenario, sdp } from './support/scenario.js';
import { extensions, type SipServer, standIn, startServer } from './support/server.js';
import { bodyOf, headerOf, runSipp, Sipp, type SippMessage, type SippResult, sippPort } from './support/sipp.js';

const NEEDS = ['sipp'] as const;
/** Seconds that a test may last which sits out 64·T1 (32 s). */
const LONG = { needs: NEEDS, concurrent: true, timeoutMs: 90_000 };
const SHORT = { needs: NEEDS, concurrent: true };

/** A ladder as the flows give it: 100 may or may not come. */
const seen = (result: SippResult): readonly string[] => result.ladder.filter((step) => step !== '<100');
const AUTHENTICATED = ['>INVITE', '<407', '>ACK', '>INVITE'];

function received(result: SippResult, start: string): SippMessage[] {
  return result.messages.filter(({ direction, text }) => direction === 'received' && text.startsWith(start));
}

function answers(result: SippResult, status: number, method: string): SippMessage[] {
  return received(result, `SIP/2.0 ${status} `).filter((message) => headerOf(message, 'CSeq')?.endsWith(method));
}

describe('sipp', () => {
  const lab = new Lab();
  let server: SipServer;
  const impatient = extensions(250, 1).map((extension) => ({ ...extension, noAnswerSeconds: 3 }));
  // every test has extensions of its own, so that they may run at the same time
  beforeAll(async () => {
    if (anyPossible(NEEDS)) server = await startServer(lab, { extensions: [...extensions(200, 40), ...impatient] });
  });
  afterAll(() => lab.close());

  /** Registers a phone and then waits for its call. */
  async function phone(own: Lab, number: string, steps: readonly Step[], options: PhoneOptions = {}): Promise<Sipp> {
    const port = await sippPort();
    await register(own, number, port);
    return Sipp.start(own, { name: `phone ${number}:${port}`, scenario: scenario(steps), port, ...options });
  }

  async function register(own: Lab, number: string, port: number): Promise<void> {
    const steps = registration({ number });
    await runSipp(own, { name: `registration ${number}`, scenario: scenario(steps), server, port });
  }

  async function caller(own: Lab, number: string, steps: readonly Step[], options: PhoneOptions = {}): Promise<Sipp> {
    return Sipp.start(own, {
      name: `caller ${number}`,
      scenario: scenario(steps),
      server,
      port: await sippPort(),
      ...options,
    });
  }

  interface PhoneOptions {
    readonly deafWhilePausing?: boolean;
    readonly timeoutSeconds?: number;
  }

  /** Rings, answers, and waits for the ACK. */
  const answering = (callee: Callee): Step[] => [
    Callee.invited,
    callee.provisional(180, 'Ringing'),
    { pauseMs: 100 },
    callee.final(200, 'OK', { body: sdp() }),
    { receive: 'ACK' },
  ];
  const endedByOther = (callee: Callee): Step[] => [{ receive: 'BYE' }, callee.okInside()];
  const ringsAndAnswers: Step[] = [{ receive: 180 }, { receive: 200, route: true }];

  for (const [from, to] of [
    ['200', '201'],
    ['201', '200'],
  ] as const) {
    // the second direction uses the same two extensions, so not at the same time as the first
    interopTest(`C1, C2: ${from} calls ${to} with digest, talks and hangs up`, { needs: NEEDS }, async (own) => {
      const callee = new Callee(to);
      const call = new Caller(from, to);
      const b = await phone(own, to, [...answering(callee), ...endedByOther(callee)]);
      const a = await caller(own, from, [
        ...call.invite(),
        ...ringsAndAnswers,
        call.inside('ACK', 2),
        { pauseMs: 200 },
        call.inside('BYE', 3),
        { receive: 200 },
      ]);
      const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
      expect(seen(one)).toEqual([...AUTHENTICATED, '<180', '<200', '>ACK', '>BYE', '<200']);
      expect(two.ladder).toEqual(['<INVITE', '>180', '>200', '<ACK', '<BYE', '>200']);
      const [invite] = received(two, 'INVITE');
      if (standIn || invite === undefined) return;
      // a leg of its own (no credential, tag or Call-ID of the caller crosses), the same offer
      expect(headerOf(invite, 'Proxy-Authorization')).toBeUndefined();
      expect(headerOf(invite, 'Call-ID')).not.toBe(headerOf(one.messages[0] ?? invite, 'Call-ID'));
      expect(headerOf(invite, 'Via')).not.toContain(`:${a.port};`);
      expect(bodyOf(invite)).toContain('m=audio');
    });
  }

  interopTest('C1 mirrored: the called phone hangs up', SHORT, async (own) => {
    const callee = new Callee('203');
    const call = new Caller('202', '203');
    const b = await phone(own, '203', [
      ...answering(callee),
      { pauseMs: 200 },
      callee.inside('BYE', 1),
      { receive: 200 },
    ]);
    const a = await caller(own, '202', [
      ...call.invite(),
      ...ringsAndAnswers,
      call.inside('ACK', 2),
      { receive: 'BYE' },
      new Callee('202').okInside(),
    ]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(seen(one)).toEqual([...AUTHENTICATED, '<180', '<200', '>ACK', '<BYE', '>200']);
    expect(two.ladder).toEqual(['<INVITE', '>180', '>200', '<ACK', '>BYE', '<200']);
  });

  interopTest('C6: the caller cancels; the phone sees CANCEL, its 487 is acknowledged', SHORT, async (own) => {
    const callee = new Callee('205');
    const call = new Caller('204', '205');
    const b = await phone(own, '205', [Callee.invited, callee.provisional(180, 'Ringing'), ...callee.cancelled()]);
    const a = await caller(own, '204', [
      ...call.invite(),
      { receive: 180 },
      call.cancel(),
      { receive: 200 },
      { receive: 487 },
      call.ackFailure(),
    ]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(seen(one)).toEqual([...AUTHENTICATED, '<180', '>CANCEL', '<200', '<487', '>ACK']);
    expect(two.ladder).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
  });

  interopTest('C6, G6: the caller cancels before it rings: CANCEL waits for the first 180', SHORT, async (own) => {
    const callee = new Callee('229');
    const call = new Caller('228', '229');
    const late = [Callee.invited, { pauseMs: 400 }, callee.provisional(180, 'Ringing'), ...callee.cancelled()];
    const b = await phone(own, '229', late);
    const a = await caller(own, '228', [
      ...call.invite().slice(0, -1),
      { receive: 100 },
      call.cancel(),
      { receive: 200 },
      { receive: 180, optional: true },
      { receive: 487 },
      call.ackFailure(),
    ]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(seen(one).slice(0, 6)).toEqual([...AUTHENTICATED, '>CANCEL', '<200']);
    expect(two.ladder).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
    // RFC 3261 §9.1: CANCEL has the branch, the Request-URI and the CSeq number of the INVITE
    const [invite, cancel] = [received(two, 'INVITE')[0], received(two, 'CANCEL')[0]];
    if (invite === undefined || cancel === undefined) throw new Error('no INVITE or no CANCEL');
    expect(cancel.text.split(' ')[1]).toBe(invite.text.split(' ')[1]);
    expect(headerOf(cancel, 'Via')).toBe(headerOf(invite, 'Via'));
    expect(headerOf(cancel, 'CSeq')?.split(' ')[0]).toBe(headerOf(invite, 'CSeq')?.split(' ')[0]);
  });

  interopTest('C7: busy', SHORT, async (own) => {
    const callee = new Callee('207');
    const call = new Caller('206', '207');
    const b = await phone(own, '207', [Callee.invited, callee.final(486, 'Busy Here'), { receive: 'ACK' }]);
    const a = await caller(own, '206', [...call.invite(), { receive: 486 }, call.ackFailure()]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(seen(one)).toEqual([...AUTHENTICATED, '<486', '>ACK']);
    expect(two.ladder).toEqual(['<INVITE', '>486', '<ACK']);
  });

  interopTest('C9: rings, nobody takes it, the phone says 480', SHORT, async (own) => {
    const callee = new Callee('209');
    const call = new Caller('208', '209');
    const ringing = [Callee.invited, callee.provisional(180, 'Ringing'), { pauseMs: 300 }];
    const b = await phone(own, '209', [...ringing, callee.final(480, 'Temporarily Unavailable'), { receive: 'ACK' }]);
    const a = await caller(own, '208', [...call.invite(), { receive: 180 }, { receive: 480 }, call.ackFailure()]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(seen(one)).toEqual([...AUTHENTICATED, '<180', '<480', '>ACK']);
    expect(two.ladder).toEqual(['<INVITE', '>180', '>480', '<ACK']);
  });

  interopTest('C3: late offer: the offer is in the 200, the answer in the ACK', SHORT, async (own) => {
    const callee = new Callee('211');
    const call = new Caller('210', '211');
    const b = await phone(own, '211', [...answering(callee), ...endedByOther(callee)]);
    const a = await caller(own, '210', [
      ...call.invite({}),
      ...ringsAndAnswers,
      call.inside('ACK', 2, sdp({ port: '45678' })),
      { pauseMs: 200 },
      call.inside('BYE', 3),
      { receive: 200 },
    ]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    const [ok] = answers(one, 200, 'INVITE');
    expect(ok === undefined ? '' : bodyOf(ok)).toContain('m=audio');
    const [invite] = received(two, 'INVITE');
    expect(invite === undefined ? 'no INVITE' : bodyOf(invite)).toBe('');
    const [ack] = received(two, 'ACK');
    expect(ack === undefined ? '' : bodyOf(ack)).toContain('m=audio 45678');
  });

  interopTest(
    'RFC 3261 §13.2.2.4: the called phone lost our ACK and repeats its 200: acknowledged again',
    SHORT,
    async (own) => {
      const callee = new Callee('213');
      const call = new Caller('212', '213');
      const ok = callee.finalOnce(200, 'OK', { body: sdp() });
      const b = await phone(
        own,
        '213',
        [
          Callee.invited,
          callee.provisional(180, 'Ringing'),
          ok,
          // deaf: the first ACK is lost
          { pauseMs: 500 },
          ok,
          { receive: 'ACK' },
          ...endedByOther(callee),
        ],
        { deafWhilePausing: true },
      );
      const a = await caller(own, '212', [
        ...call.invite(),
        ...ringsAndAnswers,
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
      const b = await phone(own, '215', [...answering(callee), ...endedByOther(callee)]);
      const a = await caller(
        own,
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

  interopTest(
    'C5: re-INVITE of the caller and then of the called phone change the media address',
    SHORT,
    async (own) => {
      const callee = new Callee('217');
      const call = new Caller('216', '217');
      const b = await phone(own, '217', [
        ...answering(callee),
        { receive: 'INVITE' },
        callee.okInside({ body: sdp({ version: 2, port: '40002' }), untilAck: true }),
        { receive: 'ACK' },
        ...endedByOther(callee),
      ]);
      const a = await caller(own, '216', [
        ...call.invite(),
        ...ringsAndAnswers,
        call.inside('ACK', 2),
        { pauseMs: 200 },
        call.inside('INVITE', 3, sdp({ version: 2, port: '40000' })),
        { receive: 100, optional: true },
        { receive: 200 },
        call.inside('ACK', 3),
        { pauseMs: 200 },
        call.inside('BYE', 4),
        { receive: 200 },
      ]);
      const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
      expect(seen(one)).toEqual([...AUTHENTICATED, '<180', '<200', '>ACK', '>INVITE', '<200', '>ACK', '>BYE', '<200']);
      const [, again] = received(two, 'INVITE');
      expect(again === undefined ? '' : bodyOf(again)).toContain('m=audio 40000');
      const [, answer] = answers(one, 200, 'INVITE');
      expect(answer === undefined ? '' : bodyOf(answer)).toContain('m=audio 40002');
    },
  );

  interopTest('N3: an extension with three phones: one answers, the others are cancelled', SHORT, async (own) => {
    const callee = new Callee('219');
    const call = new Caller('218', '219');
    const loser = [Callee.invited, callee.provisional(180, 'Ringing'), ...callee.cancelled()];
    const winner = [
      Callee.invited,
      callee.provisional(180, 'Ringing'),
      { pauseMs: 500 },
      callee.final(200, 'OK', { body: sdp() }),
      { receive: 'ACK' },
      ...endedByOther(callee),
    ];
    const phones = [await phone(own, '219', loser), await phone(own, '219', winner), await phone(own, '219', loser)];
    // what the caller hears while three phones ring is one 180 or several; only the end is counted here
    const a = await caller(own, '218', [
      ...call.invite(),
      { receive: 180, optional: true },
      { receive: 180, optional: true },
      { receive: 180, optional: true },
      { receive: 200, route: true },
      call.inside('ACK', 2),
      { pauseMs: 300 },
      call.inside('BYE', 3),
      { receive: 200 },
    ]);
    const [one, first, second, third] = await Promise.all([a.succeeded(), ...phones.map((one) => one.succeeded())]);
    expect(answers(one, 200, 'INVITE')).toHaveLength(1);
    expect(second?.ladder).toEqual(['<INVITE', '>180', '>200', '<ACK', '<BYE', '>200']);
    for (const lost of [first, third]) {
      expect(lost?.ladder).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
    }
  });

  if (!standIn) {
    interopTest('C4: 302: the call goes to the extension that the phone names', SHORT, async (own) => {
      const [moved, target] = [new Callee('221'), new Callee('222')];
      const call = new Caller('220', '221');
      const redirect = moved.final(302, 'Moved Temporarily', { contact: '<sip:222@office.test>' });
      const b = await phone(own, '221', [Callee.invited, redirect, { receive: 'ACK' }]);
      const c = await phone(own, '222', [...answering(target), ...endedByOther(target)]);
      const a = await caller(own, '220', [
        ...call.invite(),
        { receive: 181, optional: true },
        ...ringsAndAnswers,
        call.inside('ACK', 2),
        { pauseMs: 200 },
        call.inside('BYE', 3),
        { receive: 200 },
      ]);
      const [, two, three] = await Promise.all([a.succeeded(), b.succeeded(), c.succeeded()]);
      expect(two.ladder).toEqual(['<INVITE', '>302', '<ACK']);
      expect(three.ladder).toEqual(['<INVITE', '>180', '>200', '<ACK', '<BYE', '>200']);
    });

    interopTest(
      'C9: rings, nobody takes it: after its time the phone is cancelled and the caller hears 480 or 408',
      SHORT,
      async (own) => {
        const callee = new Callee('250');
        const call = new Caller('230', '250');
        const b = await phone(own, '250', [Callee.invited, callee.provisional(180, 'Ringing'), ...callee.cancelled()]);
        const a = await caller(own, '230', [
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
        expect(waited).toBeLessThan(5_000);
      },
    );

    interopTest(
      'C8: a phone that says nothing: INVITE at 0, .5, 1.5, 3.5, 7.5, 15.5, 31.5 s, the caller hears 408 or 480',
      LONG,
      async (own) => {
        const call = new Caller('224', '225');
        // its socket is open, but whatever comes in the pause is thrown away
        const b = await phone(own, '225', [{ receive: 'INVITE' }, { pauseMs: 35_000 }], {
          timeoutSeconds: 60,
          deafWhilePausing: true,
        });
        const a = await caller(
          own,
          '224',
          [...call.invite(), { receive: 408, optional: true, skip: 1 }, { receive: 480 }, call.ackFailure()],
          {
            timeoutSeconds: 60,
          },
        );
        const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
        expect(seen(one).slice(0, 4)).toEqual(AUTHENTICATED);
        expect(one.ladder.at(-1)).toBe('>ACK');
        expect(new Set(two.ladder)).toEqual(new Set(['<INVITE']));
        const [first] = two.messages;
        const at = two.messages.map((message) => Math.round((message.at - (first?.at ?? 0)) / 500) / 2);
        expect(at).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]);
      },
    );

    interopTest(
      'RFC 3261 §13.3.1.4: the ACK never comes: 200 repeated for 64·T1, then BYE to both',
      LONG,
      async (own) => {
        const callee = new Callee('227');
        const call = new Caller('226', '227');
        const b = await phone(own, '227', [...answering(callee), ...endedByOther(callee)], { timeoutSeconds: 50 });
        const a = await caller(
          own,
          '226',
          [...call.invite(), ...ringsAndAnswers, { receive: 'BYE' }, new Callee('226').okInside()],
          { timeoutSeconds: 50 },
        );
        const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
        const oks = answers(one, 200, 'INVITE');
        const gaps = oks.slice(1).map((message, i) => (message.at - (oks[i]?.at ?? 0)) / 1000);
        // T1 doubling up to T2, until 32 s: 0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4
        expect(gaps.map((gap) => Math.round(gap * 2) / 2)).toEqual([0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4]);
        const [bye] = received(one, 'BYE');
        const waited = ((bye?.at ?? 0) - (oks[0]?.at ?? 0)) / 1000;
        expect(waited).toBeGreaterThan(31.5);
        expect(waited).toBeLessThan(34);
        expect(two.ladder.slice(0, 6)).toEqual(['<INVITE', '>180', '>200', '<ACK', '<BYE', '>200']);
      },
    );
  }
});
