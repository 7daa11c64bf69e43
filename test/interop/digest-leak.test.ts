/**
 * Digest leak (checklist 52): who calls in and then asks for our credentials gets none, whoever he is and whatever realm he names: a
 * digest is enough to guess a password at leisure.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { answer, challenge } from './support/challenge.js';
import { Lab } from './support/lab.js';
import { credentialsIn, linesUp, type Office, startOffice } from './support/office.js';
import { Callee, Caller } from './support/parties.js';
import { anyPossible, interopTest } from './support/programs.js';
import { type Step, scenario } from './support/scenario.js';
import { extensions } from './support/server.js';
import { headerOf, Sipp, sippPort } from './support/sipp.js';
import { caller, flowOf, phone, received } from './support/sipp-phones.js';

const SHORT = { needs: ['sipp'], concurrent: true } as const;
const REALM = 'carrier';
const GATEWAY = '127.0.0.81';
const REGISTRAR = '127.0.0.82';
const STRANGER = '127.0.0.83';

/** A request that comes meanwhile fails the scenario. */
const NOTHING_MORE: Step = { pauseMs: 1_000 };

/** What a caller does who is called INFO, re-INVITE and BYE, and asks for credentials each time. */
const asksForAll = (realm: string): Step[] => [
  { receive: 'INFO' },
  challenge(401, realm, ''),
  { receive: 'INVITE' },
  challenge(407, realm, ''),
  { receive: 'ACK' },
  { receive: 'BYE' },
  challenge(407, realm, ''),
  NOTHING_MORE,
];

const ASKED = ['<INFO', '>401', '<INVITE', '>407', '<ACK', '<BYE', '>407'];

/** What the called extension does: sends INFO, changes the session, hangs up. */
function provokes(callee: Callee): Step[] {
  return [
    ...callee.answers(),
    { pauseMs: 200 },
    callee.dials('5', 1),
    { receive: 500 },
    ...callee.offersInVain(2, 488),
    callee.inside('BYE', 3),
    { receive: 200 },
  ];
}

describe('an inbound caller who challenges our requests', () => {
  const lab = new Lab();
  let office: Office;
  let token: string;
  let gatewayPort: number;
  beforeAll(async () => {
    if (!anyPossible(SHORT.needs)) return;
    gatewayPort = await sippPort();
    const port = await sippPort();
    const granted = answer('200 OK', '[last_Contact:];expires=3600\n');
    const steps = [{ receive: 'REGISTER' }, challenge(401, REALM), { receive: 'REGISTER' }, granted];
    const registrar = await Sipp.start(lab, { name: 'registrar', scenario: scenario(steps), host: REGISTRAR, port });
    const account = { username: '1234', password: 'secret' };
    office = await startOffice(lab, {
      extensions: extensions(300, 10),
      lines: [{ name: '1234', server: `${REGISTRAR}:${port}`, domain: 'carrier.test', inbound: '303', ...account }],
      trunks: [{ name: 'gw', server: `${GATEWAY}:${gatewayPort}`, domain: 'gw.test', qualifySeconds: 0, ...account }],
      dialPlan: { called: [{ prefix: '0', route: { kind: 'trunk', trunk: 'gw' } }] },
    });
    await linesUp(office);
    const [, register] = received(await registrar.succeeded(), 'REGISTER');
    if (register === undefined) throw new Error('the line has not answered the challenge');
    // Proof that there is something to leak: the line's own registrar was answered.
    expect(credentialsIn(register)).toHaveLength(1);
    token = /<sip:([^@>]+)@/.exec(headerOf(register, 'Contact') ?? '')?.[1] ?? expect.fail('no token');
  });
  afterAll(() => lab.close());

  /** What an extension that is called so has to suffer; the caller's scenario went through, and has seen no credentials. */
  async function suffers(own: Lab, extension: string, from: string, steps: readonly Step[], asked: readonly string[]) {
    const callee = new Callee(extension);
    const b = await phone(own, office, extension, provokes(callee));
    const a = await caller(own, office, 'asker', steps, { host: from });
    const [one] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(flowOf(one).slice(-asked.length)).toEqual(asked);
    const got = one.messages.filter(({ direction }) => direction === 'received');
    expect(got.length).toBeGreaterThan(asked.length / 2);
    expect(got.flatMap(credentialsIn)).toEqual([]);
  }

  interopTest('the gateway whose credentials they are: in a call out it gets them', SHORT, async (own) => {
    const far = new Callee('far');
    const steps = [
      Callee.invited,
      challenge(407, REALM),
      { receive: 'ACK' },
      Callee.invited,
      far.final(404, 'Not Found'),
      { receive: 'ACK' },
    ];
    const b = await Sipp.start(own, { name: 'gw', scenario: scenario(steps), host: GATEWAY, port: gatewayPort });
    const call = new Caller('300', '0123');
    const a = await caller(own, office, '300', [...call.invite(), { receive: 404 }, call.ackFailure()]);
    const [, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    const invites = received(two, 'INVITE');
    expect(credentialsIn(invites.at(-1) ?? expect.fail('no INVITE'))[0]).toContain('username="1234", realm="carrier"');
  });

  interopTest('the same gateway, in a call of its own: none', SHORT, async (own) => {
    const call = new Caller('5551', '301', 'gw.test');
    const steps = [...call.inviteUnchallenged(), ...call.isAnswered(), call.inside('ACK', 2), ...asksForAll(REALM)];
    await suffers(own, '301', GATEWAY, steps, ASKED);
  });

  interopTest('a stranger who has found the line’s Contact: none', SHORT, async (own) => {
    const call = new Caller('5551', token, `127.0.0.1:${office.port}`);
    const steps = [...call.inviteUnchallenged(), ...call.isAnswered(), call.inside('ACK', 2), ...asksForAll(REALM)];
    await suffers(own, '303', STRANGER, steps, ASKED);
  });

  interopTest('an extension of ours at any address: none, not for its own realm either', SHORT, async (own) => {
    for (const [extension, realm] of [
      ['304', REALM],
      ['305', 'office.test'],
    ] as const) {
      const call = new Caller('306', extension);
      const steps = [...call.invite(), ...call.isAnswered(), call.inside('ACK', 2), ...asksForAll(realm)];
      await suffers(own, extension, STRANGER, steps, ASKED);
    }
  });

  interopTest('a stranger without a password: asked for his own, and nobody rings', SHORT, async (own) => {
    const call = new Caller('5551', '307');
    const steps = [...call.inviteUnchallenged(), { receive: 407 }, call.ackFailure(), NOTHING_MORE];
    const one = await (await caller(own, office, 'stranger', steps, { host: STRANGER })).succeeded();
    expect(flowOf(one)).toEqual(['>INVITE', '<407', '>ACK']);
    expect(one.messages.filter(({ direction }) => direction === 'received').flatMap(credentialsIn)).toEqual([]);
  });
});
