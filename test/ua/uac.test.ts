import { beforeEach, describe, expect, it } from 'vitest';
import { PbxkitError } from '../../src/base/errors.js';
import { silentLogger } from '../../src/base/logger.js';
import type { SipRequest, SipResponse } from '../../src/protocol/sip/message.js';
import { createRequest } from '../../src/protocol/sip/message.js';
import { parseNameAddr } from '../../src/protocol/sip/name-addr.js';
import { responseTo } from '../../src/protocol/sip/respond.js';
import type { SipUri } from '../../src/protocol/sip/uri.js';
import { formatUri, parseUri } from '../../src/protocol/sip/uri.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { TransactionLayer } from '../../src/transaction/layer.js';
import { TransportError } from '../../src/transport/error.js';
import type { Hop } from '../../src/transport/hop.js';
import type { CredentialSource } from '../../src/ua/credential-source.js';
import { DigestClient } from '../../src/ua/digest-client.js';
import type { SendTarget } from '../../src/ua/target.js';
import { Uac } from '../../src/ua/uac.js';
import type { UacFailure, UacRequest } from '../../src/ua/uac-request.js';
import { FakeTransport, sourceOf } from '../transaction/fake-transport.js';
import { parseAuthCredentials } from './auth-text.js';

const FIRST: Hop = { protocol: 'udp', address: '198.51.100.1', port: 5060 };
const SECOND: Hop = { protocol: 'udp', address: '198.51.100.2', port: 5060 };
const ALICE: CredentialSource = { secretFor: () => ({ username: 'alice', password: 'secret' }) };

let clock: ManualClock;
let transport: FakeTransport;
let transactions: TransactionLayer;
let uac: Uac;
let resolved: string[];
let hops: readonly Hop[] | Error;
/** The hop that needs no look-up. */
let literal: Hop | undefined;

beforeEach(() => {
  clock = new ManualClock();
  transport = new FakeTransport(clock);
  const random = new SeededRandom(3);
  transactions = new TransactionLayer({ transport, scheduler: clock, random, logger: silentLogger });
  resolved = [];
  hops = [FIRST];
  literal = undefined;
  uac = new Uac({
    transactions,
    scheduler: clock,
    random,
    logger: silentLogger,
    userAgent: 'test/1',
    transport: { contactFor: (hop) => ({ host: '192.0.2.1', port: hop.protocol === 'udp' ? 5060 : 5070, params: [] }) },
    resolver: {
      resolve: async (uri: SipUri, options) => {
        resolved.push(`${formatUri(uri)}${options?.transport === undefined ? '' : ` by ${options.transport}`}`);
        if (hops instanceof Error) throw hops;
        return hops;
      },
      atOnce: () => literal,
    },
  });
});

function request(method: string, uri = 'sip:bob@example.net'): SipRequest {
  return createRequest({
    method,
    uri,
    headers: {
      From: '<sip:alice@example.org>;tag=a1',
      To: '<sip:bob@example.net>',
      'Call-ID': 'u1',
      CSeq: { sequence: 10, method },
    },
  });
}

interface Heard {
  readonly uac: UacRequest;
  readonly provisional: number[];
  readonly success: string[];
  readonly failures: UacFailure[];
  readonly retries: SipRequest[];
}

function send(sent: SipRequest, target: SendTarget = {}): Heard {
  const heard = {
    provisional: [] as number[],
    success: [] as string[],
    failures: [] as UacFailure[],
    retries: [] as SipRequest[],
  };
  const outgoing = uac.send(sent, target, {
    onProvisional: (response) => heard.provisional.push(response.status),
    onSuccess: (response) => heard.success.push(response.toTag ?? ''),
    onFailure: (failure) => heard.failures.push(failure),
    onRetry: (retry) => heard.retries.push(retry),
  });
  return { uac: outgoing, ...heard };
}

function lastSent(): SipRequest {
  const last = transport.requests.at(-1);
  if (last === undefined) throw new Error('nothing was sent');
  return last.request;
}

function answer(status: number, options: { toTag?: string; headers?: Record<string, string> } = {}): void {
  transport.receiveResponse(responseTo(lastSent(), status, { toTag: 'bob', ...options }));
}

/** Statuses of the failures that are responses, else their kind and error code. */
function outcome(heard: Heard): (number | string)[] {
  return heard.failures.map((failure) => {
    if (failure.kind === 'response') return failure.response.status;
    return failure.kind === 'unreachable' ? failure.error.code : failure.kind;
  });
}

const addresses = (): string[] => transport.requests.map(({ hop }) => hop.address);
const challenge = (more = ''): Record<string, string> => ({
  'WWW-Authenticate': `Digest realm="example.net", nonce="n1", algorithm=MD5, qop="auth"${more}`,
});

describe('§8.1.1 what a request gets', () => {
  it('Via, Max-Forwards and User-Agent; the caller’s object stays as it was', async () => {
    const mine = request('OPTIONS');
    const heard = send(mine);
    await clock.settle();
    const sent = lastSent();
    expect(sent.branch).toMatch(/^z9hG4bK./);
    expect(sent.headers.get('Max-Forwards')).toBe(70);
    expect(sent.headers.first('User-Agent')).toBe('test/1');
    expect(['Via', 'Max-Forwards', 'User-Agent'].some((name) => mine.headers.has(name))).toBe(false);
    expect(heard.uac.request).toBe(sent);
  });

  it('a Max-Forwards that is there stays', async () => {
    const mine = request('OPTIONS');
    mine.headers.set('Max-Forwards', 12);
    send(mine);
    await clock.settle();
    expect(lastSent().headers.get('Max-Forwards')).toBe(12);
  });

  it('§8.1.1.8: a Contact for the hop, anew for each', async () => {
    hops = [FIRST, { ...SECOND, protocol: 'tcp' }];
    send(request('INVITE'), { contactUser: '100' });
    await clock.settle();
    expect(lastSent().headers.raw('Contact')).toEqual(['<sip:100@192.0.2.1:5060>']);
    answer(503);
    expect(lastSent().method).toBe('INVITE');
    expect(lastSent().headers.raw('Contact')).toEqual(['<sip:100@192.0.2.1:5070>']);
    expect(transport.methods).toEqual(['INVITE', 'ACK', 'INVITE']);
  });
});

describe('§8.1.2 the next hop', () => {
  it('is the Request-URI without a route', async () => {
    send(request('OPTIONS'), { transport: 'tcp' });
    await clock.settle();
    expect(resolved).toEqual(['sip:bob@example.net by tcp']);
  });

  it('is the top Route of a pre-loaded route set, which the request carries', async () => {
    send(request('INVITE'), {
      route: [parseNameAddr('<sip:edge.example.net;lr>'), parseNameAddr('<sip:core.example.net;lr>')],
    });
    await clock.settle();
    expect(resolved).toEqual(['sip:edge.example.net;lr']);
    expect(
      lastSent()
        .headers.get('Route')
        ?.map(({ uri }) => formatUri(uri)),
    ).toEqual(['sip:edge.example.net;lr', 'sip:core.example.net;lr']);
    expect(lastSent().requestUri).toBe('sip:bob@example.net');
  });

  it('is a Route that the request already has', async () => {
    const mine = request('OPTIONS');
    mine.headers.setRaw('Route', '<sip:own.example.net;lr>');
    send(mine);
    await clock.settle();
    expect(resolved).toEqual(['sip:own.example.net;lr']);
  });

  it('§12.2.1.1: is the strict router that the dialog names', async () => {
    const strict = parseUri('sip:strict.example.net') as SipUri;
    send(request('BYE', 'sip:strict.example.net'), { route: [parseNameAddr('<sip:bob@host>')], nextHop: strict });
    await clock.settle();
    expect(resolved).toEqual(['sip:strict.example.net']);
    expect(lastSent().headers.raw('Route')).toEqual(['<sip:bob@host>']);
  });

  it('RFC 5626 §5.3: is the flow when there is one, and nothing is resolved', () => {
    const { flow } = sourceOf('udp', '203.0.113.5');
    send(request('OPTIONS'), { flow });
    expect(resolved).toEqual([]);
    expect(transport.requests[0]?.hop).toEqual({ protocol: 'udp', address: '203.0.113.5', port: 5060, flow });
  });

  it('RFC 5626 §5.3: by a connection too, at once: the name of the Request-URI is not looked up', () => {
    const { flow } = sourceOf('tcp', '203.0.113.5');
    send(request('INVITE'), { flow });
    expect([resolved, addresses()]).toEqual([[], ['203.0.113.5']]);
  });

  it('RFC 3263 §4.3: a connection that died is left for the next hop’s own address', async () => {
    const { flow } = sourceOf('tcp', '203.0.113.5');
    transport.dead.add('203.0.113.5');
    const heard = send(request('INVITE'), { flow });
    await clock.advance(1);
    expect([resolved, addresses()]).toEqual([['sip:bob@example.net'], ['203.0.113.5', FIRST.address]]);
    answer(486);
    expect(outcome(heard)).toEqual([486]);
  });

  it.each([
    ['behind a NAT', 'tcp', true],
    ['over UDP', 'udp', false],
  ] as const)('RFC 5626 §5.3: %s the flow is the only way', async (_what, protocol, flowOnly) => {
    const { flow } = sourceOf(protocol, '203.0.113.5');
    transport.dead.add('203.0.113.5');
    const heard = send(request('INVITE'), { flow, flowOnly });
    await clock.advance(1);
    expect([resolved, addresses()]).toEqual([[], ['203.0.113.5']]);
    expect(outcome(heard)).toEqual(['SIP_TRANSPORT']);
  });

  it.each([503, 500, 486])(
    '§8.1.3.4: what answered %d by its connection is not asked again elsewhere',
    async (status) => {
      const { flow } = sourceOf('tcp', '203.0.113.5');
      const heard = send(request('INVITE'), { flow });
      answer(status);
      await clock.settle();
      expect([resolved, transport.methods]).toEqual([[], ['INVITE', 'ACK']]);
      expect(outcome(heard)).toEqual([status]);
    },
  );

  it('RFC 3966: a tel URI without a route leads nowhere', async () => {
    const heard = send(request('INVITE', 'tel:+15551234'));
    await clock.settle();
    expect(outcome(heard)).toEqual(['SIP_NO_ROUTE']);
  });

  it('a name without address: the resolver’s error', async () => {
    hops = new PbxkitError('DNS_FAILED', 'transport', 'no such name');
    const heard = send(request('OPTIONS'));
    await clock.settle();
    expect(outcome(heard)).toEqual(['DNS_FAILED']);
    hops = [];
    const none = send(request('OPTIONS'));
    await clock.settle();
    expect(outcome(none)).toEqual(['SIP_NO_ROUTE']);
  });
});

describe('a hop that needs no look-up', () => {
  it('the request leaves before send() has returned, and so does the ACK', () => {
    literal = FIRST;
    send(request('INVITE'));
    uac.ack(request('ACK'), {});
    expect(transport.methods).toEqual(['INVITE', 'ACK']);
    expect(resolved).toEqual([]);
  });

  it('a failure of it is still told later', async () => {
    literal = FIRST;
    transport.outgoing = () => {
      throw new PbxkitError('PBX_INVALID_ARGUMENT', 'misuse', 'found headers of 70014 bytes');
    };
    const heard = send(request('OPTIONS'));
    expect(outcome(heard)).toEqual([]);
    await clock.advance(1);
    expect(outcome(heard)).toEqual(['PBX_INVALID_ARGUMENT']);
  });
});

describe('§8.1.3.1: a request that cannot be sent', () => {
  const { flow } = sourceOf('udp', '203.0.113.5');
  it.each([
    ['resolved', {}],
    ['by a flow', { flow }],
  ])(
    '%s, because it cannot be written: INVITE fails afterwards, ACK is given up, nothing is thrown',
    async (_what, target) => {
      transport.outgoing = () => {
        throw new PbxkitError('PBX_INVALID_ARGUMENT', 'misuse', 'found headers of 70014 bytes');
      };
      const heard = send(request('INVITE'), target);
      expect(outcome(heard)).toEqual([]);
      const ack = uac.ack(request('ACK'), target);
      await clock.settle();
      await clock.advance(1);
      ack.resend();
      expect(outcome(heard)).toEqual(['PBX_INVALID_ARGUMENT']);
      expect([transport.requests, transactions.size, clock.pending]).toEqual([[], 0, 0]);
    },
  );

  it('a user that throws when it is told harms nobody: no rejection is left unhandled', async () => {
    hops = new PbxkitError('DNS_FAILED', 'transport', 'no such name');
    let told = 0;
    uac.send(
      request('INVITE'),
      {},
      {
        onSuccess: () => {},
        onFailure: () => {
          told++;
          throw new Error('the user');
        },
      },
    );
    await clock.settle();
    await clock.advance(1);
    expect(told).toBe(1);
  });
});

describe('RFC 3263 §4.3 failover', () => {
  beforeEach(() => {
    hops = [FIRST, SECOND];
  });

  it('after a transport error: the next hop, in a new transaction', async () => {
    transport.dead.add(FIRST.address);
    const heard = send(request('OPTIONS'));
    await clock.advance(0);
    expect(addresses()).toEqual([FIRST.address, SECOND.address]);
    const [one, two] = transport.requests;
    expect(two?.request.branch).not.toBe(one?.request.branch);
    expect(two?.request.cseq).toEqual(one?.request.cseq);
    answer(200);
    expect(heard.success).toEqual(['bob']);
    expect(heard.failures).toEqual([]);
  });

  it('after a timeout', async () => {
    const heard = send(request('OPTIONS'));
    await clock.advance(32_000);
    expect(addresses().filter((address) => address === FIRST.address)).toHaveLength(11);
    expect(addresses().at(-1)).toBe(SECOND.address);
    await clock.advance(32_000);
    expect(outcome(heard)).toEqual(['timeout']);
    expect([transactions.size, clock.pending]).toEqual([0, 0]);
  });

  it('after 503', async () => {
    const heard = send(request('OPTIONS'));
    await clock.settle();
    answer(503);
    expect(addresses()).toEqual([FIRST.address, SECOND.address]);
    answer(503);
    expect(outcome(heard)).toEqual([503]);
  });

  it.each([404, 486, 500, 603])('not after %i', async (status) => {
    const heard = send(request('INVITE'));
    await clock.settle();
    answer(status);
    expect(addresses().every((address) => address === FIRST.address)).toBe(true);
    expect(outcome(heard)).toEqual([status]);
  });

  it('when no hop takes it: unreachable', async () => {
    transport.dead.add(FIRST.address).add(SECOND.address);
    const heard = send(request('INVITE'));
    await clock.advance(0);
    expect(outcome(heard)).toEqual(['SIP_TRANSPORT']);
  });

  it.each([
    [[true, true], true],
    [[false, true], false],
    [[true, false], false],
  ])('it tells whether a hop can have seen it: unsent %j comes to %j', async (each, unsent) => {
    hops = [FIRST, SECOND];
    const plain = transport.outgoing.bind(transport);
    transport.outgoing = (sent, hop, handlers) => {
      const failure = { protocol: 'tcp' as const, remote: { address: hop.address, port: hop.port } };
      const error = new TransportError(failure, 'lost', {
        unsent: each[hop.address === FIRST.address ? 0 : 1] === true,
      });
      return { ...plain(sent, hop, handlers), send: () => void clock.after(0, () => handlers.onError(error)) };
    };
    const heard = send(request('INVITE'));
    await clock.advance(0);
    expect(heard.failures).toMatchObject([{ kind: 'unreachable', unsent }]);
  });

  it('§18.1.1: a hop that refused TCP, chosen for the size only, is tried by UDP before the next', async () => {
    class Switched extends PbxkitError {
      readonly sizeSwitched = true;
    }
    const plain = transport.outgoing.bind(transport);
    transport.outgoing = (each, hop, handlers) => {
      const outgoing = plain(each, hop, handlers);
      if (hop.forceProtocol === true || hop.address !== FIRST.address) return outgoing;
      const fail = (): void => handlers.onError(new Switched('SIP_TRANSPORT', 'transport', 'refused'));
      return { ...outgoing, send: () => void clock.after(0, fail) };
    };
    send(request('OPTIONS'));
    await clock.advance(0);
    expect(transport.requests.map(({ hop }) => [hop.address, hop.forceProtocol])).toEqual([[FIRST.address, true]]);
  });
});

describe('§22 digest', () => {
  it('answers 401 once: same Call-ID and From tag, CSeq + 1, new branch, same hop', async () => {
    const heard = send(request('REGISTER'), { credentials: ALICE });
    await clock.settle();
    const first = lastSent();
    answer(401, { headers: challenge() });
    const second = lastSent();
    expect(second.cseq).toEqual({ sequence: 11, method: 'REGISTER' });
    expect(second.callId).toBe(first.callId);
    expect(second.fromTag).toBe(first.fromTag);
    expect(second.toTag).toBeUndefined();
    expect(second.branch).not.toBe(first.branch);
    expect(second.headers.raw('Via')).toHaveLength(1);
    expect(parseAuthCredentials(second, 'Authorization')).toMatchObject({ username: '"alice"', nc: '00000001' });
    expect(heard.retries.map(({ cseq }) => cseq.sequence)).toEqual([11]);
    answer(200);
    expect(heard.success).toEqual(['bob']);
    expect(heard.uac.request).toBe(second);
  });

  it('a second 401 is the result: the password is wrong', async () => {
    const heard = send(request('REGISTER'), { credentials: ALICE });
    await clock.settle();
    answer(401, { headers: challenge() });
    answer(401, { headers: challenge() });
    expect(outcome(heard)).toEqual([401]);
    expect(transport.requests).toHaveLength(2);
  });

  it('stale=true gets one more try', async () => {
    const heard = send(request('REGISTER'), { credentials: ALICE });
    await clock.settle();
    answer(401, { headers: challenge() });
    answer(401, { headers: challenge(', stale=true') });
    expect(lastSent().cseq.sequence).toBe(12);
    answer(401, { headers: challenge(', stale=true') });
    expect(outcome(heard)).toEqual([401]);
  });

  it('ES2021-05: without credentials of this target a challenge is a failure', async () => {
    const heard = send(request('INVITE'));
    await clock.settle();
    answer(407, { headers: { 'Proxy-Authenticate': 'Digest realm="trunk", nonce="n", qop="auth"' } });
    expect(outcome(heard)).toEqual([407]);
    expect(transport.methods).toEqual(['INVITE', 'ACK']);
  });

  it('a challenge that cannot be read is a failure, not an exception', async () => {
    const heard = send(request('INVITE'), { credentials: ALICE });
    await clock.settle();
    answer(407, { headers: { 'Proxy-Authenticate': 'Digest realm="unclosed' } });
    expect(outcome(heard)).toEqual([407]);
  });

  it('a client that is kept sends credentials at once the next time', async () => {
    const digest = new DigestClient({ credentials: ALICE, random: new SeededRandom(4) });
    send(request('REGISTER'), { digest });
    await clock.settle();
    answer(401, { headers: challenge() });
    answer(200);
    send(request('REGISTER'), { digest });
    await clock.settle();
    expect(parseAuthCredentials(lastSent(), 'Authorization')).toMatchObject({ nc: '00000002' });
    answer(401, { headers: challenge() });
    expect(lastSent().cseq.sequence).toBe(11);
  });
});

describe('INVITE', () => {
  it('RFC 6026 §7.2: every 2xx is told, forks and repetitions', async () => {
    const heard = send(request('INVITE'));
    await clock.settle();
    answer(180);
    answer(200, { toTag: 'one' });
    answer(200, { toTag: 'two' });
    answer(200, { toTag: 'one' });
    expect(heard.provisional).toEqual([180]);
    expect(heard.success).toEqual(['one', 'two', 'one']);
    expect(heard.failures).toEqual([]);
  });

  it('§13.2.2.4: a 2xx after timer M goes to the listener for its Call-ID and From tag, else to the general ones', async () => {
    send(request('INVITE'));
    await clock.settle();
    const late = responseTo(lastSent(), 200, { toTag: 'late' });
    answer(200);
    await clock.advance(32_000);
    const heard: string[] = [];
    const note = (name: string, mine: boolean) => (response: SipResponse) => {
      heard.push(`${name} ${response.toTag}`);
      return mine;
    };
    const undoOther = uac.onStray(note('other', true), { callId: 'another', fromTag: 'a1' });
    uac.onStray(note('general', false));
    const undo = uac.onStray(note('keyed', true), { callId: 'u1', fromTag: 'a1' });
    transport.receiveResponse(late);
    undo();
    undoOther();
    transport.receiveResponse(late);
    expect(heard).toEqual(['keyed late', 'general late']);
  });

  it('RFC 6026 §7.2: stray responses that are no 2xx to an INVITE are dropped', () => {
    let heard = 0;
    uac.onStray(() => {
      heard++;
      return true;
    });
    const unknown = request('INVITE');
    unknown.headers.setRaw('Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKgone');
    transport.receiveResponse(responseTo(unknown, 486));
    const options = request('OPTIONS');
    options.headers.setRaw('Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKgone');
    transport.receiveResponse(responseTo(options, 200));
    expect(heard).toBe(0);
  });

  it('§9.1: cancel goes by CANCEL; the 487 is the failure, no other hop is tried', async () => {
    hops = [FIRST, SECOND];
    const heard = send(request('INVITE'));
    await clock.settle();
    answer(180);
    const invite = lastSent();
    heard.uac.cancel({ Reason: 'SIP;cause=200' });
    expect(transport.lastRequest('CANCEL').headers.first('Reason')).toBe('SIP;cause=200');
    transport.receiveResponse(responseTo(invite, 487, { toTag: 'bob' }));
    expect(outcome(heard)).toEqual([487]);
  });

  it('§9.1: no failover and no digest retry after a cancel', async () => {
    hops = [FIRST, SECOND];
    const heard = send(request('INVITE'), { credentials: ALICE });
    await clock.settle();
    heard.uac.cancel();
    answer(503);
    expect(outcome(heard)).toEqual([503]);
    const challenged = send(request('INVITE'), { credentials: ALICE });
    await clock.settle();
    challenged.uac.cancel();
    answer(401, { headers: challenge() });
    expect(outcome(challenged)).toEqual([401]);
  });

  it('a cancel before the hop is known: nothing is sent, and the failure follows', async () => {
    const heard = send(request('INVITE'));
    heard.uac.cancel();
    expect(heard.failures).toEqual([]);
    await clock.advance(0);
    expect(outcome(heard)).toEqual(['PBX_ABORTED']);
    expect(transport.requests).toEqual([]);
  });

  it('a 200 that crosses the CANCEL is a success', async () => {
    const heard = send(request('INVITE'));
    await clock.settle();
    answer(180);
    const invite = lastSent();
    heard.uac.cancel();
    transport.receiveResponse(responseTo(invite, 200, { toTag: 'bob' }));
    expect(heard.success).toEqual(['bob']);
    expect(heard.failures).toEqual([]);
  });

  it('cancel means nothing to other methods', async () => {
    const heard = send(request('OPTIONS'));
    await clock.settle();
    answer(100);
    heard.uac.cancel();
    expect(transport.methods).toEqual(['OPTIONS']);
  });
});

describe('§13.2.2.4 ack', () => {
  it('goes out once the hop is known and again as the same bytes; a resend before that is nothing', async () => {
    const ack = uac.ack(request('ACK'), {});
    ack.resend();
    expect(transport.requests).toEqual([]);
    await clock.settle();
    ack.resend();
    expect(transport.methods).toEqual(['ACK', 'ACK']);
    expect(transport.requests[0]?.request).toBe(transport.requests[1]?.request);
    expect([transactions.size, clock.pending]).toEqual([0, 0]);
  });

  it('goes to the next hop when the first cannot be sent to', async () => {
    hops = [FIRST, SECOND];
    transport.dead.add(FIRST.address);
    uac.ack(request('ACK'), {});
    await clock.settle();
    expect(addresses()).toEqual([FIRST.address, SECOND.address]);
  });

  it('that found no way is sent anew when the 2xx comes again', async () => {
    transport.dead.add(FIRST.address);
    const ack = uac.ack(request('ACK'), {});
    await clock.settle();
    expect(addresses()).toEqual([FIRST.address]);
    transport.dead.delete(FIRST.address);
    ack.resend();
    await clock.settle();
    ack.resend();
    expect(addresses()).toEqual([FIRST.address, FIRST.address, FIRST.address]);
    const [, second, third] = transport.requests;
    expect(third?.request).toBe(second?.request);
  });

  it('by a flow: at once; when the connection has died, to the address of the dialog’s target', async () => {
    const { flow } = sourceOf('tcp', '203.0.113.5');
    uac.ack(request('ACK'), { flow });
    expect([resolved, addresses()]).toEqual([[], ['203.0.113.5']]);
    transport.dead.add('203.0.113.5');
    uac.ack(request('ACK'), { flow });
    await clock.settle();
    expect(addresses()).toEqual(['203.0.113.5', '203.0.113.5', FIRST.address]);
    uac.ack(request('ACK'), { flow, flowOnly: true });
    await clock.settle();
    expect(addresses()).toHaveLength(4);
  });
});

describe('request()', () => {
  it('resolves with any final response', async () => {
    const result = uac.request(request('OPTIONS'), {});
    await clock.settle();
    answer(404);
    expect(await result).toMatchObject({ kind: 'response', response: { status: 404 } });
  });

  it('resolves with the timeout', async () => {
    const result = uac.request(request('OPTIONS'), {});
    await clock.advance(32_000);
    expect(await result).toEqual({ kind: 'timeout' });
  });

  it('rejects with AbortedError when the signal fires, and hears nothing more', async () => {
    const abort = new AbortController();
    const result = uac.request(request('OPTIONS'), {}, { signal: abort.signal });
    await clock.settle();
    abort.abort(new Error('enough'));
    await expect(result).rejects.toMatchObject({ code: 'PBX_ABORTED', kind: 'aborted' });
    answer(200);
    await clock.advance(32_000);
    expect([transactions.size, clock.pending]).toEqual([0, 0]);
  });

  it('sends nothing when the signal has fired before', async () => {
    const result = uac.request(request('OPTIONS'), {}, { signal: AbortSignal.abort() });
    await expect(result).rejects.toMatchObject({ code: 'PBX_ABORTED' });
    await clock.settle();
    expect(transport.requests).toEqual([]);
  });

  it('aborted while the name is looked up: nothing is sent', async () => {
    const abort = new AbortController();
    const result = uac.request(request('OPTIONS'), {}, { signal: abort.signal });
    abort.abort();
    await expect(result).rejects.toMatchObject({ code: 'PBX_ABORTED' });
    await clock.settle();
    expect(transport.requests).toEqual([]);
  });
});
