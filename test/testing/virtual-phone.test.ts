import { describe, expect, test } from 'vitest';
import { sipUri } from '../../src/protocol/sip/uri.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import { PhoneMedia } from '../../src/testing/phone-media.js';
import { officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';
import { scenario } from '../support/scenario.js';
import { seenBy } from '../support/wire.js';

describe('world.phone', () => {
  scenario('an address that is none is refused with an example', { seed: 1 }, async (world) => {
    for (const aor of ['sip:office.example', 'tel:+4930123']) {
      expect(() => world.phone(aor, { password: 'x' })).toThrow(
        /expected an address such as "sip:100@office\.example"/,
      );
    }
    expect(() => world.phone('nonsense', { password: 'x' })).toThrow();
  });

  scenario(
    'machines are named by the number; a second phone of it gets a number of its own',
    { seed: 1 },
    async (world) => {
      world.phone('sip:100@office.test', { password: 'x' });
      world.phone('sip:100@office.test', { password: 'x' });
      world.phone('sip:101@office.test', { password: 'x', name: 'desk', behindNat: true });
      expect(world.machines.map((each) => [each.name, each.host.addresses[0]])).toEqual([
        ['pbx', '192.0.2.1'],
        ['100', '10.0.0.1'],
        ['100#2', '10.0.0.2'],
        ['desk', '192.168.3.10'],
      ]);
    },
  );

  scenario('a phone that was never started opens nothing and can be closed', { seed: 1 }, async (world) => {
    const phone = world.phone('sip:100@office.test', { password: 'x' });
    expect(world.leaks()).toEqual([]);
    await world.run(() => phone.close());
  });

  scenario('nobody answers: register() tells status 0', { seed: 1 }, async (world) => {
    const phone = world.phone('sip:100@office.test', { password: 'x' });
    const result = await world.run(() => phone.register());
    expect(result).toEqual({ status: 0, response: undefined, contacts: [] });
  });

  scenario('it knows another server when it is told one', { seed: 1 }, async (world) => {
    const peer = await RawPeer.open(world, { address: '10.7.7.7' });
    const phone = world.phone('sip:100@office.test', { password: 'x', server: { address: '10.7.7.7', port: 5060 } });
    const registered = phone.register();
    const request = await peer.expect('REGISTER');
    expect(request.uri).toBe('sip:office.test');
    peer.respond(request, 403, { toTag: 'x', contact: '' });
    expect((await world.run(() => registered)).status).toBe(403);
  });
});

describe('a phone and its registrations', () => {
  officeScenario('registers, refreshes under one Call-ID with rising numbers, and goes', {}, async (office, world) => {
    const phone = await office.phone('100');
    for (let i = 0; i < 3; i++) expect((await world.run(() => phone.register())).status).toBe(200);
    expect(await office.pbx.bindings('100')).toHaveLength(1);
    expect((await world.run(() => phone.unregister())).status).toBe(200);
    expect(await office.pbx.bindings('100')).toEqual([]);
  });

  officeScenario('a TCP phone says so in its Contact', {}, async (office) => {
    const phone = await office.registered('100', { transport: 'tcp' });
    expect(phone.contact.uri).toEqual(
      sipUri({ user: '100', host: '10.0.0.1', port: 5060, params: [{ name: 'transport', value: 'tcp' }] }),
    );
  });
});

describe('a phone and its calls', () => {
  officeScenario(
    'states: calling, ringing, talking, ended; waiting for what has passed is done at once',
    {},
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      expect(bob.ringing()).toBe(false);
      const call = alice.call('101');
      expect(call.state).toEqual({ kind: 'calling' });
      expect(() => call.invite).toThrow(/made by this phone/);
      await expect(call.hold()).rejects.toMatchObject({ code: 'PBX_WRONG_STATE' });
      await world.until(bob.ringing);
      await world.until(call.ringing());
      expect(call.state).toEqual({ kind: 'ringing' });
      const [answered] = bob.calls as [PhoneCall];
      expect([answered.direction, answered.state.kind]).toEqual(['in', 'ringing']);
      answered.answer();
      await world.until(call.talking());
      expect([call.state.kind, answered.state.kind, bob.ringing()]).toEqual(['talking', 'talking', false]);
      expect(bob.busy.dialogs).toBe(1);
      await world.advance({ ms: 100 });
      answered.hangUp();
      expect(answered.state).toEqual({ kind: 'ended', by: 'this-phone' });
      await world.until(call.ended());
      expect(call.state).toEqual({ kind: 'ended', by: 'other-side' });
      await world.run(() => Promise.all([call.ringing(), call.talking(), call.ended()]));
      await office.quiet();
      expect([alice.busy, bob.busy]).toEqual([
        { dialogs: 0, transactions: 0 },
        { dialogs: 0, transactions: 0 },
      ]);
    },
  );

  officeScenario('hanging up early cancels an outgoing call and refuses an incoming one', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101');
    const first = alice.call('101');
    await world.until(bob.ringing);
    bob.calls[0]?.hangUp();
    await world.until(first.ended());
    expect(first.state).toMatchObject({ by: 'other-side', status: 486 });
    const second = alice.call('101');
    await world.until(second.ringing());
    second.hangUp();
    await world.until(second.ended());
    expect(second.state).toEqual({ kind: 'ended', by: 'this-phone', status: 487 });
    await world.until(() => !bob.ringing());
    expect(bob.calls.at(-1)?.state).toEqual({ kind: 'ended', by: 'other-side', status: 487 });
    await office.quiet();
  });

  officeScenario('it does what onCall says', {}, async (office, world) => {
    const alice = await office.registered('100');
    await office.registered('101', { onCall: (call) => call.reject(603, 'Go Away') });
    const call = alice.call('101');
    await world.until(call.ended());
    expect(call.state).toMatchObject({ status: 603, reason: 'Go Away' });
    expect(seenBy(world, '101')).not.toContain('>180');
    await office.quiet();
  });
});

describe('a phone’s descriptions (RFC 3264)', () => {
  const media = (port: number): PhoneMedia => new PhoneMedia({ address: '10.0.0.1', port, sessionId: port });

  test('offer and answer: ports, directions, and versions that count up', () => {
    const [a, b] = [media(4000), media(4002)];
    expect([a.local, a.remote]).toEqual([undefined, undefined]);
    const offer = a.offer();
    expect(offer).toMatch(/^o=\S+ 4000 \d+ IN IP4 10\.0\.0\.1\r$/m);
    expect(a.offer()).toBe(offer);
    a.heard(b.answer(offer));
    expect(a.remote).toBe(b.local);
    expect(b.local).toMatch(/^m=audio 4002 RTP\/AVP 0 8 101\r$/m);
    const held = a.hold();
    expect(held).toContain('a=sendonly');
    expect(b.answer(held)).toContain('a=recvonly');
    const version = (sdp: string): number => Number(/^o=\S+ \S+ (\d+)/m.exec(sdp)?.[1]);
    expect(version(held)).toBe(version(offer) + 1);
    const resumed = a.resume();
    expect(version(resumed)).toBe(version(held) + 1);
    expect(b.answer(resumed)).toContain('a=sendrecv');
  });

  test('what it is told to say it says', () => {
    const a = media(4000);
    const sdp = a.offer().replace('4000', '5000');
    expect(a.say(sdp)).toBe(sdp);
    expect(a.local).toBe(sdp);
    a.heard(undefined);
    expect(a.remote).toBeUndefined();
  });
});
