/** What a UAS must take as it comes: peers of RFC 2543, pre-loaded routes, tel URIs, Timestamp, Require where it means nothing. */
import { describe, expect } from 'vitest';
import type { PbxOptions } from '../../src/pbx/options.js';
import type { World } from '../../src/testing/world.js';
import { officeScenario } from '../support/office.js';
import { RawPeer, rawSdp } from '../support/raw-peer.js';
import { headerOf, messagesOf } from '../support/wire.js';

/** Who comes from 10.1.0.x is believed, so that peers without digest can call. */
const TRUSTING: { readonly pbx: Partial<PbxOptions> } = { pbx: { trustedPeers: ['10.1.0.0/24'] } };

interface OldMessage {
  readonly cseq: number;
  readonly to?: string;
  readonly body?: string;
  readonly headers?: readonly string[];
}

/** A request as before RFC 3261: a Via without branch, a From without tag, no Max-Forwards. */
function old(
  method: string,
  uri: string,
  { cseq, to = '<sip:101@office.test>', body = '', headers = [] }: OldMessage,
): string {
  const lines = [
    `${method} ${uri} SIP/2.0`,
    'Via: SIP/2.0/UDP 10.1.0.1:5060',
    'From: <sip:4711@office.test>',
    `To: ${to}`,
    'Call-ID: old-1@10.1.0.1',
    `CSeq: ${cseq} ${method}`,
    'Contact: <sip:4711@10.1.0.1:5060>',
    'P-Asserted-Identity: <sip:4711@office.test>',
    ...headers,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** The peer calls 101, past the challenge, with these header lines. */
async function dial(world: World, headers: readonly string[], uri?: string) {
  const peer = await RawPeer.open(world);
  const fields = { headers, ...(uri === undefined ? {} : { uri }) };
  const raw = peer.dial('101', { from: '<sip:100@office.test>', ...fields });
  raw.authorize(await peer.expect(407), '100', 'secret-100', fields);
  return { peer, raw };
}

describe('RFC 3261 §17.2.3, §12.1.1: a peer of RFC 2543', () => {
  officeScenario('RFC 2543: no branch and no tags: calls, talks, hangs up', TRUSTING, async (office, world) => {
    const bob = await office.registered('101', { onCall: (call) => call.answer() });
    const peer = await RawPeer.open(world);
    peer.send(old('INVITE', 'sip:101@office.test', { cseq: 1, body: rawSdp() }));
    const ok = await peer.expect('200 INVITE');
    const to = ok.header('To') ?? '';
    const target = /<([^>]+)>/.exec(ok.header('Contact') ?? '')?.[1] ?? '';
    peer.send(old('ACK', target, { cseq: 1, to }));
    await world.advance({ seconds: 5 });
    expect(bob.calls[0]?.state.kind).toBe('talking');
    expect(peer.heard.filter((each) => each === '200 INVITE')).toHaveLength(1);
    peer.send(old('BYE', target, { cseq: 2, to }));
    await peer.expect('200 BYE');
    await office.quiet();
    expect(office.record.leg('a')).toMatchObject({ outcome: 'answered', releasedBy: 'this-party' });
  });

  officeScenario('RFC 2543: its CANCEL finds the INVITE without a branch', TRUSTING, async (office, world) => {
    const bob = await office.registered('101');
    const peer = await RawPeer.open(world);
    peer.send(old('INVITE', 'sip:101@office.test', { cseq: 1, body: rawSdp() }));
    await peer.expect('180 INVITE');
    peer.send(old('CANCEL', 'sip:101@office.test', { cseq: 1 }));
    await peer.expect('200 CANCEL');
    const gone = await peer.expect('487 INVITE');
    peer.send(old('ACK', 'sip:101@office.test', { cseq: 1, to: gone.header('To') ?? '' }));
    await office.quiet();
    expect(bob.calls[0]?.state.kind).toBe('ended');
  });

  officeScenario(
    'the PBX hangs up on it: its BYE has a From tag and a To without one',
    TRUSTING,
    async (office, world) => {
      const bob = await office.registered('101', { onCall: (call) => call.answer() });
      const peer = await RawPeer.open(world);
      peer.send(old('INVITE', 'sip:101@office.test', { cseq: 1, body: rawSdp() }));
      const ok = await peer.expect('200 INVITE');
      const target = /<([^>]+)>/.exec(ok.header('Contact') ?? '')?.[1] ?? '';
      peer.send(old('ACK', target, { cseq: 1, to: ok.header('To') ?? '' }));
      await world.advance({ seconds: 1 });
      bob.calls[0]?.hangUp();
      const bye = await peer.expect('BYE');
      expect(bye.header('To')).not.toContain('tag=');
      peer.respond(bye, 200, { contact: '' });
      await office.quiet();
    },
  );
});

describe('what a request may carry that means nothing here', () => {
  officeScenario(
    '§16.4: a pre-loaded Route that names the PBX is no reason to send it anywhere else',
    {},
    async (office, world) => {
      const bob = await office.registered('101');
      const { peer, raw } = await dial(world, ['Route: <sip:192.0.2.1;lr>']);
      await peer.expect('180 INVITE');
      const [invite] = messagesOf(world, '101').filter(({ method }) => method === 'INVITE');
      expect(invite === undefined ? 'no INVITE' : headerOf(invite, 'Route')).toBeUndefined();
      raw.cancel();
      await peer.expect('487 INVITE');
      await office.quiet();
      expect(bob.calls).toHaveLength(1);
    },
  );

  officeScenario('§19.1.1: parameters and headers of the Request-URI reach nobody', {}, async (office, world) => {
    await office.registered('101', { onCall: (call) => call.reject(486) });
    const { peer } = await dial(world, [], 'sip:101@office.test;user=phone;x=y');
    await peer.expect('486 INVITE');
    const [invite] = messagesOf(world, '101').filter(({ method }) => method === 'INVITE');
    expect(invite?.text).not.toContain('x=y');
    await office.quiet();
  });

  officeScenario('RFC 3966: an INVITE to a tel URI calls that number', {}, async (office, world) => {
    const bob = await office.registered('101', { onCall: (call) => call.reject(486) });
    const { peer } = await dial(world, [], 'tel:101;phone-context=office.test');
    await peer.expect('486 INVITE');
    expect(bob.calls).toHaveLength(1);
    await office.quiet();
  });

  officeScenario('§8.2.2.3: Require in an ACK is ignored', {}, async (office, world) => {
    const bob = await office.registered('101', { onCall: (call) => call.answer() });
    const { peer, raw } = await dial(world, []);
    raw.learn(await peer.expect('200 INVITE'));
    raw.ack({ headers: ['Require: nothing-that-exists'] });
    await world.advance({ seconds: 40 });
    expect(bob.calls[0]?.state.kind).toBe('talking');
    raw.request('BYE');
    await peer.expect('200 BYE');
    await office.quiet();
  });
});

describe('§8.2.6.1: Timestamp', () => {
  officeScenario(
    'is in the 100, with the time that passed before it; in no other answer',
    {},
    async (office, world) => {
      await office.registered('101');
      const { peer, raw } = await dial(world, ['Timestamp: 54.5']);
      // The phone rings within 200 ms, so that no 100 leaves.
      const ringing = await peer.expect('180 INVITE');
      expect(ringing.header('Timestamp')).toBeUndefined();
      raw.cancel();
      await peer.expect('487 INVITE');
      await office.quiet();
      const silent = await RawPeer.open(world, { name: 'silent', address: '10.1.0.9' });
      await silent.register('102', 'secret-102');
      const call = peer.dial('102', { from: '<sip:100@office.test>', headers: ['Timestamp: 54.5'] });
      call.authorize(await peer.expect(407), '100', 'secret-100', { headers: ['Timestamp: 54.5'] });
      const trying = await peer.expect('100 INVITE');
      expect(trying.header('Timestamp')).toBe('54.5 0.2');
      call.cancel();
      await peer.expect((message) => message.status === 487);
      await office.world.advance({ seconds: 40 });
    },
  );
});
