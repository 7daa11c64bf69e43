import { beforeAll, describe, expect, test } from 'vitest';
import type { CertificateAuthority } from '../../src/security/certificate-authority.js';
import type { CertificatePair } from '../../src/security/certificates.js';
import { sipSightings } from '../../src/testing/sightings.js';
import { createWorld, PBX_ADDRESS } from '../../src/testing/world.js';
import { virtualAuthority } from '../support/certificates.js';
import { DOMAIN, Office } from '../support/office.js';
import { runScenario } from '../support/scenario.js';

let authority: CertificateAuthority;
let pair: CertificatePair;

beforeAll(async () => {
  authority = await virtualAuthority();
  pair = await authority.issue({ names: [DOMAIN, PBX_ADDRESS] });
});

/** An office that also listens for TLS. */
function scenario(name: string, body: (office: Office) => Promise<void>): void {
  test(name, () =>
    runScenario({ seed: 9, delayMs: 5 }, async (world) => {
      const listen = ['udp://192.0.2.1:5060', 'tcp://192.0.2.1:5060', 'tls://192.0.2.1:5061'];
      const office = new Office(world, { listen, tls: { certificate: pair } });
      await world.run(() => office.pbx.start());
      await body(office);
    }),
  );
}

describe('phones by TLS', () => {
  scenario(
    'behind NAT: register, call a phone by UDP, are called by their own connection; nothing leaves it',
    async (office) => {
      const tls = { trust: [authority.cert] };
      const alice = await office.registered('100', { transport: 'tls', tls, behindNat: 'symmetric' });
      const bob = await office.registered('101');
      const out = await office.talk(alice, bob);
      out.call.hangUp();
      await office.quiet();
      const into = await office.talk(bob, alice);
      into.answered.hangUp();
      await office.quiet();
      expect(office.records.map(({ legs }) => legs.map(({ outcome }) => outcome))).toEqual([
        ['answered', 'answered'],
        ['answered', 'answered'],
      ]);
      const ofAlice = sipSightings(office.world.trace).filter(({ fromHost, toHost }) =>
        [fromHost, toHost].includes('100'),
      );
      expect(new Set(ofAlice.map(({ protocol }) => protocol))).toEqual(new Set(['tcp']));
      const invite = ofAlice.find(({ method, fromHost }) => method === 'INVITE' && fromHost === 'pbx');
      expect(invite?.text).toMatch(/^Via: SIP\/2\.0\/TLS 192\.0\.2\.1:5061;/m);
      expect(invite?.text).toMatch(/^Contact: <sip:[^>]*192\.0\.2\.1:5061;transport=tls>/m);
    },
  );

  scenario('a phone that does not trust the certificate sends nothing, and registers nowhere', async (office) => {
    const strange = (await virtualAuthority('strange')).cert;
    const alice = await office.phone('100', { transport: 'tls', tls: { trust: [strange] } });
    const result = await office.world.run(() => alice.register());
    expect(result.status).toBe(0);
    expect(sipSightings(office.world.trace)).toEqual([]);
  });

  scenario(
    'RFC 5626 §4.2.1: a connection that is lost takes the binding along; the phone comes back by a new one',
    async (office) => {
      const alice = await office.registered('100', { transport: 'tls', tls: { trust: [authority.cert] } });
      const bob = await office.registered('101');
      office.world.machines.find(({ name }) => name === '100')?.host.resetConnections();
      await office.world.advance({ seconds: 1 });
      expect((await office.world.run(() => alice.register())).status).toBe(200);
      const { call } = await office.talk(bob, alice);
      call.hangUp();
      await office.quiet();
    },
  );
});

describe('sips URIs (RFC 3261 §19.1, §26.2.2)', () => {
  const options = (uri: string): string =>
    [
      `OPTIONS ${uri} SIP/2.0`,
      'Via: SIP/2.0/TLS 192.0.2.50:5061;branch=z9hG4bKsips',
      'Max-Forwards: 70',
      'From: <sip:tester@tester.test>;tag=1',
      `To: <${uri}>`,
      'Call-ID: sips',
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');

  test('are served where TLS is listened to, and get 416 where it is not', async () => {
    for (const secure of [true, false]) {
      const world = createWorld({ seed: 4 });
      const office = new Office(world, {
        listen: ['tcp://192.0.2.1:5060', ...(secure ? ['tls://192.0.2.1:5061'] : [])],
        ...(secure ? { tls: { certificate: pair } } : {}),
      });
      await world.run(() => office.pbx.start());
      const tester = world.host('tester', '192.0.2.50');
      const remote = { address: PBX_ADDRESS, port: secure ? 5061 : 5060 };
      const connection = secure
        ? tester.host.connectTls({ remote, name: DOMAIN, timeoutMs: 5_000, tls: { trust: [authority.cert] } })
        : tester.host.connectTcp({ remote, timeoutMs: 5_000 });
      let text = '';
      connection.handle({
        onData: (data) => {
          text += Buffer.from(data).toString('latin1');
        },
        onClose: () => {},
      });
      connection.send(Buffer.from(options(`sips:${DOMAIN}`)));
      await world.advance({ seconds: 1 });
      expect(text.split('\r\n')[0]).toBe(secure ? 'SIP/2.0 200 OK' : 'SIP/2.0 416 Unsupported URI Scheme');
      await world.close();
    }
  });
});
