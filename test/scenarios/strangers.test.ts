/** Who has no credentials yet: answered once and forgotten (RFC 3261 §8.2.7, §26.3.2.4), so that nobody fills the memory or floods a forged address. */
import { describe, expect } from 'vitest';
import type { World } from '../../src/testing/world.js';
import { type Office, officeScenario } from '../support/office.js';
import { RawPeer, tagIn, type WireMessage } from '../support/raw-peer.js';

interface Question {
  readonly what: string;
  readonly status: number;
  readonly method: string;
  readonly headers?: readonly string[];
  readonly uri?: string;
  readonly prepare?: (office: Office) => void;
}

const questions: Question[] = [
  { what: 'an INVITE without credentials', status: 407, method: 'INVITE' },
  { what: 'a REGISTER without credentials', status: 401, method: 'REGISTER', uri: 'sip:office.test' },
  { what: 'an INVITE for another domain', status: 404, method: 'INVITE', uri: 'sip:101@elsewhere.test' },
  { what: 'an extension that nobody knows', status: 420, method: 'INVITE', headers: ['Require: teleportation'] },
  { what: 'a method that is not served', status: 405, method: 'PUBLISH' },
  { what: 'a method that nobody knows', status: 501, method: 'FOO' },
  { what: 'OPTIONS', status: 200, method: 'OPTIONS', uri: 'sip:office.test' },
  { what: 'a BYE of no dialog', status: 481, method: 'BYE' },
  { what: 'credentials that cannot be read', status: 400, method: 'INVITE', headers: ['Proxy-Authorization: Digest'] },
  {
    what: 'an INVITE while the server drains',
    status: 503,
    method: 'INVITE',
    prepare: (office) => void office.pbx.drain(),
  },
];

/** Sends the question, and once more as the same bytes; every answer but 100 in the next 64·T1, without an ACK. */
async function ask(world: World, { method, headers, uri = 'sip:101@office.test' }: Question): Promise<WireMessage[]> {
  const peer = await RawPeer.open(world, { name: 'stranger' });
  const text = [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${peer.address};branch=z9hG4bKonce`,
    'Max-Forwards: 70',
    'From: <sip:100@office.test>;tag=x',
    `To: <sip:${uri.includes('@') ? '101' : '100'}@office.test>`,
    'Call-ID: once',
    `CSeq: 1 ${method}`,
    'Contact: <sip:x@10.1.0.1>',
    ...(headers ?? []),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  peer.send(text);
  await world.advance({ seconds: 34 });
  const timers = world.pbx.pendingTimers;
  peer.send(text);
  await world.advance({ ms: 50 });
  // No timer of a transaction waits: nothing of the question is left.
  expect(world.pbx.pendingTimers).toBe(timers);
  return peer.received;
}

describe('§8.2.7: answered once, and nothing is left of it', () => {
  for (const question of questions) {
    const { what, status } = question;
    officeScenario(`${what}: ${status}; asked again, the same To tag`, {}, async (office, world) => {
      question.prepare?.(office);
      const answers = await ask(world, question);
      expect(answers.map((each) => each.status)).toEqual([status, status]);
      const [first, second] = answers.map((each) => tagIn(each.header('To')));
      expect(first).not.toBe('');
      expect(second).toBe(first);
    });
  }

  officeScenario('an INVITE with Max-Forwards 0: 483, likewise (§16.3)', {}, async (_office, world) => {
    const peer = await RawPeer.open(world, { name: 'stranger' });
    const before = world.pbx.pendingTimers;
    peer.send(
      [
        'INVITE sip:101@office.test SIP/2.0',
        'Via: SIP/2.0/UDP 10.1.0.1;branch=z9hG4bKonce',
        'Max-Forwards: 0',
        'From: <sip:100@office.test>;tag=x',
        'To: <sip:101@office.test>',
        'Call-ID: once',
        'CSeq: 1 INVITE',
        'Contact: <sip:x@10.1.0.1>',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
    await world.advance({ ms: 50 });
    expect(world.pbx.pendingTimers).toBe(before);
    await world.advance({ seconds: 40 });
    expect(peer.heard).toEqual(['483 INVITE']);
  });

  officeScenario('a thousand of them leave no more than one does', {}, async (_office, world) => {
    const peer = await RawPeer.open(world, { name: 'stranger' });
    const before = world.pbx.pendingTimers;
    for (let i = 0; i < 1000; i++) peer.dial('101', { from: '<sip:100@office.test>' });
    await world.advance({ ms: 50 });
    expect(peer.heard).toHaveLength(1000);
    expect(world.pbx.pendingTimers).toBe(before);
    await world.advance({ seconds: 40 });
    expect(peer.heard).toHaveLength(1000);
  });

  officeScenario('whose answer was lost asks again by itself, and gets through', {}, async (office, world) => {
    const bob = await office.registered('101', { onCall: (call) => call.answer() });
    const peer = await RawPeer.open(world, { name: 'lossy' });
    const raw = peer.dial('101', { from: '<sip:100@office.test>', branch: 'z9hG4bKagain' });
    await peer.expect(407);
    // As if that had been lost: Timer A sends the same INVITE again, under the same CSeq number.
    raw.invite({ branch: 'z9hG4bKagain', cseq: 1 });
    raw.authorize(await peer.expect(407), '100', 'secret-100');
    raw.learn(await peer.expect('200 INVITE'));
    raw.ack();
    await world.advance({ ms: 50 });
    raw.request('BYE');
    await peer.expect('200 BYE');
    await office.quiet();
    expect(bob.calls).toHaveLength(1);
  });
});
