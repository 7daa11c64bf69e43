import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PbxkitError } from '../../src/base/errors.js';
import { createResponse, type HeaderInit } from '../../src/protocol/sip/message.js';
import { formatUri } from '../../src/protocol/sip/uri.js';
import { readRegisterAnswer, type SentRegister } from '../../src/trunk/register-answer.js';
import type { Source } from '../../src/ua/target.js';

const SENT: SentRegister = {
  token: 'tok',
  observed: undefined,
  expiresSeconds: 3600,
  rewriteContact: true,
  unanswered: undefined,
};

function source(protocol: Source['protocol']): Source {
  const local = { address: '192.168.1.2', port: 5060 };
  const remote = { address: '198.51.100.1', port: 5060 };
  return { protocol, local, remote, flow: { protocol, local, remote }, secure: false, receivedAt: 0 };
}

function read(
  status: number,
  headers: HeaderInit,
  sent: Partial<SentRegister> = {},
  protocol: Source['protocol'] = 'udp',
) {
  const via = `SIP/2.0/${protocol.toUpperCase()} 192.168.1.2:5060;branch=z9hG4bKx`;
  const response = createResponse(status, { headers: { Via: via, ...headers } });
  return readRegisterAnswer({ kind: 'response', response, source: source(protocol) }, { ...SENT, ...sent });
}

const seconds = (headers: HeaderInit, sent: Partial<SentRegister> = {}): unknown => {
  const { answer } = read(200, headers, sent);
  return answer.kind === 'granted' ? answer.seconds : answer;
};

describe('what was granted (RFC 3261 §10.2.4, §10.3 step 8)', () => {
  test.each<[string, HeaderInit, number]>([
    ['our Contact', { Contact: '<sip:tok@192.168.1.2:5060>;expires=59' }, 59],
    ['our Contact before Expires', { Contact: '<sip:tok@192.168.1.2:5060>;expires=59', Expires: '900' }, 59],
    [
      'among others',
      { Contact: '<sip:a@h>;expires=1, <sip:tok@192.168.1.2:5060>;expires=59, <sip:b@h>;expires=2' },
      59,
    ],
    ['rewritten by the registrar', { Contact: '<sip:tok@203.0.113.7:1024>;expires=59' }, 59],
    [
      'ours twice: the one that was sent',
      { Contact: '<sip:tok@203.0.113.7>;expires=9, <sip:tok@192.168.1.2>;expires=59' },
      59,
    ],
    ['ours twice, both elsewhere: the longer', { Contact: '<sip:tok@h1>;expires=9, <sip:tok@h2>;expires=59' }, 59],
    ['ours without a time: Expires', { Contact: '<sip:tok@192.168.1.2>', Expires: '900' }, 900],
    ['nobody of ours: Expires', { Contact: '<sip:x@h>;expires=5', Expires: '900' }, 900],
    ['one foreign contact', { Contact: '<sip:x@h>;expires=5' }, 5],
    ['one foreign contact that claims more than was asked for', { Contact: '<sip:x@h>;expires=99999' }, 3600],
    ['several foreign contacts', { Contact: '<sip:x@h>;expires=5, <sip:y@h>;expires=7' }, 3600],
    ['nothing at all', {}, 3600],
    ['0', { Contact: '<sip:tok@192.168.1.2>;expires=0' }, 0],
    ['no number', { Contact: '<sip:tok@192.168.1.2>;expires=soon', Expires: '900' }, 900],
    ['too large a number', { Contact: '<sip:tok@192.168.1.2>;expires=9999999999' }, 2 ** 32 - 1],
  ])('%s', (_, headers, expected) => {
    expect(seconds(headers)).toBe(expected);
  });
});

describe('where the registrar sees us (RFC 3581 §4)', () => {
  const seen = (via: string, sent: Partial<SentRegister> = {}, protocol: 'udp' | 'tcp' = 'udp'): unknown =>
    read(200, { Via: `SIP/2.0/${protocol.toUpperCase()} ${via};branch=z9hG4bKx` }, sent, protocol).granted.observed;

  test('UDP: another address or another port', () => {
    expect(seen('192.168.1.2:5060;received=203.0.113.7;rport=1024')).toEqual({
      protocol: 'udp',
      address: '203.0.113.7',
      port: 1024,
    });
    expect(seen('192.168.1.2:5060;received=192.168.1.2;rport=1024')).toMatchObject({
      address: '192.168.1.2',
      port: 1024,
    });
    expect(seen('192.168.1.2:5060;received=203.0.113.7')).toMatchObject({ address: '203.0.113.7', port: 5060 });
    expect(seen('192.168.1.2:5060;received=192.168.1.2;rport=5060')).toBeUndefined();
    expect(seen('[2001:db8::1]:5060;received=2001:0db8:0:0::1;rport=5060')).toBeUndefined();
    expect(seen('192.168.1.2;rport')).toBeUndefined();
  });

  test('TCP: the port of a connection says nothing, until a NAT is known', () => {
    const observed = { protocol: 'tcp', address: '203.0.113.7', port: 40_000 } as const;
    expect(seen('192.168.1.2:5060;received=192.168.1.2;rport=33333', {}, 'tcp')).toBeUndefined();
    expect(seen('192.168.1.2:5060;received=203.0.113.7;rport=40000', {}, 'tcp')).toEqual(observed);
    expect(seen('192.168.1.2:5060;received=203.0.113.7;rport=40000', { observed }, 'tcp')).toBeUndefined();
    expect(seen('192.168.1.2:5060;received=203.0.113.7;rport=40001', { observed }, 'tcp')).toEqual({
      ...observed,
      port: 40_001,
    });
    expect(seen('192.168.1.2:5060;received=203.0.113.7;rport=40000', { observed }, 'udp')).toMatchObject({
      protocol: 'udp',
    });
  });

  test('not followed when switched off, nor when it is no address', () => {
    expect(seen('192.168.1.2:5060;received=203.0.113.7;rport=1024', { rewriteContact: false })).toBeUndefined();
    expect(seen('192.168.1.2:5060;received=evil.example;rport=5060')).toBeUndefined();
    expect(seen('192.168.1.2:5060;received=192.168.1.2;rport=99999')).toBeUndefined();
  });

  test('contacts of ours that are not the new one are to be removed', () => {
    const via = 'SIP/2.0/UDP 192.168.1.2:5060;branch=z9hG4bKx;received=203.0.113.7;rport=1024';
    const contacts =
      '<sip:tok@192.168.1.2:5060>;expires=60, <sip:tok@203.0.113.7:1024>;expires=50, <sip:else@h>;expires=40';
    const { granted } = read(200, { Via: via, Contact: contacts });
    expect(granted.stale.map(({ uri }) => formatUri(uri))).toEqual(['sip:tok@192.168.1.2:5060']);
  });
});

describe('refusals', () => {
  test.each<[number, string]>([
    [401, 'wrong-password'],
    [407, 'wrong-password'],
    [403, 'forbidden'],
    [404, 'refused'],
    [603, 'refused'],
    [302, 'refused'],
    [408, 'busy'],
    [480, 'busy'],
    [500, 'busy'],
    [503, 'busy'],
  ])('%i is %s', (status, kind) => {
    expect(read(status, {}).answer).toMatchObject({ kind: 'failed', fault: { kind, status } });
  });

  test('a challenge that was not answered says why; 423 without Min-Expires is a refusal', () => {
    expect(read(401, {}, { unanswered: 'because' }).answer).toMatchObject({
      fault: { kind: 'stranger', text: '401 Unauthorized: because' },
    });
    expect(read(423, { 'Min-Expires': '900' }).answer).toEqual({ kind: 'too-brief', minSeconds: 900 });
    expect(read(423, {}).answer).toMatchObject({ fault: { kind: 'refused', status: 423 } });
  });

  test('silence and no way', () => {
    expect(readRegisterAnswer({ kind: 'timeout' }, SENT).answer).toMatchObject({ fault: { kind: 'timeout' } });
    const error = new PbxkitError('DNS_FAILED', 'transport', 'no such name');
    expect(readRegisterAnswer({ kind: 'unreachable', error, unsent: true }, SENT).answer).toMatchObject({
      fault: { kind: 'unreachable', text: 'no such name' },
    });
  });
});

test('whatever a carrier writes, an answer is read', () => {
  const text = fc.string({ maxLength: 60 }).map((each) => each.replace(/[\r\n\0]/g, ''));
  const names = ['Contact', 'Expires', 'Service-Route', 'Retry-After', 'Min-Expires', 'Via'];
  const headers = fc.dictionary(
    fc.constantFrom(...names),
    fc.oneof(
      text,
      text.map((each) => `<sip:tok@h${each}>;expires=${each}`),
    ),
  );
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 699 }), headers, (status, given) => {
      const { answer } = read(status, given);
      if (answer.kind === 'granted') expect(answer.seconds).toBeGreaterThanOrEqual(0);
      else expect(['failed', 'too-brief']).toContain(answer.kind);
    }),
    { numRuns: 500 },
  );
});
