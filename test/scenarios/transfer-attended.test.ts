/** Flow T4 (RFC 5359 §2.5, RFC 5589 §7) and H2: the transferor talks to the target first. */
import { describe, expect, test } from 'vitest';
import { createPbx } from '../../src/pbx/pbx.js';
import { sipUri } from '../../src/protocol/sip/uri.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import { MarkingEngine } from '../call/ports.js';
import { DOMAIN, type Office, officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';
import { runScenario } from '../support/scenario.js';
import { seenBy } from '../support/wire.js';

const to = (number: string) => sipUri({ user: number, host: DOMAIN });

/** 100 has called 101, who holds and calls 102: `call`, `answered` and the consultation, 101's side and 102's. */
async function consultation(office: Office) {
  const { world } = office;
  const alice = await office.registered('100');
  const bob = await office.registered('101');
  const carol = await office.registered('102');
  const { call, answered } = await office.talk(alice, bob);
  await world.run(() => answered.hold());
  const { call: asking, answered: asked } = await office.talk(bob, carol);
  return { alice, bob, carol, call, answered, asking, asked };
}

/** Where a side sends its media. */
const hears = (side: PhoneCall): string | undefined => side.media.remote?.match(/c=IN IP4 (\S+)/)?.[1];

describe('T4: attended transfer (RFC 5589 §7.3)', () => {
  officeScenario(
    'one re-INVITE each, both dialogs of the transferor end, each leg is on record once',
    {},
    async (office, world) => {
      const { call, answered, asking, asked, bob } = await consultation(office);
      const begin = world.clock.now();
      const transfer = answered.transfer({ to: to('102'), replacing: asking });
      await world.run(() => transfer.settled);
      await world.until(answered.ended());
      await world.until(asking.ended());
      await world.advance({ seconds: 1 });
      expect([transfer.status, ...transfer.told]).toEqual([202, '100 Trying', '200 OK']);
      expect(seenBy(world, '100', begin)).toEqual(['<INVITE', '>200', '<ACK']);
      expect(seenBy(world, '102', begin)).toEqual(['<INVITE', '>200', '<ACK']);
      const transferor = seenBy(world, '101', begin);
      expect(transferor.filter((each) => each === '<BYE')).toHaveLength(2);
      expect(transferor.filter((each) => each.includes('INVITE'))).toEqual([]);
      expect([hears(call), hears(asked)]).toEqual(['10.0.0.3', '10.0.0.1']);
      expect(call.media.local).toContain('a=sendrecv');
      expect(asked.media.local).toContain('a=sendrecv');
      expect(office.pbx.calls).toHaveLength(1);
      expect((await world.run(() => asked.hold())).kind).toBe('accepted');
      expect(call.media.remote).toContain('a=sendonly');
      asked.hangUp();
      await world.until(call.ended());
      await office.quiet();
      const [consulted, first] = office.records;
      expect(consulted?.legs.map(({ id, number }) => [id, number])).toEqual([['a', '101']]);
      expect(consulted?.continuedIn).toBe(first?.id);
      expect(first?.legs.map(({ id, number, outcome, releasedBy }) => [id, number, outcome, releasedBy])).toEqual([
        ['a', '100', 'answered', 'other-party'],
        ['b1', '101', 'answered', 'this-party'],
        ['b2', '102', 'answered', 'this-party'],
      ]);
      expect(first?.transfers).toMatchObject([
        { kind: 'attended', fromLeg: 'b1', toLeg: 'b2', to: '102', status: 200, fromCall: consulted?.id },
      ]);
      const legs = office.records.flatMap((record) => record.legs.map((leg) => leg.sipCallId));
      expect(new Set(legs).size).toBe(legs.length);
      expect(bob.busy).toEqual({ dialogs: 0, transactions: 0 });
    },
  );

  officeScenario('the REFER may come in either of the two calls', {}, async (office, world) => {
    const { call, answered, asking, asked } = await consultation(office);
    await world.run(() => asking.transfer({ to: to('100'), replacing: answered }).settled);
    await world.until(answered.ended());
    await world.until(asking.ended());
    expect([hears(call), hears(asked)]).toEqual(['10.0.0.3', '10.0.0.1']);
    call.hangUp();
    await world.until(asked.ended());
    await office.quiet();
  });

  officeScenario('the target refuses the re-INVITE: both calls are as they were', {}, async (office, world) => {
    const { call, answered, asking, asked } = await consultation(office);
    asked.onModify = (modify) => modify.reject(488);
    const transfer = answered.transfer({ to: to('102'), replacing: asking });
    await world.run(() => transfer.settled);
    expect(transfer.result).toBe(488);
    await world.advance({ seconds: 5 });
    expect([call, answered, asking, asked].map((each) => each.state.kind)).toEqual(Array(4).fill('talking'));
    expect(hears(asked)).toBe('10.0.0.2');
    expect((await world.run(() => answered.resume())).kind).toBe('accepted');
    expect(hears(call)).toBe('10.0.0.2');
    answered.hangUp();
    asking.hangUp();
    await office.quiet();
    expect(office.records).toHaveLength(2);
  });

  officeScenario('the transferee refuses it: the target goes back to the transferor', {}, async (office, world) => {
    const { call, answered, asking, asked } = await consultation(office);
    call.onModify = (modify) => modify.reject(488);
    const transfer = answered.transfer({ to: to('102'), replacing: asking });
    await world.run(() => transfer.settled);
    expect(transfer.result).toBe(488);
    await world.advance({ seconds: 5 });
    expect(hears(asked)).toBe('10.0.0.2');
    expect([call, answered, asking, asked].map((each) => each.state.kind)).toEqual(Array(4).fill('talking'));
    answered.hangUp();
    asking.hangUp();
    await office.quiet();
  });

  const engine = new MarkingEngine();
  officeScenario(
    'the media engine is asked for every description, and told when each call is over',
    { pbx: { media: { path: 'relay', engine: engine } } },
    async (office, world) => {
      const { call, answered, asking, asked } = await consultation(office);
      engine.asked.length = 0;
      await world.run(() => answered.transfer({ to: to('102'), replacing: asking }).settled);
      await world.advance({ seconds: 1 });
      expect(engine.asked).toEqual(['offer a>b2', 'answer b2>a', 'offer b2>a', 'answer a>b2']);
      expect(call.media.remote).toContain('a=through:offer-a');
      expect(asked.media.remote).toContain('a=through:offer-b2');
      expect(engine.deleted).toHaveLength(1);
      call.hangUp();
      await office.quiet();
      expect(new Set(engine.deleted)).toEqual(new Set(office.records.map((record) => record.id)));
    },
  );

  officeScenario('the transferor hangs both calls up at once: the transfer goes on', {}, async (office, world) => {
    const { call, answered, asking, asked } = await consultation(office);
    answered.transfer({ to: to('102'), replacing: asking });
    await world.advance({ ms: 6 });
    asking.hangUp();
    answered.hangUp();
    await world.advance({ seconds: 5 });
    expect([call.state.kind, asked.state.kind]).toEqual(['talking', 'talking']);
    expect([hears(call), hears(asked)]).toEqual(['10.0.0.3', '10.0.0.1']);
    call.hangUp();
    await world.until(asked.ended());
    await office.quiet();
    expect(office.records).toHaveLength(2);
  });

  for (const who of ['transferee', 'target'] as const) {
    officeScenario(`the ${who} hangs up at the same moment`, {}, async (office, world) => {
      const { call, answered, asking, asked } = await consultation(office);
      answered.transfer({ to: to('102'), replacing: asking });
      await world.advance({ ms: 7 });
      (who === 'transferee' ? call : asked).hangUp();
      await world.advance({ seconds: 10 });
      for (const each of [call, answered, asking, asked]) if (each.state.kind === 'talking') each.hangUp();
      await office.quiet();
      expect(office.records).toHaveLength(2);
      for (const record of office.records) expect(record.legs.every((leg) => leg.endedAt !== undefined)).toBe(true);
      const legs = office.records.flatMap((record) => record.legs.map((leg) => leg.sipCallId));
      expect(new Set(legs).size).toBe(4);
    });
  }

  officeScenario(
    'a REFER in both calls at once, each replacing the other: one is served',
    {},
    async (office, world) => {
      const { call, answered, asking, asked } = await consultation(office);
      const one = answered.transfer({ to: to('102'), replacing: asking });
      const two = asking.transfer({ to: to('100'), replacing: answered });
      await world.advance({ seconds: 10 });
      expect([one.result, two.result].filter((each) => each === 200).length).toBeLessThanOrEqual(1);
      expect([call.state.kind, asked.state.kind]).toEqual(['talking', 'talking']);
      expect([hears(call), hears(asked)]).toEqual(['10.0.0.3', '10.0.0.1']);
      call.hangUp();
      await office.quiet();
    },
  );
});

describe('only a dialog that the transferor has with us (RFC 3891 §3)', () => {
  const foreign = (callId: string, toTag = 'x', fromTag = 'y') => ({
    ...to('102'),
    headers: [{ name: 'Replaces', value: encodeURIComponent(`${callId};to-tag=${toTag};from-tag=${fromTag}`) }],
  });

  officeScenario('one that nobody has: NOTIFY 481, and both calls go on', {}, async (office, world) => {
    const { call, answered, asking } = await consultation(office);
    const transfer = answered.transfer({ to: foreign('nobody') });
    await world.run(() => transfer.settled);
    expect(transfer.result).toBe(481);
    expect([call.state.kind, asking.state.kind]).toEqual(['talking', 'talking']);
    answered.hangUp();
    asking.hangUp();
    await office.quiet();
  });

  officeScenario('one of somebody else, or its own: 481', {}, async (office, world) => {
    const { call, answered, asking, asked } = await consultation(office);
    for (const named of [asked, answered]) {
      const transfer = answered.transfer({ to: to('102'), replacing: named });
      await world.run(() => transfer.settled);
      expect(transfer.result).toBe(481);
    }
    expect(call.state.kind).toBe('talking');
    answered.hangUp();
    asking.hangUp();
    await office.quiet();
  });

  officeScenario('one that has just ended: 603', {}, async (office, world) => {
    const { answered, asking, asked } = await consultation(office);
    asking.hangUp();
    await world.until(asked.ended());
    const transfer = answered.transfer({ to: to('102'), replacing: asking });
    await world.run(() => transfer.settled);
    expect(transfer.result).toBe(603);
    answered.hangUp();
    await office.quiet();
  });
});

describe('a REFER that cannot be read (RFC 3515 §2.4.2)', () => {
  const cases: readonly (readonly [name: string, headers: readonly string[], status: number])[] = [
    ['no Refer-To', [], 400],
    ['two of them', ['Refer-To: <sip:102@office.test>', 'Refer-To: <sip:103@office.test>'], 400],
    ['two in one', ['Refer-To: <sip:102@office.test>, <sip:103@office.test>'], 400],
    ['one that is no address', ['Refer-To: <<>'], 400],
    ['a Replaces without tags', ['Refer-To: <sip:102@office.test?Replaces=abc>'], 400],
    [
      'two Replaces',
      ['Refer-To: <sip:102@office.test?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>'],
      400,
    ],
    ['another scheme', ['Refer-To: <http://example.com/>'], 416],
    ['another method', ['Refer-To: <sip:102@office.test;method=BYE>'], 403],
    ['an extension that is not supported', ['Refer-To: <sip:102@office.test>', 'Require: multiple-refer'], 420],
    ['a second Max-Forwards', ['Refer-To: <sip:102@office.test>', 'Max-Forwards: 0'], 400],
  ];

  officeScenario('each gets its status, and the call goes on', {}, async (office, world) => {
    const bob = await office.registered('101');
    const peer = await RawPeer.open(world);
    const raw = peer.dial('101', { from: '<sip:100@office.test>' });
    raw.authorize(await peer.expect('407 INVITE'), '100', 'secret-100');
    await world.until(bob.ringing);
    bob.calls[0]?.answer();
    const ok = await peer.expect('200 INVITE');
    raw.learn(ok);
    raw.ack();
    for (const [name, headers, status] of cases) {
      raw.request('REFER', { headers });
      const answer = await peer.expect((message) => (message.status ?? 0) >= 200 && message.cseq === raw.dialog.cseq);
      expect([name, answer.status]).toEqual([name, status]);
    }
    await world.advance({ seconds: 1 });
    expect(bob.calls[0]?.state.kind).toBe('talking');
    expect(peer.heard).not.toContain('NOTIFY');
    raw.request('BYE');
    await peer.expect('200 BYE');
    // RFC 5407 §3.3.3: a REFER after the BYE.
    raw.request('REFER', { headers: ['Refer-To: <sip:102@office.test>'] });
    expect((await peer.expect((message) => message.status === 481)).cseqMethod).toBe('REFER');
    await office.quiet();
  });
});

describe('H2: consultation hold (RFC 5359 §2.2)', () => {
  officeScenario(
    'the second call ends, the first is resumed; their descriptions never mix',
    {},
    async (office, world) => {
      const { call, answered, asking, asked } = await consultation(office);
      expect([hears(call), hears(asked)]).toEqual(['10.0.0.2', '10.0.0.2']);
      expect(call.media.remote).toContain('a=sendonly');
      expect(asked.media.remote).toContain('a=sendrecv');
      asked.hangUp();
      await world.until(asking.ended());
      expect((await world.run(() => answered.resume())).kind).toBe('accepted');
      expect(call.media.remote).toContain('a=sendrecv');
      expect(call.media.remote).toContain(answered.media.local?.match(/m=audio \d+/)?.[0]);
      call.hangUp();
      await office.quiet();
      expect(office.records.map((record) => record.legs.length)).toEqual([2, 2]);
    },
  );
});

describe('restart', () => {
  test('a transferred call is in the journal as it is now: it goes on, and may be transferred again', () =>
    runScenario({ seed: 5, delayMs: 5 }, async (world) => {
      const kept = memoryStorage();
      const extensions = ['100', '101', '102', '103'].map((number) => ({ number, password: `secret-${number}` }));
      const server = () =>
        createPbx({
          domain: DOMAIN,
          listen: ['udp://192.0.2.1:5060', 'tcp://192.0.2.1:5060'],
          extensions,
          storage: { ...kept, records: kept.records, blobs: kept.blobs, close: async () => {} },
          ...world.ports,
        });
      const before = server();
      await world.run(() => before.start());
      const phones = ['100', '101', '102', '103'].map((number) =>
        world.phone(`sip:${number}@${DOMAIN}`, { password: `secret-${number}`, onCall: (call) => call.answer() }),
      );
      const [alice, bob, carol, dave] = phones;
      if (!alice || !bob || !carol || !dave) throw new Error('four phones');
      await world.run(() => Promise.all(phones.map((phone) => phone.register())));
      const call = alice.call('101');
      await world.until(call.talking());
      await world.run(() => bob.calls[0]?.transfer({ to: to('102') }).settled ?? Promise.resolve());
      await world.advance({ seconds: 2 });
      world.pbx.restart();
      const after = world.use(server());
      const records: unknown[] = [];
      after.on('call.ended', ({ record }) => records.push(record.legs.map((leg) => [leg.id, leg.number, leg.outcome])));
      await world.run(() => after.start());
      await world.advance({ seconds: 2 });
      expect((await world.run(() => call.hold())).kind).toBe('accepted');
      expect((await world.run(() => call.resume())).kind).toBe('accepted');
      const transfer = carol.calls[0]?.transfer({ to: to('103') });
      await world.run(() => transfer?.settled ?? Promise.resolve());
      expect(transfer?.result).toBe(200);
      await world.advance({ seconds: 1 });
      expect(hears(call)).toBe('10.0.0.4');
      call.hangUp();
      await world.advance({ seconds: 40 });
      expect(records).toEqual([
        [
          ['a', '100', 'answered'],
          ['b1', '101', 'answered'],
          ['b2', '102', 'answered'],
          ['b4', '103', 'answered'],
        ],
      ]);
    }));
});

describe('over a wire that loses, repeats and reorders', () => {
  for (const seed of [11, 12, 13, 14, 15, 16]) {
    officeScenario(
      `attended transfer, then hung up (seed ${seed})`,
      { seed, loss: 0.15, duplicate: 0.1, reorder: 0.1 },
      async (office, world) => {
        const { call, answered, asking, asked } = await consultation(office);
        await world.until(() => asked.state.kind === 'talking' && asking.state.kind === 'talking', { minutes: 1 });
        answered.transfer({ to: to('102'), replacing: asking });
        await world.advance({ seconds: 70 });
        expect([answered.state.kind, asking.state.kind]).toEqual(['ended', 'ended']);
        expect([hears(call), hears(asked)]).toEqual(['10.0.0.3', '10.0.0.1']);
        call.hangUp();
        await world.advance({ seconds: 40 });
        await office.quiet();
        const legs = office.records.flatMap((record) => record.legs.map((leg) => leg.sipCallId));
        expect([legs.length, new Set(legs).size]).toEqual([4, 4]);
      },
    );
  }
});
