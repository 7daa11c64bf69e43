/** What a registered phone may send that it should not: nothing of it harms the server, the other leg or the next call. */
import { describe, expect } from 'vitest';
import type { World } from '../../src/testing/world.js';
import { butOrigin } from '../support/but-origin.js';
import { type Office, officeScenario } from '../support/office.js';
import { type DialOptions, type RawCall, RawPeer, rawSdp, type WireMessage } from '../support/raw-peer.js';
import { bodyOf, headerOf, messagesOf } from '../support/wire.js';

/** The raw peer calls 101 as extension 100 with these fields; resolves to the final answer after the challenge. */
async function dial(peer: RawPeer, fields: DialOptions = {}): Promise<{ raw: RawCall; answer: WireMessage }> {
  const raw = peer.dial('101', { from: '<sip:100@office.test>', ...fields });
  const { uri, ...rest } = fields;
  const first = await peer.expect((message) => (message.status ?? 0) >= 200);
  if (first.status !== 407) return { raw, answer: first };
  raw.authorize(first, '100', 'secret-100', rest);
  const answer = await peer.expect((message) => (message.status ?? 0) >= 200 || message.status === 180);
  return { raw, answer };
}

/** A call that goes the usual way: the server still serves. */
async function stillServes(office: Office, world: World): Promise<void> {
  const before = office.records.length;
  const carol = await office.registered('102');
  const dave = await office.registered('103');
  const { call } = await office.talk(carol, dave);
  call.hangUp();
  await office.quiet();
  expect(office.records).toHaveLength(before + 1);
  expect(world.log.lines('error')).toEqual([]);
}

const inviteTo = (world: World, machine: string) =>
  messagesOf(world, machine).filter((each) => each.method === 'INVITE');

describe('an INVITE that cannot be served (RFC 3261 §21.4.1, RFC 4475)', () => {
  for (const [what, fields, statuses] of [
    ['a Contact that cannot be read', { contact: '<sip:raw@' }, [400]],
    ['a Contact of *', { contact: '*' }, [400]],
    ['two URIs run together in Contact', { contact: '<sip:a@b><sip:c@d>' }, [400]],
    ['a Record-Route that cannot be read', { headers: ['Record-Route: <sip:;lr'] }, [400]],
    ['a Content-Type that cannot be read', { contentType: 'application' }, [400, 415]],
    ['a body that is no description', { contentType: 'application/octet-stream' }, [415]],
    ['a body without a Content-Type', { contentType: '' }, [400, 415]],
    ['a multipart body without a boundary', { contentType: 'multipart/mixed' }, [400, 415]],
    ['a Require that nobody knows', { headers: ['Require: teleportation'] }, [420]],
    ['an Accept that takes no description', { headers: ['Accept: text/plain'] }, [406]],
    ['an Expires that is no number', { headers: ['Expires: soon'] }, [400]],
    ['an encoded body', { headers: ['Content-Encoding: gzip'] }, [415]],
  ] as [string, DialOptions, number[]][]) {
    officeScenario(`${what}: ${statuses.join(' or ')}, and 101 hears nothing`, {}, async (office, world) => {
      await office.registered('101');
      const peer = await RawPeer.open(world);
      const { raw, answer } = await dial(peer, fields);
      expect(statuses).toContain(answer.status);
      raw.ackFailure(answer);
      await office.quiet();
      expect(inviteTo(world, '101')).toEqual([]);
      await stillServes(office, world);
    });
  }
});

describe('descriptions that are none (architecture decision 3: direct media passes them untouched)', () => {
  for (const [what, body] of [
    ['one line of noise', 'this is no description\r\n'],
    ['UTF-8, zeros and control characters', Buffer.from('v=0\r\ns=Büro €\u0000\u0001\r\n').toString('latin1')],
    ['20,000 bytes of it', `v=0\r\n${'a=x:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(450)}`],
  ] as const) {
    officeScenario(`${what}: rings, and the server reads nothing of it`, {}, async (office, world) => {
      const bob = await office.registered('101', { onCall: (call) => call.reject(488) });
      const peer = await RawPeer.open(world);
      const { raw, answer } = await dial(peer, { body });
      expect(answer.status).toBe(488);
      raw.ackFailure(answer);
      await office.quiet();
      expect(bob.calls).toHaveLength(1);
      expect(bodyOf(inviteTo(world, '101')[0] as never)).toBe(body);
      await stillServes(office, world);
    });
  }

  officeScenario('an SDP part inside a multipart body is found, and passes alone', {}, async (office, world) => {
    const bob = await office.registered('101', { onCall: (call) => call.answer() });
    const peer = await RawPeer.open(world);
    const body = `--x\r\nContent-Type: application/isup\r\n\r\nbinary\r\n--x\r\nContent-Type: application/sdp\r\n\r\n${rawSdp()}\r\n--x--\r\n`;
    const { raw, answer } = await dial(peer, { body, contentType: 'multipart/mixed;boundary=x' });
    expect(answer.status).toBe(200);
    raw.learn(answer);
    raw.ack();
    await world.advance({ ms: 50 });
    expect(butOrigin(bob.calls[0]?.invite.sdp)).toBe(butOrigin(rawSdp()));
    expect(headerOf(inviteTo(world, '101')[0] as never, 'Content-Type')).toBe('application/sdp');
    raw.request('BYE');
    await office.quiet();
  });
});

/** The callee’s INVITE, for what a phone put into its own. */
async function passed(office: Office, world: World, fields: DialOptions): Promise<string> {
  await office.registered('101', { onCall: (call) => call.reject(486) });
  const peer = await RawPeer.open(world);
  const { raw, answer } = await dial(peer, fields);
  expect(answer.status).toBe(486);
  raw.ackFailure(answer);
  await office.quiet();
  const [invite] = inviteTo(world, '101');
  if (invite === undefined) throw new Error('no INVITE was passed');
  return invite.text;
}

/** Header names of a message, in order. */
const namesIn = (text: string): string[] =>
  text
    .slice(0, text.indexOf('\r\n\r\n'))
    .split('\r\n')
    .slice(1)
    .map((line) => line.slice(0, line.indexOf(':')));

/** Extensions without a name: what the phone says about itself is then shown. */
const NAMELESS = {
  pbx: { extensions: ['100', '101', '102', '103'].map((number) => ({ number, password: `secret-${number}` })) },
};

describe('what passes to the other leg', () => {
  officeScenario('unknown headers, credentials, routes and identity do not', {}, async (office, world) => {
    const text = await passed(office, world, {
      headers: [
        'X-Evil: 1',
        'P-Asserted-Identity: <sip:boss@office.test>',
        'P-Preferred-Identity: <sip:boss@office.test>',
        'Remote-Party-ID: <sip:boss@office.test>',
        'Diversion: <sip:boss@office.test>',
        'History-Info: <sip:boss@office.test>;index=1',
        'Alert-Info: <http://evil.test/ring>',
        'Call-Info: <http://evil.test/icon>;purpose=icon',
        'Referred-By: <sip:boss@office.test>',
        'Session-Expires: 90',
        'User-Agent: evil/1',
        'Subject: lunch',
      ],
    });
    expect(namesIn(text).sort()).toEqual(
      [
        'Via',
        'Max-Forwards',
        'From',
        'To',
        'Call-ID',
        'CSeq',
        'Contact',
        'Allow',
        'Supported',
        'Session-Expires',
        'Subject',
        'Content-Type',
        'Content-Length',
      ].sort(),
    );
    expect(text).not.toMatch(/evil|boss|secret|Authoriz/i);
  });

  officeScenario('Subject, Priority and Accept-Language do, each as one line', {}, async (office, world) => {
    const text = await passed(office, world, {
      headers: ['Subject: lunch', 'Priority: urgent', 'Accept-Language: de', 'Accept-Language: en;q=0.5'],
    });
    expect(text).toContain('\r\nSubject: lunch\r\n');
    expect(text).toContain('\r\nPriority: urgent\r\n');
    expect(text).toContain('\r\nAccept-Language: de, en;q=0.5\r\n');
  });

  officeScenario('a folded Subject cannot make a line of its own (RFC 3261 §7.3.1)', {}, async (office, world) => {
    const text = await passed(office, world, { headers: ['Subject: lunch\r\n Route: <sip:evil.test;lr>'] });
    expect(namesIn(text)).not.toContain('Route');
    expect(headerOf({ text } as never, 'Subject')).toBe('lunch Route: <sip:evil.test;lr>');
  });

  officeScenario('a bare CR or LF in a display name makes no line', NAMELESS, async (office, world) => {
    const peer = await RawPeer.open(world);
    await office.registered('101', { onCall: (call) => call.reject(486) });
    for (const evil of ['\r', '\n', '\n\n', '\r\r']) {
      const { answer } = await dial(peer, { from: `"a${evil}X-Evil: yes${evil}b" <sip:100@office.test>` });
      expect(answer.status).toBeGreaterThanOrEqual(400);
    }
    await office.quiet();
    for (const { text } of inviteTo(world, '101')) {
      expect(text.split(/\r\n|\r|\n/).filter((line) => line.startsWith('X-Evil'))).toEqual([]);
    }
    await stillServes(office, world);
  });

  officeScenario('quotes and backslashes in a display name stay inside it', NAMELESS, async (office, world) => {
    const text = await passed(office, world, { from: '"a\\" <sip:evil@evil.test>;tag=x, \\\\" <sip:100@office.test>' });
    expect(headerOf({ text } as never, 'From')).toMatch(
      /^"a\\" <sip:evil@evil\.test>;tag=x, \\\\" <sip:100@office\.test>;tag=\w+$/,
    );
  });

  officeScenario('a display name of 8,000 characters harms nobody', NAMELESS, async (office, world) => {
    const peer = await RawPeer.open(world);
    await office.registered('101', { onCall: (call) => call.reject(486) });
    const { raw, answer } = await dial(peer, { from: `"${'x'.repeat(8000)}" <sip:100@office.test>` });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    raw.ackFailure(answer);
    await stillServes(office, world);
  });

  for (const [length, passes] of [
    [128, 128],
    [129, 128],
    [5000, 128],
  ] as const) {
    officeScenario(`a display name of ${length} characters passes as ${passes}`, NAMELESS, async (office, world) => {
      const text = await passed(office, world, { from: `"${'n'.repeat(length)}" <sip:100@office.test>` });
      expect(/^"?(n+)"? </.exec(headerOf({ text } as never, 'From') ?? '')?.[1]).toHaveLength(passes);
    });
  }

  officeScenario('the number that was dialled is escaped where it must be', {}, async (office, world) => {
    const peer = await RawPeer.open(world);
    for (const number of [
      '%0d%0aX-Evil:%20yes',
      '%00',
      '%3Csip:x%40y%3E',
      '101%40evil.test',
      '..%2F..%2Fetc',
      '%22',
      '%C3%28',
    ]) {
      const { raw, answer } = await dial(peer, { uri: `sip:${number}@office.test` });
      expect(answer.status).toBe(404);
      raw.ackFailure(answer);
      expect(answer.text).not.toMatch(/^X-Evil/m);
    }
    await office.quiet();
    await stillServes(office, world);
  });

  officeScenario('CR and LF in the user part of From do not reach the other leg', NAMELESS, async (office, world) => {
    const text = await passed(office, world, { from: '<sip:%0d%0aX-Evil:%20yes@office.test>' });
    expect(namesIn(text)).not.toContain('X-Evil');
    expect(headerOf({ text } as never, 'From')).toMatch(/^<sip:100@office\.test>;tag=\w+$/);
  });

  officeScenario('nor do escaped CR and LF in a phone’s Contact break the way back', {}, async (office, world) => {
    const bob = await office.registered('101', { onCall: (call) => call.answer() });
    const peer = await RawPeer.open(world);
    const { raw, answer } = await dial(peer, { contact: '<sip:%0d%0aX-Evil:%20yes@10.1.0.1:5060;a=%0d%0ab>' });
    expect(answer.status).toBe(200);
    raw.learn(answer);
    raw.ack({ contact: '' });
    await world.advance({ ms: 100 });
    bob.calls[0]?.hangUp();
    const bye = await peer.expect('BYE');
    expect(namesIn(bye.text)).not.toContain('X-Evil');
    peer.respond(bye, 200, { contact: '' });
    await office.quiet();
  });
});

describe('what the callee answers', () => {
  for (const [what, reason, expected] of [
    ['control characters', 'Bu\u0000\u0007\u001b[31m\u007fsy', 'Bu   [31m sy'],
    ['a tab', 'Bu\tsy', 'Bu sy'],
    ['C1 control characters', Buffer.from('Bu\u0085\u009bsy').toString('latin1'), 'Bu  sy'],
    ['1,000 characters', 'x'.repeat(1000), 'x'.repeat(128)],
    ['none at all', '', 'Busy Here'],
  ] as const) {
    officeScenario(
      `a reason phrase with ${what} (RFC 3261 §7.2): ${expected.slice(0, 16)}`,
      {},
      async (office, world) => {
        const peer = await RawPeer.open(world);
        await peer.register('101', 'secret-101');
        const alice = await office.registered('100');
        const call = alice.call('101');
        const raw = peer.take(await peer.expect('INVITE'));
        raw.respond(183, { reason, body: rawSdp() });
        await world.until(call.ringing());
        raw.respond(486, { reason });
        await world.until(call.ended());
        await office.quiet();
        const told = messagesOf(world, '100').filter(({ status }) => status === 183 || status === 486);
        const phrases = told.map(({ text }) => text.slice('SIP/2.0 486 '.length, text.indexOf('\r\n')));
        const progress = reason === '' ? '' : expected;
        expect(phrases).toEqual([progress, expected]);
      },
    );
  }

  officeScenario(
    'unknown headers, reason phrases and Contact of the callee do not reach the caller',
    {},
    async (office, world) => {
      const peer = await RawPeer.open(world);
      await peer.register('101', 'secret-101');
      const alice = await office.registered('100');
      const call = alice.call('101');
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(180, {
        headers: ['X-Evil: 1', 'Alert-Info: <http://evil.test>', 'Reason: SIP;cause=180', 'Server: evil/1'],
      });
      await world.until(call.ringing());
      raw.respond(200, {
        body: rawSdp(),
        headers: ['X-Evil: 1', 'P-Asserted-Identity: <sip:boss@evil.test>', 'Session-Expires: 90'],
      });
      await world.until(call.talking());
      call.hangUp();
      peer.respond(await peer.expect('BYE'), 200);
      await office.quiet();
      const told = messagesOf(world, '100')
        .filter((each) => each.fromHost === 'pbx')
        .map((each) => each.text);
      expect(told.join('\n')).not.toMatch(/evil|Session-Expires: 90/i);
      expect(told.join('\n')).toContain('\r\nReason: SIP;cause=180\r\n');
    },
  );

  officeScenario(
    'a 180 with a description that cannot be read, a Contact that cannot, a Record-Route that cannot',
    {},
    async (office, world) => {
      const peer = await RawPeer.open(world);
      await peer.register('101', 'secret-101');
      const alice = await office.registered('100');
      const call = alice.call('101');
      const raw = peer.take(await peer.expect('INVITE'));
      raw.respond(183, { body: 'noise', contentType: 'application' });
      raw.respond(180, { contact: '<sip:', headers: ['Record-Route: <sip:', 'Reason: ;;;'] });
      await world.until(call.ringing());
      raw.respond(486, { headers: ['Reason: =', 'Retry-After: soon', 'Contact: <sip:'] });
      await world.until(call.ended());
      expect(call.state).toMatchObject({ kind: 'ended', status: 486 });
      await office.quiet();
      await stillServes(office, world);
    },
  );

  officeScenario('a 200 without a description, without a Contact', {}, async (office, world) => {
    const peer = await RawPeer.open(world);
    await peer.register('101', 'secret-101');
    const alice = await office.registered('100');
    const call = alice.call('101');
    const raw = peer.take(await peer.expect('INVITE'));
    raw.respond(200, { contact: '' });
    await peer.expect('ACK');
    await world.until(call.talking());
    call.hangUp();
    peer.respond(await peer.expect('BYE'), 200);
    await office.quiet();
    await stillServes(office, world);
  });
});
