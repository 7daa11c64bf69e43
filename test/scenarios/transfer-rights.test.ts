/** Who may learn and steer what by a transfer: RFC 3515 §2.4.4, RFC 3891 §3, RFC 3323; and refusals within a call (RFC 3261 §16.7). */
import { describe, expect } from 'vitest';
import { sipUri } from '../../src/protocol/sip/uri.js';
import { replacesOf } from '../../src/testing/phone-transfer.js';
import { VirtualPhone } from '../../src/testing/virtual-phone.js';
import { DOMAIN, type Office, officeScenario } from '../support/office.js';
import { type RawFields, RawPeer, rawSdp } from '../support/raw-peer.js';
import { headerOf, messagesOf } from '../support/wire.js';

const at = (user: string) => sipUri({ user, host: DOMAIN });

/** Extension 100, a raw peer, talks to the phone of 101. */
async function rawTalksTo101(office: Office, fields: RawFields = {}) {
  const { world } = office;
  const peer = await RawPeer.open(world);
  const bob = await office.registered('101');
  const raw = peer.dial('101', { from: '<sip:100@office.test>', ...fields });
  const next = bob.incoming();
  raw.authorize(await peer.expect(407), '100', 'secret-100', fields);
  const answered = await world.run(() => next);
  answered.answer();
  const ok = await peer.expect('200 INVITE');
  raw.learn(ok);
  raw.ack();
  await world.advance({ seconds: 1 });
  return { peer, raw, answered };
}

describe('a blind transfer under way', () => {
  officeScenario(
    'RFC 3515 §2.4.4: the party that stays cannot end the subscription of the one that transfers',
    {},
    async (office, world) => {
      await office.registered('102', { onCall: (call) => call.ring() });
      const { peer, raw, answered } = await rawTalksTo101(office);
      const transfer = answered.transfer({ to: at('102') });
      await world.run(() => transfer.answered);
      await world.advance({ seconds: 1 });
      raw.request('SUBSCRIBE', { headers: ['Event: refer', 'Expires: 0'] });
      expect((await peer.expect((each) => each.cseqMethod === 'SUBSCRIBE')).status).toBe(405);
      await world.advance({ seconds: 1 });
      expect(transfer.result).toBeUndefined();
      raw.request('BYE');
      await office.quiet();
    },
  );

  officeScenario('RFC 3323 §4.2: a REFER with Privacy names nobody in Referred-By', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    await office.registered('102', { onCall: (each) => each.answer() });
    const { call, answered } = await office.talk(alice, bob);
    const transfer = call.transfer({ to: at('102'), headers: { Privacy: ['id'] } });
    await world.run(() => transfer.settled);
    const [invite] = messagesOf(world, '102').filter(({ method }) => method === 'INVITE');
    expect([transfer.result, invite && headerOf(invite, 'Referred-By')]).toEqual([200, undefined]);
    answered.hangUp();
    await office.quiet();
  });

  officeScenario(
    'RFC 3261 §8.2.1: a REFER of the party that waits alone is refused for now, not for good',
    {},
    async (office, world) => {
      await office.registered('102', { onCall: (call) => call.ring() });
      const { peer, raw, answered } = await rawTalksTo101(office);
      answered.transfer({ to: at('102') });
      await world.advance({ seconds: 1 });
      answered.hangUp();
      await world.advance({ seconds: 1 });
      raw.request('REFER', { headers: ['Refer-To: <sip:103@office.test>'] });
      await peer.expect('491 REFER');
      raw.request('BYE');
      await office.quiet();
    },
  );
});

const asked: (readonly [string, string])[] = [];
officeScenario(
  'an attended transfer: the host is asked about the party that is really joined, whatever number stands in Refer-To',
  {
    pbx: {
      calls: {
        transfers: ({ kind, to }) => {
          asked.push([kind, to]);
          return to !== '102';
        },
      },
    },
  },
  async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const carol = await office.registered('102');
    const { call, answered } = await office.talk(alice, bob);
    await world.run(() => answered.hold());
    const { call: asking } = await office.talk(bob, carol);
    const transfer = answered.transfer({ to: at('104'), replacing: asking });
    await world.run(() => transfer.answered);
    expect(transfer.status).toBe(403);
    expect(asked).toEqual([['attended', '102']]);
    call.hangUp();
    asking.hangUp();
    await office.quiet();
  },
);

const routed: string[] = [];
officeScenario(
  'a recall asks the router for the party that is called back, in the Request-URI too',
  {
    pbx: {
      router: (own) => ({
        next: (context, last) => {
          const { called, requestUri } = context;
          if (last === undefined) routed.push(`${called} ${requestUri.kind === 'sip' ? requestUri.user : ''}`);
          return own.next(context, last);
        },
      }),
    },
  },
  async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    await office.registered('102', { onCall: (call) => call.reject(486) });
    const { call, answered } = await office.talk(alice, bob);
    const transfer = answered.transfer({ to: at('102') });
    await world.run(() => transfer.answered);
    answered.hangUp();
    await world.advance({ seconds: 3 });
    expect(routed).toEqual(['101 101', '102 102', '101 101']);
    call.hangUp();
    await office.quiet();
  },
);

officeScenario(
  'RFC 3323 §5.1: who takes a place by Replaces does not learn the number of a caller that withholds it',
  {},
  async (office, world) => {
    const { peer, raw, answered } = await rawTalksTo101(office, { headers: ['Privacy: id'] });
    const newcomer = await RawPeer.open(world, { name: 'newcomer', address: '10.1.0.3' });
    const fields = { headers: [`Replaces: ${replacesOf(answered)}`], body: rawSdp('10.1.0.3') };
    const taking = newcomer.dial('101', { from: '<sip:103@office.test>', ...fields });
    taking.authorize(await newcomer.expect('407 INVITE'), '103', 'secret-103', fields);
    peer.respond(await peer.expect('INVITE'), 200, { body: rawSdp() });
    const ok = await newcomer.expect('200 INVITE');
    expect(ok.header('Contact')).toBe('<sip:anonymous@192.0.2.1:5060>');
    taking.learn(ok);
    taking.ack();
    await world.advance({ seconds: 1 });
    raw.request('BYE');
    newcomer.respond(await newcomer.expect('BYE'), 200);
    await office.quiet();
  },
);

describe('what one phone’s refusal of a re-INVITE is to the other (RFC 3261 §16.7 step 6, §22.3)', () => {
  for (const [said, told] of [
    [401, 488],
    [407, 488],
    [302, 488],
    [600, 488],
    [503, 500],
    [415, 415],
  ] as const) {
    officeScenario(`${said}: ${told}`, {}, async (office, world) => {
      const callee = await RawPeer.open(world, { name: 'callee', address: '10.1.0.2' });
      await callee.register('101', 'secret-101');
      const caller = await RawPeer.open(world, { name: 'caller' });
      const raw = caller.dial('101', { from: '<sip:100@office.test>' });
      raw.authorize(await caller.expect(407), '100', 'secret-100');
      const called = callee.take(await callee.expect('INVITE'));
      called.respond(200, { body: rawSdp('10.1.0.2') });
      raw.learn(await caller.expect('200 INVITE'));
      raw.ack();
      await world.advance({ seconds: 1 });
      raw.invite();
      callee.respond(await callee.expect('INVITE'), said);
      raw.ackFailure(await caller.expect(`${told} INVITE`));
      raw.request('BYE');
      callee.respond(await callee.expect('BYE'), 200);
      await office.quiet();
    });
  }
});

officeScenario(
  'a TCP phone behind a NAT whose connection has closed is not called at its private address, the second time either',
  {},
  async (office, world) => {
    const alice = await office.registered('100');
    const behind = world.nat({ publicAddress: '203.0.113.9' });
    const machine = world.host('101', '192.168.9.10', { behind });
    const server = { address: '192.0.2.1', port: 5060 };
    const options = {
      machine,
      number: '101',
      domain: DOMAIN,
      password: 'secret-101',
      server,
      transport: 'tcp',
    } as const;
    const phone = new VirtualPhone(options);
    await world.run(() => phone.register());
    machine.restart();
    for (let i = 0; i < 2; i++) {
      const call = alice.call('101');
      await world.until(call.ended());
      await world.advance({ seconds: 2 });
    }
    const astray = world.trace.entries.filter(
      (entry) => entry.fromHost === 'pbx' && entry.to.address.startsWith('192.168.'),
    );
    expect(astray).toEqual([]);
    await office.quiet();
  },
);
