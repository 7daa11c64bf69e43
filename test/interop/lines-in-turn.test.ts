/** Round robin over three lines at three carriers (Kamailio), and the death of one of them under calls. Phone and far end are sipp. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { CallRecord } from '../../src/call/call-record.js';
import { Lab } from './support/lab.js';
import { KamailioCarrier, linesUp, type Office, startOffice } from './support/office.js';
import { Callee, Caller } from './support/parties.js';
import { anyPossible, interopTest } from './support/programs.js';
import { until } from './support/recorded.js';
import { scenario } from './support/scenario.js';
import { extensions } from './support/server.js';
import { headerOf, Sipp, type SippResult, sippPort } from './support/sipp.js';
import { received } from './support/sipp-phones.js';

const NEEDS = ['kamailio', 'sipp'] as const;
const FAR = '127.0.0.54';
const LINES = ['3001', '3002', '3003'] as const;

/** By which line the call was answered. */
function answeredBy({ legs }: CallRecord): string | undefined {
  return legs.find(({ direction, outcome }) => direction === 'outbound' && outcome === 'answered')?.via;
}

/** How often each of them occurs. */
function tally(names: readonly (string | undefined)[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name ?? 'none'] = (counts[name ?? 'none'] ?? 0) + 1;
  return counts;
}

/** The To headers of the ringing that each call of a run has heard. */
function ringsOf(result: SippResult): ReadonlyMap<string, readonly string[]> {
  const rings = new Map<string, string[]>();
  for (const message of received(result, 'SIP/2.0 180')) {
    const callId = headerOf(message, 'Call-ID') ?? '';
    rings.set(callId, [...(rings.get(callId) ?? []), headerOf(message, 'To') ?? '']);
  }
  return rings;
}

describe('three lines at three carriers, two by TCP, one by UDP', () => {
  const lab = new Lab();
  const carriers: KamailioCarrier[] = [];
  let office: Office;
  let far: Sipp;
  beforeAll(async () => {
    if (!anyPossible(NEEDS)) return;
    const port = await sippPort();
    for (const [i, line] of LINES.entries()) {
      const carrier = await KamailioCarrier.start(lab, `127.0.0.${51 + i}`, `carrier-${i}.test`, [line, '5551']);
      await carrier.subscribes(lab, '5551', { host: FAR, port });
      carriers.push(carrier);
    }
    const callee = new Callee('5551');
    const answers = scenario([...callee.answers(), ...callee.isHungUp()]);
    // it is ended by the lab: calls of a dead carrier are never hung up
    far = await Sipp.start(lab, {
      name: 'far end',
      scenario: answers,
      host: FAR,
      port,
      calls: 1_000,
      timeoutSeconds: 110,
    });
    const lines = carriers.map((carrier, i) => carrier.line(LINES[i] ?? '', i === 1 ? 'udp' : 'tcp'));
    office = await startOffice(lab, { extensions: extensions(100, 2), lines });
    await linesUp(office);
  });
  afterAll(() => lab.close());

  /** Extension 100 calls 5551 so many times, by any line. */
  async function callMany(own: Lab, calls: number, load: { readonly callsPerSecond: number; readonly atOnce: number }) {
    const call = new Caller('100', '95551');
    const steps = scenario([
      ...call.invite(),
      ...call.isAnswered(),
      call.inside('ACK', 2),
      { pauseMs: 100 },
      call.inside('BYE', 3),
      { receive: 200 },
    ]);
    const run = { name: 'caller', scenario: steps, server: office, port: await sippPort(), timeoutSeconds: 90 };
    return (await Sipp.start(own, { ...run, calls, ...load })).succeeded();
  }

  interopTest('300 calls: 100 by each, and each rings once', { needs: NEEDS, timeoutMs: 100_000 }, async (own) => {
    const result = await callMany(own, 300, { callsPerSecond: 20, atOnce: 60 });
    expect(result.successful).toBe(300);
    await until(() => office.records.items.length === 300, 'the records of all calls');
    expect(tally(office.records.items.map(answeredBy))).toEqual({ 3001: 100, 3002: 100, 3003: 100 });
    expect(office.records.items.every(({ legs }) => legs.length === 2)).toBe(true);
    const rings = ringsOf(result);
    expect(rings.size).toBe(300);
    expect([...rings.values()].every((tos) => new Set(tos).size === 1)).toBe(true);
  });

  interopTest(
    'one carrier is killed under calls: nobody is refused or hears a second ring, the other two take them all',
    { needs: NEEDS, timeoutMs: 100_000 },
    async (own) => {
      const [dead = expect.fail('no carrier')] = carriers;
      const from = office.records.mark();
      let killedAfter = 0;
      let answered = 0;
      const off = office.pbx.on('call.answered', () => {
        answered++;
        // What rings there is lost with it: killed when everything that it was asked for has been answered.
        const asked = office.pbx.lines.find(({ name }) => name === LINES[0])?.inUse.out ?? 0;
        const there = office.pbx.calls.flatMap(({ legs }) => legs.filter(({ via }) => via === LINES[0]));
        const talking = there.filter(({ answeredAt, endedAt }) => answeredAt !== undefined && endedAt === undefined);
        if (killedAfter > 0 || answered < 20 || asked === 0 || talking.length !== asked) return;
        killedAfter = answered;
        void dead.kamailio.kill();
      });
      const result = await callMany(own, 60, { callsPerSecond: 10, atOnce: 3 });
      off();
      expect(result.successful).toBe(60);
      expect(killedAfter).toBeGreaterThanOrEqual(20);
      expect(killedAfter).toBeLessThan(57);
      await until(() => office.records.items.length === from + 60, 'the records of all calls');
      const records = office.records.items.slice(from);
      const by = tally(records.map(answeredBy));
      expect(Object.keys(by).sort()).toEqual([...LINES]);
      expect(Object.values(by).reduce((sum, each) => sum + each, 0)).toBe(60);
      // Tried at least once after its death, and then left alone for a while: not with each turn.
      const moved = records.filter(({ legs }) => legs.length === 3);
      expect(moved.length).toBeGreaterThanOrEqual(1);
      for (const { legs } of moved) expect(legs[1]).toMatchObject({ via: LINES[0], outcome: 'unreachable' });
      expect(moved.every((record) => answeredBy(record) !== LINES[0])).toBe(true);
      const rings = ringsOf(result);
      expect([rings.size, Math.max(...[...rings.values()].map((tos) => new Set(tos).size))]).toEqual([60, 1]);
      expect(office.pbx.lines.map(({ inUse }) => inUse.out)).toEqual([0, 0, 0]);
    },
  );

  interopTest('the far end has seen each call once', { needs: NEEDS }, async () => {
    await far.stop();
    const invites = received(await far.done(), 'INVITE');
    const callIds = new Set(invites.map((message) => headerOf(message, 'Call-ID')));
    expect(callIds.size).toBe(office.records.items.length);
  });
});
