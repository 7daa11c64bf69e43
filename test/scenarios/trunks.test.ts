/** SIP trunks by address, calls by lines and trunks as they reach the wire, and what comes in: RFC 3261 §8, §11, product facts part 2. */
import { describe, expect } from 'vitest';
import { createRequest } from '../../src/protocol/sip/message.js';
import type { World } from '../../src/testing/world.js';
import type { LineOptions } from '../../src/trunk/line-options.js';
import type { Selected } from '../../src/trunk/selection.js';
import type { TrunkOptions } from '../../src/trunk/trunk-options.js';
import { RawPeer, type WireMessage } from '../support/raw-peer.js';
import { scenario } from '../support/scenario.js';
import { contactOf, registersOf, scriptedRegistrar, type TrunkStack, trunkStack } from '../support/trunks.js';

const TENANT = 'default';
const LINE: LineOptions = { name: '1234', server: 'carrier.example', username: '1234', password: 'secret' };
const TRUNK: TrunkOptions = { name: 'gw', server: '198.51.100.9' };
const CHALLENGE = 'Proxy-Authenticate: Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"';

/** Sends what a call would begin with (another method, so that the peer need not speak INVITE) to the selected targets, all at once. */
function sendAll(world: World, stack: TrunkStack, selected: readonly Selected[]): Promise<number[]> {
  const { random } = world.ports;
  const sendOne = async ({ target }: Selected): Promise<number> => {
    const request = createRequest({
      method: 'MESSAGE',
      uri: target.uri,
      headers: {
        From: '<sip:100@office.test>;tag=a',
        To: { uri: target.uri, params: [] },
        'Call-ID': random.token(),
        CSeq: { sequence: 1, method: 'MESSAGE' },
      },
    });
    const result = await stack.uac.request(request, target);
    return result.kind === 'response' ? result.response.status : 0;
  };
  return world.run(() => Promise.all(selected.map(sendOne)));
}

async function send(world: World, stack: TrunkStack, selected: Selected): Promise<number> {
  const [status = 0] = await sendAll(world, stack, [selected]);
  return status;
}

const first = (stack: TrunkStack, names: readonly string[], number = '5551234'): Selected =>
  stack.trunks.select(TENANT, { names, number }).next() ?? expect.fail('nothing was selected');

/** A registrar that challenges REGISTER and everything else. */
async function carrier(world: World, headers: readonly string[] = []): Promise<RawPeer> {
  const peer = await scriptedRegistrar(world, (request) =>
    request.header('Authorization') === undefined
      ? { status: 401, headers: [CHALLENGE.replace('Proxy', 'WWW')] }
      : { status: 200, headers },
  );
  const register = peer.onMessage;
  peer.onMessage = (message) => {
    register(message);
    if (message.method !== 'MESSAGE') return;
    const known = message.header('Proxy-Authorization') !== undefined;
    peer.respond(message, known ? 200 : 407, { headers: known ? [] : [CHALLENGE], contact: '', toTag: 'c' });
  };
  world.network.dns.set('carrier.example', [peer.address]);
  return peer;
}

const messages = (peer: RawPeer): WireMessage[] => peer.received.filter(({ method }) => method === 'MESSAGE');

describe('a call by a line', () => {
  scenario('goes to the account’s domain, and answers the challenge of its carrier', { seed: 1 }, async (world) => {
    const peer = await carrier(world);
    const stack = await trunkStack(world);
    await world.run(() =>
      stack.trunks.configure(TENANT, { lines: [{ ...LINE, userPhone: true, noAnswerSeconds: 25 }] }),
    );
    await world.until(() => stack.told.includes('line.registered 1234'));
    const selected = first(stack, ['1234'], '+4930123');
    expect(selected).toMatchObject({
      kind: 'line',
      noAnswerSeconds: 25,
      called: '+4930123',
      target: { policy: { peer: 'trunk', name: '1234', domain: 'carrier.example', callerNumber: '1234' } },
    });
    expect(await send(world, stack, selected)).toBe(200);
    expect(messages(peer).map(({ uri }) => uri)).toEqual(Array(2).fill('sip:+4930123@carrier.example;user=phone'));
    expect(messages(peer)[1]?.header('Proxy-Authorization')).toContain('username="1234", realm="carrier"');
  });

  scenario('calls at the same time are each challenged, and each answered', { seed: 6 }, async (world) => {
    const peer = await carrier(world);
    let nonces = 0;
    peer.onMessage = (message) => {
      const known = message.header('Proxy-Authorization') !== undefined;
      const fresh = CHALLENGE.replace('nonce="n"', `nonce="n${++nonces}"`);
      const answer = known ? { status: 200, headers: [] } : { status: 407, headers: [fresh] };
      if (message.method === 'MESSAGE') peer.respond(message, answer.status, { ...answer, contact: '', toTag: 'c' });
      else peer.respond(message, 200, { contact: `${message.header('Contact')};expires=600`, toTag: 'c' });
    };
    const stack = await trunkStack(world);
    await world.run(() => stack.trunks.configure(TENANT, { lines: [LINE] }));
    await world.until(() => stack.told.includes('line.registered 1234'));
    const calls = Array.from({ length: 8 }, () => first(stack, ['1234']));
    expect(await sendAll(world, stack, calls)).toEqual(Array(8).fill(200));
    expect(messages(peer)).toHaveLength(16);
  });

  scenario(
    'takes the outbound proxy, then the Service-Route of the last 2xx (RFC 3608 §6.1)',
    { seed: 2 },
    async (world) => {
      const peer = await carrier(world, [
        'Service-Route: <sip:edge.carrier.example;lr>, <sip:core.carrier.example;lr>',
      ]);
      const stack = await trunkStack(world);
      const lines = [{ ...LINE, domain: 'ims.example', proxy: 'carrier.example' }];
      await world.run(() => stack.trunks.configure(TENANT, { lines }));
      await world.until(() => stack.told.includes('line.registered 1234'));
      await send(world, stack, first(stack, ['1234']));
      const [message] = messages(peer);
      expect(message?.uri).toBe('sip:5551234@ims.example');
      expect(message?.all('Route')).toEqual([
        '<sip:carrier.example;lr>',
        '<sip:edge.carrier.example;lr>',
        '<sip:core.carrier.example;lr>',
      ]);
    },
  );

  scenario(
    'the first hop of the service route may challenge at once; a 2xx without one clears it',
    { seed: 5 },
    async (world) => {
      let headers = ['Service-Route: <sip:edge.carrier.example;lr>'];
      const registrar = await scriptedRegistrar(world, () => ({ status: 200, grantSeconds: 60, headers }));
      world.network.dns.set('carrier.example', [registrar.address]);
      const edge = await RawPeer.open(world, { name: 'edge', address: '198.51.100.7' });
      edge.onMessage = (message) => {
        const known = message.header('Proxy-Authorization') !== undefined;
        edge.respond(message, known ? 200 : 407, { headers: known ? [] : [CHALLENGE], contact: '', toTag: 'e' });
      };
      world.network.dns.set('edge.carrier.example', [edge.address]);
      const stack = await trunkStack(world);
      await world.run(() => stack.trunks.configure(TENANT, { lines: [LINE] }));
      await world.until(() => stack.told.includes('line.registered 1234'));
      await world.advance({ ms: 100 });
      expect(await send(world, stack, first(stack, ['1234']))).toBe(200);
      expect(messages(edge).map((each) => each.header('Route'))).toEqual(
        Array(2).fill('<sip:edge.carrier.example;lr>'),
      );
      headers = [];
      await world.advance({ seconds: 60 });
      expect(first(stack, ['1234']).target).toMatchObject({ nextHop: { host: 'carrier.example' } });
      expect(first(stack, ['1234']).target.route).toBeUndefined();
    },
  );

  scenario(
    'digest leak (checklist 52): who is not the carrier gets no credentials, whatever realm it names',
    { seed: 3 },
    async (world) => {
      const peer = await carrier(world);
      const thief = await RawPeer.open(world, { name: 'thief', address: '203.0.113.66' });
      const stack = await trunkStack(world);
      await world.run(() => stack.trunks.configure(TENANT, { lines: [LINE] }));
      await world.until(() => stack.told.includes('line.registered 1234'));
      // The carrier lets somebody else answer: the response comes from another address.
      peer.onMessage = (message) => thief.respond(message, 407, { headers: [CHALLENGE], contact: '', toTag: 't' });
      expect(await send(world, stack, first(stack, ['1234']))).toBe(407);
      // And a name that has come to lead to a thief, after the line has looked it up.
      thief.onMessage = (message) => thief.respond(message, 407, { headers: [CHALLENGE], contact: '', toTag: 't' });
      const { target, ...rest } = first(stack, ['1234']);
      const redirected = { ...rest, target: { ...target, nextHop: { ...LINE_HOP, host: thief.address } } };
      expect(await send(world, stack, redirected)).toBe(407);
      const all = [...messages(peer), ...messages(thief)];
      expect(all.length).toBeGreaterThanOrEqual(2);
      expect(all.filter((each) => each.header('Proxy-Authorization') !== undefined)).toEqual([]);
    },
  );

  scenario(
    'another realm than the registrar’s gets no credentials, even from the carrier',
    { seed: 4 },
    async (world) => {
      const peer = await carrier(world);
      const stack = await trunkStack(world);
      await world.run(() => stack.trunks.configure(TENANT, { lines: [LINE] }));
      await world.until(() => stack.told.includes('line.registered 1234'));
      const other = CHALLENGE.replace('carrier', 'elsewhere');
      peer.onMessage = (message) => peer.respond(message, 407, { headers: [other], contact: '', toTag: 't' });
      expect(await send(world, stack, first(stack, ['1234']))).toBe(407);
      expect(messages(peer)).toHaveLength(1);
    },
  );
});

const LINE_HOP = { kind: 'sip', scheme: 'sip', host: '', params: [], headers: [] } as const;

describe('a call by a trunk', () => {
  const answered = async (
    world: World,
    options: Partial<TrunkOptions>,
    number: string,
  ): Promise<WireMessage | undefined> => {
    const peer = await RawPeer.open(world, { name: 'gateway', address: '198.51.100.9', port: 5080 });
    peer.onMessage = (message) => peer.respond(message, 200, { contact: '', toTag: 'g' });
    const stack = await trunkStack(world);
    const trunks = [{ ...TRUNK, server: '198.51.100.9:5080', qualifySeconds: 0, ...options }];
    await world.run(() => stack.trunks.configure(TENANT, { trunks }));
    expect(await send(world, stack, first(stack, ['gw'], number))).toBe(200);
    return messages(peer)[0];
  };

  scenario('Request-URI with the server’s port and additional parameters', { seed: 10 }, async (world) => {
    const message = await answered(
      world,
      { uriParams: 'tgrp=office;trunk-context=example.net', userPhone: true },
      '123',
    );
    expect(message?.uri).toBe('sip:123@198.51.100.9:5080;user=phone;tgrp=office;trunk-context=example.net');
  });

  scenario('a domain of its own, by a proxy', { seed: 11 }, async (world) => {
    const message = await answered(world, { domain: 'pstn.example', proxy: '198.51.100.9:5080' }, '123');
    expect(message?.uri).toBe('sip:123@pstn.example');
    expect(message?.header('Route')).toBe('<sip:198.51.100.9:5080;lr>');
  });

  scenario('tel: (RFC 3966) is for numbers alone', { seed: 13 }, async (world) => {
    const message = await answered(world, { format: 'tel' }, 'alice');
    expect(message?.uri).toBe('sip:alice@198.51.100.9:5080');
  });

  scenario('tel: (RFC 3966)', { seed: 12 }, async (world) => {
    const message = await answered(world, { format: 'tel' }, '+49-30-123');
    expect(message?.uri).toBe('tel:+49-30-123');
  });
});

describe('OPTIONS qualify (RFC 3261 §11)', () => {
  scenario('up, down by silence, up again; calls pass a trunk that is down', { seed: 20 }, async (world) => {
    let mute = false;
    const peer = await RawPeer.open(world, { name: 'gateway', address: '198.51.100.9' });
    peer.onMessage = (message) => {
      if (!mute) peer.respond(message, 404, { contact: '', toTag: 'g' });
    };
    const stack = await trunkStack(world);
    const trunks = [{ ...TRUNK, qualifySeconds: 30 }];
    await world.run(() => stack.trunks.configure(TENANT, { trunks }));
    expect(stack.trunks.trunks(TENANT)[0]?.state).toBe('unknown');
    await world.advance({ minutes: 5 });
    expect(stack.told).toEqual(['trunk.up gw']);
    const asked = peer.received.filter(({ method }) => method === 'OPTIONS');
    expect(asked.length).toBeGreaterThanOrEqual(10);
    expect(asked.length).toBeLessThanOrEqual(12);
    expect(asked[0]?.header('Contact')).toBe('<sip:ping@192.0.2.1:5060>');
    expect(asked.map(({ cseq }) => cseq)).toEqual(asked.map((_, i) => i + 1));
    mute = true;
    await world.advance({ minutes: 2 });
    expect(stack.told).toEqual(['trunk.up gw', 'trunk.down gw']);
    const selection = stack.trunks.select(TENANT, { names: ['gw'], number: '1' });
    expect([selection.next(), selection.skipped]).toEqual([undefined, [{ name: 'gw', reason: 'down' }]]);
    mute = false;
    await world.advance({ minutes: 2 });
    expect(stack.told.at(-1)).toBe('trunk.up gw');
  });

  scenario('503 is down, any other answer is life', { seed: 21 }, async (world) => {
    let status = 503;
    const peer = await RawPeer.open(world, { name: 'gateway', address: '198.51.100.9' });
    peer.onMessage = (message) => peer.respond(message, status, { contact: '', toTag: 'g' });
    const stack = await trunkStack(world);
    let cause = '';
    stack.trunks.on('trunk.down', (event) => {
      cause = event.cause;
    });
    await world.run(() => stack.trunks.configure(TENANT, { trunks: [TRUNK] }));
    await world.advance({ minutes: 2 });
    status = 407;
    await world.advance({ minutes: 2 });
    expect([stack.told, cause]).toEqual([['trunk.down gw', 'trunk.up gw'], '503 Raw']);
  });
});

describe('on what a request came in', () => {
  /** Two lines at one carrier, one at another, a trunk, and what `identify` says of a request. */
  async function inbound(world: World) {
    const peer = await scriptedRegistrar(world, () => ({ status: 200 }));
    world.network.dns.set('carrier.example', [peer.address]);
    const other = await scriptedRegistrar(world, () => ({ status: 200 }), { name: 'other', address: '198.51.100.3' });
    const stack = await trunkStack(world);
    await world.run(() =>
      stack.trunks.configure(TENANT, {
        lines: [
          { ...LINE, inbound: '100' },
          { ...LINE, name: '5678', username: '5678' },
          { ...LINE, name: 'other', server: other.address, username: '9', addresses: ['203.0.113.0/24'] },
        ],
        trunks: [
          { ...TRUNK, domain: 'pstn.example', qualifySeconds: 0, transit: true, inbound: '200' },
          { ...TRUNK, name: 'plain', server: '198.51.100.10', addresses: ['2001:db8::/32'], qualifySeconds: 0 },
        ],
      }),
    );
    await world.advance({ seconds: 5 });
    const identify = (
      uri: string,
      address: string,
      more: { readonly from?: string; readonly protocol?: 'udp' | 'tcp'; readonly to?: string } = {},
    ) => {
      const { from = '<sip:caller@anywhere.example>', protocol = 'udp', to = `<${uri}>` } = more;
      const request = createRequest({
        method: 'INVITE',
        uri,
        headers: { From: from, To: to, 'Call-ID': 'c', CSeq: { sequence: 1, method: 'INVITE' } },
      });
      const remote = { address, port: 40_000 };
      const local = { address: '192.0.2.1', port: 5060 };
      const flow = { protocol, local, remote };
      return stack.trunks.identify(request, { ...flow, flow, secure: false, receivedAt: 0 });
    };
    return { stack, identify, token: contactOf(registersOf(peer)[0]).user };
  }

  scenario('the token of the Contact: certain, wherever it came from', { seed: 30 }, async (world) => {
    const { identify, token } = await inbound(world);
    const certain = { kind: 'line', name: '1234', certainty: 'token', transit: 'never', inbound: '100' };
    expect(identify(`sip:${token}@192.0.2.1`, '198.51.100.1')).toMatchObject({
      tenantId: TENANT,
      ...certain,
      fromPeer: true,
    });
    expect(identify(`sip:${token}@192.0.2.1`, '192.0.2.77')).toMatchObject({ ...certain, fromPeer: false });
  });

  scenario(
    'by address: lines at one carrier are told apart by the account, or not at all',
    { seed: 31 },
    async (world) => {
      const { identify } = await inbound(world);
      expect(identify('sip:5678@192.0.2.1', '198.51.100.1')).toMatchObject({ name: '5678', certainty: 'address' });
      const to = '<sip:1234@carrier.example>';
      expect(identify('sip:030123@192.0.2.1', '198.51.100.1', { to })).toMatchObject({ name: '1234' });
      expect(identify('sip:030123@192.0.2.1', '198.51.100.1')).toBeUndefined();
      expect(identify('sip:030123@192.0.2.1', '203.0.113.200')).toMatchObject({ name: 'other', certainty: 'address' });
      expect(identify('tel:030123', '2001:db8:1::5')).toMatchObject({ name: 'plain', kind: 'trunk' });
    },
  );

  scenario('transit needs the flag, and more than a UDP source address', { seed: 32 }, async (world) => {
    const { identify } = await inbound(world);
    const transit = (address: string, protocol: 'udp' | 'tcp'): unknown =>
      identify('sip:0123@192.0.2.1', address, { protocol })?.transit;
    expect(transit('198.51.100.9', 'udp')).toBe('after-digest');
    expect(transit('198.51.100.9', 'tcp')).toBe('allowed');
    expect(transit('198.51.100.10', 'tcp')).toBe('never');
    expect(transit('203.0.113.5', 'tcp')).toBe('never');
  });

  scenario('a domain in From is only said; a stranger is nobody', { seed: 33 }, async (world) => {
    const { identify } = await inbound(world);
    const from = '<sip:x@pstn.example>;tag=1';
    const said = identify('sip:0123@192.0.2.1', '192.0.2.99', { from, protocol: 'tcp' });
    expect(said).toMatchObject({ name: 'gw', certainty: 'domain', fromPeer: false, transit: 'never' });
    expect(identify('sip:0123@192.0.2.1', '192.0.2.99')).toBeUndefined();
    expect(identify('sip:@192.0.2.1', '192.0.2.99', { from: 'broken' })).toBeUndefined();
  });

  scenario('another tenant’s peers are not asked', { seed: 34 }, async (world) => {
    const { stack, token } = await inbound(world);
    const request = createRequest({ method: 'INVITE', uri: `sip:${token}@192.0.2.1`, headers: {} });
    const flow = {
      protocol: 'udp',
      local: { address: '192.0.2.1', port: 5060 },
      remote: { address: '198.51.100.1', port: 5060 },
    } as const;
    const source = { ...flow, flow, secure: false, receivedAt: 0 };
    expect(stack.trunks.identify(request, source, 'somebody-else')).toBeUndefined();
    expect(stack.trunks.identify(request, source, TENANT)?.name).toBe('1234');
  });
});
