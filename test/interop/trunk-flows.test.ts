/** Flows C10, G1–G6, M1 and M2 with sipp as the gateway: a trunk that is known by its address. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { CallRecord } from '../../src/call/call-record.js';
import { Lab } from './support/lab.js';
import { type Office, recordOf, startOffice } from './support/office.js';
import { Callee, Caller, sdp } from './support/parties.js';
import { anyPossible, interopTest } from './support/programs.js';
import { type Step, scenario } from './support/scenario.js';
import { extensions } from './support/server.js';
import { bodyOf, headerOf, Sipp, sippPort } from './support/sipp.js';
import { answers, caller, flowOf, phone, received } from './support/sipp-phones.js';

const NEEDS = ['sipp'] as const;
const SHORT = { needs: NEEDS, concurrent: true };
const AUTHENTICATED = ['>INVITE', '<407', '>ACK', '>INVITE'];
const DOMAIN = 'carrier.test';

/** Each at an address of its own, or the PBX would take one for the other; what is dialled names it: 00, 01, and so on. */
const GATEWAYS = ['refusing', 'second', 'dead', 'third', 'g1', 'g2', 'g3', 'g4', 'g5', 'g6', 'm1', 'm2'] as const;
type GatewayName = (typeof GATEWAYS)[number];
const GROUPS: Partial<Record<GatewayName, string>> = {
  refusing: 'refusing',
  second: 'refusing',
  dead: 'dead',
  third: 'dead',
};

const hostOf = (name: GatewayName): string => `127.0.0.${60 + GATEWAYS.indexOf(name)}`;
const prefixOf = (name: GatewayName): string => `0${String(GATEWAYS.indexOf(name)).padStart(2, '0')}`;

describe('a gateway that is known by its address', () => {
  const lab = new Lab();
  const ports = new Map<GatewayName, number>();
  let office: Office;
  beforeAll(async () => {
    if (!anyPossible(NEEDS)) return;
    for (const name of GATEWAYS) ports.set(name, await sippPort());
    office = await startOffice(lab, {
      extensions: extensions(200, 30).map((each) => (each.number === '218' ? { ...each, levels: ['abroad'] } : each)),
      trunks: GATEWAYS.map((name) => ({
        name,
        server: `${hostOf(name)}:${ports.get(name)}`,
        domain: DOMAIN,
        qualifySeconds: 0,
        ...(GROUPS[name] === undefined ? {} : { group: GROUPS[name] }),
        ...(name === 'g4' ? { noAnswerSeconds: 2 } : {}),
      })),
      dialPlan: {
        called: [
          ...GATEWAYS.map((name) => {
            const group = GROUPS[name];
            return {
              prefix: prefixOf(name),
              route: group === undefined ? { kind: 'trunk' as const, trunk: name } : { kind: 'group' as const, group },
              ...(name === 'm2' ? { level: 'abroad' } : {}),
            };
          }),
          { prefix: '4930215', route: { kind: 'extension', extension: '215' } },
        ],
        levels: ['abroad'],
        blackList: [{ caller: '666' }],
      },
    });
  });
  afterAll(() => lab.close());

  function gateway(own: Lab, name: GatewayName, steps: readonly Step[]): Promise<Sipp> {
    const port = ports.get(name) ?? expect.fail(name);
    return Sipp.start(own, { name, scenario: scenario(steps), host: hostOf(name), port, timeoutSeconds: 50 });
  }

  function calls(own: Lab, number: string, steps: readonly Step[]): Promise<Sipp> {
    return caller(own, office, number, steps, { timeoutSeconds: 50 });
  }

  const far = new Callee('far');
  const rings = [Callee.invited, far.provisional(180, 'Ringing')];
  const talks = (call: Caller): Step[] => [...call.talksAndHangsUp()];
  const legs = ({ legs: all }: CallRecord) => all.map(({ via, outcome }) => [via, outcome]);

  interopTest('C10: the first gateway says 503, the second takes the call: one ring', SHORT, async (own) => {
    const number = `${prefixOf('refusing')}1`;
    const busy = far.final(503, 'Service Unavailable', { headers: 'Retry-After: 60\n' });
    const first = await gateway(own, 'refusing', [Callee.invited, busy, { receive: 'ACK' }]);
    const second = await gateway(own, 'second', [...far.answers(), ...far.isHungUp()]);
    const call = new Caller('200', number);
    const a = await calls(own, '200', [...call.invite(), ...call.isAnswered(), ...talks(call)]);
    const [one, two, three] = await Promise.all([a.succeeded(), first.succeeded(), second.succeeded()]);
    expect(flowOf(one)).toEqual([...AUTHENTICATED, '<180', '<200', '>ACK', '>BYE', '<200']);
    expect(flowOf(two)).toEqual(['<INVITE', '>503', '<ACK']);
    expect(flowOf(three)).toEqual(['<INVITE', '>180', '>200', '<ACK', '<BYE', '>200']);
    expect(legs(await recordOf(office, number))).toEqual([
      [undefined, 'answered'],
      ['refusing', 'failed'],
      ['second', 'answered'],
    ]);
  });

  interopTest(
    'C10: the first gateway is dead (Timer B, 32 s), the second takes the call: one ring',
    SHORT,
    async (own) => {
      const number = `${prefixOf('dead')}1`;
      const third = await gateway(own, 'third', [...far.answers(), ...far.isHungUp()]);
      const call = new Caller('202', number);
      const a = await calls(own, '202', [...call.invite(), ...call.isAnswered(), ...talks(call)]);
      const [one, two] = await Promise.all([a.succeeded(), third.succeeded()]);
      expect(flowOf(one)).toEqual([...AUTHENTICATED, '<180', '<200', '>ACK', '>BYE', '<200']);
      expect(flowOf(two)).toEqual(['<INVITE', '>180', '>200', '<ACK', '<BYE', '>200']);
      expect(legs(await recordOf(office, number))).toEqual([
        [undefined, 'answered'],
        ['dead', 'unreachable'],
        ['third', 'answered'],
      ]);
    },
  );

  interopTest('G1: early media: the 183 and the 200 describe the same session', SHORT, async (own) => {
    const number = `${prefixOf('g1')}1`;
    const body = sdp({ port: '45678' });
    const b = await gateway(own, 'g1', [
      Callee.invited,
      far.provisional(183, 'Session Progress', { body }),
      { pauseMs: 300 },
      far.final(200, 'OK', { body }),
      { receive: 'ACK' },
      ...far.isHungUp(),
    ]);
    const call = new Caller('204', number);
    const a = await calls(own, '204', [
      ...call.invite(),
      { receive: 183 },
      { receive: 200, route: true },
      ...talks(call),
    ]);
    const [one] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(flowOf(one)).toEqual([...AUTHENTICATED, '<183', '<200', '>ACK', '>BYE', '<200']);
    const [early] = received(one, 'SIP/2.0 183');
    const [ok] = answers(one, 200, 'INVITE');
    if (early === undefined || ok === undefined) throw new Error('no 183 or no 200');
    expect(bodyOf(early)).toContain('m=audio 45678');
    expect(bodyOf(ok)).toBe(bodyOf(early));
    expect(headerOf(ok, 'To')).toBe(headerOf(early, 'To'));
  });

  interopTest(
    'G2: an announcement, then the caller gives up: cancelled there, not answered on record',
    SHORT,
    async (own) => {
      const number = `${prefixOf('g2')}1`;
      const early = far.provisional(183, 'Session Progress', { body: sdp() });
      const b = await gateway(own, 'g2', [Callee.invited, early, ...far.cancelled()]);
      const call = new Caller('206', number);
      const a = await calls(own, '206', [
        ...call.invite(),
        { receive: 183 },
        call.cancel(),
        { receive: 200 },
        { receive: 487 },
        call.ackFailure(),
      ]);
      const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
      expect(flowOf(one)).toEqual([...AUTHENTICATED, '<183', '>CANCEL', '<200', '<487', '>ACK']);
      expect(flowOf(two)).toEqual(['<INVITE', '>183', '<CANCEL', '>200', '>487', '<ACK']);
      const record = await recordOf(office, number);
      expect([record.answeredAt, record.talkMs]).toEqual([undefined, 0]);
      expect(record.legs.map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled']);
    },
  );

  interopTest(
    'G3: 404 and 486 reach the caller with their Reason; 503 becomes 500 without Retry-After',
    SHORT,
    async (own) => {
      for (const [status, phrase, told] of [
        [404, 'Not Found', 404],
        [486, 'Busy Here', 486],
        [503, 'Service Unavailable', 500],
      ] as const) {
        const number = `${prefixOf('g3')}${status}`;
        const headers = `Reason: Q.850;cause=34;text="said by the gateway"\nRetry-After: 60\n`;
        const b = await gateway(own, 'g3', [
          Callee.invited,
          far.final(status, phrase, { headers }),
          { receive: 'ACK' },
        ]);
        const call = new Caller('208', number);
        const a = await calls(own, '208', [...call.invite(), { receive: told }, call.ackFailure()]);
        const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
        expect(flowOf(one)).toEqual([...AUTHENTICATED, `<${told}`, '>ACK']);
        expect(flowOf(two)).toEqual(['<INVITE', `>${status}`, '<ACK']);
        const [final] = received(one, `SIP/2.0 ${told}`);
        if (final === undefined) throw new Error(`no ${told}`);
        expect(headerOf(final, 'Reason')).toContain('Q.850;cause=34');
        if (status === 503) expect(headerOf(final, 'Retry-After')).toBeUndefined();
        expect((await recordOf(office, number)).legs[1]).toMatchObject({ via: 'g3', status });
      }
    },
  );

  interopTest('G4: nobody answers: the trunk’s own time ends the call, the gateway is told', SHORT, async (own) => {
    const number = `${prefixOf('g4')}1`;
    const b = await gateway(own, 'g4', [...rings, ...far.cancelled()]);
    const call = new Caller('210', number);
    const a = await calls(own, '210', [...call.invite(), { receive: 180 }, { receive: 480 }, call.ackFailure()]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(flowOf(one)).toEqual([...AUTHENTICATED, '<180', '<480', '>ACK']);
    expect(flowOf(two)).toEqual(['<INVITE', '>180', '<CANCEL', '>200', '>487', '<ACK']);
    expect(legs(await recordOf(office, number))[1]).toEqual(['g4', 'no-answer']);
  });

  interopTest('G5: a number of the office from the gateway; answered without ringing', SHORT, async (own) => {
    const callee = new Callee('215');
    const ok = callee.final(200, 'OK', { body: sdp() });
    const b = await phone(own, office, '215', [Callee.invited, ok, { receive: 'ACK' }, ...callee.isHungUp()]);
    const call = new Caller('08912345', '4930215', DOMAIN);
    const steps = [...call.inviteUnchallenged(), { receive: 200, route: true as const }, ...talks(call)];
    const a = await caller(own, office, 'g5', steps, { host: hostOf('g5') });
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(flowOf(one)).toEqual(['>INVITE', '<200', '>ACK', '>BYE', '<200']);
    expect(flowOf(two)).toEqual(['<INVITE', '>200', '<ACK', '<BYE', '>200']);
    const record = await recordOf(office, '4930215');
    expect(record).toMatchObject({ caller: '08912345', called: '4930215' });
    expect(legs(record)[0]).toEqual(['g5', 'answered']);
  });

  interopTest('G6: the caller gives up at once: CANCEL waits for the gateway’s first word', SHORT, async (own) => {
    const number = `${prefixOf('g6')}1`;
    const late = [Callee.invited, { pauseMs: 400 }, far.provisional(183, 'Session Progress'), ...far.cancelled()];
    const b = await gateway(own, 'g6', late);
    const call = new Caller('212', number);
    const a = await calls(own, '212', [
      ...call.invite().slice(0, -1),
      { receive: 100 },
      // so that the INVITE is on its way to the gateway
      { pauseMs: 100 },
      call.cancel(),
      { receive: 200 },
      { receive: 183, optional: true },
      { receive: 487 },
      call.ackFailure(),
    ]);
    const [one, two] = await Promise.all([a.succeeded(), b.succeeded()]);
    expect(flowOf(one).slice(0, 6)).toEqual([...AUTHENTICATED, '>CANCEL', '<200']);
    expect(flowOf(two)).toEqual(['<INVITE', '>183', '<CANCEL', '>200', '>487', '<ACK']);
    expect(legs(await recordOf(office, number)).map(([, outcome]) => outcome)).toEqual(['cancelled', 'cancelled']);
  });

  interopTest('M1: a caller on the black list: 403, and nobody rings', SHORT, async (own) => {
    // registered, so that it would ring
    const idle = await phone(own, office, '216', [Callee.invited, far.final(486, 'Busy Here'), { receive: 'ACK' }]);
    const call = new Caller('6665', '216', DOMAIN);
    const screened = [...call.inviteUnchallenged(), { receive: 403 }, call.ackFailure()];
    const a = await caller(own, office, 'm1', screened, { host: hostOf('m1') });
    const one = await a.succeeded();
    expect(flowOf(one)).toEqual(['>INVITE', '<403', '>ACK']);
    // The one that comes next is the first that the phone hears of.
    const other = new Caller('7775', '216', DOMAIN);
    const wanted = [...other.inviteUnchallenged(), { receive: 486 }, other.ackFailure()];
    const next = await caller(own, office, 'm1', wanted, { host: hostOf('m1') });
    const [, rung] = await Promise.all([next.succeeded(), idle.succeeded()]);
    expect(received(rung, 'INVITE').every(({ text }) => text.includes('sip:7775@'))).toBe(true);
  });

  interopTest(
    'M2: a prefix that asks for a level: 403 without it, and the gateway hears nothing',
    SHORT,
    async (own) => {
      const number = `${prefixOf('m2')}1`;
      const b = await gateway(own, 'm2', [Callee.invited, far.final(404, 'Not Found'), { receive: 'ACK' }]);
      const refused = new Caller('217', number);
      const a = await calls(own, '217', [...refused.invite(), { receive: 403 }, refused.ackFailure()]);
      const one = await a.succeeded();
      expect(flowOf(one)).toEqual([...AUTHENTICATED, '<403', '>ACK']);
      const allowed = new Caller('218', number);
      const steps = [...allowed.invite(), { receive: 404 }, allowed.ackFailure()];
      const c = await calls(own, '218', steps);
      const [, two] = await Promise.all([c.succeeded(), b.succeeded()]);
      const invites = received(two, 'INVITE');
      expect(invites.map((each) => headerOf(each, 'From')).every((from) => from?.includes('sip:218@'))).toBe(true);
      expect(flowOf(two)).toEqual(['<INVITE', '>404', '<ACK']);
    },
  );
});
