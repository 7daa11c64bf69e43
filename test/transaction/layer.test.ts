import { beforeEach, describe, expect, it } from 'vitest';
import type { PbxkitError } from '../../src/base/errors.js';
import { silentLogger } from '../../src/base/logger.js';
import type { SipRequest, SipResponse } from '../../src/protocol/sip/message.js';
import { responseTo } from '../../src/protocol/sip/respond.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import {
  type ClientTransaction,
  type ServerTransaction,
  TransactionLayer,
  type TransactionLimits,
} from '../../src/transaction/layer.js';
import type { Hop } from '../../src/transport/hop.js';
import { FakeTransport, sourceOf } from './fake-transport.js';
import { incomingRequest, outgoingRequest } from './messages.js';

const UDP: Hop = { protocol: 'udp', address: '192.0.2.9', port: 5060 };
const TCP: Hop = { protocol: 'tcp', address: '192.0.2.9', port: 5060 };

let clock: ManualClock;
let transport: FakeTransport;
let layer: TransactionLayer;
let incoming: ServerTransaction[];
let acks: SipRequest[];
let strays: SipResponse[];

function build(limits: Partial<TransactionLimits> = {}): void {
  clock = new ManualClock();
  transport = new FakeTransport(clock);
  layer = new TransactionLayer({
    transport,
    scheduler: clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    limits,
  });
  incoming = [];
  acks = [];
  strays = [];
  layer.handle({ onRequest: (transaction) => incoming.push(transaction), onAck: (ack) => acks.push(ack) });
  layer.handle({ onStrayResponse: (response) => strays.push(response) });
}

beforeEach(() => build());

/** Every transaction gone, and with it every timer. */
function expectEmpty(): void {
  expect(layer.size).toBe(0);
  expect(clock.pending).toBe(0);
}

interface Heard {
  readonly transaction: ClientTransaction;
  readonly statuses: number[];
  readonly events: string[];
  error?: PbxkitError;
}

function send(request: SipRequest, hop: Hop = UDP): Heard {
  const statuses: number[] = [];
  const events: string[] = [];
  const heard: Heard = {
    statuses,
    events,
    transaction: layer.request(request, hop, {
      onResponse: (response) => statuses.push(response.status),
      onTimeout: () => events.push('timeout'),
      onTransportError: (error) => {
        heard.error = error;
        events.push('error');
      },
      onTerminated: () => events.push('terminated'),
    }),
  };
  return heard;
}

function answer(heard: Heard, status: number, toTag = 'bob'): void {
  transport.receiveResponse(responseTo(heard.transaction.request, status, { toTag }));
}

function first(): ServerTransaction {
  const transaction = incoming[0];
  if (transaction === undefined) throw new Error('no request came up');
  return transaction;
}

function respond(transaction: ServerTransaction, status: number): void {
  transaction.respond(responseTo(transaction.request, status, { toTag: transaction.toTag }));
}

describe('client side', () => {
  it('§8.1.1.7: a request without Via gets one with a fresh branch, and the caller’s object stays as it was', () => {
    const request = outgoingRequest('OPTIONS');
    const a = send(request).transaction.request;
    const b = send(request).transaction.request;
    expect(request.headers.has('Via')).toBe(false);
    expect(a.branch).toMatch(/^z9hG4bK./);
    expect(b.branch).not.toBe(a.branch);
  });

  it('§17.1.3: a response reaches the transaction with its branch and CSeq method, others are stray', () => {
    const a = send(outgoingRequest('OPTIONS'));
    const b = send(outgoingRequest('OPTIONS'));
    answer(b, 200);
    expect([a.statuses, b.statuses]).toEqual([[], [200]]);
    transport.receiveResponse(responseTo(incomingRequest('OPTIONS', { branch: 'z9hG4bK-unknown' }), 200));
    expect(strays.map(({ status }) => status)).toEqual([200]);
  });

  it('a successful INVITE is released after timer M, an unsuccessful one after timer D, other requests after timer K', () => {
    const invite = send(outgoingRequest('INVITE'));
    answer(invite, 200);
    clock.advanceSync(31_999);
    expect(layer.size).toBe(1);
    clock.advanceSync(1);
    expect(invite.events).toEqual(['terminated']);
    expectEmpty();
    const busy = send(outgoingRequest('INVITE'));
    answer(busy, 486);
    clock.advanceSync(32_000);
    expect(busy.events).toEqual(['terminated']);
    expectEmpty();
    const options = send(outgoingRequest('OPTIONS'));
    answer(options, 200);
    clock.advanceSync(5_000);
    expect(options.events).toEqual(['terminated']);
    expectEmpty();
  });

  it('over TCP a finished transaction is released at once', () => {
    answer(send(outgoingRequest('OPTIONS'), TCP), 200);
    answer(send(outgoingRequest('INVITE'), TCP), 404);
    expectEmpty();
  });

  it('RFC 6026 §7.2: every 2xx of a forked INVITE comes up until timer M; afterwards it is stray', () => {
    const invite = send(outgoingRequest('INVITE'));
    answer(invite, 200, 'one');
    answer(invite, 200, 'two');
    answer(invite, 200, 'one');
    expect(invite.statuses).toEqual([200, 200, 200]);
    expect(transport.methods).toEqual(['INVITE']);
    clock.advanceSync(32_000);
    answer(invite, 200, 'one');
    expect(invite.statuses).toHaveLength(3);
    expect(strays.map(({ toTag }) => toTag)).toEqual(['one']);
  });

  it('§17.1.1.3: the ACK to a non-2xx has the INVITE’s Request-URI, Via, Route, From, Call-ID and CSeq number, and the response’s To', () => {
    const invite = send(outgoingRequest('INVITE', { Route: '<sip:proxy.example;lr>', Require: '100rel' }));
    answer(invite, 180, 'bob');
    answer(invite, 486, 'bob');
    const ack = transport.lastRequest('ACK');
    const { request } = invite.transaction;
    expect(ack.requestUri).toBe(request.requestUri);
    expect(ack.headers.raw('Via')).toEqual(request.headers.raw('Via'));
    expect(ack.headers.raw('Route')).toEqual(['<sip:proxy.example;lr>']);
    expect(ack.headers.raw('From')).toEqual(request.headers.raw('From'));
    expect(ack.headers.raw('To')).toEqual(['<sip:bob@192.0.2.9>;tag=bob']);
    expect(ack.callId).toBe('out-1');
    expect(ack.cseq).toEqual({ sequence: 7, method: 'ACK' });
    expect(ack.headers.get('Max-Forwards')).toBe(70);
    expect(ack.headers.has('Require')).toBe(false);
  });

  it('§17.1.1.2: the ACK goes again for each retransmission, by the same hop', () => {
    const invite = send(outgoingRequest('INVITE'));
    answer(invite, 486);
    answer(invite, 486);
    expect(invite.statuses).toEqual([486]);
    const sent = transport.requests.filter(({ request }) => request.method === 'ACK');
    expect(sent.map(({ request }) => request.branch)).toEqual([
      invite.transaction.request.branch,
      invite.transaction.request.branch,
    ]);
    expect(sent.map(({ hop }) => [hop.protocol, hop.address, hop.forceProtocol])).toEqual([
      ['udp', '192.0.2.9', true],
      ['udp', '192.0.2.9', true],
    ]);
  });

  it('timer B: the user hears of the timeout, then of the end', () => {
    const invite = send(outgoingRequest('INVITE'));
    clock.advanceSync(32_000);
    expect(transport.requests.map(({ at }) => at)).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    expect(invite.events).toEqual(['timeout', 'terminated']);
    expectEmpty();
  });

  it('§17.1.4: an error in sending is told, never before request() has returned, and the transaction is gone', () => {
    transport.dead.add('192.0.2.9');
    const heard = send(outgoingRequest('OPTIONS'));
    expect(heard.events).toEqual([]);
    clock.advanceSync(0);
    expect(heard.events).toEqual(['error', 'terminated']);
    expect(heard.error?.code).toBe('SIP_TRANSPORT');
    expectEmpty();
  });

  it('a user that throws harms nobody: the transaction goes on', () => {
    const transaction = layer.request(outgoingRequest('INVITE'), UDP, {
      onResponse: () => {
        throw new Error('broken user');
      },
      onTimeout: () => {},
      onTransportError: () => {},
    });
    transport.receiveResponse(responseTo(transaction.request, 486, { toTag: 'b' }));
    expect(transport.methods).toEqual(['INVITE', 'ACK']);
    clock.advanceSync(32_000);
    expectEmpty();
  });

  it('a user that cancels from within a response handler sends one CANCEL', () => {
    const transaction = layer.request(outgoingRequest('INVITE'), UDP, {
      onResponse: () => transaction.cancel(),
      onTimeout: () => {},
      onTransportError: () => {},
    });
    transport.receiveResponse(responseTo(transaction.request, 180, { toTag: 'b' }));
    transport.receiveResponse(responseTo(transaction.request, 180, { toTag: 'b' }));
    expect(transport.methods).toEqual(['INVITE', 'CANCEL']);
  });

  describe('§9.1 CANCEL', () => {
    it('has the INVITE’s Request-URI, Route, To, From, Call-ID, CSeq number and one Via, and no Require', () => {
      const invite = send(
        outgoingRequest('INVITE', { Route: '<sip:proxy.example;lr>', Require: '100rel', 'Proxy-Require': 'x' }),
      );
      invite.transaction.cancel({ Reason: 'SIP;cause=200;text="Call completed elsewhere"' });
      expect(transport.methods).toEqual(['INVITE']);
      answer(invite, 180);
      const cancel = transport.lastRequest('CANCEL');
      const { request } = invite.transaction;
      expect(cancel.requestUri).toBe(request.requestUri);
      expect(cancel.headers.raw('Via')).toEqual(request.headers.raw('Via'));
      expect(cancel.headers.raw('Route')).toEqual(['<sip:proxy.example;lr>']);
      expect(cancel.headers.raw('To')).toEqual(request.headers.raw('To'));
      expect(cancel.headers.raw('From')).toEqual(request.headers.raw('From'));
      expect(cancel.cseq).toEqual({ sequence: 7, method: 'CANCEL' });
      expect(cancel.headers.raw('Reason')).toEqual(['SIP;cause=200;text="Call completed elsewhere"']);
      expect(cancel.headers.has('Require')).toBe(false);
      expect(cancel.headers.has('Proxy-Require')).toBe(false);
    });

    it('is a transaction of its own: sent again by timer E, its 200 is not the INVITE’s', () => {
      const invite = send(outgoingRequest('INVITE'));
      answer(invite, 180);
      invite.transaction.cancel();
      clock.advanceSync(500);
      expect(transport.methods).toEqual(['INVITE', 'CANCEL', 'CANCEL']);
      transport.receiveResponse(responseTo(transport.lastRequest('CANCEL'), 200));
      expect(invite.statuses).toEqual([180]);
      answer(invite, 487);
      expect(invite.statuses).toEqual([180, 487]);
      clock.advanceSync(32_000);
      expect(invite.events).toEqual(['terminated']);
      expectEmpty();
    });

    it('gives up 64*T1 later when the INVITE gets no final response', () => {
      const invite = send(outgoingRequest('INVITE'));
      answer(invite, 180);
      clock.advanceSync(1_000);
      invite.transaction.cancel();
      transport.receiveResponse(responseTo(transport.lastRequest('CANCEL'), 200));
      clock.advanceSync(31_999);
      expect(invite.events).toEqual([]);
      clock.advanceSync(1);
      expect(invite.events).toEqual(['timeout', 'terminated']);
      expectEmpty();
    });

    it('does nothing to another method', () => {
      const options = send(outgoingRequest('OPTIONS'));
      answer(options, 100);
      options.transaction.cancel();
      expect(transport.methods).toEqual(['OPTIONS']);
    });
  });

  it('§13.2.2.4: the ACK to a 2xx has its own branch and no transaction; it can be sent again as it was', () => {
    const ack = layer.sendAck(outgoingRequest('ACK'), UDP);
    ack.resend();
    expect(layer.size).toBe(0);
    const [one, two] = transport.requests;
    expect(one?.request.branch).toMatch(/^z9hG4bK./);
    expect(two?.request).toBe(one?.request);
  });
});

describe('server side', () => {
  it('§17.2.3: a retransmission does not come up again and gets the last response', () => {
    transport.receiveRequest(incomingRequest('OPTIONS'));
    transport.receiveRequest(incomingRequest('OPTIONS'));
    expect(incoming).toHaveLength(1);
    respond(first(), 200);
    transport.receiveRequest(incomingRequest('OPTIONS'));
    expect(incoming).toHaveLength(1);
    expect(transport.statuses).toEqual([200, 200]);
    expect(transport.responses[1]?.response).toBe(transport.responses[0]?.response);
  });

  it('§17.2.1: 100 at 200 ms, without To tag', () => {
    transport.receiveRequest(incomingRequest('INVITE'));
    clock.advanceSync(199);
    expect(transport.statuses).toEqual([]);
    clock.advanceSync(1);
    expect(transport.statuses).toEqual([100]);
    expect(transport.lastResponse.toTag).toBeUndefined();
  });

  it('the To tag is one for all answers; within a dialog it is the request’s', () => {
    transport.receiveRequest(incomingRequest('INVITE'));
    expect(first().toTag).toBe(first().toTag);
    transport.receiveRequest(incomingRequest('BYE', { toTag: 'mine', branch: 'z9hG4bK-2' }));
    expect(incoming[1]?.toTag).toBe('mine');
  });

  it('a second final response is refused, a 2xx of an INVITE may be sent again', () => {
    transport.receiveRequest(incomingRequest('INVITE'));
    respond(first(), 200);
    respond(first(), 200);
    expect(transport.statuses).toEqual([200, 200]);
    expect(() => respond(first(), 486)).toThrow(expect.objectContaining({ code: 'SIP_WRONG_STATE', kind: 'misuse' }));
  });

  it('§17.2.1: the ACK to a non-2xx stays here and is told to the transaction’s user', () => {
    transport.receiveRequest(incomingRequest('INVITE'));
    let heard = 0;
    first().onAck(() => heard++);
    respond(first(), 486);
    transport.receiveRequest(incomingRequest('ACK', { toTag: first().toTag }));
    transport.receiveRequest(incomingRequest('ACK', { toTag: first().toTag }));
    expect([heard, acks.length]).toEqual([1, 0]);
    clock.advanceSync(5_000);
    expect(transport.statuses).toEqual([486]);
    expectEmpty();
  });

  it('§13.3.1.4: the ACK to a 2xx has another branch and goes up', () => {
    transport.receiveRequest(incomingRequest('INVITE'));
    respond(first(), 200);
    transport.receiveRequest(incomingRequest('ACK', { branch: 'z9hG4bK-own', toTag: first().toTag }));
    expect(acks).toHaveLength(1);
  });

  it('RFC 6026 §6: an ACK that matches the transaction in Accepted goes up too (RFC 2543 clients)', () => {
    transport.receiveRequest(incomingRequest('INVITE', { branch: '' }));
    respond(first(), 200);
    transport.receiveRequest(incomingRequest('ACK', { branch: '', toTag: first().toTag }));
    expect(acks).toHaveLength(1);
  });

  it('§17.2.3: an RFC 2543 ACK finds its INVITE by the To tag of the response', () => {
    transport.receiveRequest(incomingRequest('INVITE', { branch: '1' }));
    respond(first(), 486);
    transport.receiveRequest(incomingRequest('ACK', { branch: '1', toTag: 'foreign' }));
    expect(first().state).toBe('completed');
    transport.receiveRequest(incomingRequest('ACK', { branch: '1', toTag: first().toTag }));
    expect(first().state).toBe('confirmed');
  });

  it('timer H: the user hears that no ACK came', () => {
    transport.receiveRequest(incomingRequest('INVITE'));
    const events: string[] = [];
    first().onTimeout(() => events.push('timeout'));
    first().onTerminated(() => events.push('terminated'));
    respond(first(), 486);
    clock.advanceSync(32_000);
    expect(events).toEqual(['timeout', 'terminated']);
    expectEmpty();
  });

  it('a successful INVITE is released after timer L', () => {
    transport.receiveRequest(incomingRequest('INVITE'));
    respond(first(), 200);
    clock.advanceSync(31_999);
    expect(layer.size).toBe(1);
    clock.advanceSync(1);
    expectEmpty();
  });

  it('over TCP a finished request is released at once', () => {
    transport.receiveRequest(incomingRequest('OPTIONS'), sourceOf('tcp'));
    respond(first(), 200);
    expectEmpty();
  });

  it('RFC 6026 §6: a response that cannot be sent is told, and retransmissions are still absorbed', () => {
    transport.receiveRequest(incomingRequest('INVITE'));
    const errors: string[] = [];
    first().onTransportError((error) => errors.push(error.code));
    transport.failResponses = true;
    respond(first(), 200);
    transport.receiveRequest(incomingRequest('INVITE'));
    expect(errors).toEqual(['SIP_TRANSPORT']);
    expect(incoming).toHaveLength(1);
    expect(first().state).toBe('accepted');
  });

  it.each(['OPTIONS', 'INVITE'])(
    'the end of %s is told to whoever asks, before the final response or after, and once',
    (method) => {
      const told: string[] = [];
      transport.receiveRequest(incomingRequest(method));
      first().onTerminated(() => told.push('asked before'));
      respond(first(), 200);
      first().onTerminated(() => {
        throw new Error('broken user');
      });
      first().onTerminated(() => told.push('asked after'));
      clock.advanceSync(31_999);
      expect([told, first().state]).toEqual([[], method === 'INVITE' ? 'accepted' : 'completed']);
      clock.advanceSync(60_000);
      expect([told, first().state]).toEqual([['asked before', 'asked after'], 'terminated']);
      expectEmpty();
    },
  );

  it('RFC 4320 §4.2: an answer after the client has given up is dropped without a word', () => {
    transport.receiveRequest(incomingRequest('OPTIONS'));
    clock.advanceSync(32_000);
    expectEmpty();
    respond(first(), 200);
    expect(transport.statuses).toEqual([100]);
  });

  it('a handler that throws: 500, once', () => {
    layer.handle({
      onRequest: () => {
        throw new Error('broken user');
      },
    });
    transport.receiveRequest(incomingRequest('OPTIONS'));
    expect(transport.statuses).toEqual([500]);
    expect(transport.lastResponse.toTag).toBeDefined();
  });

  describe('§8.2.7, §26.3.2.4: an answer that is sent once', () => {
    const refused = (parts: Parameters<typeof incomingRequest>[1] = {}): ServerTransaction => {
      transport.receiveRequest(incomingRequest('INVITE', parts));
      const transaction = incoming.at(-1) as ServerTransaction;
      transaction.respondOnce(responseTo(transaction.request, 407, { toTag: transaction.statelessTag }));
      return transaction;
    };

    it('leaves no transaction and no timer, and is not repeated without an ACK', async () => {
      const ended: string[] = [];
      transport.receiveRequest(incomingRequest('INVITE'));
      const [transaction] = incoming as [ServerTransaction];
      transaction.onTerminated(() => ended.push('ended'));
      transaction.respondOnce(responseTo(transaction.request, 407, { toTag: transaction.statelessTag }));
      expectEmpty();
      expect(ended).toEqual(['ended']);
      await clock.advance(64_000);
      expect(transport.statuses).toEqual([407]);
    });

    it('a retransmission is a new request and gets the same To tag; another request another one', () => {
      refused();
      refused();
      refused({ branch: 'z9hG4bK-other', callId: 'other' });
      const tags = transport.responses.map(({ response }) => response.toTag);
      expect(tags[0]).toMatch(/^[0-9a-f]{16}$/);
      expect(tags[1]).toBe(tags[0]);
      expect(tags[2]).not.toBe(tags[0]);
      expect(incoming).toHaveLength(3);
    });

    it('another server gives another tag: it cannot be guessed', () => {
      refused();
      const first = transport.lastResponse.toTag;
      const other = new FakeTransport(clock);
      const seen: ServerTransaction[] = [];
      new TransactionLayer({
        transport: other,
        scheduler: clock,
        random: new SeededRandom(2),
        logger: silentLogger,
      }).handle({ onRequest: (transaction) => seen.push(transaction) });
      other.receiveRequest(incomingRequest('INVITE'));
      expect(seen[0]?.statelessTag).not.toBe(first);
    });

    it('§8.2.6.2: within a dialog it is the request’s own tag', () => {
      transport.receiveRequest(incomingRequest('INVITE', { toTag: 'mine' }));
      expect(incoming[0]?.statelessTag).toBe('mine');
    });

    it('the ACK to it belongs to nobody', () => {
      const { request } = refused();
      transport.receiveRequest(incomingRequest('ACK', { branch: request.branch ?? '' }));
      expect(transport.statuses).toEqual([407]);
      expectEmpty();
    });

    it('a second answer is misuse', () => {
      const transaction = refused();
      const again = responseTo(transaction.request, 200, { toTag: 't' });
      expect(() => transaction.respondOnce(again)).toThrow(expect.objectContaining({ code: 'SIP_WRONG_STATE' }));
      expect(() => transaction.respond(again)).toThrow(expect.objectContaining({ code: 'SIP_WRONG_STATE' }));
    });
  });

  describe('§9.2 CANCEL', () => {
    it('is answered 200 at once with the To tag of the INVITE’s answers, and told once', () => {
      transport.receiveRequest(incomingRequest('INVITE'));
      const reasons: string[] = [];
      first().onCancel((cancel) => reasons.push(cancel.headers.first('Reason') ?? ''));
      transport.receiveRequest(incomingRequest('CANCEL', { headers: { Reason: 'SIP;cause=200' } }));
      transport.receiveRequest(incomingRequest('CANCEL', { headers: { Reason: 'SIP;cause=200' } }));
      expect(reasons).toEqual(['SIP;cause=200']);
      expect(first().cancelled).toBe(true);
      expect(transport.statuses).toEqual([200, 200]);
      expect(transport.lastResponse.cseq.method).toBe('CANCEL');
      expect(transport.lastResponse.toTag).toBe(first().toTag);
      respond(first(), 487);
      expect(transport.lastResponse.toTag).toBe(first().toTag);
    });

    it('takes the tag that the user has answered with', () => {
      transport.receiveRequest(incomingRequest('INVITE'));
      first().respond(responseTo(first().request, 180, { toTag: 'leg' }));
      transport.receiveRequest(incomingRequest('CANCEL'));
      expect(transport.lastResponse.toTag).toBe('leg');
    });

    it('has no effect once a final response has been sent', () => {
      transport.receiveRequest(incomingRequest('INVITE'));
      let heard = 0;
      first().onCancel(() => heard++);
      respond(first(), 200);
      transport.receiveRequest(incomingRequest('CANCEL'));
      expect(transport.statuses).toEqual([200, 200]);
      expect([heard, first().cancelled]).toEqual([0, false]);
    });

    it('§8.2.7: one that matches nothing leaves nothing behind, and gets the same To tag each time', () => {
      for (let i = 0; i < 2; i++) transport.receiveRequest(incomingRequest('CANCEL', { branch: 'z9hG4bK-stray' }));
      expect([transport.statuses, layer.size]).toEqual([[481, 481], 0]);
      const [one, two] = transport.responses.map(({ response }) => response.toTag);
      expect(one).toMatch(/./);
      expect(two).toBe(one);
    });

    it('is answered 481 when it matches nothing, and never comes up as a request', () => {
      transport.receiveRequest(incomingRequest('CANCEL'));
      expect(transport.statuses).toEqual([481]);
      expect(transport.lastResponse.toTag).toBeDefined();
      expect(incoming).toEqual([]);
    });

    it('matches an RFC 2543 INVITE', () => {
      transport.receiveRequest(incomingRequest('INVITE', { branch: '' }));
      transport.receiveRequest(incomingRequest('CANCEL', { branch: '' }));
      expect(transport.statuses).toEqual([200]);
      expect(first().cancelled).toBe(true);
    });
  });

  describe('limit', () => {
    beforeEach(() => build({ serverTransactions: 10, retryAfterSeconds: 7 }));

    const fill = (count: number): void => {
      for (let i = 0; i < count; i++) transport.receiveRequest(incomingRequest('OPTIONS', { branch: `z9hG4bK-f${i}` }));
    };

    it('§21.5.4: a new request beyond it is answered 503 with Retry-After and leaves nothing behind', () => {
      fill(11);
      expect(incoming).toHaveLength(10);
      expect(transport.statuses).toEqual([503]);
      expect(transport.lastResponse.headers.first('Retry-After')).toBe('7');
      expect(layer.size).toBe(10);
    });

    it('requests within dialogs have a tenth more room', () => {
      fill(10);
      transport.receiveRequest(incomingRequest('BYE', { branch: 'z9hG4bK-b1', toTag: 'x' }));
      transport.receiveRequest(incomingRequest('BYE', { branch: 'z9hG4bK-b2', toTag: 'x' }));
      expect(incoming).toHaveLength(11);
      expect(transport.statuses).toEqual([503]);
    });

    it('what is answered and only lingers has ten times the room, and its retransmissions are known', async () => {
      for (let i = 0; i < 100; i++) {
        transport.receiveRequest(incomingRequest('OPTIONS', { branch: `z9hG4bK-l${i}` }));
        respond(incoming.at(-1) ?? expect.fail('refused'), 200);
      }
      expect([incoming.length, layer.size]).toEqual([100, 100]);
      transport.receiveRequest(incomingRequest('OPTIONS', { branch: 'z9hG4bK-more' }));
      expect(transport.lastResponse.status).toBe(503);
      transport.receiveRequest(incomingRequest('OPTIONS', { branch: 'z9hG4bK-l3' }));
      expect([incoming.length, transport.lastResponse.status]).toEqual([100, 200]);
      await clock.advance(32_000);
      expect(layer.size).toBe(0);
      fill(1);
      expect(incoming).toHaveLength(101);
    });

    it('a CANCEL is heeded all the same', () => {
      transport.receiveRequest(incomingRequest('INVITE'));
      fill(9);
      transport.receiveRequest(incomingRequest('CANCEL'));
      expect(transport.statuses).toEqual([200]);
      expect(first().cancelled).toBe(true);
      expect(layer.size).toBe(10);
    });
  });
});

describe('close', () => {
  it('leaves no timer, and whoever waits for an answer hears so', () => {
    const invite = send(outgoingRequest('INVITE'));
    const accepted = send(outgoingRequest('INVITE'));
    answer(accepted, 200);
    transport.receiveRequest(incomingRequest('INVITE'));
    layer.close();
    expect(invite.events).toEqual(['error', 'terminated']);
    expect(accepted.events).toEqual([]);
    expectEmpty();
    respond(first(), 200);
    transport.receiveRequest(incomingRequest('OPTIONS', { branch: 'z9hG4bK-new' }));
    expect(transport.statuses).toEqual([]);
    expect(incoming).toHaveLength(1);
  });

  it('a request afterwards fails and is not sent', () => {
    layer.close();
    const heard = send(outgoingRequest('OPTIONS'));
    clock.advanceSync(0);
    expect(heard.events).toEqual(['error', 'terminated']);
    expect(transport.requests).toEqual([]);
    expectEmpty();
  });
});
