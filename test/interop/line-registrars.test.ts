/**
 * The registration rules against sipp as registrar. What takes minutes (back-off, several refused attempts, a silent server) is
 * proven on the virtual clock: test/scenarios/line-registration.test.ts.
 */
import path from 'node:path';
import { describe, expect } from 'vitest';
import { NodeNetwork } from '../../src/net/node-network.js';
import { lmdb } from '../../src/storage/lmdb/lmdb-storage.js';
import type { LineOptions } from '../../src/trunk/line-options.js';
import type { LineState } from '../../src/trunk/line-parts.js';
import { DnsServer } from '../support/dns-server.js';
import { answer, challenge } from './support/challenge.js';
import type { Lab } from './support/lab.js';
import { credentialsIn, linesUp, type Office, startOffice } from './support/office.js';
import { UdpPeer } from './support/peers.js';
import { interopTest } from './support/programs.js';
import { until } from './support/recorded.js';
import { type Step, scenario } from './support/scenario.js';
import { headerOf, Sipp, type SippResult, sippPort } from './support/sipp.js';
import { received } from './support/sipp-phones.js';

const SHORT = { needs: ['sipp'], concurrent: true } as const;
const REGISTER: Step = { receive: 'REGISTER' };
/** A REGISTER that comes meanwhile fails the scenario. */
const NOTHING_MORE: Step = { pauseMs: 1_500 };

const CHALLENGE = challenge(401, 'carrier');
const granted = (seconds: number): Step => answer('200 OK', `[last_Contact:];expires=${seconds}\n`);

function registrar(own: Lab, steps: readonly Step[], port: number, transport: 'udp' | 'tcp' = 'udp'): Promise<Sipp> {
  return Sipp.start(own, { name: `registrar:${port}`, scenario: scenario(steps), port, transport });
}

const lineAt = (server: string, options: Partial<LineOptions> = {}): LineOptions => ({
  name: '1234',
  server,
  domain: 'carrier.test',
  username: '1234',
  password: 'secret',
  ...options,
});

/** A registrar that follows the steps, and an office with one line there. */
async function line(own: Lab, steps: readonly Step[], options: Partial<LineOptions> = {}) {
  const port = await sippPort();
  const carrier = await registrar(own, steps, port);
  const office = await startOffice(own, {
    lines: [lineAt(`127.0.0.1:${port}`, options)],
    outbound: { suspendAfter: { refusals: 1 } },
  });
  return { office, carrier };
}

const stateOf = (office: Office): LineState => office.pbx.lines[0]?.state ?? expect.fail('no line');
const registers = (result: SippResult) => received(result, 'REGISTER');

/** The last words: what the line is in once it is neither new nor trying. */
function inState<Kind extends LineState['kind']>(office: Office, kind: Kind): Promise<LineState & { kind: Kind }> {
  return until(() => {
    const state = stateOf(office);
    return state.kind === kind && (state as LineState & { kind: Kind });
  }, `the line is ${kind}`);
}

describe('a registrar that says no', () => {
  interopTest(
    'endless 401: one attempt is two REGISTERs; suspended, also after a restart, until it is resumed',
    SHORT,
    async (own) => {
      const port = await sippPort();
      const carrier = await registrar(own, [REGISTER, CHALLENGE, REGISTER, CHALLENGE, NOTHING_MORE], port);
      const file = path.join(own.folder('storage'), 'office.db');
      const start = () =>
        startOffice(own, {
          storage: lmdb({ path: file }),
          lines: [lineAt(`127.0.0.1:${port}`)],
          outbound: { suspendAfter: { refusals: 1 } },
        });
      const first = await start();
      const state = await inState(first, 'suspended');
      expect(state.fault).toMatchObject({ kind: 'wrong-password', status: 401 });
      const seen = registers(await carrier.succeeded());
      expect(seen.map((each) => credentialsIn(each).length)).toEqual([0, 1]);
      await until(() => first.told.items.length > 0, 'the event');
      expect(first.told.items).toEqual(['line.suspended 1234']);
      await first.pbx.close();

      const silent = own.own(await UdpPeer.bind('127.0.0.1', port));
      const second = await start();
      expect(stateOf(second)).toEqual(state);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect([second.told.items, silent.received.items.length]).toEqual([[], 0]);
      // Not because it could not: resumed, it registers at once.
      expect(await second.pbx.resumeLine('1234')).toBe(true);
      const register = await silent.received.wait(() => true, { what: 'the REGISTER of the resumed line' });
      expect(register.toString('latin1')).toMatch(/^REGISTER sip:carrier\.test SIP\/2\.0\r\n/);
    },
  );

  interopTest('403: suspended at once, and nothing more is sent', SHORT, async (own) => {
    const { office, carrier } = await line(own, [REGISTER, answer('403 Account Closed'), NOTHING_MORE]);
    const state = await inState(office, 'suspended');
    expect(state.fault).toEqual({ kind: 'forbidden', status: 403, text: '403 Account Closed' });
    expect(registers(await carrier.succeeded())).toHaveLength(1);
  });

  interopTest('423: asked again with what it wants, in the same breath', SHORT, async (own) => {
    const tooBrief = answer('423 Interval Too Brief', 'Min-Expires: 300\n');
    const { office, carrier } = await line(own, [REGISTER, tooBrief, REGISTER, granted(300)], { expiresSeconds: 60 });
    await linesUp(office);
    const seen = registers(await carrier.succeeded());
    expect(seen.map((each) => headerOf(each, 'Expires'))).toEqual(['60', '300']);
    expect(office.told.items).toEqual(['line.registered 1234']);
  });

  interopTest('503 with Retry-After: waits, and is not suspended', SHORT, async (own) => {
    const unavailable = answer('503 Service Unavailable', 'Retry-After: 90\n');
    const { office, carrier } = await line(own, [REGISTER, unavailable, NOTHING_MORE]);
    let retryInMs = 0;
    office.pbx.on('line.failed', (event) => {
      retryInMs = event.retryInMs;
    });
    expect((await inState(office, 'failing')).fault).toMatchObject({ kind: 'busy', status: 503 });
    await carrier.succeeded();
    expect(office.told.items).toEqual(['line.failed 1234']);
    expect(retryInMs).toBeGreaterThanOrEqual(90_000);
  });
});

describe('a registrar that is slow, half dead, or has its own mind', () => {
  interopTest(
    'silence, then an answer: REGISTER is repeated (Timer E), and there is one registration',
    SHORT,
    async (own) => {
      const { office, carrier } = await line(own, [REGISTER, { pauseMs: 1_800 }, granted(3600)]);
      await linesUp(office);
      const seen = registers(await carrier.succeeded());
      expect(seen.length).toBeGreaterThanOrEqual(2);
      expect(new Set(seen.map(({ text }) => text)).size).toBe(1);
      expect(office.told.items).toEqual(['line.registered 1234']);
    },
  );

  interopTest('two SRV targets, nobody listens at the first: the second registers the line', SHORT, async (own) => {
    const [dead, alive] = [await sippPort(), await sippPort()];
    const srv = (priority: number, port: number) =>
      ({ type: 'SRV', priority, weight: 0, port, target: 'a.sip.test' }) as const;
    const dns = own.own(
      await DnsServer.start({
        '_sip._tcp.sip.test': [srv(1, dead), srv(2, alive)],
        'a.sip.test': [{ type: 'A', address: '127.0.0.1' }],
      }),
    );
    const carrier = await registrar(own, [REGISTER, CHALLENGE, REGISTER, granted(600)], alive, 'tcp');
    const office = await startOffice(own, {
      network: new NodeNetwork({ dnsServers: [dns.address] }),
      lines: [lineAt('sip:sip.test;transport=tcp')],
    });
    await linesUp(office);
    expect(dns.asked).toContain('SRV _sip._tcp.sip.test');
    expect(registers(await carrier.succeeded()).map((each) => credentialsIn(each).length)).toEqual([0, 1]);
    expect(office.told.items).toEqual(['line.registered 1234']);
  });

  interopTest(
    'an hour asked for, ten seconds granted: refreshed before they end, with the same Call-ID',
    SHORT,
    async (own) => {
      const { office, carrier } = await line(own, [REGISTER, granted(10), REGISTER, granted(600)]);
      await linesUp(office);
      const seen = registers(await carrier.succeeded());
      expect(seen.map((each) => headerOf(each, 'Expires'))).toEqual(['3600', '3600']);
      expect(new Set(seen.map((each) => headerOf(each, 'Call-ID'))).size).toBe(1);
      expect(seen.map((each) => Number(headerOf(each, 'CSeq')?.split(' ')[0]))).toEqual([1, 2]);
      expect(office.told.items).toEqual(['line.registered 1234']);
    },
  );

  interopTest(
    'a Contact that is not ours in the answer: its expiry counts, ours stays what it was',
    SHORT,
    async (own) => {
      const foreign = answer('200 OK', 'Contact: <sip:1234@192.0.2.99:5060>;expires=10\n');
      const { office, carrier } = await line(own, [REGISTER, foreign, REGISTER, foreign]);
      await linesUp(office);
      const state = stateOf(office);
      expect(state.kind === 'registered' ? state.expiresInMs : Number.NaN).toBeLessThanOrEqual(10_000);
      const contacts = registers(await carrier.succeeded()).map((each) => headerOf(each, 'Contact'));
      expect(contacts).toHaveLength(2);
      expect(contacts[0]).toMatch(/^<sip:[0-9a-f]{24}@127\.0\.0\.1:\d+/);
      expect(contacts[1]).toBe(contacts[0]);
    },
  );
});
