/** How a carrier is shown who calls, and from where: RFC 3325, RFC 3323, RFC 5806, RFC 7044; what carriers demand (checklist, part 2). */
import { describe, expect } from 'vitest';
import type { PbxOptions } from '../../src/pbx/options.js';
import { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import type { TrunkOptions } from '../../src/trunk/trunk-options.js';
import { Carrier } from '../support/carrier.js';
import { Office, officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';
import { scenario } from '../support/scenario.js';
import { headerOf, messagesOf } from '../support/wire.js';

const TRUNK: TrunkOptions = { name: 'gw', server: '198.51.100.9', domain: 'carrier.test', qualifySeconds: 0 };
const OUT: PbxOptions['dialPlan'] = { called: [{ prefix: '0', route: { kind: 'trunk', trunk: 'gw' } }] };

const withTrunk = (options: Partial<TrunkOptions>, more: Partial<PbxOptions> = {}) => ({
  pbx: { trunks: [{ ...TRUNK, ...options }], dialPlan: OUT, ...more },
});
const gateway = (world: World): Promise<RawPeer> => RawPeer.open(world, { name: 'gateway', address: '198.51.100.9' });

/** The INVITE at the gateway of a call of extension 100, with these headers from its phone. */
async function inviteOf(office: Office, world: World, headers: readonly string[] = []) {
  const peer = await gateway(world);
  const phone = await RawPeer.open(world, { name: 'phone', address: '10.1.0.7' });
  const call = phone.dial('04930', { from: '<sip:100@office.test>', headers });
  call.authorize(await phone.expect(407), '100', 'secret-100', { headers });
  const invite = await peer.expect('INVITE');
  peer.take(invite).respond(404);
  call.ackFailure(await phone.expect(404));
  await office.quiet();
  return invite;
}

describe('the caller withholds the number (RFC 3323, RFC 3325 §7)', () => {
  const PRIVATE = ['Privacy: id'];

  officeScenario('From is anonymous, the carrier is told who it is', withTrunk({}), async (office, world) => {
    const invite = await inviteOf(office, world, PRIVATE);
    expect(invite.header('From')).toMatch(/^"?Anonymous"? <sip:anonymous@anonymous\.invalid>/);
    expect(invite.header('P-Asserted-Identity')).toMatch(/<sip:100@carrier\.test>$/);
    expect(invite.header('Privacy')).toBe('id');
    expect(invite.header('Contact')).toMatch(/^<sip:anonymous@/);
  });

  officeScenario(
    'also where no identity is asserted otherwise',
    withTrunk({ assertsIdentity: false, callerNumber: '4930100' }),
    async (office, world) => {
      const invite = await inviteOf(office, world, PRIVATE);
      expect(invite.header('P-Asserted-Identity')).toMatch(/<sip:4930100@carrier\.test>$/);
      expect(invite.header('Privacy')).toBe('id');
    },
  );

  officeScenario(
    'withheldFrom "number": for carriers that know accounts by From; no name stands there',
    withTrunk({ withheldFrom: 'number' }),
    async (office, world) => {
      const invite = await inviteOf(office, world, PRIVATE);
      expect(invite.header('From')).toMatch(/^<sip:100@carrier\.test>/);
      expect(invite.header('Privacy')).toBe('id');
    },
  );
});

describe('the caller does not', () => {
  officeScenario(
    'assertsIdentity false: From alone tells',
    withTrunk({ assertsIdentity: false }),
    async (office, world) => {
      const invite = await inviteOf(office, world);
      expect(invite.header('From')).toMatch(/<sip:100@carrier\.test>/);
      expect(invite.header('P-Asserted-Identity')).toBeUndefined();
    },
  );

  officeScenario('what a phone asserts of itself counts for nothing', withTrunk({}), async (office, world) => {
    const invite = await inviteOf(office, world, [
      'P-Asserted-Identity: <sip:+49110@carrier.test>',
      'Diversion: <sip:1@x>',
    ]);
    expect(invite.header('P-Asserted-Identity')).toMatch(/<sip:100@carrier\.test>$/);
    expect(invite.header('Diversion')).toBeUndefined();
  });
});

describe('where a call was before', () => {
  for (const [history, diversion, info] of [
    ['both', 1, 1],
    ['diversion', 1, 0],
    ['history-info', 0, 1],
    ['none', 0, 0],
  ] as const) {
    officeScenario(
      `history "${history}" of a call in transit`,
      {
        pbx: {
          trunks: [
            { ...TRUNK, history },
            {
              name: 'in',
              server: 'sip:198.51.100.10;transport=tcp',
              transit: true,
              qualifySeconds: 0,
              addresses: ['10.1.0.8'],
            },
          ],
          dialPlan: OUT,
          extensions: [{ number: 'in', password: 'secret-in', kind: 'server' }],
        },
      },
      async (office, world) => {
        const peer = await gateway(world);
        const from = await RawPeer.open(world, { name: 'in', address: '10.1.0.8' });
        const headers = ['Diversion: <sip:555@in.test>;reason=user-busy', 'History-Info: <sip:555@in.test>;index=1'];
        const call = from.dial('04930', { headers });
        call.authorize(await from.expect(407), 'in', 'secret-in', { headers });
        const invite = await peer.expect('INVITE');
        expect([invite.all('Diversion').length, invite.all('History-Info').length]).toEqual([diversion, info]);
        peer.take(invite).respond(404);
        call.ackFailure(await from.expect(404));
        await office.quiet();
      },
    );
  }
});

describe('from where: the Contact', () => {
  const NAMED = { contactAddress: 'pbx.office.test:5071' };

  officeScenario('of a call that goes out', withTrunk(NAMED), async (office, world) => {
    expect((await inviteOf(office, world)).header('Contact')).toBe('<sip:100@pbx.office.test:5071>');
  });

  officeScenario('of OPTIONS', withTrunk({ ...NAMED, qualifySeconds: 60 }), async (_office, world) => {
    const peer = await gateway(world);
    const options = await peer.expect('OPTIONS');
    expect(options.header('Contact')).toBe('<sip:ping@pbx.office.test:5071>');
    peer.respond(options, 200, { toTag: 'gw' });
  });

  officeScenario('of the answer to a call that comes in', withTrunk(NAMED), async (office, world) => {
    const peer = await gateway(world);
    const alice = await office.registered('100');
    const next = alice.incoming();
    const call = peer.dial('100');
    (await world.run(() => next)).answer();
    const answer = await peer.expect(200);
    expect(answer.header('Contact')).toBe('<sip:100@pbx.office.test:5071>');
    call.learn(answer);
    call.ack();
    // The name stands for us: what comes to it is ours only by the address that it came from.
    call.request('BYE', { uri: 'sip:100@192.0.2.1' });
    await peer.expect('200 BYE');
    await office.quiet();
  });

  scenario('of a line behind a NAT: where the registrar sees us', { seed: 5, delayMs: 5 }, async (world) => {
    const carrier = await Carrier.open(world, { name: 'carrier-a', address: '198.51.100.1', accounts: ['1234'] }, [
      '5551',
    ]);
    const nat = world.nat({ publicAddress: '203.0.113.1', kind: 'port-restricted' });
    const { ports } = world.host('office', '192.168.1.2', { behind: nat });
    const office = new Office(world, {
      listen: ['udp://192.168.1.2:5060'],
      lines: [carrier.line('1234')],
      ...ports,
    });
    await world.run(() => office.pbx.start());
    await world.until(() => office.pbx.lines[0]?.state.kind === 'registered');
    await world.advance({ seconds: 5 });
    const far = await carrier.subscriber('5551');
    const alice = world.use(
      new VirtualPhone({
        machine: world.host('100', '192.168.1.3', { behind: nat }),
        number: '100',
        domain: 'office.test',
        password: 'secret-100',
        server: { address: '192.168.1.2', port: 5060 },
      }),
    );
    await world.run(() => alice.register());
    const next = far.incoming();
    const call = alice.call('95551');
    (await world.run(() => next)).answer();
    await world.until(call.talking());
    const invite = messagesOf(world, 'carrier-a').find(({ method }) => method === 'INVITE') ?? expect.fail('no INVITE');
    expect(headerOf(invite, 'Contact')).toMatch(/@203\.0\.113\.1:\d+>/);
    call.hangUp();
    await office.quiet();
  });
});
