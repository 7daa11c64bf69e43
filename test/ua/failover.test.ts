import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.js';
import { createRequest, type SipRequest } from '../../src/protocol/sip/message.js';
import { parseNameAddr } from '../../src/protocol/sip/name-addr.js';
import { responseTo } from '../../src/protocol/sip/respond.js';
import { parseUri } from '../../src/protocol/sip/uri.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { TransactionLayer } from '../../src/transaction/layer.js';
import type { Hop } from '../../src/transport/hop.js';
import type { SendTarget } from '../../src/ua/target.js';
import { Uac } from '../../src/ua/uac.js';
import type { UacRequest } from '../../src/ua/uac-request.js';
import { FakeTransport, sourceOf } from '../transaction/fake-transport.js';

const FIRST: Hop = { protocol: 'udp', address: '198.51.100.1', port: 5060 };
const SECOND: Hop = { protocol: 'udp', address: '198.51.100.2', port: 5060 };

let clock: ManualClock;
let transport: FakeTransport;
let transactions: TransactionLayer;
let uac: Uac;
let hops: readonly Hop[];

beforeEach(() => {
  clock = new ManualClock();
  transport = new FakeTransport(clock);
  const random = new SeededRandom(3);
  hops = [FIRST, SECOND];
  transactions = new TransactionLayer({ transport, scheduler: clock, random, logger: silentLogger });
  uac = new Uac({
    transactions,
    scheduler: clock,
    random,
    logger: silentLogger,
    transport: { contactFor: () => ({ host: '192.0.2.1', port: 5060, params: [] }) },
    resolver: { resolve: async () => hops },
  });
});

let count = 0;
function request(method: string): SipRequest {
  return createRequest({
    method,
    uri: 'sip:bob@example.net',
    headers: {
      From: '<sip:alice@example.org>;tag=a1',
      To: '<sip:bob@example.net>',
      'Call-ID': `c${++count}`,
      CSeq: { sequence: 10, method },
    },
  });
}

/** What became of it, in the order in which it was told. */
function send(
  method: string,
  target: SendTarget = {},
): { readonly uac: UacRequest; readonly told: (number | string)[] } {
  const told: (number | string)[] = [];
  const sent = uac.send(request(method), target, {
    onSuccess: (response) => told.push(response.status),
    onFailure: (failure) => {
      if (failure.kind === 'response') told.push(failure.response.status);
      else told.push(failure.kind === 'timeout' ? 'timeout' : failure.error.code);
    },
  });
  return { uac: sent, told };
}

function answer(status: number, headers: Record<string, string> = {}): void {
  const last = transport.requests.at(-1);
  if (last === undefined) throw new Error('nothing was sent');
  transport.receiveResponse(responseTo(last.request, status, { toTag: 'bob', headers }));
}

/** The address of each try, repetitions left out. */
const tries = (): string[] => {
  const seen = new Map<string, string>();
  for (const { request: each, hop } of transport.requests)
    if (each.method !== 'ACK' && each.method !== 'CANCEL') seen.set(each.branch ?? '', hop.address);
  return [...seen.values()];
};

describe('RFC 3263 §4.3: what is no reason for the next hop', () => {
  it('an INVITE that somebody has answered provisionally and whose connection then breaks: the answer may come by another', async () => {
    hops = [
      { ...FIRST, protocol: 'tcp' },
      { ...SECOND, protocol: 'tcp' },
    ];
    const { told } = send('INVITE');
    await clock.settle();
    answer(180);
    transport.failLast();
    await clock.advance(1);
    expect([tries(), told]).toEqual([[FIRST.address], []]);
    answer(200);
    expect(told).toEqual([200]);
  });

  it('a request that was answered provisionally and then runs into timer F', async () => {
    const { told } = send('OPTIONS');
    await clock.settle();
    answer(100);
    await clock.advance(32_000);
    expect([tries(), told]).toEqual([[FIRST.address], ['timeout']]);
  });

  it('but 503 after 100 is: that is how a proxy says it', async () => {
    const { told } = send('INVITE');
    await clock.settle();
    answer(100);
    answer(503);
    expect(tries()).toEqual([FIRST.address, SECOND.address]);
    answer(200);
    expect(told).toEqual([200]);
  });

  it('a cancel while the second hop is tried: CANCEL goes there, and no third is tried', async () => {
    hops = [FIRST, SECOND, { ...SECOND, address: '198.51.100.3' }];
    const { told, uac: sent } = send('INVITE');
    await clock.settle();
    answer(503);
    answer(180);
    sent.cancel();
    expect(transport.requests.at(-1)).toMatchObject({
      request: { method: 'CANCEL' },
      hop: { address: SECOND.address },
    });
    await clock.advance(64_000);
    expect([tries().length, told.length]).toEqual([2, 1]);
  });
});

it('RFC 3261 §12.2.2: in a dialog the next hop gets a number of its own, because the first may have had the request', async () => {
  hops = [
    { ...FIRST, protocol: 'tcp' },
    { ...SECOND, protocol: 'tcp' },
  ];
  let number = 10;
  const given = request('BYE');
  uac.send(given, {}, { onSuccess: () => {}, onFailure: () => {}, nextSequence: () => ++number });
  await clock.settle();
  transport.failLast();
  await clock.advance(1);
  expect(transport.requests.map(({ request: each, hop }) => [hop.address, each.cseq.sequence])).toEqual([
    [FIRST.address, 10],
    [SECOND.address, 11],
  ]);
  expect(given.cseq.sequence).toBe(10);
});

describe('a request that has become pointless, its dialog being over (RFC 3261 §15.1)', () => {
  const challenge = { 'Proxy-Authenticate': 'Digest realm="r", nonce="n", algorithm=MD5' };
  const credentials = { secretFor: () => ({ username: 'me', password: 'pw' }) };
  let needed: boolean;
  let told: (number | string | boolean)[];

  function sendBye(target: SendTarget = {}): void {
    needed = true;
    told = [];
    uac.send(request('BYE'), target, {
      isNeeded: () => needed,
      onSuccess: ({ status }) => told.push(status),
      onFailure: (failure) => {
        if (failure.kind === 'response') told.push(failure.response.status);
        else if (failure.kind === 'timeout') told.push('timeout');
        else told.push(failure.error.code, failure.unsent);
      },
    });
  }

  const failures: readonly [string, SendTarget, () => unknown, unknown][] = [
    ['503', {}, () => answer(503), 503],
    ['a challenge that could be answered', { credentials }, () => answer(407, challenge), 407],
    ['silence', {}, () => clock.advance(32_000), 'timeout'],
    ['a broken connection', {}, () => transport.failLast(), 'SIP_TRANSPORT'],
  ];
  for (const [what, target, fail, outcome] of failures) {
    it(`after ${what} nothing new is begun; while it is needed, something is`, async () => {
      if (what === 'a broken connection') hops = hops.map((hop) => ({ ...hop, protocol: 'tcp' }));
      sendBye(target);
      await clock.settle();
      needed = false;
      await fail();
      await clock.advance(1);
      expect([tries().length, told[0]]).toEqual([1, outcome]);
      sendBye(target);
      await clock.settle();
      expect([tries().length, told]).toEqual([2, []]);
      await fail();
      await clock.advance(1);
      expect([tries().length, told]).toEqual([3, []]);
      answer(200);
      expect(told).toEqual([200]);
    });
  }

  it('another flow of the same phone is not tried, nor the address of a phone whose connection died', async () => {
    hops = [{ ...FIRST, protocol: 'tcp' }];
    sendBye({ flow: sourceOf('tcp', '203.0.113.1').flow });
    needed = false;
    transport.failLast();
    await clock.advance(1);
    expect([tries(), told[0]]).toEqual([['203.0.113.1'], 'SIP_TRANSPORT']);
  });

  it('what is under way goes on until it is answered', async () => {
    sendBye();
    await clock.settle();
    needed = false;
    await clock.advance(4_000);
    expect(transport.requests.length).toBeGreaterThan(3);
    answer(200);
    expect([tries(), told]).toEqual([[FIRST.address], [200]]);
  });

  it('it is not sent at all when it became so during the look-up', async () => {
    sendBye();
    needed = false;
    await clock.advance(1);
    expect([tries(), told]).toEqual([[], ['PBX_ABORTED', true]]);
  });
});

describe('credentials', () => {
  const challenge = { 'Proxy-Authenticate': 'Digest realm="r", nonce="n", algorithm=MD5' };
  const credentials = { secretFor: () => ({ username: 'me', password: 'pw' }) };
  const sentTo = (): (string | boolean)[] => {
    const { hop, request: last } = transport.requests.at(-1) ?? expect.fail('nothing was sent');
    return [hop.address, last.headers.has('Proxy-Authorization')];
  };

  it('of one server are not shown to the next, which challenges for itself', async () => {
    const { told } = send('INVITE', { credentials });
    await clock.settle();
    answer(407, challenge);
    expect(sentTo()).toEqual([FIRST.address, true]);
    answer(503);
    expect(sentTo()).toEqual([SECOND.address, false]);
    answer(407, challenge);
    expect(sentTo()).toEqual([SECOND.address, true]);
    answer(407, challenge);
    expect(told).toEqual([407]);
  });
});

describe('a hop that failed', () => {
  it('is not waited for again by the next request, nor by an ACK, until it is tried once more and answers', async () => {
    send('OPTIONS');
    await clock.advance(32_000);
    answer(200);
    expect(tries()).toEqual([FIRST.address, SECOND.address]);
    send('INVITE');
    uac.ack(request('ACK'), {});
    await clock.settle();
    expect(tries().at(-1)).toBe(SECOND.address);
    expect(transport.requests.at(-1)).toMatchObject({ request: { method: 'ACK' }, hop: { address: SECOND.address } });
    await clock.advance(31_000);
    send('OPTIONS');
    await clock.settle();
    expect(tries().at(-1)).toBe(FIRST.address);
  });

  it('RFC 3261 §21.5.4: 503 with Retry-After: for that long', async () => {
    send('OPTIONS');
    await clock.settle();
    answer(503, { 'Retry-After': '5' });
    answer(200);
    send('OPTIONS');
    await clock.settle();
    answer(200);
    await clock.advance(5_000);
    send('OPTIONS');
    await clock.settle();
    answer(200);
    expect(tries()).toEqual([FIRST.address, SECOND.address, SECOND.address, FIRST.address]);
  });

  it('503 without Retry-After says nothing about the next request (§21.5.4: as 500)', async () => {
    send('OPTIONS');
    await clock.settle();
    answer(503);
    answer(200);
    send('OPTIONS');
    await clock.settle();
    expect(tries()).toEqual([FIRST.address, SECOND.address, FIRST.address]);
  });

  it('all failed: they are tried all the same', async () => {
    transport.dead.add(FIRST.address).add(SECOND.address);
    const first = send('OPTIONS');
    await clock.advance(1);
    transport.dead.clear();
    const second = send('OPTIONS');
    await clock.settle();
    answer(200);
    expect([first.told, second.told]).toEqual([['SIP_TRANSPORT'], [200]]);
  });

  it('any answer but 503 brings it back', async () => {
    transport.dead.add(FIRST.address);
    send('OPTIONS');
    await clock.advance(1);
    answer(200);
    transport.dead.clear();
    hops = [FIRST];
    send('OPTIONS');
    await clock.settle();
    answer(404);
    hops = [FIRST, SECOND];
    send('OPTIONS');
    await clock.settle();
    expect(tries().at(-1)).toBe(FIRST.address);
  });
});

describe('RFC 5626 §7: several flows of one phone', () => {
  const flow = (address: string) => ({ flow: sourceOf('tcp', address).flow, flowOnly: true });
  const route = [parseNameAddr('<sip:edge.example;lr>')];
  const target: SendTarget = {
    ...flow('203.0.113.1'),
    otherFlows: [
      { uri: parseUri('sip:bob@10.0.0.2;transport=tcp'), ...flow('203.0.113.2') },
      { uri: parseUri('sip:bob@10.0.0.3'), route },
    ],
  };

  it('the next is tried when the flow has died, with its own contact and its own Path', async () => {
    transport.dead.add('203.0.113.1').add('203.0.113.2');
    hops = [FIRST];
    const { told, uac: sent } = send('INVITE', target);
    expect(sent.byFlow).toBe(true);
    await clock.advance(1);
    expect(tries()).toEqual(['203.0.113.1', '203.0.113.2', FIRST.address]);
    const sentBy = transport.requests.map(({ request: each }) => [each.requestUri, each.headers.first('Route')]);
    expect(sentBy).toEqual([
      ['sip:bob@example.net', undefined],
      ['sip:bob@10.0.0.2;transport=tcp', undefined],
      ['sip:bob@10.0.0.3', '<sip:edge.example;lr>'],
    ]);
    expect(sent.byFlow).toBe(false);
    answer(200);
    expect(told).toEqual([200]);
  });

  it.each([430, 408])('after %i', async (status) => {
    const { told } = send('INVITE', target);
    await clock.settle();
    answer(status);
    expect(tries()).toEqual(['203.0.113.1', '203.0.113.2']);
    answer(200);
    expect(told).toEqual([200]);
  });

  it('after silence', async () => {
    const { told } = send('OPTIONS', target);
    await clock.advance(32_000);
    answer(200);
    expect([tries(), told]).toEqual([['203.0.113.1', '203.0.113.2'], [200]]);
  });

  it.each([486, 404, 500, 503, 603])('not after %i: the phone has answered', async (status) => {
    const { told } = send('INVITE', target);
    await clock.settle();
    answer(status);
    await clock.advance(1);
    expect([tries(), told]).toEqual([['203.0.113.1'], [status]]);
  });

  it('not while it rings and the connection breaks, and not after a cancel', async () => {
    const ringing = send('INVITE', target);
    await clock.settle();
    answer(180);
    transport.failLast();
    await clock.advance(1);
    answer(486);
    expect(ringing.told).toEqual([486]);
    const cancelled = send('INVITE', target);
    await clock.settle();
    cancelled.uac.cancel();
    answer(408);
    expect(cancelled.told).toEqual([408]);
    expect(tries()).toEqual(['203.0.113.1', '203.0.113.1']);
  });

  it('the last failure is told', async () => {
    const { told } = send('INVITE', { ...target, otherFlows: target.otherFlows?.slice(0, 1) ?? [] });
    await clock.settle();
    answer(430);
    answer(430);
    await clock.advance(1);
    expect([told, tries().length]).toEqual([[430], 2]);
    expect([transactions.size, clock.pending]).toEqual([0, 0]);
  });
});
