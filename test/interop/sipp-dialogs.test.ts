import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Lab } from './support/lab.js';
import { Callee, Caller, sdp } from './support/parties.js';
import { anyPossible, interopTest } from './support/programs.js';
import { branchOf, type Step } from './support/scenario.js';
import { extensions, type SipServer, standIn, startServer } from './support/server.js';
import { bodyOf, headerOf, type SippMessage, type SippResult } from './support/sipp.js';
import { answers, caller, ladderOf, phone, received } from './support/sipp-phones.js';

const NEEDS = ['sipp'] as const;
const SHORT = { needs: NEEDS, concurrent: true };
const AUTHENTICATED = ['>INVITE', '<407', '>ACK', '>INVITE'];

/** What a phone keeps of an INVITE, to answer it when something else has come meanwhile. */
const KEPT: Step = {
  receive: 'INVITE',
  route: true,
  keep: [
    { header: 'CSeq', variable: 1 },
    { header: 'From', variable: 2 },
    { header: 'To', variable: 3 },
    { header: 'Via', variable: 4 },
  ],
};

/** An answer to the INVITE that was kept. */
function toKept(number: string, status: string, body = '', headers = ''): string {
  const type = body === '' ? '' : 'Content-Type: application/sdp\n';
  return `SIP/2.0 ${status}
Via:[$4]
From:[$2]
To:[$3];tag=[pid]u[call_number]
Call-ID: [call_id]
CSeq:[$1]
Contact: <sip:${number}@[local_ip]:[local_port];transport=[transport]>
${headers}${type}Content-Length: [len]

${body}`;
}

const RELIABLE_183 = (number: string): string =>
  toKept(number, '183 Session Progress', sdp(), 'Require: 100rel\nRSeq: 700\nAllow: INVITE, ACK, BYE, CANCEL, PRACK\n');

/** When the first message of that kind came or left, in seconds after another one. */
function secondsBetween(
  result: SippResult,
  first: (each: SippMessage) => boolean,
  last: (each: SippMessage) => boolean,
) {
  const at = (which: (each: SippMessage) => boolean): number => result.messages.find(which)?.at ?? Number.NaN;
  return (at(last) - at(first)) / 1000;
}

// a proxy has no dialogs of its own
if (!standIn) {
  describe('sipp: PRACK, session timers, glare', () => {
    const lab = new Lab();
    let server: SipServer;
    let impatient: SipServer;
    beforeAll(async () => {
      if (!anyPossible(NEEDS)) return;
      server = await startServer(lab, { extensions: extensions(200, 40) });
      // far below what RFC 4028 allows, so that nobody waits for minutes
      impatient = await startServer(lab, {
        extensions: extensions(200, 40),
        calls: { sessionTimer: { seconds: 12, minSeconds: 4 } },
      });
    });
    afterAll(() => lab.close());

    interopTest('RFC 3262: a caller that requires 100rel acknowledges ringing and early media', SHORT, async (own) => {
      const callee = new Callee('201');
      const call = new Caller('200', '201');
      const b = await phone(own, server, '201', [
        Callee.invited,
        callee.provisional(180, 'Ringing'),
        { pauseMs: 300 },
        callee.provisional(183, 'Session Progress', { body: sdp() }),
        { pauseMs: 300 },
        callee.final(200, 'OK', { body: sdp() }),
        { receive: 'ACK' },
        ...callee.isHungUp(),
      ]);
      const rseq = [{ header: 'RSeq', variable: 5 }];
      const prack = (cseq: number): Step => call.inside('PRACK', cseq, undefined, 'RAck:[$5] 2 INVITE\n');
      const a = await caller(own, server, '200', [
        ...call.invite({ body: sdp(), headers: 'Require: 100rel\n' }),
        { receive: 180, route: true, keep: rseq },
        prack(3),
        { receive: 200 },
        { receive: 183, route: true, keep: rseq },
        prack(4),
        { receive: 200 },
        { receive: 200, route: true },
        call.inside('ACK', 2),
        { pauseMs: 200 },
        call.inside('BYE', 5),
        { receive: 200 },
      ]);
      const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
      expect(ladderOf(one)).toEqual([
        ...AUTHENTICATED,
        ...['<180', '>PRACK', '<200', '<183', '>PRACK', '<200', '<200', '>ACK', '>BYE', '<200'],
      ]);
      const numbers = [180, 183].map((status) =>
        Number(headerOf(received(one, `SIP/2.0 ${status}`)[0] as SippMessage, 'RSeq')),
      );
      expect(numbers[1]).toBe((numbers[0] as number) + 1);
      expect(two.ladder).not.toContain('<PRACK');
    });

    interopTest('RFC 3262 §3: a lost 183 is repeated until its PRACK', SHORT, async (own) => {
      const callee = new Callee('203');
      const call = new Caller('202', '203');
      const okToCancel = toKept('203', '200 OK')
        .replace('CSeq:[$1]', '[last_CSeq:]')
        .replace('Via:[$4]', '[last_Via:]');
      const b = await phone(own, server, '203', [
        KEPT,
        callee.provisional(183, 'Session Progress', { body: sdp() }),
        { receive: 'CANCEL' },
        { send: okToCancel, once: true },
        { send: toKept('203', '487 Request Terminated') },
        { receive: 'ACK' },
      ]);
      const a = await caller(
        own,
        server,
        '202',
        [
          ...call.invite({ body: sdp(), headers: 'Supported: 100rel\n' }).slice(0, -1),
          // deaf: the 183 (and its first repetition) is lost
          { pauseMs: 1_000 },
          { receive: 183, route: true, keep: [{ header: 'RSeq', variable: 5 }] },
          call.inside('PRACK', 3, undefined, 'RAck:[$5] 2 INVITE\n'),
          { receive: 200 },
          call.cancel(),
          { receive: 200 },
          { receive: 487 },
          call.ackFailure(),
        ],
        { deafWhilePausing: true },
      );
      const [one] = await Promise.all([a.succeeded(), b.succeeded()]);
      const all = received(one, 'SIP/2.0 183').map(({ text }) => text);
      expect(all.length).toBeGreaterThanOrEqual(2);
      expect(new Set(all).size).toBe(1);
    });

    interopTest(
      'RFC 3262 §4: a called phone that is reliable gets its PRACK; the caller need not know',
      SHORT,
      async (own) => {
        const callee = new Callee('205');
        const call = new Caller('204', '205');
        const b = await phone(own, server, '205', [
          KEPT,
          { send: RELIABLE_183('205'), once: true },
          { receive: 'PRACK' },
          callee.okInside(),
          { pauseMs: 100 },
          { send: toKept('205', '200 OK') },
          { receive: 'ACK' },
          ...callee.isHungUp(),
        ]);
        const a = await caller(own, server, '204', [
          ...call.invite(),
          { receive: 183, route: true },
          { receive: 200, route: true },
          ...call.talksAndHangsUp(),
        ]);
        const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
        expect(headerOf(received(two, 'PRACK')[0] as SippMessage, 'RAck')).toBe('700 1 INVITE');
        const [shown, told] = [received(one, 'SIP/2.0 183')[0], answers(one, 200, 'INVITE')[0]];
        expect(headerOf(shown as SippMessage, 'RSeq')).toBeUndefined();
        // its 200 says nothing, ours must: the caller was told by an unreliable response only
        expect(bodyOf(told as SippMessage)).toBe(bodyOf(shown as SippMessage));
      },
    );

    interopTest('RFC 3262 §5: a late offer in a reliable 183, the answer in the PRACK', SHORT, async (own) => {
      const callee = new Callee('207');
      const call = new Caller('206', '207');
      const b = await phone(own, server, '207', [
        KEPT,
        { send: RELIABLE_183('207'), once: true },
        { receive: 'PRACK' },
        callee.okInside(),
        { pauseMs: 100 },
        { send: toKept('207', '200 OK') },
        { receive: 'ACK' },
        ...callee.isHungUp(),
      ]);
      const a = await caller(own, server, '206', [
        ...call.invite({ body: undefined, headers: 'Supported: 100rel\n' }),
        { receive: 183, route: true, keep: [{ header: 'RSeq', variable: 5 }] },
        call.inside('PRACK', 3, sdp(), 'RAck:[$5] 2 INVITE\n'),
        { receive: 200 },
        { receive: 200, route: true },
        call.inside('ACK', 2),
        { pauseMs: 200 },
        call.inside('BYE', 4),
        { receive: 200 },
      ]);
      const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
      expect(bodyOf(received(two, 'INVITE')[0] as SippMessage)).toBe('');
      expect(bodyOf(received(two, 'PRACK')[0] as SippMessage)).toContain('m=audio');
      expect(bodyOf(received(one, 'SIP/2.0 183')[0] as SippMessage)).toContain('m=audio');
      expect(bodyOf(answers(one, 200, 'INVITE')[0] as SippMessage)).toBe('');
      expect(bodyOf(received(two, 'ACK')[0] as SippMessage)).toBe('');
    });

    interopTest('RFC 4028 §9: an interval that is too short gets 422 with Min-SE', SHORT, async (own) => {
      const call = new Caller('208', '209');
      const a = await caller(own, server, '208', [
        ...call.invite({ body: sdp(), headers: 'Supported: timer\nSession-Expires: 60\n' }).slice(0, 1),
        { receive: 422 },
        {
          send: (call.ackFailure() as { readonly send: string }).send
            .replace(branchOf('invite'), branchOf('challenged'))
            .replace('CSeq: 2', 'CSeq: 1'),
          once: true,
        },
      ]);
      const one = await a.succeeded();
      expect(headerOf(received(one, 'SIP/2.0 422')[0] as SippMessage, 'Min-SE')).toBe('90');
    });

    interopTest(
      'RFC 4028 §10: the called phone dies: it is not refreshed, and the caller is hung up a third before the end',
      SHORT,
      async (own) => {
        const callee = new Callee('211');
        const call = new Caller('210', '211');
        // its program ends with the ACK: whatever is sent to it later, nobody answers
        const b = await phone(own, impatient, '211', [
          Callee.invited,
          callee.final(200, 'OK', {
            body: sdp(),
            headers: 'Require: timer\nSession-Expires: 12;refresher=uac\nAllow: INVITE, ACK, BYE, UPDATE\n',
          }),
          { receive: 'ACK' },
        ]);
        const a = await caller(own, impatient, '210', [
          ...call.invite(),
          { receive: 200, route: true },
          call.inside('ACK', 2),
          // the caller's own leg is refreshed at half its interval
          { receive: 'UPDATE' },
          new Callee('210').okInside(),
          { receive: 'BYE' },
          new Callee('210').okInside(),
        ]);
        const [one] = await Promise.all([a.succeeded(), b.succeeded()]);
        const acknowledged = (each: SippMessage): boolean =>
          each.direction === 'sent' && each.text.startsWith('ACK') && headerOf(each, 'CSeq') === '2 ACK';
        const seconds = secondsBetween(one, acknowledged, (each) => each.text.startsWith('BYE'));
        expect(seconds).toBeGreaterThan(7);
      },
    );

    interopTest(
      'RFC 4028 §10: the caller refreshes once, then no more: both are hung up',
      { ...SHORT, timeoutMs: 60_000 },
      async (own) => {
        const callee = new Callee('213');
        const call = new Caller('212', '213');
        const timer = 'Supported: timer\nSession-Expires: 6;refresher=uac\n';
        const b = await phone(own, impatient, '213', [
          Callee.invited,
          callee.final(200, 'OK', { body: sdp() }),
          { receive: 'ACK' },
          ...callee.isHungUp(),
        ]);
        const a = await caller(own, impatient, '212', [
          ...call.invite({ body: sdp(), headers: timer }),
          { receive: 200, route: true },
          call.inside('ACK', 2),
          { pauseMs: 1_000 },
          call.inside('UPDATE', 3, undefined, timer),
          { receive: 200 },
          { receive: 'BYE' },
          new Callee('212').okInside(),
        ]);
        const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
        expect(headerOf(answers(one, 200, 'UPDATE')[0] as SippMessage, 'Session-Expires')).toBe('6;refresher=uac');
        const refreshed = (each: SippMessage): boolean =>
          each.direction === 'received' && headerOf(each, 'CSeq') === '3 UPDATE';
        const seconds = secondsBetween(one, refreshed, (each) => each.text.startsWith('BYE'));
        expect(seconds).toBeGreaterThan(3.5);
        expect(two.ladder).toContain('<BYE');
      },
    );

    interopTest('RFC 5407 §3.3.1: re-INVITEs cross: 491 to both, and the call goes on', SHORT, async (own) => {
      const callee = new Callee('215');
      const call = new Caller('214', '215');
      const reinvite = callee.inside('INVITE', 1) as { readonly send: string };
      const b = await phone(own, server, '215', [
        ...callee.answers().map((step) => (step === Callee.invited ? KEPT : step)),
        {
          receive: 'INVITE',
          keep: [
            { header: 'Via', variable: 4 },
            { header: 'CSeq', variable: 1 },
          ],
        },
        // its own leaves before it answers the other one
        {
          send: reinvite.send.replace(
            'Content-Length: 0',
            'Contact: <sip:215@[local_ip]:[local_port];transport=[transport]>\nContent-Length: 0',
          ),
          name: 'crossing',
        },
        { receive: 491 },
        {
          send: (callee.inside('ACK', 1) as { readonly send: string }).send.replace(
            'branch=[branch]',
            `branch=${branchOf('crossing')}`,
          ),
          once: true,
        },
        {
          send: toKept('215', '491 Request Pending').replace(
            'To:[$3];tag=[pid]u[call_number]',
            'To:[$3];tag=[pid]u[call_number]',
          ),
        },
        { receive: 'ACK' },
        ...callee.isHungUp(),
      ]);
      const again = call.inside('INVITE', 3, sdp({ version: 2, port: '[media_port+2]' }));
      const a = await caller(own, server, '214', [
        ...call.invite(),
        ...call.isAnswered(),
        call.inside('ACK', 2),
        { pauseMs: 300 },
        { ...(again as { readonly send: string }), name: 'again' },
        { receive: 100, optional: true },
        { receive: 491 },
        {
          send: (call.inside('ACK', 3) as { readonly send: string }).send.replace(
            'branch=[branch]',
            `branch=${branchOf('again')}`,
          ),
          once: true,
        },
        { pauseMs: 200 },
        call.inside('BYE', 4),
        { receive: 200 },
      ]);
      const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
      expect(answers(one, 491, 'INVITE')).toHaveLength(1);
      expect(answers(two, 491, 'INVITE')).toHaveLength(1);
    });
  });
}
