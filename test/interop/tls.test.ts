import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Baresip } from './support/baresip.js';
import type { Child } from './support/child.js';
import { Lab } from './support/lab.js';
import { Linphone } from './support/linphone.js';
import { optionsRequest, TcpPeer } from './support/peers.js';
import { anyPossible, interopTest } from './support/programs.js';
import { until } from './support/recorded.js';
import { DOMAIN, extensions, OfficeServer } from './support/server.js';
import { firstSound, measureTone } from './support/tone.js';

const BRANCH = 'branch.test';
const ALICE_HZ = 440;
const BOB_HZ = 700;

describe('TLS', () => {
  const lab = new Lab();
  let server: OfficeServer;
  beforeAll(async () => {
    if (!anyPossible(['baresip'], ['openssl'], ['linphone-daemon'])) return;
    server = await OfficeServer.create(lab, { extensions: extensions(100, 2), tls: [DOMAIN, BRANCH] });
    await server.start();
  });
  afterAll(() => lab.close());

  interopTest(
    'baresip by TLS, with a self-made authority: register, call, each hears the other; hang up',
    { needs: ['baresip'] },
    async (own) => {
      const access = { host: server.host, port: server.tls.port };
      const phone = (number: string, toneHz: number): Promise<Baresip> =>
        Baresip.start(own, { number, server: access, transport: 'tls', ca: server.tls.ca, toneHz });
      const [a, b] = await Promise.all([phone('100', ALICE_HZ), phone('101', BOB_HZ)]);
      const [registered] = await Promise.all([a.registered(), b.registered()]);
      expect(registered).toContain('/TLS/');
      await a.dial('101');
      await b.event('CALL_INCOMING');
      await b.command('accept');
      await Promise.all([a.event('CALL_ESTABLISHED'), b.event('CALL_ESTABLISHED')]);
      await until(() => a.heardSeconds() >= 2 && b.heardSeconds() >= 2, '2 s of sound on both sides');
      for (const [heard, hz] of [
        [a, BOB_HZ],
        [b, ALICE_HZ],
      ] as const) {
        const sound = heard.heard();
        const tone = measureTone(sound, firstSound(sound) + 0.2, 1);
        expect(Math.abs(tone.hz - hz) / hz, `heard ${tone.hz} Hz, played ${hz} Hz`).toBeLessThan(0.02);
      }
      expect(b.child.lines.items.some((line) => line.startsWith('Via: SIP/2.0/TLS 127.0.0.1:'))).toBe(true);
      await a.command('hangup');
      await b.event('CALL_CLOSED');
    },
  );

  interopTest(
    'linphone looks at the certificate: it registers by the authority that it trusts, and by no other',
    { needs: ['linphone-daemon'] },
    async (own) => {
      const access = { host: server.host, port: server.tls.port };
      const trusting = await Linphone.start(own, { number: '100', server: access, ca: server.tls.ca });
      await trusting.register();
      const other = await OfficeServer.create(own, { extensions: [], tls: [DOMAIN] });
      const strange = await Linphone.start(own, { number: '101', server: access, ca: other.tls.ca });
      await expect(strange.register(5_000)).rejects.toThrow('the registration of linphone');
      expect(await strange.state()).not.toBe('Ok');
    },
  );

  /** openssl s_client against the TLS port, trusting the lab's authority. */
  function client(own: Lab, name: string, ...args: readonly string[]): Child {
    const { port, ca } = server.tls;
    const base = ['s_client', '-connect', `${server.host}:${port}`, '-CAfile', ca, '-verify_return_error'];
    return own.spawn({ name: `openssl:${name}`, command: 'openssl', args: [...base, ...args] });
  }

  const handshakeOver = (line: string): boolean => /^\s*Verif(y return code|ication): (0 \(ok\)|OK)/.test(line);

  interopTest(
    'RFC 3261 §26.2.1: 1.1 is refused by our alert, 1.2 and 1.3 are spoken',
    { needs: ['openssl'] },
    async (own) => {
      // Without the lower security level OpenSSL itself would refuse to speak 1.1, and nothing would be shown.
      const old = client(own, '1.1', '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0');
      await old.ended;
      expect(old.lines.items.join('\n')).toMatch(/alert protocol version/);
      for (const [option, version] of [
        ['-tls1_2', 'TLSv1.2'],
        ['-tls1_3', 'TLSv1.3'],
      ] as const) {
        const fresh = client(own, version, option, '-verify_hostname', DOMAIN, '-servername', DOMAIN);
        await fresh.lines.wait(handshakeOver, { what: 'the end of the handshake' });
        expect(fresh.lines.items.join('\n')).toMatch(new RegExp(`New, ${version.replace('.', '\\.')}, Cipher`));
        await fresh.stop('SIGKILL');
      }
    },
  );

  interopTest('renegotiation is refused', { needs: ['openssl'] }, async (own) => {
    const eager = client(own, 'R', '-tls1_2');
    await eager.lines.wait(handshakeOver, { what: 'the end of the handshake' });
    eager.write('R');
    await eager.lines.wait((line) => line.includes('RENEGOTIATING'), { what: 'its wish' });
    await eager.ended;
    expect(eager.lines.items.join('\n')).toMatch(/:no renegotiation:/);
  });

  interopTest('RFC 5922 §7.8: the server name chooses the certificate', { needs: ['openssl'] }, async (own) => {
    for (const [args, expected] of [
      [['-servername', BRANCH], BRANCH],
      [['-servername', DOMAIN], DOMAIN],
      [['-servername', 'unknown.test'], DOMAIN],
      [['-noservername'], DOMAIN],
    ] as const) {
      const asking = client(own, expected, ...args);
      await asking.lines.wait(handshakeOver, { what: 'the end of the handshake' });
      expect(asking.lines.items.find((line) => line.startsWith('subject='))).toContain(`CN = ${expected}`);
      await asking.stop('SIGKILL');
    }
  });

  interopTest('OPTIONS by openssl s_client is answered on the connection', { needs: ['openssl'] }, async (own) => {
    const asking = client(own, 'sip', '-quiet');
    const { text } = optionsRequest(`${server.host}:${server.tls.port};transport=tls`, 'TLS');
    asking.write(text.slice(0, -1));
    await asking.lines.wait((line) => line.startsWith('SIP/2.0 200'), { what: 'the answer' });
  });

  test('a renewed certificate is taken on SIGHUP; connections live on; a broken one changes nothing', async () => {
    const serial = async (): Promise<string> => {
      const own = new Lab();
      try {
        const peer = client(own, 'serial', '-servername', DOMAIN);
        await peer.lines.wait(handshakeOver, { what: 'the end of the handshake' });
        return peer.lines.items.slice(peer.lines.items.indexOf('-----BEGIN CERTIFICATE-----')).slice(1, 5).join('');
      } finally {
        await own.close();
      }
    };
    const peer = lab.own(await TcpPeer.connectTls({ host: server.host, port: server.tls.port }, server.tls.ca));
    const before = await serial();
    await server.tls.renew();
    expect(await serial()).toBe(before);
    server.child.signal('SIGHUP');
    await server.child.lines.wait((line) => line === 'the configuration was read again', {
      what: 'the new configuration',
    });
    expect(await serial()).not.toBe(before);
    peer.send(optionsRequest(`${server.host}:${server.tls.port}`, 'TLS').text);
    await peer.received.wait((bytes) => bytes.toString('latin1').startsWith('SIP/2.0 200'), { what: 'the answer' });
  });
});
