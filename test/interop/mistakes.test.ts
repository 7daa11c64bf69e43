import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Baresip } from './support/baresip.js';
import { withLab } from './support/lab.js';
import { UdpPeer } from './support/peers.js';
import { freeSipPort } from './support/ports.js';
import { interopTest } from './support/programs.js';
import { extensions, OfficeServer, startServer } from './support/server.js';

describe('mistakes of whoever runs the server', () => {
  test('a port that is taken: PBX_PORT_IN_USE, the address, and a bad exit code', () =>
    withLab(async (lab) => {
      const port = await freeSipPort();
      lab.own(await UdpPeer.bind('127.0.0.1', port));
      const server = await OfficeServer.create(lab, { extensions: extensions(100, 1) }, port);
      const child = server.launch();
      const ended = await child.ended;
      expect(ended.code).not.toBe(0);
      expect(ended.signal).toBeNull();
      const text = child.stderr.join('\n');
      expect(text).toContain('PBX_PORT_IN_USE');
      expect(text).toContain(`udp://127.0.0.1:${port}`);
      expect(child.stdout.some((line) => line.startsWith('ready'))).toBe(false);
    }));

  for (const [what, change, path] of [
    [
      'a misspelled option',
      (config: Config) => ({ ...config, extensions: undefined, extentions: config.extensions }),
      'extentions',
    ],
    [
      'a misspelled option of an extension',
      (config: Config) => ({ ...config, extensions: [{ number: '100', pasword: 'x' }] }),
      'extensions[0].pasword',
    ],
    [
      'a listener of an unknown protocol',
      (config: Config) => ({ ...config, listen: ['sctp://127.0.0.1:5060'] }),
      'listen[0]',
    ],
  ] as const) {
    test(`${what}: PBX_CONFIG_INVALID with the path ${path}, and a bad exit code`, () =>
      withLab(async (lab) => {
        const server = await OfficeServer.create(lab, { extensions: extensions(100, 1) });
        server.writeConfig(change(JSON.parse(readFileSync(server.configFile, 'utf8')) as Config));
        const child = server.launch();
        const ended = await child.ended;
        expect(ended.code).not.toBe(0);
        expect(ended.signal).toBeNull();
        const text = child.stderr.join('\n');
        expect(text).toContain('PBX_CONFIG_INVALID');
        expect(text).toContain(path);
        // a message for people: no stack of our own files
        expect(text).not.toMatch(/^\s+at .*src\//m);
      }));
  }

  test('the file is read again (SIGHUP): lines are taken, what waits for a restart is named; a fault changes nothing', () =>
    withLab(async (lab) => {
      const server = await OfficeServer.create(lab, { extensions: extensions(100, 1) });
      await server.start();
      const { child } = server;
      const said = (line: string): Promise<unknown> => child.lines.wait((each) => each === line, { what: line });
      const config = JSON.parse(readFileSync(server.configFile, 'utf8')) as Config;
      const nobody = await freeSipPort();
      const line = { name: '1234', server: `sip:127.0.0.1:${nobody};transport=tcp`, username: '1234', password: 'x' };
      const dialPlan = { called: [{ prefix: '9', route: { kind: 'line', line: '1234' } }] };
      server.writeConfig({ ...config, lines: [line], dialPlan, serverName: 'office' });
      child.signal('SIGHUP');
      await said('the configuration was read again');
      await said('not taken until a restart: serverName');
      await child.lines.wait((each) => each.startsWith('line 1234 cannot register ('), { what: 'how the line stands' });
      server.writeConfig({ ...config, lines: [{ ...line, name: '5678' }], dialPlan });
      child.signal('SIGHUP');
      const refused =
        'the file was refused, the server goes on as before: PbxConfigError [PBX_CONFIG_INVALID] dialPlan.called[0]: ';
      await child.lines.wait((each) => each.startsWith(refused), { what: refused });
      expect((await server.stop()).code).toBe(0);
    }));

  interopTest(
    'a wrong password: the phone is challenged, refused, and says so',
    { needs: ['baresip'] },
    async (own) => {
      const server = await startServer(own, { extensions: extensions(100, 1) });
      const phone = await Baresip.start(own, { number: '100', server, password: 'not this one' });
      expect(await phone.refused()).toMatch(/: (401|403) /);
      expect(phone.child.lines.items.some((line) => line.includes('} 200 OK'))).toBe(false);
      const answers = phone.child.lines.items.filter((line) => line.startsWith('SIP/2.0 '));
      expect(answers[0]).toMatch(/^SIP\/2\.0 401 /);
      expect(answers[1]).toMatch(/^SIP\/2\.0 (401|403) /);
      // the second refusal has a nonce of its own (R5)
      const nonces = phone.child.lines.items.flatMap(
        (line) => /^WWW-Authenticate:.*nonce="([^"]+)"/i.exec(line)?.[1] ?? [],
      );
      if (answers[1]?.startsWith('SIP/2.0 401')) expect(new Set(nonces).size).toBeGreaterThanOrEqual(2);
    },
  );
});

/** The configuration file, as far as these tests change it. */
interface Config {
  readonly extensions: unknown;
  readonly listen: unknown;
}
