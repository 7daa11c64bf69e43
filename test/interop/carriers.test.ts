/** The worked case of the product facts: two accounts at two carriers (Kamailio with digest), the far end and the phones are sipp. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { deleteDigits } from '../../src/dialplan/transform.js';
import { Lab } from './support/lab.js';
import { credentialsIn, KamailioCarrier, linesUp, type Office, recordOf, startOffice } from './support/office.js';
import { Callee, Caller } from './support/parties.js';
import { anyPossible, interopTest } from './support/programs.js';
import { scenario } from './support/scenario.js';
import { extensions } from './support/server.js';
import { headerOf, Sipp, type SippMessage, sippPort } from './support/sipp.js';
import { caller, flowOf, phone, received } from './support/sipp-phones.js';
import { Capture } from './support/tshark.js';

const NEEDS = ['kamailio', 'sipp'] as const;
const FAR = '127.0.0.44';
const AUTHENTICATED = ['>INVITE', '<407', '>ACK', '>INVITE'];

/** The number in a header such as From. */
function userIn(message: SippMessage, header: string): string | undefined {
  return /<sip:([^@>]+)@/.exec(headerOf(message, header) ?? '')?.[1];
}

describe('two accounts at two carriers, one by UDP, one by TCP', () => {
  const lab = new Lab();
  let office: Office;
  let a: KamailioCarrier;
  let b: KamailioCarrier;
  beforeAll(async () => {
    if (!anyPossible(NEEDS)) return;
    a = await KamailioCarrier.start(lab, '127.0.0.42', 'carrier-a.test', ['1234', '5551']);
    b = await KamailioCarrier.start(lab, '127.0.0.43', 'carrier-b.test', ['5678', '5551']);
    office = await startOffice(lab, {
      extensions: extensions(100, 4),
      lines: [a.line('1234', 'udp', { inbound: '101' }), b.line('5678', 'tcp', { inbound: '103' })],
      dialPlan: {
        transforms: { 1: deleteDigits({ start: 0, length: 1 }) },
        called: [
          { prefix: '9', route: { kind: 'line', line: '1234' }, transform: 1 },
          { prefix: '8', route: { kind: 'line', line: '5678' }, transform: 1 },
        ],
      },
    });
    await linesUp(office);
  });
  afterAll(() => lab.close());

  /** Extension 100 calls the number, and the far end answers. */
  async function callsOut(own: Lab, carrier: KamailioCarrier, dialled: string) {
    const port = await sippPort();
    const far = new Callee('5551');
    await carrier.subscribes(own, '5551', { host: FAR, port });
    const steps = scenario([...far.answers(), ...far.isHungUp()]);
    const two = await Sipp.start(own, { name: 'far end', scenario: steps, host: FAR, port });
    const call = new Caller('100', dialled);
    const one = await caller(own, office, '100', [...call.invite(), ...call.isAnswered(), ...call.talksAndHangsUp()]);
    return Promise.all([one.succeeded(), two.succeeded()]);
  }

  for (const [dialled, line, transport] of [
    ['95551', '1234', 'UDP'],
    ['85551', '5678', 'TCP'],
  ] as const) {
    interopTest(
      `${dialled} arrives as 5551 by line ${line} (${transport}), digest answered; the record says so`,
      { needs: [...NEEDS, 'tshark'] },
      async (own) => {
        const carrier = line === '1234' ? a : b;
        const { host, port } = carrier.kamailio;
        // one judgement is enough: starting it takes longer than the call
        const capture = transport === 'UDP' ? await Capture.start(own, `host ${host} and port ${port}`) : undefined;
        const [one, two] = await callsOut(own, carrier, dialled);
        expect(flowOf(one)).toEqual([...AUTHENTICATED, '<180', '<200', '>ACK', '>BYE', '<200']);
        expect(flowOf(two)).toEqual(['<INVITE', '>180', '>200', '<ACK', '<BYE', '>200']);
        const [invite = expect.fail('no INVITE')] = received(two, 'INVITE');
        expect([userIn(invite, 'From'), userIn(invite, 'To')]).toEqual([line, '5551']);
        expect(headerOf(invite, 'From')).toContain(`@${carrier.domain}>`);
        const record = await recordOf(office, dialled);
        expect(record).toMatchObject({ caller: '100', called: dialled });
        expect(record.legs).toMatchObject([
          { direction: 'inbound', number: '100', outcome: 'answered' },
          { direction: 'outbound', number: '5551', via: line, outcome: 'answered' },
        ]);
        expect(record.legs[0]?.via).toBeUndefined();
        expect(office.pbx.lines.map(({ inUse }) => inUse.out)).toEqual([0, 0]);
        if (capture === undefined) return;
        const { messages, complaints } = await capture.judge(own, [port, office.port]);
        expect(complaints).toEqual([]);
        // Kamailio has asked, and got credentials: INVITE, 407, ACK, INVITE.
        expect(messages).toContain('407');
        expect(messages.filter((each) => each === 'INVITE').length).toBeGreaterThanOrEqual(2);
      },
    );

    interopTest(
      `a call to account ${line} reaches the extension that the line leads to`,
      { needs: NEEDS },
      async (own) => {
        const carrier = line === '1234' ? a : b;
        const extension = line === '1234' ? '101' : '103';
        const callee = new Callee(extension);
        const call = new Caller('5551', line, carrier.domain);
        const two = await phone(own, office, extension, [...callee.answers(), ...callee.isHungUp()]);
        const steps = [...call.invite(), ...call.isAnswered(), ...call.talksAndHangsUp()];
        const one = await caller(own, carrier.kamailio, '5551', steps, { host: FAR });
        const [seen, rung] = await Promise.all([one.succeeded(), two.succeeded()]);
        expect(flowOf(seen)).toEqual([...AUTHENTICATED, '<180', '<200', '>ACK', '>BYE', '<200']);
        const [invite = expect.fail('no INVITE')] = received(rung, 'INVITE');
        expect(userIn(invite, 'From')).toBe('5551');
        // Neither the office nor the carrier hands on what the caller proved himself with.
        expect(rung.messages.flatMap(credentialsIn)).toEqual([]);
        const record = await recordOf(office, line);
        expect(record).toMatchObject({ caller: '5551', called: line });
        expect(record.legs).toMatchObject([
          { direction: 'inbound', number: '5551', via: line, outcome: 'answered' },
          { direction: 'outbound', number: extension, outcome: 'answered' },
        ]);
        expect(office.pbx.lines.map(({ inUse }) => inUse.in)).toEqual([0, 0]);
      },
    );
  }

  interopTest(
    'a number that no rule leads anywhere: 404, and no carrier hears of it',
    { needs: NEEDS },
    async (own) => {
      const call = new Caller('100', '75551');
      const one = await caller(own, office, '100', [...call.invite(), { receive: 404 }, call.ackFailure()]);
      const seen = await one.succeeded();
      expect(flowOf(seen)).toEqual([...AUTHENTICATED, '<404', '>ACK']);
      expect((await recordOf(office, '75551')).legs).toHaveLength(1);
    },
  );
});
