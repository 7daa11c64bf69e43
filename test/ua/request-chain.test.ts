import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.js';
import type { SipResponse } from '../../src/protocol/sip/message.js';
import { SipParseError } from '../../src/protocol/sip/parse-error.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { TransactionLayer } from '../../src/transaction/layer.js';
import type { IncomingRequest } from '../../src/ua/incoming.js';
import { type RequestTaker, Uas, type UasOptions } from '../../src/ua/request-chain.js';
import { FakeTransport, sourceOf } from '../transaction/fake-transport.js';
import { incomingRequest, type RequestParts } from '../transaction/messages.js';

const ALLOW = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER'];

let clock: ManualClock;
let transport: FakeTransport;
let transactions: TransactionLayer;
let serial: number;

function build(takers: readonly RequestTaker[], options: Partial<UasOptions> = {}): void {
  clock = new ManualClock();
  transport = new FakeTransport(clock);
  serial = 0;
  transactions = new TransactionLayer({
    transport,
    scheduler: clock,
    random: new SeededRandom(2),
    logger: silentLogger,
  });
  new Uas({
    transactions,
    logger: silentLogger,
    scheduler: clock,
    takers,
    tenantOf: () => 'default',
    allow: ALLOW,
    supported: ['100rel', 'timer'],
    ...options,
  });
}

/** A request with a branch and Call-ID of its own, unless told otherwise. */
function receive(method: string, parts: RequestParts = {}): void {
  serial++;
  transport.receiveRequest(
    incomingRequest(method, { branch: `z9hG4bK-c${serial}`, callId: `call-${serial}`, ...parts }),
  );
}

const last = (): SipResponse => transport.lastResponse;
const taker = (name: string, take: RequestTaker['take']): RequestTaker => ({ name, take });
const leaveAll = taker('leave', () => false);

beforeEach(() => build([leaveAll]));

describe('§8.2.1 method', () => {
  it('unknown: 501 with Allow (RFC 4475 §3.1.1.2)', () => {
    receive("!interesting-Method0123456789_*+`.%indeed'~");
    expect(last().status).toBe(501);
    expect(last().headers.get('Allow')).toEqual(ALLOW);
  });

  it('RFC 4475 §3.1.1.5: an escaped method is another method', () => {
    receive('RE%47IST%45R');
    expect(last().status).toBe(501);
  });

  it('known but not served: 405 with Allow', () => {
    receive('PUBLISH');
    expect(last().status).toBe(405);
    expect(last().headers.get('Allow')).toEqual(ALLOW);
  });
});

describe('§8.2.2.1 Request-URI', () => {
  it.each(['nobodyKnowsThisScheme:totallyopaquecontent', 'soap.beep://192.0.2.103:3002', 'http://example.com'])(
    'RFC 4475 §3.3.2: %s is answered 416',
    (uri) => {
      receive('OPTIONS', { uri });
      expect(last().status).toBe(416);
    },
  );

  it('sips is refused while no TLS transport listens, and served when it is listed', () => {
    receive('OPTIONS', { uri: 'sips:100@192.0.2.1' });
    expect(last().status).toBe(416);
    build([leaveAll], { schemes: ['sip', 'sips'] });
    receive('OPTIONS', { uri: 'sips:100@192.0.2.1' });
    expect(last().status).toBe(200);
  });

  it('RFC 3966: a tel URI is served, though not by a registrar (§10.3)', () => {
    receive('OPTIONS', { uri: 'tel:+15551234' });
    expect(last().status).toBe(200);
    receive('REGISTER', { uri: 'tel:+15551234' });
    expect(last().status).toBe(416);
  });

  it('one that cannot be read: 400', () => {
    receive('OPTIONS', { uri: 'sip:[::bad', to: 'sip:100@192.0.2.1' });
    expect(last().status).toBe(400);
  });

  it('for no virtual server of ours: 404', () => {
    build([taker('all', () => true)], { tenantOf: () => undefined });
    receive('OPTIONS');
    expect(last().status).toBe(404);
  });
});

describe('§8.2.2.2 merged requests', () => {
  const same: RequestParts = { callId: 'merged', fromTag: 'x' };

  it('the same request by another branch: 482; a retransmission is none', () => {
    build([taker('all', () => true)]);
    receive('INVITE', { ...same, branch: 'z9hG4bK-one' });
    receive('INVITE', { ...same, branch: 'z9hG4bK-one' });
    expect(transport.statuses).toEqual([]);
    receive('INVITE', { ...same, branch: 'z9hG4bK-two' });
    expect(transport.statuses).toEqual([482]);
    expect(last().toTag).toBeDefined();
  });

  it('a digest retry has another CSeq', () => {
    build([leaveAll]);
    receive('INVITE', same);
    receive('INVITE', { ...same, sequence: 2 });
    expect(transport.statuses).toEqual([404, 404]);
  });

  it.each([401, 407])('a retry under the same CSeq after %i is let through', (status) => {
    build([
      taker('auth', (incoming) => {
        incoming.respond(status);
        return true;
      }),
    ]);
    receive('INVITE', same);
    receive('INVITE', same);
    expect(transport.statuses).toEqual([status, status]);
  });

  it('what is answered once is not remembered: junk cannot push out what others are told by', () => {
    build([taker('all', () => true)]);
    receive('INVITE', { ...same, branch: 'z9hG4bK-one', headers: { Require: 'nonsense' } });
    receive('INVITE', { ...same, branch: 'z9hG4bK-two', headers: { Require: 'nonsense' } });
    expect(transport.statuses).toEqual([420, 420]);
  });

  it('a request within a dialog is never merged', () => {
    receive('BYE', { ...same, toTag: 'y' });
    receive('BYE', { ...same, toTag: 'y' });
    expect(transport.statuses).toEqual([481, 481]);
  });

  it('only requests that are under way count', () => {
    receive('OPTIONS', same);
    clock.advanceSync(32_000);
    receive('OPTIONS', same);
    expect(transport.statuses).toEqual([200, 200]);
  });
});

describe('§8.2.2.3 Require', () => {
  it('RFC 4475 §3.3.5: unknown extensions of Require and Proxy-Require: 420 with Unsupported', () => {
    receive('OPTIONS', {
      headers: { Require: 'nothingSupportsThis, 100rel', 'Proxy-Require': 'noProxiesSupportThis' },
    });
    expect(last().status).toBe(420);
    expect(last().headers.get('Unsupported')).toEqual(['nothingSupportsThis', 'noProxiesSupportThis']);
  });

  it('known ones pass, in any case', () => {
    receive('OPTIONS', { headers: { Require: '100REL, timer' } });
    expect(last().status).toBe(200);
  });

  it('§8.2.2.3: a CANCEL with Require is not refused', () => {
    build([taker('all', () => true)]);
    receive('INVITE', { branch: 'z9hG4bK-i', callId: 'i' });
    receive('CANCEL', { branch: 'z9hG4bK-i', callId: 'i', headers: { Require: 'nothing' } });
    expect(last().status).toBe(200);
  });
});

describe('§8.2.3 bodies', () => {
  it('§8.2.3: one that is not understood: 415 where it would be an offer or answer, left aside elsewhere', () => {
    const allow = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'UPDATE', 'PRACK'];
    build([taker('all', (incoming) => incoming.respond(200) !== undefined)], { allow });
    const body = { headers: { 'Content-Type': 'application/vq-rtcpxr' }, body: 'report' };
    const statuses = ['INVITE', 'UPDATE', 'PRACK', 'BYE', 'OPTIONS'].map((method) => {
      receive(method, body);
      return `${method} ${last().status}`;
    });
    expect(statuses).toEqual(['INVITE 415', 'UPDATE 415', 'PRACK 415', 'BYE 200', 'OPTIONS 200']);
  });
});

describe('§11.2 OPTIONS', () => {
  it('is answered 200 with Allow, Accept, Accept-Encoding, Accept-Language and Supported, whatever Max-Forwards says', () => {
    transport.receiveRequest(incomingRequest('OPTIONS', { uri: 'sip:192.0.2.1' }));
    const { headers } = last();
    expect(last().status).toBe(200);
    expect(headers.get('Allow')).toEqual(ALLOW);
    expect(headers.first('Accept')).toContain('application/sdp');
    expect(headers.first('Accept-Encoding')).toBe('identity');
    expect(headers.first('Accept-Language')).toBe('en');
    expect(headers.get('Supported')).toEqual(['100rel', 'timer']);
    expect(headers.has('Server')).toBe(false);
    expect(last().toTag).toBeDefined();
  });

  it('a taker may answer first', () => {
    build([
      taker('busy', (incoming) => {
        incoming.respond(486);
        return true;
      }),
    ]);
    receive('OPTIONS');
    expect(last().status).toBe(486);
  });

  it('within a dialog that nobody knows: 481', () => {
    receive('OPTIONS', { toTag: 'gone' });
    expect(last().status).toBe(481);
  });
});

describe('the chain', () => {
  it('asks in order until one takes it', () => {
    const asked: string[] = [];
    const named = (name: string, mine: boolean): RequestTaker =>
      taker(name, () => {
        asked.push(name);
        return mine;
      });
    build([named('a', false), named('b', true), named('c', true)]);
    receive('INVITE');
    expect(asked).toEqual(['a', 'b']);
    expect(transport.statuses).toEqual([]);
  });

  it('waits for a taker that needs time, and other requests do not', async () => {
    const asked: string[] = [];
    let decide: (mine: boolean) => void = () => {};
    build([
      taker('slow', (incoming) => {
        asked.push(`slow ${incoming.request.callId}`);
        if (incoming.request.callId !== 'slow') return false;
        return new Promise((resolve) => {
          decide = resolve;
        });
      }),
      taker('next', (incoming) => {
        asked.push(`next ${incoming.request.callId}`);
        return true;
      }),
    ]);
    receive('INVITE', { callId: 'slow' });
    receive('INVITE', { callId: 'fast' });
    expect(asked).toEqual(['slow slow', 'slow fast', 'next fast']);
    decide(false);
    await clock.settle();
    expect(asked.at(-1)).toBe('next slow');
  });

  it('nobody: 404 outside a dialog, 481 within', () => {
    receive('INVITE');
    receive('BYE', { toTag: 'x' });
    expect(transport.statuses).toEqual([404, 481]);
  });

  it('§15.1.2: a BYE without a To tag belongs to no dialog: 481', () => {
    receive('BYE');
    expect(transport.statuses).toEqual([481]);
  });

  it('one that answers and says that it did not take it ends the chain all the same', () => {
    build([
      taker('odd', (incoming) => {
        incoming.respond(403);
        return false;
      }),
      leaveAll,
    ]);
    receive('INVITE');
    expect(transport.statuses).toEqual([403]);
  });

  it('one that throws: 500', () => {
    build([
      taker('broken', () => {
        throw new Error('broken');
      }),
    ]);
    receive('INVITE');
    expect(transport.statuses).toEqual([500]);
  });

  it('one whose promise rejects: 500', async () => {
    build([taker('broken', () => Promise.reject(new Error('broken')))]);
    receive('INVITE');
    await clock.settle();
    expect(transport.statuses).toEqual([500]);
  });

  it('a header that a taker cannot read: the status of the parse error', () => {
    build([
      taker('reader', () => {
        throw new SipParseError('Contact is broken', { status: 400 });
      }),
    ]);
    receive('INVITE');
    expect(transport.statuses).toEqual([400]);
  });

  it('one that throws after its answer: no second answer', () => {
    build([
      taker('broken', (incoming) => {
        incoming.respond(200);
        throw new Error('broken');
      }),
    ]);
    receive('INVITE');
    expect(transport.statuses).toEqual([200]);
  });

  it('§13.3.1.4: an ACK goes to the taker that knows it, errors of one included', () => {
    const heard: string[] = [];
    const withAck = (name: string, mine: boolean): RequestTaker => ({
      ...leaveAll,
      name,
      takeAck: () => {
        heard.push(name);
        return mine;
      },
    });
    build([leaveAll, withAck('a', false), withAck('b', true), withAck('c', true)]);
    receive('ACK', { toTag: 'x' });
    expect(heard).toEqual(['a', 'b']);
    expect(transport.statuses).toEqual([]);
  });
});

describe('§8.2.7, §26.3.2.4: what anybody may ask is answered once and forgotten', () => {
  const cases: [string, string, RequestParts, number][] = [
    ['an unknown method', 'FOO', {}, 501],
    ['a method that is not served', 'PUBLISH', {}, 405],
    ['another scheme', 'OPTIONS', { uri: 'http://example.com' }, 416],
    ['OPTIONS', 'OPTIONS', {}, 200],
    ['an INVITE for nobody', 'INVITE', {}, 404],
    ['a dialog that is not', 'BYE', { toTag: 'x' }, 481],
    ['a BYE without dialog', 'BYE', {}, 481],
    ['an extension that nobody knows', 'INVITE', { headers: { Require: 'teleportation' } }, 420],
  ];
  it.each(cases)('%s: no transaction, no timer, no repetition', async (_what, method, parts, status) => {
    receive(method, parts);
    expect(transport.statuses).toEqual([status]);
    expect([transactions.size, clock.pending]).toEqual([0, 0]);
    await clock.advance(64_000);
    expect(transport.statuses).toEqual([status]);
  });

  it('a header that a taker cannot read: likewise', () => {
    build([
      taker('reads', (incoming) => {
        incoming.request.headers.get('Expires');
        return true;
      }),
    ]);
    receive('INVITE', { headers: { Expires: 'soon' } });
    expect(transport.statuses).toEqual([400]);
    expect([transactions.size, clock.pending]).toEqual([0, 0]);
  });

  it('§8.2.7: a retransmission gets the same To tag', () => {
    const parts = { branch: 'z9hG4bK-again', callId: 'again' };
    receive('INVITE', parts);
    receive('INVITE', parts);
    const [first, second] = transport.responses.map(({ response }) => response.toTag);
    expect(first).toBeDefined();
    expect(second).toBe(first);
  });
});

describe('§9.2 CANCEL while takers decide', () => {
  let decide: (mine: boolean) => void;
  let seen: IncomingRequest | undefined;

  beforeEach(() => {
    build([
      taker('slow', (incoming) => {
        seen = incoming;
        return new Promise((resolve) => {
          decide = resolve;
        });
      }),
      taker('never', () => {
        throw new Error('must not be asked');
      }),
    ]);
    receive('INVITE', { branch: 'z9hG4bK-i', callId: 'i' });
  });

  const cancel = (): void => receive('CANCEL', { branch: 'z9hG4bK-i', callId: 'i' });

  it('before one has taken it: 200 and 487 at once, with one To tag', async () => {
    cancel();
    expect(transport.responses.map(({ response }) => [response.status, response.cseq.method])).toEqual([
      [200, 'CANCEL'],
      [487, 'INVITE'],
    ]);
    expect(new Set(transport.responses.map(({ response }) => response.toTag)).size).toBe(1);
    decide(false);
    await clock.settle();
    expect(transport.statuses).toEqual([200, 487]);
  });

  it('the taker sees it: signal, cancelled, answered; its own late answer goes nowhere', async () => {
    const { signal } = seen as IncomingRequest;
    cancel();
    expect([signal.aborted, seen?.cancelled, seen?.answered]).toEqual([true, true, true]);
    decide(true);
    await clock.settle();
    expect(seen?.respond(200).status).toBe(200);
    expect(transport.statuses).toEqual([200, 487]);
  });

  it('after one has taken it: 200, and the 487 is the taker’s', async () => {
    decide(true);
    await clock.settle();
    cancel();
    expect(transport.statuses).toEqual([200]);
    expect(seen?.cancelled).toBe(true);
    seen?.respond(487);
    expect(transport.statuses).toEqual([200, 487]);
  });
});

describe('IncomingRequest', () => {
  let seen: IncomingRequest;

  beforeEach(() => {
    build(
      [
        taker('all', (incoming) => {
          seen = incoming;
          return true;
        }),
      ],
      { server: 'pbxkit' },
    );
  });

  it('§8.2.6.2: one To tag for all answers, none in a 100, another on request', () => {
    receive('INVITE');
    seen.respond(100);
    seen.respond(180);
    seen.respond(183, { toTag: 'branch' });
    seen.respond(486);
    expect(transport.responses.map(({ response }) => response.toTag)).toEqual([
      undefined,
      seen.toTag,
      'branch',
      seen.toTag,
    ]);
    expect(last().headers.first('Server')).toBe('pbxkit');
  });

  it('carries headers, reason and body', () => {
    receive('INVITE');
    const sent = seen.respond(183, {
      reason: 'Ring Ring',
      headers: { 'X-A': '1' },
      body: 'v=0',
      contentType: 'application/sdp',
    });
    expect(last()).toBe(sent);
    expect([sent.reason, sent.headers.first('X-A'), sent.bodyText(), sent.headers.first('Content-Type')]).toEqual([
      'Ring Ring',
      '1',
      'v=0',
      'application/sdp',
    ]);
  });

  it('knows tenant, source and whether it is answered; a second final answer is misuse', () => {
    transport.receiveRequest(incomingRequest('INVITE'), sourceOf('tcp', '203.0.113.9'));
    expect([seen.tenantId, seen.source.remote.address, seen.answered]).toEqual(['default', '203.0.113.9', false]);
    seen.respond(486);
    expect(seen.answered).toBe(true);
    expect(() => seen.respond(487)).toThrow(expect.objectContaining({ code: 'SIP_WRONG_STATE' }));
  });
});
