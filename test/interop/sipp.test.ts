import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Lab } from './support/lab.js';
import { Callee, Caller, sdp } from './support/parties.js';
import { anyPossible, interopTest } from './support/programs.js';
import { extensions, type SipServer, standIn, startServer } from './support/server.js';
import { bodyOf, headerOf } from './support/sipp.js';
import { answers, caller, ladderOf, phone, received } from './support/sipp-phones.js';

const NEEDS = ['sipp'] as const;
const SHORT = { needs: NEEDS, concurrent: true };

const AUTHENTICATED = ['>INVITE', '<407', '>ACK', '>INVITE'];

describe('sipp', () => {
  const lab = new Lab();
  let server: SipServer;
  // every test has extensions of its own, so that they may run at the same time
  beforeAll(async () => {
    if (anyPossible(NEEDS)) server = await startServer(lab, { extensions: extensions(200, 40) });
  });
  afterAll(() => lab.close());

  for (const [from, to] of [
    ['200', '201'],
    ['201', '200'],
  ] as const) {
    // the second direction uses the same two extensions, so not at the same time as the first
    interopTest(`C1, C2: ${from} calls ${to} with digest, talks and hangs up`, { needs: NEEDS }, async (own) => {
      const callee = new Callee(to);
      const call = new Caller(from, to);
      const b = await phone(own, server, to, [...callee.answers(), ...callee.isHungUp()]);
      const a = await caller(own, server, from, [...call.invite(), ...call.isAnswered(), ...call.talksAndHangsUp()]);
      const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
      expect(ladderOf(one)).toEqual([...AUTHENTICATED, '<180', '<200', '>ACK', '>BYE', '<200']);
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
    const b = await phone(own, server, '203', [
      ...callee.answers(),
      { pauseMs: 200 },
      callee.inside('BYE', 1),
      { receive: 200 },
    ]);
    const a = await caller(own, server, '202', [
      ...call.invite(),
      ...call.isAnswered(),
      call.inside('ACK', 2),
      { receive: 'BYE' },
      new Callee('202').okInside(),
    ]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(ladderOf(one)).toEqual([...AUTHENTICATED, '<180', '<200', '>ACK', '<BYE', '>200']);
    expect(two.ladder).toEqual(['<INVITE', '>180', '>200', '<ACK', '>BYE', '<200']);
  });

  interopTest('C6: the caller cancels; the phone sees CANCEL, its 487 is acknowledged', SHORT, async (own) => {
    const callee = new Callee('205');
    const call = new Caller('204', '205');
    const b = await phone(own, server, '205', [
      Callee.invited,
      callee.provisional(180, 'Ringing'),
      ...callee.cancelled(),
    ]);
    const a = await caller(own, server, '204', [
      ...call.invite(),
      { receive: 180 },
      call.cancel(),
      { receive: 200 },
      { receive: 487 },
      call.ackFailure(),
    ]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(ladderOf(one)).toEqual([...AUTHENTICATED, '<180', '>CANCEL', '<200', '<487', '>ACK']);
    expect(two.ladder).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
  });

  interopTest('C6, G6: the caller cancels before it rings: CANCEL waits for the first 180', SHORT, async (own) => {
    const callee = new Callee('229');
    const call = new Caller('228', '229');
    const late = [Callee.invited, { pauseMs: 400 }, callee.provisional(180, 'Ringing'), ...callee.cancelled()];
    const b = await phone(own, server, '229', late);
    const a = await caller(own, server, '228', [
      ...call.invite().slice(0, -1),
      { receive: 100 },
      call.cancel(),
      { receive: 200 },
      { receive: 180, optional: true },
      { receive: 487 },
      call.ackFailure(),
    ]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(ladderOf(one).slice(0, 6)).toEqual([...AUTHENTICATED, '>CANCEL', '<200']);
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
    const b = await phone(own, server, '207', [Callee.invited, callee.final(486, 'Busy Here'), { receive: 'ACK' }]);
    const a = await caller(own, server, '206', [...call.invite(), { receive: 486 }, call.ackFailure()]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(ladderOf(one)).toEqual([...AUTHENTICATED, '<486', '>ACK']);
    expect(two.ladder).toEqual(['<INVITE', '>486', '<ACK']);
  });

  interopTest('C9: rings, nobody takes it, the phone says 480', SHORT, async (own) => {
    const callee = new Callee('209');
    const call = new Caller('208', '209');
    const ringing = [Callee.invited, callee.provisional(180, 'Ringing'), { pauseMs: 300 }];
    const b = await phone(own, server, '209', [
      ...ringing,
      callee.final(480, 'Temporarily Unavailable'),
      { receive: 'ACK' },
    ]);
    const a = await caller(own, server, '208', [
      ...call.invite(),
      { receive: 180 },
      { receive: 480 },
      call.ackFailure(),
    ]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(ladderOf(one)).toEqual([...AUTHENTICATED, '<180', '<480', '>ACK']);
    expect(two.ladder).toEqual(['<INVITE', '>180', '>480', '<ACK']);
  });

  interopTest('C3: late offer: the offer is in the 200, the answer in the ACK', SHORT, async (own) => {
    const callee = new Callee('211');
    const call = new Caller('210', '211');
    const b = await phone(own, server, '211', [...callee.answers(), ...callee.isHungUp()]);
    const a = await caller(own, server, '210', [
      ...call.invite({}),
      ...call.isAnswered(),
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

  interopTest('C5: re-INVITE: the new media address reaches the phone, its answer the caller', SHORT, async (own) => {
    const callee = new Callee('217');
    const call = new Caller('216', '217');
    const b = await phone(own, server, '217', [
      ...callee.answers(),
      { receive: 'INVITE' },
      callee.okInside({ body: sdp({ version: 2, port: '40002' }), untilAck: true }),
      { receive: 'ACK' },
      ...callee.isHungUp(),
    ]);
    const a = await caller(own, server, '216', [
      ...call.invite(),
      ...call.isAnswered(),
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
    expect(ladderOf(one)).toEqual([
      ...AUTHENTICATED,
      '<180',
      '<200',
      '>ACK',
      '>INVITE',
      '<200',
      '>ACK',
      '>BYE',
      '<200',
    ]);
    const [, again] = received(two, 'INVITE');
    expect(again === undefined ? '' : bodyOf(again)).toContain('m=audio 40000');
    const [, answer] = answers(one, 200, 'INVITE');
    expect(answer === undefined ? '' : bodyOf(answer)).toContain('m=audio 40002');
  });

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
      ...callee.isHungUp(),
    ];
    const phones = [
      await phone(own, server, '219', loser),
      await phone(own, server, '219', winner),
      await phone(own, server, '219', loser),
    ];
    // what the caller hears while three phones ring is one 180 or several; only the end is counted here
    const a = await caller(own, server, '218', [
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
      const b = await phone(own, server, '221', [Callee.invited, redirect, { receive: 'ACK' }]);
      const c = await phone(own, server, '222', [...target.answers(), ...target.isHungUp()]);
      const a = await caller(own, server, '220', [
        ...call.invite(),
        { receive: 181, optional: true },
        ...call.isAnswered(),
        ...call.talksAndHangsUp(),
      ]);
      const [, two, three] = await Promise.all([a.succeeded(), b.succeeded(), c.succeeded()]);
      expect(two.ladder).toEqual(['<INVITE', '>302', '<ACK']);
      expect(three.ladder).toEqual(['<INVITE', '>180', '>200', '<ACK', '<BYE', '>200']);
    });
  }
});
