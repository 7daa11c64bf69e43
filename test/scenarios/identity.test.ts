/** Who the called party is told: identity, privacy and what passes across the B2BUA (RFC 3261 §8.1.1.3, RFC 3323, RFC 3325). */
import { describe, expect } from 'vitest';
import { parseUri } from '../../src/protocol/sip/uri.js';
import type { World } from '../../src/testing/world.js';
import { type Office, type OfficeScenario, officeScenario } from '../support/office.js';
import { type RawFields, RawPeer, rawSdp, type WireMessage } from '../support/raw-peer.js';

/** Extension 100 calls 101 from a raw peer that writes what it likes; gives the INVITE that reaches 101. */
async function callFromPhone(world: World, fields: RawFields & { readonly from?: string }) {
  const callee = await RawPeer.open(world, { name: 'callee', address: '10.1.0.2' });
  await callee.register('101', 'secret-101');
  const caller = await RawPeer.open(world, { name: 'caller' });
  const { from = '<sip:100@office.test>', ...rest } = fields;
  const raw = caller.dial('101', { from, ...rest });
  raw.authorize(await caller.expect(407), '100', 'secret-100', rest);
  const invite = await callee.expect('INVITE');
  return { caller, raw, callee, called: callee.take(invite), invite };
}

async function refuseAndEnd(office: Office, { called, caller, raw }: Awaited<ReturnType<typeof callFromPhone>>) {
  called.respond(486);
  raw.ackFailure(await caller.expect('486 INVITE'));
  await office.quiet();
}

const identityOf = (invite: WireMessage) => ({
  from: invite.header('From')?.replace(/;tag=.*/, ''),
  contact: invite.header('Contact'),
  asserted: invite.header('P-Asserted-Identity'),
  privacy: invite.header('Privacy'),
});

describe('a phone cannot say who it is', () => {
  const claims: RawFields & { readonly from?: string } = {
    from: '"The Boss" <sip:999@bank.example>',
    headers: [
      'P-Asserted-Identity: "The Boss" <sip:999@bank.example>',
      'P-Preferred-Identity: <sip:999@bank.example>',
      'Remote-Party-ID: <sip:999@bank.example>',
      'Diversion: <sip:999@bank.example>;reason=unconditional',
      'History-Info: <sip:999@bank.example>;index=1',
      'Alert-Info: <http://10.9.9.9/loud.wav>',
      'Subject: lunch',
    ],
  };

  officeScenario('From is the account’s; nothing that it claims passes (RFC 3325 §5)', {}, async (office, world) => {
    const call = await callFromPhone(world, claims);
    expect(identityOf(call.invite)).toEqual({
      from: '"Person 100" <sip:100@office.test>',
      contact: '<sip:100@192.0.2.1:5060>',
      asserted: undefined,
      privacy: undefined,
    });
    expect(call.invite.text).not.toMatch(/:999@|bank\.example|10\.9\.9\.9/);
    expect(call.invite.header('Subject')).toBe('lunch');
    await refuseAndEnd(office, call);
  });

  officeScenario('topology: only the session description shows the other leg’s address', {}, async (office, world) => {
    const call = await callFromPhone(world, {
      headers: ['User-Agent: caller-phone/1', 'Record-Route: <sip:10.1.0.1;lr>', 'Call-Info: <http://10.1.0.1/me.png>'],
    });
    const [sent] = [call.raw.dialog];
    const head = call.invite.text.slice(0, call.invite.text.indexOf('\r\n\r\n'));
    for (const secret of ['10.1.0.1', sent.callId, /tag=([^;]+)/.exec(sent.local)?.[1] ?? '?', 'caller-phone']) {
      expect(head).not.toContain(secret);
    }
    call.called.respond(180, { headers: ['User-Agent: callee-phone/2', 'Server: callee-phone/2'] });
    const ringing = await call.caller.expect('180 INVITE');
    expect(ringing.text).not.toMatch(/callee-phone|10\.1\.0\.2/);
    await refuseAndEnd(office, call);
  });
});

describe('a phone may withhold its identity', () => {
  const withheld = '"Anonymous" <sip:anonymous@anonymous.invalid>';

  for (const [name, fields] of [
    ['RFC 3325 §9.3: Privacy: id', { headers: ['Privacy: id'] }],
    ['RFC 3323 §4.2: Privacy: user;critical', { headers: ['Privacy: user;critical'] }],
    ['RFC 3323 §4.1.1.3: an anonymous From', { from: '"Anonymous" <sip:anonymous@anonymous.invalid>' }],
  ] as const) {
    officeScenario(`${name}: the called phone sees nobody, the record knows`, {}, async (office, world) => {
      const call = await callFromPhone(world, fields);
      expect(identityOf(call.invite)).toEqual({
        from: withheld,
        contact: '<sip:anonymous@192.0.2.1:5060>',
        asserted: undefined,
        privacy: undefined,
      });
      expect(call.invite.text.slice(0, call.invite.text.indexOf('\r\n\r\n'))).not.toMatch(/100@|Person 100/);
      await refuseAndEnd(office, call);
      expect(office.record.caller).toBe('100');
    });
  }

  officeScenario('RFC 3323 §5: what is critical and not to be had: 500, nobody rings', {}, async (office, world) => {
    const caller = await RawPeer.open(world);
    const raw = caller.dial('101', { headers: ['Privacy: session;critical'] });
    const refused = await caller.expect('500 INVITE');
    expect(refused.text.split('\r\n')[0]).toBe('SIP/2.0 500 Privacy "session" Not Available');
    raw.ackFailure(refused);
    await office.quiet();
    expect(office.records).toEqual([]);
  });
});

describe('a peer of the trust domain (RFC 3325 §2)', () => {
  const trusting: OfficeScenario = { pbx: { trustedPeers: ['10.1.0.0/24'] } };

  /** A gateway calls 101. */
  async function fromGateway(world: World, headers: readonly string[]) {
    const phone = await RawPeer.open(world, { name: 'phone', address: '10.2.0.1' });
    await phone.register('101', 'secret-101');
    const gateway = await RawPeer.open(world, { name: 'gateway' });
    const raw = gateway.dial('101', { from: '<sip:gateway@10.1.0.1>', headers });
    return { phone, gateway, raw };
  }

  officeScenario(
    '§5: is not challenged; who it asserts is shown, and where the call was before',
    trusting,
    async (office, world) => {
      const { phone, gateway, raw } = await fromGateway(world, [
        'P-Asserted-Identity: "Bob" <sip:+49301234@carrier.test>',
        'Diversion: <sip:200@carrier.test>;reason=user-busy',
      ]);
      const invite = await phone.expect('INVITE');
      expect(identityOf(invite).from).toBe('"Bob" <sip:+49301234@office.test>');
      expect(invite.header('Diversion')).toBe('<sip:200@carrier.test>;reason=user-busy');
      expect(invite.header('P-Asserted-Identity')).toBeUndefined();
      phone.take(invite).respond(486);
      raw.ackFailure(await gateway.expect('486 INVITE'));
      await office.quiet();
      expect(office.record.caller).toBe('+49301234');
    },
  );

  officeScenario('§7: an identity that it withholds is not shown to a phone', trusting, async (office, world) => {
    const { phone, gateway, raw } = await fromGateway(world, [
      'P-Asserted-Identity: "Bob" <sip:+49301234@carrier.test>',
      'Privacy: id',
    ]);
    const invite = await phone.expect('INVITE');
    expect(invite.text).not.toContain('49301234');
    expect(invite.text).not.toContain('Bob');
    phone.take(invite).respond(486);
    raw.ackFailure(await gateway.expect('486 INVITE'));
    await office.quiet();
  });

  officeScenario('that asserts nobody is challenged like anybody', trusting, async (office, world) => {
    const { gateway, raw } = await fromGateway(world, []);
    raw.ackFailure(await gateway.expect('407 INVITE'));
    await office.quiet();
  });

  officeScenario('an address that is not listed is challenged, whatever it asserts', {}, async (office, world) => {
    const { gateway, raw } = await fromGateway(world, ['P-Asserted-Identity: <sip:100@office.test>']);
    raw.ackFailure(await gateway.expect('407 INVITE'));
    await office.quiet();
  });
});

describe('a trunk (a target of the host’s router)', () => {
  const toTrunk: OfficeScenario = {
    pbx: {
      router: () => ({
        next: async (context, last) =>
          last === undefined
            ? {
                kind: 'targets',
                called: context.called,
                targets: [{ uri: parseUri('sip:101@10.1.0.2'), policy: { peer: 'trunk' } }],
              }
            : { kind: 'reject', status: last.status },
      }),
    },
  };

  officeScenario('is told the account in P-Asserted-Identity (RFC 3325 §5)', toTrunk, async (office, world) => {
    const call = await callFromPhone(world, { headers: ['Subject: for our own eyes'] });
    expect(identityOf(call.invite)).toMatchObject({
      from: '"Person 100" <sip:100@office.test>',
      asserted: '"Person 100" <sip:100@office.test>',
      privacy: undefined,
    });
    expect(call.invite.header('Subject')).toBeUndefined();
    await refuseAndEnd(office, call);
  });

  officeScenario('also when it is withheld, with Privacy: id (RFC 3325 §7)', toTrunk, async (office, world) => {
    const call = await callFromPhone(world, { headers: ['Privacy: id'], body: rawSdp() });
    expect(identityOf(call.invite)).toEqual({
      from: '"Anonymous" <sip:anonymous@anonymous.invalid>',
      contact: '<sip:anonymous@192.0.2.1:5060>',
      asserted: '"Person 100" <sip:100@office.test>',
      privacy: 'id',
    });
    await refuseAndEnd(office, call);
  });
});
