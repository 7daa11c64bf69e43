/** RFC 3263 through a whole PBX: phones that registered a name. */
import { describe, expect } from 'vitest';
import { parseUri } from '../../src/protocol/sip/uri.js';
import type { World } from '../../src/testing/world.js';
import { type Office, officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';

/** 101 is at farm.test: by SRV first at `one`, then at `two`. */
async function farm(office: Office, world: World): Promise<readonly [RawPeer, RawPeer]> {
  const { dns } = world.network;
  const one = await RawPeer.open(world, { name: 'one', address: '10.1.0.1' });
  const two = await RawPeer.open(world, { name: 'two', address: '10.1.0.2' });
  dns.setNaptr('farm.test', [{ service: 'SIP+D2U', replacement: '_sip._udp.farm.test' }]);
  dns.setSrv('_sip._udp.farm.test', [
    { priority: 2, port: 5060, target: 'two.farm.test' },
    { priority: 1, port: 5060, target: 'one.farm.test' },
  ]);
  dns.set('one.farm.test', [one.address], { ttlSeconds: 3600 });
  dns.set('two.farm.test', [two.address], { ttlSeconds: 3600 });
  const bob = await office.phone('101');
  const contacts = [{ uri: parseUri('sip:101@farm.test'), params: [] }];
  expect((await world.run(() => bob.register({ contacts }))).status).toBe(200);
  return [one, two];
}

describe('RFC 3263 §4.3: the next server', () => {
  officeScenario('after 32 s of silence; the next call does not wait for it again', {}, async (office, world) => {
    const [one, two] = await farm(office, world);
    const alice = await office.registered('100');
    for (const wait of [32_000, 0]) {
      const begin = world.clock.now();
      const call = alice.call('101');
      const invite = await two.expect('INVITE');
      expect(Math.round((world.clock.now() - begin) / 1000)).toBe(wait / 1000);
      two.take(invite).respond(486);
      await two.expect('ACK');
      await world.until(() => call.state.kind === 'ended');
    }
    const invites = one.received.filter(({ method }) => method === 'INVITE');
    expect(new Set(invites.map((invite) => invite.header('Call-ID'))).size).toBe(1);
    expect(invites).toHaveLength(7);
    await office.quiet();
  });

  officeScenario('after 503, in a new transaction of the same request', {}, async (office, world) => {
    const [one, two] = await farm(office, world);
    const alice = await office.registered('100');
    const call = alice.call('101');
    const first = await one.expect('INVITE');
    one.take(first).respond(503);
    await one.expect('ACK');
    const second = await two.expect('INVITE');
    const same = ['Call-ID', 'CSeq', 'From', 'To'] as const;
    expect(same.map((name) => second.header(name))).toEqual(same.map((name) => first.header(name)));
    expect(second.header('Via')).not.toBe(first.header('Via'));
    two.take(second).respond(486);
    await two.expect('ACK');
    await world.until(() => call.state.kind === 'ended');
    await office.quiet();
  });

  officeScenario(
    'the caller hangs up while the second server is tried: CANCEL goes there alone',
    {},
    async (office, world) => {
      const [one, two] = await farm(office, world);
      const alice = await office.registered('100');
      const call = alice.call('101');
      one.take(await one.expect('INVITE')).respond(503);
      const ringing = two.take(await two.expect('INVITE'));
      ringing.respond(180);
      await world.advance({ seconds: 1 });
      call.hangUp();
      two.respond(await two.expect('CANCEL'), 200);
      ringing.respond(487);
      await two.expect('ACK');
      await office.quiet();
      expect(one.heard).toEqual(['INVITE', 'ACK']);
    },
  );

  officeScenario(
    'BYE within the dialog is led by the same records, and takes the server that answers',
    {},
    async (office, world) => {
      const [one, two] = await farm(office, world);
      const alice = await office.registered('100');
      const call = alice.call('101');
      one.take(await one.expect('INVITE')).respond(503, { headers: ['Retry-After: 60'] });
      const invite = await two.expect('INVITE');
      two.take(invite).respond(200, {
        contact: '<sip:101@farm.test>',
        body: 'v=0\r\no=raw 1 1 IN IP4 10.1.0.2\r\ns=-\r\nc=IN IP4 10.1.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n',
      });
      await two.expect('ACK');
      await world.until(call.talking());
      call.hangUp();
      two.respond(await two.expect('BYE'), 200);
      await office.quiet();
      expect(one.heard).toEqual(['INVITE', 'ACK']);
    },
  );
});
