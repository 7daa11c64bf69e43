/** A caller behind two proxies that stay in the way: RFC 3261 §12.1.1, §16.6 step 4. */
import { describe, expect } from 'vitest';
import type { World } from '../../src/testing/world.js';
import { officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';
import { headerOf, messagesOf } from '../support/wire.js';

/** The second proxy put its line on top; it is the one that the PBX talks to. */
const RECORD_ROUTE = ['"edge 2"  <sip:10.1.0.1:5060;lr;p=2> ;x=y', '<sip:10.1.0.8;lr;p=1>, <sip:10.1.0.7;lr>'];
/** Where the caller stands: no way leads there but through the proxies. */
const CALLER = { headers: RECORD_ROUTE.map((line) => `Record-Route: ${line}`), contact: '<sip:raw@10.9.9.9:5060>' };

/** The caller as its last proxy shows it, and a callee; the callee's INVITE has come. */
async function throughProxies(world: World) {
  const callee = await RawPeer.open(world, { name: 'callee', address: '10.1.0.2' });
  await callee.register('101', 'secret-101');
  const proxy = await RawPeer.open(world, { name: 'proxy' });
  const raw = proxy.dial('101', { from: '<sip:100@office.test>', ...CALLER });
  const challenge = await proxy.expect(407);
  raw.authorize(challenge, '100', 'secret-100', CALLER);
  const called = callee.take(await callee.expect('INVITE'));
  return { proxy, raw, challenge, callee, called };
}

describe('§12.1.1: Record-Route of the caller’s INVITE', () => {
  officeScenario('is in 180, 183 and 200, in order, byte for byte; not in 407 and 100', {}, async (office, world) => {
    const { proxy, raw, challenge, callee, called } = await throughProxies(world);
    const trying = await proxy.expect('100 INVITE');
    called.respond(180);
    const ringing = await proxy.expect('180 INVITE');
    called.respond(183, { body: rawSdp('10.1.0.2') });
    const early = await proxy.expect('183 INVITE');
    called.respond(200, { body: rawSdp('10.1.0.2') });
    const ok = await proxy.expect('200 INVITE');
    for (const each of [ringing, early, ok]) expect(each.all('Record-Route')).toEqual(RECORD_ROUTE);
    for (const each of [challenge, trying]) expect(each.all('Record-Route')).toEqual([]);
    raw.learn(ok);
    raw.ack();
    await world.advance({ ms: 100 });
    raw.request('BYE');
    callee.respond(await callee.expect('BYE'), 200);
    await proxy.expect('200 BYE');
    await office.quiet();
  });

  officeScenario('nor in a 486 (§12.1: only what makes a dialog)', {}, async (office, world) => {
    const { proxy, raw, called } = await throughProxies(world);
    called.respond(486);
    const busy = await proxy.expect('486 INVITE');
    expect(busy.all('Record-Route')).toEqual([]);
    raw.ackFailure(busy);
    await office.quiet();
  });

  officeScenario(
    '§12.2.1.1: requests to the caller go to the last proxy, with all of them in Route; nothing of it reaches the callee',
    {},
    async (office, world) => {
      const { proxy, raw, callee, called } = await throughProxies(world);
      called.respond(200, { body: rawSdp('10.1.0.2') });
      raw.learn(await proxy.expect('200 INVITE'));
      raw.ack();
      await world.advance({ ms: 100 });
      called.request('BYE');
      const bye = await proxy.expect('BYE');
      expect(bye.uri).toBe('sip:raw@10.9.9.9:5060');
      expect(bye.all('Route').join()).toMatch(
        /<sip:10\.1\.0\.1:5060;lr;p=2>.*<sip:10\.1\.0\.8;lr;p=1>.*<sip:10\.1\.0\.7;lr>/,
      );
      proxy.respond(bye, 200, { contact: '' });
      await callee.expect('200 BYE');
      await office.quiet();
      for (const each of messagesOf(world, 'callee').filter(({ fromHost }) => fromHost === 'pbx')) {
        expect([headerOf(each, 'Record-Route'), headerOf(each, 'Route')]).toEqual([undefined, undefined]);
      }
    },
  );
});
