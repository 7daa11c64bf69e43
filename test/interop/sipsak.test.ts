import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Lab } from './support/lab.js';
import { optionsRequest, UdpPeer } from './support/peers.js';
import { anyPossible, interopTest } from './support/programs.js';
import { scenario } from './support/scenario.js';
import { DOMAIN, extensions, type SipServer, startServer } from './support/server.js';
import { readMessage, valuesOf } from './support/sip-text.js';
import { headerOf, runSipp, sippPort } from './support/sipp.js';
import { sipsak } from './support/sipsak.js';

describe('sipsak and single requests', () => {
  const lab = new Lab();
  let server: SipServer;
  beforeAll(async () => {
    if (anyPossible(['sipsak'], ['sipp'], []))
      server = await startServer(lab, { extensions: extensions(100, 2), ipv6: anyPossible(['ipv6']) });
  });
  afterAll(() => lab.close());

  const uri = (): string => `sip:${server.host}:${server.port}`;

  interopTest('OPTIONS is answered 200', { needs: ['sipsak'] }, async (own) => {
    const result = await sipsak(own, ['-s', uri()]);
    expect(result.statuses, result.output).toEqual([200]);
    expect(result.exitCode).toBe(0);
    expect(result.output).toMatch(/^Allow: .*INVITE/im);
  });

  interopTest(
    'RFC 3261 §8.1.1.6: OPTIONS with Max-Forwards 0 to the server itself is answered 200',
    { needs: ['sipsak'] },
    async (own) => {
      const result = await sipsak(own, ['-m', '0', '-s', uri()]);
      expect(result.output).toMatch(/^Max-Forwards: 0/im);
      expect(result.statuses, result.output).toEqual([200]);
      expect(result.exitCode).toBe(0);
    },
  );

  interopTest(
    'RFC 3261 §8.2.2.3: Require with an unknown option tag: 420 and Unsupported',
    { needs: ['sipsak'] },
    async (own) => {
      const result = await sipsak(own, ['--headers', 'Require: foo', '-s', uri()]);
      expect(result.statuses, result.output).toEqual([420]);
      expect(result.output).toMatch(/^Unsupported:\s*foo\s*$/im);
    },
  );

  interopTest('sipsak registers with digest', { needs: ['sipsak'] }, async (own) => {
    const port = await sippPort();
    const args = ['-U', '-s', `sip:100@${server.host}:${server.port}`, '-u', '100', '-a', 'pw-100-secret', '-x', '60'];
    const result = await sipsak(own, [...args, '-C', `sip:100@127.0.0.1:${port}`]);
    expect(result.statuses.slice(0, 2), result.output).toEqual([401, 200]);
  });

  interopTest(
    'RFC 3261 §16.3: an INVITE with Max-Forwards 0: 483, before any challenge',
    { needs: ['sipp'] },
    async (own) => {
      const head = (method: string, branch: string, tag: string): string => `${method} sip:101@${DOMAIN} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${branch};rport
Max-Forwards: 0
From: <sip:100@${DOMAIN}>;tag=[pid]m[call_number]
To: <sip:101@${DOMAIN}>${tag}
Call-ID: [call_id]
CSeq: 1 ${method}
Contact: <sip:100@[local_ip]:[local_port]>
Content-Length: 0

`;
      const result = await runSipp(own, {
        name: 'Max-Forwards 0',
        server,
        port: await sippPort(),
        scenario: scenario([
          { send: head('INVITE', '[branch]', '') },
          { receive: 483 },
          { send: head('ACK', '[branch-2]', '[peer_tag_param]'), once: true },
        ]),
      });
      expect(result.ladder).toEqual(['>INVITE', '<483', '>ACK']);
      expect(result.messages[1] === undefined ? '' : headerOf(result.messages[1], 'To')).toContain(';tag=');
    },
  );

  for (const [host, needs] of [
    ['127.0.0.1', []],
    ['::1', ['ipv6']],
  ] as const) {
    interopTest(
      `RFC 3581: OPTIONS from ${host} with rport: the answer names the source it came from`,
      { needs },
      async (own) => {
        const peer = own.own(await UdpPeer.bind(host));
        const { text } = optionsRequest(host === '::1' ? `[::1]:${server.port}` : `${host}:${server.port}`, 'UDP');
        peer.send(text, { host, port: server.port });
        const answer = readMessage(await peer.received.wait(() => true, { what: 'the answer' }));
        expect(answer?.status).toBe(200);
        const [via = ''] = answer === undefined ? [] : valuesOf(answer, 'via');
        expect(via).toContain(`rport=${peer.port}`);
        expect(via).toMatch(host === '::1' ? /received=\[?::1\]?/ : /received=127\.0\.0\.1/);
      },
    );
  }
});
