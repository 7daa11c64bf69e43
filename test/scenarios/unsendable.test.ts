/** A message that cannot be written, or only just, costs its own request and nothing else. */
import { describe, expect } from 'vitest';
import { sipUri } from '../../src/protocol/sip/uri.js';
import type { World } from '../../src/testing/world.js';
import type { Target } from '../../src/ua/target.js';
import { deciding } from '../call/ports.js';
import { butOrigin } from '../support/but-origin.js';
import { type Office, officeScenario } from '../support/office.js';
import { type RawCall, type RawFields, RawPeer, rawSdp } from '../support/raw-peer.js';
import { headerOf, messagesOf } from '../support/wire.js';

/** No head has room for it (65,536 bytes). */
const UNWRITABLE = sipUri({ user: 'x'.repeat(75_000), host: '10.0.0.99' });
const flow = {
  protocol: 'udp',
  local: { address: '192.0.2.1', port: 5060 },
  remote: { address: '10.0.0.99', port: 5060 },
} as const;

function to(target: Omit<Target, 'policy'>) {
  return {
    pbx: {
      router: deciding((context, last) =>
        context.called === '104' && last === undefined
          ? { kind: 'targets', called: '104', targets: [{ ...target, policy: { peer: 'phone' } }] }
          : undefined,
      ),
    },
  };
}

describe('a target of the host’s router that cannot be written into a request', () => {
  for (const [what, target] of [
    ['resolved', { uri: UNWRITABLE }],
    ['by a flow', { uri: UNWRITABLE, flow }],
    ['by its Route', { uri: sipUri({ host: '10.0.0.99' }), route: [{ uri: UNWRITABLE, params: [] }] }],
    ['that cannot be read back', { uri: { ...sipUri({ host: '10.0.0.99' }), host: 'a\r\nX-Evil: b' } }],
  ] as const) {
    officeScenario(
      `${what}: 480 to its caller; other calls go on and new ones come`,
      to(target),
      async (office, world) => {
        const [alice, bob, carol] = [
          await office.registered('100'),
          await office.registered('101'),
          await office.registered('102'),
        ];
        const { call } = await office.talk(alice, bob);
        const lost = carol.call('104');
        await world.until(lost.ended());
        expect(lost.state).toMatchObject({ status: 480 });
        expect((await world.run(() => call.hold())).kind).toBe('accepted');
        const next = carol.call('103');
        await world.until(next.ended());
        expect(next.state).toMatchObject({ status: 480 });
        call.hangUp();
        await office.quiet();
        expect(office.records).toHaveLength(3);
      },
    );
  }
});

/** A raw phone calls another, through the PBX; the callee's INVITE has come. */
async function rawCall(world: World, fields: RawFields = {}) {
  const callee = await RawPeer.open(world, { name: 'callee', address: '10.1.0.2' });
  await callee.register('101', 'secret-101');
  const caller = await RawPeer.open(world, { name: 'caller' });
  const raw: RawCall = caller.dial('101', { from: '<sip:100@office.test>', ...fields });
  raw.authorize(await caller.expect(407), '100', 'secret-100', fields);
  return { caller, raw, callee, called: callee.take(await callee.expect('INVITE')) };
}

async function answered(world: World) {
  const parts = await rawCall(world);
  parts.called.respond(200, { body: rawSdp('10.1.0.2') });
  await parts.callee.expect('ACK');
  parts.raw.learn(await parts.caller.expect('200 INVITE'));
  parts.raw.ack();
  await world.advance({ ms: 100 });
  return parts;
}

async function over(office: Office): Promise<void> {
  await office.quiet();
  expect(office.records).toHaveLength(1);
}

const reasons = [
  ['in Latin-1', 'Reason: SIP;cause=200;text="\xff\xfe"'],
  ['folded', 'Reason: SIP;cause=200\r\n ;text="x"'],
  ['that cannot be read', 'Reason: ;;;"'],
  ['with a bare CR', 'Reason: SIP;cause=200;text="a\rb"'],
  ['with a bare LF', 'Reason: SIP;cause=200;text="a\nb"'],
  ['of control characters', 'Reason: SIP;cause=200;text="\x00\x01\x7f"'],
  ['of 1,000 values', `Reason: ${Array.from({ length: 1000 }, () => 'SIP;cause=200').join()}`],
  ['of 60,000 bytes', `Reason: ${'x'.repeat(60_000)}`],
  ['of 56,000 bytes in seven lines', Array.from({ length: 7 }, () => `Reason: ${'x'.repeat(7_990)}`).join('\r\n')],
] as const;

describe('a Reason (RFC 3326) of one phone cannot keep the other’s message from leaving', () => {
  for (const [what, header] of reasons) {
    officeScenario(`${what}, in BYE: both are hung up`, {}, async (office, world) => {
      const { caller, raw, callee } = await answered(world);
      const before = callee.heard.length;
      raw.request('BYE', { headers: [header] });
      await world.advance({ seconds: 40 });
      const told = caller.received.at(-1);
      // What cannot be read at all is refused; then a plain BYE still ends the call.
      if (told?.status !== 200) raw.request('BYE');
      await world.advance({ seconds: 40 });
      const heard = callee.received.slice(before);
      if (header.length < 50_000) expect(heard.some((each) => each.method === 'BYE')).toBe(true);
      for (const each of heard) expect(each.text).not.toMatch(/[^\r]\n|\r[^\n]/);
      await over(office);
    });

    officeScenario(`${what}, in 180 and 486: the caller hears of both`, {}, async (office, world) => {
      const { caller, raw, called } = await rawCall(world);
      called.respond(180, { headers: [header] });
      await world.advance({ seconds: 1 });
      called.respond(486, { headers: [header] });
      await world.advance({ seconds: 1 });
      // A response that cannot be read is none: then the phone repeats itself without it.
      if (!caller.heard.includes('486 INVITE')) called.respond(486);
      raw.ackFailure(await caller.expect('486 INVITE'));
      for (const each of caller.received) expect(each.text).not.toMatch(/[^\r]\n|\r[^\n]/);
      await over(office);
    });
  }

  officeScenario('of 56,000 bytes, in CANCEL: the other phone stops ringing', {}, async (office, world) => {
    const { caller, raw, callee, called } = await rawCall(world);
    called.respond(180);
    await caller.expect(180);
    raw.cancel({ headers: Array.from({ length: 7 }, () => `Reason: ${'x'.repeat(7_990)}`) });
    raw.ackFailure(await caller.expect('487 INVITE'), 'sip:101@office.test');
    callee.respond(await callee.expect('CANCEL'), 200, { contact: '' });
    called.respond(487);
    await over(office);
  });
});

describe('every header that passes, alone and in each message that may carry it', () => {
  for (const [name, values] of [
    ['Subject', ['lunch', '', 'Büro €']],
    ['Priority', ['urgent', 'normal']],
    ['Accept-Language', ['de', 'en, de;q=0.5']],
  ] as const) {
    for (const value of values) {
      officeScenario(`INVITE with ${name}: ${value}`, {}, async (office, world) => {
        const wire = Buffer.from(value).toString('latin1');
        const { caller, raw, called } = await rawCall(world, { headers: [`${name}: ${wire}`] });
        expect(called.taken?.header(name)).toBe(wire);
        called.respond(486);
        raw.ackFailure(await caller.expect('486 INVITE'));
        await over(office);
      });
    }
  }

  for (const status of [180, 183]) {
    for (const value of ['SIP;cause=200', 'Q.850;cause=16;text="Normal"', 'SIP;cause=180, Q.850;cause=1']) {
      officeScenario(`${status} with Reason: ${value} (RFC 3326)`, {}, async (office, world) => {
        const { caller, raw, called } = await rawCall(world);
        called.respond(status, { headers: [`Reason: ${value}`], body: rawSdp('10.1.0.2') });
        const progress = await caller.expect(status);
        expect([progress.header('Reason'), butOrigin(progress.body)]).toEqual([value, butOrigin(rawSdp('10.1.0.2'))]);
        called.respond(486);
        raw.ackFailure(await caller.expect('486 INVITE'));
        await over(office);
      });
    }
  }
});

describe('RFC 3261 §18.1.1: a large request to a phone that knows UDP alone', () => {
  officeScenario('the ACK with the answer to a late offer: UDP after TCP was refused', {}, async (office, world) => {
    const large = `${rawSdp()}${'a=x-long:'.padEnd(1500, 'y')}\r\n`;
    const { caller, raw, callee, called } = await rawCall(world, { body: '' });
    called.respond(200, { body: rawSdp('10.1.0.2') });
    raw.learn(await caller.expect('200 INVITE'));
    raw.ack({ body: large });
    const ack = await callee.expect('ACK');
    expect(butOrigin(ack.body)).toBe(butOrigin(large));
    expect(ack.header('Via')).toContain('SIP/2.0/UDP');
    const tcp = world.trace.entries.filter((each) => each.protocol === 'tcp' && each.toHost === 'callee');
    expect(tcp).not.toEqual([]);
    // The same bytes again for a 200 that is repeated (§13.2.2.4).
    called.respond(200, { body: rawSdp('10.1.0.2') });
    expect((await callee.expect('ACK')).text).toBe(ack.text);
    called.request('BYE');
    await callee.expect('200 BYE');
    caller.respond(await caller.expect('BYE'), 200, { contact: '' });
    await over(office);
  });

  officeScenario('INVITE and BYE likewise', {}, async (office, world) => {
    const large = `${rawSdp()}${'a=x-long:'.padEnd(1500, 'y')}\r\n`;
    const { caller, raw, callee, called } = await rawCall(world, { body: large });
    expect(butOrigin(called.taken?.body)).toBe(butOrigin(large));
    called.respond(200, { body: rawSdp('10.1.0.2') });
    raw.learn(await caller.expect('200 INVITE'));
    raw.ack();
    await world.advance({ ms: 100 });
    raw.request('BYE', { headers: [`Reason: SIP;cause=200;text="${'x'.repeat(1500)}"`] });
    const bye = await callee.expect('BYE');
    expect(bye.header('Via')).toContain('SIP/2.0/UDP');
    callee.respond(bye, 200, { contact: '' });
    await over(office);
    expect(messagesOf(world, 'callee').filter((each) => headerOf(each, 'Via') === undefined)).toEqual([]);
  });
});
