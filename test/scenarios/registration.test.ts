/** Flows R1–R7 of RFC 3665 §2 and RFC 3261 §10, with whole phones and a whole PBX. */
import { describe, expect } from 'vitest';
import type { NameAddr } from '../../src/protocol/sip/name-addr.js';
import { getParam } from '../../src/protocol/sip/params.js';
import { formatUri, sipUri } from '../../src/protocol/sip/uri.js';
import { officeScenario } from '../support/office.js';
import { RawPeer } from '../support/raw-peer.js';
import { headerOf, messagesOf, seenBy } from '../support/wire.js';

const listed = (contacts: readonly NameAddr[]): string[] =>
  contacts.map(({ uri, params }) => `${formatUri(uri)} ${getParam(params, 'expires')}`).sort();

const at = (host: string): NameAddr => ({ uri: sipUri({ user: '100', host, port: 5060 }), params: [] });

describe('R1: a new registration (RFC 3665 §2.1)', () => {
  officeScenario('401, then 200 with the contact and what was granted', {}, async (office, world) => {
    const phone = await office.phone('100');
    const result = await world.run(() => phone.register({ expiresSeconds: 600 }));
    expect(result.status).toBe(200);
    expect(listed(result.contacts)).toEqual(['sip:100@10.0.0.1:5060 600']);
    const [first, , second] = messagesOf(world, '100');
    expect(seenBy(world, '100')).toEqual(['>REGISTER', '<401', '>REGISTER', '<200']);
    expect(second?.callId).toBe(first?.callId);
    expect([first?.cseq, second?.cseq]).toEqual(['1 REGISTER', '2 REGISTER']);
    expect(await office.pbx.bindings('100')).toHaveLength(1);
  });

  officeScenario('the challenge offers MD5 alone unless asked', {}, async (office, world) => {
    const phone = await office.phone('100');
    await world.run(() => phone.register());
    const challenges = messagesOf(world, '100').filter((each) => each.status === 401);
    expect(challenges[0]?.text.match(/^WWW-Authenticate:/gim)).toHaveLength(1);
    expect(headerOf(challenges[0] as never, 'WWW-Authenticate')).toContain('algorithm=MD5');
  });

  officeScenario(
    'several algorithms: strongest first, each with a nonce of its own (RFC 8760 §2.3)',
    { pbx: { digest: ['MD5', 'SHA-256', 'SHA-512-256'] } },
    async (office, world) => {
      const phone = await office.phone('100');
      expect((await world.run(() => phone.register())).status).toBe(200);
      const [, challenge, answer] = messagesOf(world, '100');
      const lines = challenge?.text.match(/^WWW-Authenticate:.*$/gim) ?? [];
      expect(lines.map((line) => /algorithm=([\w-]+)/.exec(line)?.[1])).toEqual(['SHA-512-256', 'SHA-256', 'MD5']);
      expect(new Set(lines.map((line) => /nonce="([^"]+)"/.exec(line)?.[1])).size).toBe(3);
      expect(answer?.text).toContain('algorithm=SHA-512-256');
    },
  );
});

describe('digest algorithms of one extension', () => {
  const extensions = [
    { number: '100', password: 'secret-100', digest: ['SHA-512-256', 'SHA-256'] as const },
    { number: '101', password: 'secret-101' },
  ];

  officeScenario(
    'are offered to its phones alone, for REGISTER and for calls',
    { pbx: { extensions } },
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call } = await office.talk(alice, bob);
      call.hangUp();
      await office.quiet();
      const offered = (machine: string): string[] =>
        messagesOf(world, machine)
          .flatMap((each) => each.text.match(/^(?:WWW|Proxy)-Authenticate:.*algorithm=[\w-]+/gim) ?? [])
          .map((line) => line.replace(/.*algorithm=/, ''));
      expect(offered('100')).toEqual(['SHA-512-256', 'SHA-256', 'SHA-512-256', 'SHA-256']);
      expect(offered('101')).toEqual(['MD5']);
    },
  );
});

describe('R2–R4: add, ask, remove (RFC 3665 §2.2–§2.4)', () => {
  officeScenario('another contact is added, both are listed', {}, async (office, world) => {
    const phone = await office.registered('100');
    const result = await world.run(() => phone.register({ contacts: [at('10.0.0.99')], expiresSeconds: 900 }));
    expect(listed(result.contacts)).toEqual(['sip:100@10.0.0.1:5060 3599', 'sip:100@10.0.0.99:5060 900']);
  });

  officeScenario('asking changes nothing', {}, async (office, world) => {
    const phone = await office.registered('100');
    await world.advance({ seconds: 100 });
    const result = await world.run(() => phone.register({ contacts: [] }));
    expect(listed(result.contacts)).toEqual(['sip:100@10.0.0.1:5060 3499']);
  });

  officeScenario('one is removed, then all with *', {}, async (office, world) => {
    const phone = await office.registered('100');
    await world.run(() => phone.register({ contacts: [at('10.0.0.98'), at('10.0.0.99')] }));
    const one = await world.run(() => phone.register({ contacts: [at('10.0.0.98')], expiresSeconds: 0 }));
    expect(one.contacts).toHaveLength(2);
    const all = await world.run(() => phone.register({ contacts: '*', expiresSeconds: 0 }));
    expect([all.status, all.contacts.length]).toEqual([200, 0]);
    expect(await office.pbx.bindings('100')).toEqual([]);
  });

  officeScenario('* without Expires 0 is refused and removes nothing', {}, async (office, world) => {
    const phone = await office.registered('100');
    expect((await world.run(() => phone.register({ contacts: '*', expiresSeconds: 60 }))).status).toBe(400);
    expect(await office.pbx.bindings('100')).toHaveLength(1);
  });
});

describe('R5: a wrong password (RFC 3665 §2.5)', () => {
  officeScenario('401 again with a new nonce; no binding; an unknown user sees the same', {}, async (office, world) => {
    const refused: string[] = [];
    office.pbx.on('credentials.refused', ({ username, cause }) => refused.push(`${username} ${cause}`));
    const wrong = await office.phone('100', { password: 'wrong' });
    const stranger = await office.phone('777', { password: 'wrong' });
    expect((await world.run(() => wrong.register())).status).toBe(401);
    expect((await world.run(() => stranger.register())).status).toBe(401);
    expect(refused).toEqual(['100 wrong', '777 wrong']);
    expect(await office.pbx.bindings('100')).toEqual([]);
    const shape = (machine: string): string[] =>
      messagesOf(world, machine)
        .filter((each) => each.status === 401)
        .map((each) =>
          each.text
            .replace(/(nonce|branch|tag|Call-ID|Via|From|To)(=|: ).*?(?=[,;\r])/g, '$1')
            .replaceAll('777', '100')
            .replace(/10\.0\.0\.\d/g, 'IP'),
        );
    expect(shape('100')).toEqual(shape('777'));
    const nonces = messagesOf(world, '100').flatMap(
      (each) => /WWW-Authenticate.*nonce="([^"]+)"/.exec(each.text)?.[1] ?? [],
    );
    expect(new Set(nonces).size).toBe(2);
  });
});

describe('R6: too brief (RFC 3261 §10.3)', () => {
  officeScenario('423 with Min-Expires', {}, async (office, world) => {
    const phone = await office.phone('100');
    const result = await world.run(() => phone.register({ expiresSeconds: 1 }));
    expect(result.status).toBe(423);
    expect(result.response?.headers.get('Min-Expires')).toBe(60);
  });

  officeScenario('a longer wish is cut to the maximum, and granted exactly', {}, async (office, world) => {
    const phone = await office.phone('100');
    const result = await world.run(() => phone.register({ expiresSeconds: 86_400 }));
    expect(listed(result.contacts)).toEqual(['sip:100@10.0.0.1:5060 3600']);
    await world.advance({ ms: 3_599_000 });
    expect(await office.pbx.bindings('100')).toHaveLength(1);
    await world.advance({ seconds: 2 });
    expect(await office.pbx.bindings('100')).toEqual([]);
  });
});

describe('R7: a stale nonce (RFC 3261 §22.4, RFC 7616 §3.3)', () => {
  officeScenario(
    'an old nonce is answered stale=true and the phone gets through by itself',
    {},
    async (office, world) => {
      const phone = await office.registered('100');
      await world.advance({ seconds: 1000 });
      const begin = world.clock.now();
      const captured = messagesOf(world, '100').find((each) => each.text.includes('Authorization:'));
      expect((await world.run(() => phone.register())).status).toBe(200);
      expect(seenBy(world, '100', begin).at(-1)).toBe('<200');
      // The captured request with its old nonce, sent by somebody else: a fresh transaction, but not a fresh nonce.
      const attacker = world.host('attacker', '10.9.9.9');
      const answers: string[] = [];
      const socket = await world.run(() =>
        attacker.ports.network.openUdp({
          local: { address: '10.9.9.9', port: 5060 },
          onMessage: (data) => answers.push(Buffer.from(data).toString()),
          onError: () => {},
        }),
      );
      const replay = (captured?.text ?? '')
        .replace(/branch=[^;\r]+/, 'branch=z9hG4bKreplay')
        .replaceAll('10.0.0.1', '10.9.9.9');
      socket.send(Buffer.from(replay), { address: '192.0.2.1', port: 5060 });
      await world.advance({ seconds: 1 });
      expect(answers[0]).toMatch(/^SIP\/2\.0 401/);
      expect(answers[0]).toContain('stale=true');
      await world.run(() => socket.close());
    },
  );

  officeScenario('a captured request is not accepted twice (nonce count)', {}, async (office, world) => {
    await office.registered('100');
    const captured = messagesOf(world, '100').find((each) => each.text.includes('Authorization:'));
    const attacker = world.host('attacker', '10.9.9.9');
    const answers: string[] = [];
    const socket = await world.run(() =>
      attacker.ports.network.openUdp({
        local: { address: '10.9.9.9', port: 5060 },
        onMessage: (data) => answers.push(Buffer.from(data).toString()),
        onError: () => {},
      }),
    );
    const replay = (captured?.text ?? '')
      .replace(/branch=[^;\r]+/, 'branch=z9hG4bKreplay')
      .replace('CSeq: 2', 'CSeq: 3')
      .replaceAll('10.0.0.1', '10.9.9.9');
    socket.send(Buffer.from(replay), { address: '192.0.2.1', port: 5060 });
    await world.advance({ seconds: 1 });
    expect(answers[0]).toMatch(/^SIP\/2\.0 401/);
    expect(await office.pbx.bindings('100')).toHaveLength(1);
    await world.run(() => socket.close());
  });
});

describe('phones behind NAT', () => {
  officeScenario('are called by the flow that they registered by, and hung up by it', {}, async (office, world) => {
    const alice = await office.registered('100', { behindNat: 'symmetric' });
    const bob = await office.registered('101', { behindNat: true });
    const { call, answered } = await office.talk(alice, bob);
    expect(call.state.kind).toBe('talking');
    answered.hangUp();
    await world.until(call.ended());
    await office.quiet();
  });

  officeScenario('keep the call when the other side hangs up', {}, async (office, world) => {
    const alice = await office.registered('100');
    const bob = await office.registered('101', { behindNat: 'symmetric' });
    const { call, answered } = await office.talk(alice, bob);
    call.hangUp();
    await world.until(answered.ended());
    expect(answered.state).toMatchObject({ by: 'other-side' });
    await office.quiet();
  });
});

describe('a phone registered by somebody else (RFC 3261 §10.2)', () => {
  officeScenario(
    'is called at its own address, and the one who registered it hears nothing',
    {},
    async (office, world) => {
      const registrant = await RawPeer.open(world);
      const phone = await RawPeer.open(world, { name: 'phone', address: '10.1.0.7' });
      await registrant.register('101', 'secret-101', { contact: '<sip:101@10.1.0.7:5060>' });
      const before = registrant.heard.length;
      const alice = await office.registered('100');
      const call = alice.call('101');
      const invite = await phone.expect('INVITE');
      expect(invite.uri).toBe('sip:101@10.1.0.7:5060');
      phone.take(invite).respond(486);
      await world.until(call.ended());
      await office.quiet();
      expect(registrant.heard).toHaveLength(before);
    },
  );
});
