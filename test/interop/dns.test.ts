import { afterAll, beforeAll, describe, expect } from 'vitest';
import { NodeNetwork } from '../../src/net/node-network.js';
import { createPbx } from '../../src/pbx/pbx.js';
import { DnsServer } from '../support/dns-server.js';
import { Lab } from './support/lab.js';
import { Callee, Caller, registration } from './support/parties.js';
import { freeSipPort } from './support/ports.js';
import { anyPossible, interopTest } from './support/programs.js';
import { type Step, scenario } from './support/scenario.js';
import { DOMAIN, extensions } from './support/server.js';
import { runSipp, Sipp, type SippResult, sippPort } from './support/sipp.js';
import { ladderOf } from './support/sipp-phones.js';

const NEEDS = ['sipp'] as const;

/** A PBX whose phones registered a name: calls to them are led by SRV records of a DNS server of our own (RFC 3263). */
describe('phones found by DNS', () => {
  const lab = new Lab();
  const server = { host: '127.0.0.1', port: 0 };
  let dns: DnsServer;
  beforeAll(async () => {
    if (!anyPossible(NEEDS)) return;
    dns = lab.own(await DnsServer.start());
    server.port = await freeSipPort();
    const pbx = createPbx({
      domain: DOMAIN,
      listen: [`udp://${server.host}:${server.port}`, `tcp://${server.host}:${server.port}`],
      extensions: extensions(700, 10),
      network: new NodeNetwork({ dnsServers: [dns.address] }),
    });
    lab.own({ stop: () => pbx.close() });
    await pbx.start();
  });
  afterAll(() => lab.close());

  /** `number` registers the name `NUMBER.farm.test`, which leads to these ports of this machine, the first preferred. */
  async function farm(own: Lab, number: string, ports: readonly (readonly ['udp' | 'tcp', number])[]): Promise<void> {
    const name = `${number}.farm.test`;
    const srv = (transport: 'udp' | 'tcp'): string => `_sip._${transport}.${name}`;
    dns.zone = {
      ...dns.zone,
      [name]: ports.map(([transport], i) => ({
        type: 'NAPTR' as const,
        order: i,
        preference: 1,
        flags: 's',
        service: transport === 'udp' ? 'SIP+D2U' : 'SIP+D2T',
        replacement: srv(transport),
      })),
      ...Object.fromEntries(
        (['udp', 'tcp'] as const).map((transport) => [
          srv(transport),
          ports.flatMap(([each, port], i) =>
            each === transport ? [{ type: 'SRV' as const, priority: i, weight: 0, port, target: `host.${name}` }] : [],
          ),
        ]),
      ),
      [`host.${name}`]: [{ type: 'A', address: '127.0.0.1' }],
    };
    const steps = registration(number, { contact: `<sip:${number}@${name}>` });
    await runSipp(own, { name: `farm ${number}`, scenario: scenario(steps), server, port: await sippPort() });
  }

  function waiting(own: Lab, number: string, port: number, steps: readonly Step[]): Promise<Sipp> {
    return Sipp.start(own, { name: `${number}:${port}`, scenario: scenario(steps), port });
  }

  async function calls(own: Lab, from: string, to: string): Promise<SippResult> {
    const call = new Caller(from, to);
    const steps = [
      ...call.invite(),
      ...call.isAnswered(),
      call.inside('ACK', 2),
      { pauseMs: 100 },
      call.inside('BYE', 3),
      { receive: 200 },
    ];
    return runSipp(own, { name: `caller ${from}`, scenario: scenario(steps), server, port: await sippPort() });
  }

  interopTest(
    'RFC 3263 §4.3: nobody listens at the preferred server (TCP): the next (UDP) rings; the next call goes there at once',
    { needs: NEEDS },
    async (own) => {
      const [dead, alive] = [await sippPort(), await sippPort()];
      await farm(own, '701', [
        ['tcp', dead],
        ['udp', alive],
      ]);
      const callee = new Callee('701');
      for (let i = 0; i < 2; i++) {
        const phone = await waiting(own, '701', alive, [...callee.answers(), ...callee.isHungUp()]);
        await calls(own, '700', '701');
        expect(ladderOf(await phone.succeeded())).toEqual(['<INVITE', '>180', '>200', '<ACK', '<BYE', '>200']);
      }
      expect(dns.asked).toContain('NAPTR 701.farm.test');
      expect(dns.asked.filter((question) => question === 'SRV _sip._udp.701.farm.test')).toHaveLength(1);
    },
  );

  interopTest(
    'RFC 3263 §4.3, RFC 3261 §21.5.4: 503 with Retry-After at the first server: the second rings, and the first is left alone',
    { needs: NEEDS },
    async (own) => {
      const [busy, free] = [await sippPort(), await sippPort()];
      await farm(own, '703', [
        ['udp', busy],
        ['udp', free],
      ]);
      const callee = new Callee('703');
      const refusing = await waiting(own, '703', busy, [
        Callee.invited,
        callee.final(503, 'Service Unavailable', { headers: 'Retry-After: 60\n' }),
        { receive: 'ACK' },
      ]);
      for (let i = 0; i < 2; i++) {
        const phone = await waiting(own, '703', free, [...callee.answers(), ...callee.isHungUp()]);
        await calls(own, '702', '703');
        await phone.succeeded();
        // sipp has ended with its one call: a second INVITE to its port would fail the call, or be the one that counts
        if (i === 0) expect((await refusing.succeeded()).ladder).toEqual(['<INVITE', '>503', '<ACK']);
      }
    },
  );
});
