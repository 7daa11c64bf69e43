/** Calls by SIP trunks, which are known by their address: product facts part 2, RFC 3325, flows G1–G5. */
import { describe, expect } from 'vitest';
import type { PbxOptions } from '../../src/pbx/options.js';
import type { World } from '../../src/testing/world.js';
import type { TrunkOptions } from '../../src/trunk/trunk-options.js';
import { type Office, officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';

const TRUNK: TrunkOptions = { name: 'gw', server: '198.51.100.9', domain: 'carrier.test', qualifySeconds: 0 };
const OUT: PbxOptions['dialPlan'] = { called: [{ prefix: '0', route: { kind: 'trunk', trunk: 'gw' } }] };

const gateway = (world: World): Promise<RawPeer> => RawPeer.open(world, { name: 'gateway', address: '198.51.100.9' });

/** A call of extension 100 as it reaches the gateway, which then refuses it. */
async function reached(office: Office, world: World, options: { readonly number?: string } = {}) {
  const peer = await gateway(world);
  const alice = await office.registered('100');
  const call = alice.call(options.number ?? '04930');
  const invite = await peer.expect('INVITE');
  peer.take(invite).respond(404);
  await world.until(call.ended());
  await office.quiet();
  return { invite, call };
}

const withTrunk = (options: Partial<TrunkOptions> = {}, dialPlan = OUT): { readonly pbx: Partial<PbxOptions> } => ({
  pbx: { trunks: [{ ...TRUNK, ...options }], dialPlan },
});

describe('what a trunk sees of a call', () => {
  officeScenario(
    'the number in its domain, the caller in From and P-Asserted-Identity',
    withTrunk(),
    async (office, world) => {
      const { invite, call } = await reached(office, world);
      expect(invite.uri).toBe('sip:04930@carrier.test');
      expect(invite.header('To')).toBe('<sip:04930@carrier.test>');
      expect(invite.header('From')).toMatch(/^"Person 100" <sip:100@carrier\.test>;tag=/);
      expect(invite.header('P-Asserted-Identity')).toBe('"Person 100" <sip:100@carrier.test>');
      expect(invite.body).toContain('m=audio');
      expect(call.state).toMatchObject({ status: 404 });
      expect(office.record.leg('b1')).toMatchObject({ via: 'gw', number: '04930', outcome: 'failed', status: 404 });
    },
  );

  officeScenario(
    'one number for all callers, a refined number, a tel URI',
    withTrunk(
      { callerNumber: '+4930100', format: 'tel', group: 'out' },
      {
        ...OUT,
        refineCalled: [
          { group: 'out', prefix: '0', transform: { type: 'replace', start: 0, length: 1, digits: '+49' } },
        ],
      },
    ),
    async (office, world) => {
      const { invite } = await reached(office, world);
      expect(invite.uri).toBe('tel:+494930');
      expect(invite.header('From')).toMatch(/<sip:\+4930100@carrier\.test>/);
      expect(invite.header('P-Asserted-Identity')).toMatch(/<sip:\+4930100@carrier\.test>/);
      expect(invite.header('Contact')).toMatch(/^<sip:\+4930100@192\.0\.2\.1:5060>$/);
    },
  );

  officeScenario(
    'the caller’s number as rules for callers and the group make it',
    withTrunk(
      { group: 'out' },
      {
        ...OUT,
        caller: [{ prefix: '1', transform: { type: 'insert', start: 0, digits: '30' } }],
        refineCaller: [{ group: 'out', prefix: '30', transform: { type: 'insert', start: 0, digits: '+49' } }],
      },
    ),
    async (office, world) => {
      const { invite } = await reached(office, world);
      expect(invite.header('From')).toMatch(/<sip:\+4930100@carrier\.test>/);
    },
  );
});

describe('G3: the gateway rejects', () => {
  for (const [status, told] of [
    [404, 404],
    [486, 486],
    [503, 500],
    [603, 603],
  ] as const) {
    officeScenario(`${status}: the caller is told ${told}`, withTrunk(), async (office, world) => {
      const peer = await gateway(world);
      const call = (await office.registered('100')).call('04930');
      peer.take(await peer.expect('INVITE')).respond(status, { headers: ['Retry-After: 60'] });
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: told });
    });
  }
});

describe('C10: a group of trunks', () => {
  const TWO: Partial<PbxOptions> = {
    trunks: [
      { ...TRUNK, name: 'first', group: 'out', priority: 0 },
      { ...TRUNK, name: 'second', server: '198.51.100.10', group: 'out', priority: 1 },
    ],
    outbound: { selection: 'priority' },
    dialPlan: { called: [{ prefix: '0', route: { kind: 'group', group: 'out' } }] },
  };
  const open = async (world: World) => ({
    first: await gateway(world),
    second: await RawPeer.open(world, { name: 'second', address: '198.51.100.10' }),
  });

  officeScenario(
    '503 with Retry-After: the other one; the first is left alone until then',
    { pbx: TWO },
    async (office, world) => {
      const { first, second } = await open(world);
      const alice = await office.registered('100');
      for (let i = 0; i < 2; i++) {
        const call = alice.call('04930');
        if (i === 0) first.take(await first.expect('INVITE')).respond(503, { headers: ['Retry-After: 60'] });
        const taken = second.take(await second.expect('INVITE'));
        taken.respond(180);
        await world.until(call.ringing());
        taken.respond(486);
        await world.until(call.ended());
        expect(call.state).toMatchObject({ status: 486 });
      }
      expect(first.received.filter(({ method }) => method === 'INVITE')).toHaveLength(1);
    },
  );

  officeScenario('silence: the other one, after Timer B', { pbx: TWO }, async (office, world) => {
    const { second } = await open(world);
    const call = (await office.registered('100')).call('04930');
    const taken = second.take(await second.expect('INVITE'));
    taken.respond(200, { body: rawSdp('198.51.100.10') });
    await world.until(call.talking());
    call.hangUp();
    const bye = await second.expect('BYE');
    second.respond(bye, 200);
    await office.quiet();
    expect(office.record.legs.map(({ via }) => via)).toEqual([undefined, 'first', 'second']);
  });

  for (const status of [603, 404, 486]) {
    officeScenario(`${status} is the last word`, { pbx: TWO }, async (office, world) => {
      const { first, second } = await open(world);
      const call = (await office.registered('100')).call('04930');
      first.take(await first.expect('INVITE')).respond(status);
      await world.until(call.ended());
      expect(second.received).toHaveLength(0);
    });
  }

  officeScenario('it has rung: a 500 then is no reason for a second ring', { pbx: TWO }, async (office, world) => {
    const { first, second } = await open(world);
    const call = (await office.registered('100')).call('04930');
    const taken = first.take(await first.expect('INVITE'));
    taken.respond(180);
    await world.until(call.ringing());
    taken.respond(500);
    await world.until(call.ended());
    expect(second.received).toHaveLength(0);
  });
});

describe('which of several, when one does not suit', () => {
  const several = (
    count: number,
    options: (index: number) => Partial<TrunkOptions> = () => ({}),
  ): Partial<PbxOptions> => ({
    trunks: Array.from({ length: count }, (_, i) => ({
      ...TRUNK,
      name: `t${i}`,
      server: `198.51.100.${20 + i}`,
      group: 'out',
      priority: i,
      ...options(i),
    })),
    outbound: { selection: 'priority' },
    dialPlan: { called: [{ prefix: '0', route: { kind: 'group', group: 'out' } }] },
  });
  const peerOf = (world: World, i: number) => RawPeer.open(world, { name: `t${i}`, address: `198.51.100.${20 + i}` });

  officeScenario(
    'of twelve all are tried before the caller is told no',
    { pbx: several(12) },
    async (office, world) => {
      const peers: RawPeer[] = [];
      for (let i = 0; i < 12; i++) peers.push(await peerOf(world, i));
      for (const peer of peers)
        peer.onMessage = (message) => {
          if (message.method === 'INVITE') peer.respond(message, 503, { toTag: 'x' });
        };
      const call = (await office.registered('100')).call('04930');
      await world.until(call.ended());
      expect(call.state).toMatchObject({ status: 500 });
      expect(peers.map(({ received }) => received.filter(({ method }) => method === 'INVITE').length)).toEqual(
        Array(12).fill(1),
      );
      await office.quiet();
    },
  );

  officeScenario(
    'one that knows none of the caller’s codecs is passed over, and is the first again for the next caller',
    { pbx: several(2, (i) => (i === 0 ? { codecs: ['opus'] } : {})) },
    async (office, world) => {
      const [first, second] = [await peerOf(world, 0), await peerOf(world, 1)];
      const phone = await RawPeer.open(world, { name: 'phone', address: '10.1.0.7' });
      const opus = `${rawSdp('10.1.0.7').replace('RTP/AVP 0', 'RTP/AVP 111')}a=rtpmap:111 opus/48000/2\r\n`;
      const expected = [
        [rawSdp('10.1.0.7'), second],
        [opus, first],
      ] as const;
      for (const [body, reached] of expected) {
        const call = phone.dial('04930', { from: '<sip:100@office.test>', body });
        call.authorize(await phone.expect(407), '100', 'secret-100', { body });
        reached.take(await reached.expect('INVITE')).respond(486);
        call.ackFailure(await phone.expect(486));
      }
      await office.quiet();
    },
  );
});

describe('calls from a trunk', () => {
  officeScenario(
    'G5: a number of the office leads to its extension; the answer may come without ringing; no challenge',
    withTrunk({}, { called: [{ prefix: '4930100', route: { kind: 'extension', extension: '100' } }] }),
    async (office, world) => {
      const peer = await gateway(world);
      const alice = await office.registered('100');
      const next = alice.incoming();
      const call = peer.dial('4930100', {
        from: '<sip:+4989@carrier.test>',
        headers: ['P-Asserted-Identity: <tel:+498912345>'],
      });
      const answered = await world.run(() => next);
      expect(answered.invite.request.from.uri).toMatchObject({ user: '+498912345', host: 'office.test' });
      answered.answer();
      call.learn(await peer.expect(200));
      call.ack();
      call.request('BYE');
      await peer.expect('200 BYE');
      await office.quiet();
      expect(office.record).toMatchObject({ caller: '+498912345', called: '4930100' });
      expect(office.record.leg('a')).toMatchObject({ via: 'gw' });
    },
  );

  officeScenario(
    'a carrier that writes its own domain into the Request-URI is understood',
    withTrunk(),
    async (office, world) => {
      const peer = await gateway(world);
      const alice = await office.registered('100');
      const call = peer.dial('100', { uri: 'sip:100@carrier.test', to: '<sip:100@carrier.test>' });
      await peer.expect(180);
      expect(alice.calls).toHaveLength(1);
      call.cancel();
      call.ackFailure(await peer.expect(487));
      await office.quiet();
    },
  );

  officeScenario(
    'the number of the caller is made one that can be called back',
    withTrunk({}, { caller: [{ prefix: '+49', transform: { type: 'replace', start: 0, length: 3, digits: '90' } }] }),
    async (office, world) => {
      const peer = await gateway(world);
      const alice = await office.registered('100');
      const next = alice.incoming();
      const call = peer.dial('100', { from: '<sip:+498912345@carrier.test>' });
      const answered = await world.run(() => next);
      expect(answered.invite.request.from.uri).toMatchObject({ user: '908912345' });
      answered.reject(486);
      call.ackFailure(await peer.expect(486));
      await office.quiet();
      expect(office.record.caller).toBe('+498912345');
    },
  );

  officeScenario(
    'a plan of its own',
    withTrunk(
      { plan: 'in' },
      {
        called: [
          {
            plan: 'in',
            prefix: '4930',
            route: { kind: 'extension' },
            transform: { type: 'delete', start: 0, length: 4 },
          },
        ],
      },
    ),
    async (office, world) => {
      const peer = await gateway(world);
      const alice = await office.registered('100');
      const next = alice.incoming();
      const call = peer.dial('4930100');
      (await world.run(() => next)).reject(486);
      call.ackFailure(await peer.expect(486));
      await office.quiet();
    },
  );

  officeScenario('does not go out again: 403, and nothing leaves', withTrunk(), async (office, world) => {
    const peer = await gateway(world);
    const call = peer.dial('04930');
    const refused = await peer.expect(403);
    call.ackFailure(refused);
    await office.quiet();
    expect(peer.received.filter(({ method }) => method === 'INVITE')).toHaveLength(0);
  });
});

describe('transit: a call from one trunk may go out by another only where a rule says so, and who sends it is proven', () => {
  const trunks: readonly TrunkOptions[] = [
    { ...TRUNK, name: 'branch', server: '198.51.100.10', domain: 'branch.test', transit: true },
    TRUNK,
  ];
  const extensions = [
    { number: 'branch', password: 'secret-branch', kind: 'server' as const },
    { number: '100', password: 'secret-100' },
  ];
  const TRANSIT: Partial<PbxOptions> = { trunks, dialPlan: OUT, extensions };

  officeScenario('by UDP each call is asked for a password', { pbx: TRANSIT }, async (office, world) => {
    const out = await gateway(world);
    const peer = await RawPeer.open(world, { name: 'branch', address: '198.51.100.10' });
    const call = peer.dial('04930', { from: '<sip:201@branch.test>' });
    call.authorize(await peer.expect(407), 'branch', 'secret-branch');
    const invite = await out.expect('INVITE');
    // The caller is kept: the password was the branch's, the number is the caller's.
    expect(invite.header('From')).toMatch(/<sip:201@carrier\.test>/);
    out.take(invite).respond(486);
    call.ackFailure(await peer.expect(486));
    await office.quiet();
  });

  officeScenario('the password of a phone is not that of a server: 403', { pbx: TRANSIT }, async (office, world) => {
    const out = await gateway(world);
    const peer = await RawPeer.open(world, { name: 'branch', address: '198.51.100.10' });
    const call = peer.dial('04930');
    call.authorize(await peer.expect(407), '100', 'secret-100');
    call.ackFailure(await peer.expect(403));
    await office.quiet();
    expect(out.received).toHaveLength(0);
  });

  officeScenario('a wrong password: nothing goes out', { pbx: TRANSIT }, async (office, world) => {
    const out = await gateway(world);
    const peer = await RawPeer.open(world, { name: 'branch', address: '198.51.100.10' });
    const call = peer.dial('04930');
    call.authorize(await peer.expect(407), 'branch', 'wrong');
    call.ackFailure(await peer.expect(407));
    await office.quiet();
    expect(out.received).toHaveLength(0);
  });

  officeScenario(
    'never back to where it came from',
    { pbx: { trunks: [{ ...TRUNK, transit: true }], dialPlan: OUT, extensions } },
    async (office, world) => {
      const peer = await gateway(world);
      const call = peer.dial('04930');
      call.authorize(await peer.expect(407), 'branch', 'secret-branch');
      call.ackFailure(await peer.expect(480));
      await office.quiet();
      expect(peer.received.filter(({ method }) => method === 'INVITE')).toHaveLength(0);
    },
  );
});
