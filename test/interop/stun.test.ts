import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { formatAddress } from '../../src/base/ip.js';
import { SystemRandom } from '../../src/base/random.js';
import { SystemScheduler } from '../../src/base/scheduler.js';
import { StunClient } from '../../src/nat/stun-client.js';
import { StunNetwork } from '../../src/nat/stun-network.js';
import { StunServer } from '../../src/nat/stun-server.js';
import { NodeNetwork } from '../../src/net/node-network.js';
import { createPbx } from '../../src/pbx/pbx.js';
import type { Child } from './support/child.js';
import type { Lab } from './support/lab.js';
import { freeRtpPorts, freeSipPort } from './support/ports.js';
import { findProgram, interopTest } from './support/programs.js';
import { until } from './support/recorded.js';
import { DOMAIN, extensions } from './support/server.js';

function scheduler(): SystemScheduler {
  return new SystemScheduler({
    onError: (error) => {
      throw error;
    },
  });
}

/** Our server on a free port of these addresses. */
async function ourServer(lab: Lab, addresses: readonly string[]): Promise<{ server: StunServer; port: number }> {
  const port = await freeRtpPorts(2);
  const listen = addresses.map((address) => `udp://${formatAddress({ address, port })}`);
  const server = new StunServer({ network: new NodeNetwork(), scheduler: scheduler(), listen });
  lab.own({ stop: () => server.close() });
  await server.start();
  return { server, port };
}

/** Runs a client to its end, within twenty seconds; what it printed, and its exit code. */
async function run(lab: Lab, name: string, args: readonly string[]): Promise<{ output: string; code: number | null }> {
  const child = lab.spawn({ name, command: name, args });
  const timer = setTimeout(() => child.signal('SIGKILL'), 20_000);
  const { code } = await child.ended;
  clearTimeout(timer);
  return { output: child.lines.items.join('\n'), code };
}

/** Debian's coturn as a STUN server on 127.0.0.1 and, if asked, ::1. */
async function coturn(lab: Lab, ipv6: boolean): Promise<number> {
  const port = await freeRtpPorts(2);
  const relay = await freeRtpPorts(4);
  const child: Child = lab.spawn({
    name: 'turnserver',
    command: findProgram('turnserver') ?? 'turnserver',
    cwd: lab.folder('coturn'),
    args: [
      ...['-n', '-L', '127.0.0.1', ...(ipv6 ? ['-L', '::1'] : []), '-E', '127.0.0.1'],
      ...['--listening-port', String(port), '--alt-listening-port', String(port + 1)],
      ...['--min-port', String(relay), '--max-port', String(relay + 3)],
      ...['--stun-only', '--no-tls', '--no-dtls', '--no-tcp', '--no-cli', '--simple-log', '--log-file', 'stdout'],
      ...['--pidfile', path.join(lab.dir, 'turnserver.pid'), '--db', path.join(lab.dir, 'turndb')],
    ],
  });
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const bound = (table: string): boolean => readFileSync(table, 'latin1').includes(`:${hexPort} `);
  await until(() => child.gone || (bound('/proc/net/udp') && (!ipv6 || bound('/proc/net/udp6'))), 'coturn to listen');
  return port;
}

describe('STUN clients against our server', () => {
  for (const [address, family, needs] of [
    ['127.0.0.1', 'IPv4', []],
    ['::1', 'IPv6', ['ipv6']],
  ] as const) {
    interopTest(
      `RFC 8489: turnutils_stunclient learns its address, ${family}`,
      { needs: ['turnutils_stunclient', ...needs] },
      async (lab) => {
        const { server, port } = await ourServer(lab, [address]);
        const { output, code } = await run(lab, 'turnutils_stunclient', ['-p', String(port), address]);
        expect(code, output).toBe(0);
        expect(output).toContain(`${family}. UDP reflexive addr: ${address}:`);
        expect(server.stats()).toMatchObject({ malformed: 0, ignored: 0 });
      },
    );
  }

  interopTest(
    'RFC 5780: turnutils_natdiscovery is told that another address is not to be had',
    { needs: ['turnutils_natdiscovery'] },
    async (lab) => {
      const { server, port } = await ourServer(lab, ['127.0.0.1']);
      const { output, code } = await run(lab, 'turnutils_natdiscovery', ['-m', '-p', String(port), '127.0.0.1']);
      expect(code, output).toBe(0);
      expect(output).toContain('UDP reflexive addr: 127.0.0.1:');
      expect(server.stats().answered).toBeGreaterThan(0);
    },
  );

  interopTest(
    'RFC 3489: Debian’s stun client finds no NAT, and does not take silence for an open firewall',
    { needs: ['stun'] },
    async (lab) => {
      const { server, port } = await ourServer(lab, ['127.0.0.1']);
      const source = await freeRtpPorts(2);
      const { output } = await run(lab, 'stun', [`127.0.0.1:${port}`, '-v', '-p', String(source)]);
      expect(output).toContain(`MappedAddress = 127.0.0.1:${source}`);
      expect(output).toContain('test I = 1');
      expect(output).toContain('test II = 0');
      expect(output).toMatch(/^Primary: Firewall/m);
      const { answered, changeRequests, refused } = server.stats();
      expect(answered).toBeGreaterThan(0);
      expect(changeRequests).toBeGreaterThan(0);
      expect(refused).toBe(0);
    },
  );
});

describe('our client', () => {
  for (const [address, family, needs] of [
    ['127.0.0.1', 'IPv4', []],
    ['::1', 'IPv6', ['ipv6']],
  ] as const) {
    interopTest(
      `coturn tells a socket of ours its address, ${family}`,
      { needs: ['turnserver', ...needs] },
      async (lab) => {
        const port = await coturn(lab, family === 'IPv6');
        const network = new StunNetwork(new NodeNetwork());
        const socket = await network.openUdp({ local: { address, port: 0 }, onMessage: () => {}, onError: () => {} });
        lab.own({ stop: () => socket.close() });
        const [stunPort] = network.ports;
        if (stunPort === undefined) throw new Error('the socket is not there');
        const client = new StunClient({ scheduler: scheduler(), random: new SystemRandom() });
        const outcome = await client.ask(stunPort, { address, port });
        expect(outcome).toMatchObject({
          kind: 'mapped',
          mapped: socket.local,
          software: expect.stringContaining('Coturn'),
        });
      },
    );
  }

  interopTest('a PBX on real sockets finds its address by coturn', { needs: ['turnserver'] }, async (lab) => {
    const stun = await coturn(lab, false);
    const port = await freeSipPort();
    const pbx = createPbx({
      domain: DOMAIN,
      listen: [`udp://127.0.0.1:${port}`],
      extensions: extensions(100, 1),
      externalAddress: { stun: [`127.0.0.1:${stun}`] },
    });
    lab.own({ stop: () => pbx.close() });
    await pbx.start();
    const local = { address: '127.0.0.1', port };
    expect(pbx.stats().externalAddresses).toEqual([
      {
        local,
        mapped: local,
        external: local,
        mapping: 'none',
        server: { address: '127.0.0.1', port: stun },
        fresh: true,
      },
    ]);
  });
});
