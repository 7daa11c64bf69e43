import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Baresip } from './support/baresip.js';
import { Kamailio } from './support/kamailio.js';
import { Lab } from './support/lab.js';
import { Callee, Caller, registration } from './support/parties.js';
import { anyPossible, interopTest } from './support/programs.js';
import { until } from './support/recorded.js';
import { scenario } from './support/scenario.js';
import { extensions, OfficeServer } from './support/server.js';
import { headerOf, runSipp, Sipp, type SippResult, sippPort } from './support/sipp.js';
import { received } from './support/sipp-phones.js';
import { firstSound, measureTone } from './support/tone.js';

const PHONES = ['kamailio', 'baresip'] as const;
const PROGRAM = ['kamailio', 'sipp'] as const;
const ALICE_HZ = 440;
const BOB_HZ = 700;

/** Kamailio between the phones and the PBX: UDP or TCP to the phones, TCP to the PBX, Path and Record-Route (RFC 3327, RFC 5626 §5). */
describe('behind an edge proxy', () => {
  const lab = new Lab();
  let server: OfficeServer;
  let edge: Kamailio;
  beforeAll(async () => {
    if (!anyPossible(PHONES, PROGRAM)) return;
    server = await OfficeServer.create(lab, { extensions: extensions(600, 20) });
    await server.start();
    edge = await Kamailio.edge(lab, { pbx: server });
  });
  afterAll(() => lab.close());

  /** Both hear the other's tone in the call that is under way. */
  async function expectSound(a: Baresip, b: Baresip): Promise<void> {
    const more = (phone: Baresip): Promise<boolean> => {
      const before = phone.heardSeconds();
      return until(() => phone.heardSeconds() >= before + 1.5, '1.5 s of sound');
    };
    await Promise.all([more(a), more(b)]);
    for (const [phone, hz] of [
      [a, BOB_HZ],
      [b, ALICE_HZ],
    ] as const) {
      const sound = phone.heard();
      const tone = measureTone(sound, firstSound(sound) + 0.2, 1);
      expect(Math.abs(tone.hz - hz) / hz, `heard ${tone.hz} Hz, played ${hz} Hz`).toBeLessThan(0.02);
    }
  }

  async function call(from: Baresip, to: Baresip, number: string): Promise<void> {
    const [mine, theirs] = [from.events.mark(), to.events.mark()];
    await from.dial(number);
    await to.event('CALL_INCOMING', { from: theirs });
    await to.command('accept');
    await Promise.all([from.event('CALL_ESTABLISHED', { from: mine }), to.event('CALL_ESTABLISHED', { from: theirs })]);
  }

  /** `phone` puts the other on hold and comes back. */
  async function holdAndResume(phone: Baresip, other: Baresip): Promise<void> {
    for (const [command, seen] of [
      ['hold', 'a=sendonly'],
      ['resume', 'a=sendrecv'],
    ] as const) {
      const from = other.child.lines.mark();
      await phone.command(command);
      await other.child.lines.wait((line) => line === seen, { from, what: `${seen} at the other phone` });
      await other.child.lines.wait((line) => line.startsWith('ACK '), { from, what: `the ACK of ${command}` });
    }
  }

  for (const [how, transports, numbers] of [
    ['by UDP', ['udp', 'udp'], ['600', '601']],
    ['by TCP', ['tcp', 'tcp'], ['602', '603']],
    ['one by UDP, one by TCP', ['udp', 'tcp'], ['604', '605']],
  ] as const) {
    interopTest(
      `two phones ${how} call each other both ways, hold, and either hangs up (RFC 3327 §5.4)`,
      { needs: PHONES, concurrent: true, timeoutMs: 90_000 },
      async (own) => {
        const [alice, bob] = await Promise.all([
          Baresip.start(own, { number: numbers[0], server: edge, transport: transports[0], toneHz: ALICE_HZ }),
          Baresip.start(own, { number: numbers[1], server: edge, transport: transports[1], toneHz: BOB_HZ }),
        ]);
        await Promise.all([alice.registered(), bob.registered()]);

        await call(alice, bob, numbers[1]);
        await expectSound(alice, bob);
        await holdAndResume(alice, bob);
        let closed = alice.events.mark();
        await bob.command('hangup');
        await alice.event('CALL_CLOSED', { from: closed });

        await call(bob, alice, numbers[0]);
        await expectSound(alice, bob);
        await holdAndResume(alice, bob);
        closed = alice.events.mark();
        await bob.command('hangup');
        await alice.event('CALL_CLOSED', { from: closed });

        // Whatever a phone was sent, the edge proxy sent it.
        for (const phone of [alice, bob]) {
          const peers = phone.traceSince(0).filter((line) => /^(UDP|TCP) \S+ -> \S+$/.test(line));
          expect(peers.filter((line) => line.includes(`:${edge.port}`)).length).toBeGreaterThan(10);
          expect(peers.filter((line) => line.includes(`:${server.port}`))).toEqual([]);
        }
      },
    );
  }

  /** A REGISTER of one flow (RFC 5626 §3.2), and what came of it. */
  async function registerFlow(own: Lab, by: Kamailio, number: string, port: number): Promise<SippResult> {
    const steps = registration(number, {
      contactParams: `;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000000000${number}>";reg-id=1`,
      headers: 'Supported: path, outbound\n',
      finalStatus: by === edge ? 200 : 439,
    });
    return runSipp(own, { name: `flow ${number}`, scenario: scenario(steps), server: by, port });
  }

  interopTest(
    'a flow through the edge: Require: outbound and the Path in the 200; a call comes by it (RFC 5626 §6, §5.3)',
    { needs: PROGRAM },
    async (own) => {
      const port = await sippPort();
      const [accepted] = received(await registerFlow(own, edge, '610', port), 'SIP/2.0 200');
      if (accepted === undefined) throw new Error('no 200');
      expect(headerOf(accepted, 'Require')).toBe('outbound');
      expect(headerOf(accepted, 'Path')).toContain(';ob');
      const callee = new Callee('610');
      const call = new Caller('611', '610');
      const waiting = await Sipp.start(own, {
        name: 'phone 610',
        scenario: scenario([...callee.answers(), { pauseMs: 200 }, callee.inside('BYE', 1), { receive: 200 }]),
        port,
      });
      const calling = await Sipp.start(own, {
        name: 'caller 611',
        scenario: scenario([
          ...call.invite(),
          ...call.isAnswered(),
          call.inside('ACK', 2),
          { receive: 'BYE' },
          new Callee('611').okInside(),
        ]),
        server: edge,
        port: await sippPort(),
      });
      const [, called] = await Promise.all([calling.succeeded(), waiting.succeeded()]);
      const [invite] = received(called, 'INVITE');
      if (invite === undefined) throw new Error('no INVITE');
      expect(headerOf(invite, 'Via')).toContain(`:${edge.port};`);
      expect(headerOf(invite, 'Route')).toBeUndefined();
    },
  );

  interopTest('an edge without ob in its Path: 439 (RFC 5626 §6)', { needs: PROGRAM }, async (own) => {
    const plain = await Kamailio.edge(own, { pbx: server, outbound: false });
    await registerFlow(own, plain, '612', await sippPort());
  });
});
