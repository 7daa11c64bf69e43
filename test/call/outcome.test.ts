import { describe, expect, test } from 'vitest';
import { PbxkitError } from '../../src/base/errors.js';
import { bestOutcome, inboundOutcome, modifyStatusFor, outcome, outcomeOf } from '../../src/call/outcome.js';
import type { InviteFailure } from '../../src/dialog/outgoing-invite.js';
import { createResponse, type HeaderInit } from '../../src/protocol/sip/message.js';
import { formatUri } from '../../src/protocol/sip/uri.js';
import type { Source } from '../../src/ua/target.js';

const ADDRESS = { address: '10.0.0.1', port: 5060 };
const SOURCE: Source = {
  protocol: 'udp',
  local: ADDRESS,
  remote: ADDRESS,
  flow: { protocol: 'udp', local: ADDRESS, remote: ADDRESS },
  secure: false,
  receivedAt: 0,
};

function refused(status: number, headers: HeaderInit = {}, reason?: string): InviteFailure {
  const response = createResponse(status, { headers, ...(reason === undefined ? {} : { reason }) });
  return { kind: 'response', response, source: SOURCE };
}

describe('what a refused INVITE means', () => {
  for (const [status, kind, told] of [
    [302, 'redirected', 480],
    [401, 'failed', 480],
    [403, 'rejected', 403],
    [404, 'failed', 404],
    [407, 'failed', 480],
    [408, 'no-answer', 408],
    [480, 'no-answer', 480],
    [486, 'busy', 486],
    [487, 'no-answer', 480],
    [488, 'failed', 488],
    [500, 'failed', 500],
    [600, 'busy', 600],
    [603, 'rejected', 603],
    [606, 'failed', 606],
  ] as const) {
    test(`${status}: ${kind}, the caller is told ${told}`, () => {
      expect(outcomeOf(refused(status))).toMatchObject({ kind, status: told });
    });
  }

  test('RFC 3261 §16.7 step 6: 503 of one phone is no 503 of the server', () => {
    expect(outcomeOf(refused(503, { 'Retry-After': '120' }))).toMatchObject({
      kind: 'failed',
      status: 500,
      reason: 'Server Internal Error',
    });
  });

  test('the phone’s own words pass, unless the status is another one; Reason passes (RFC 3326)', () => {
    const busy = refused(486, {}, 'In a meeting');
    if (busy.kind === 'response') busy.response.headers.setRaw('Reason', ['Q.850;cause=17', 'SIP;cause=486']);
    expect(outcomeOf(busy)).toMatchObject({
      reason: 'In a meeting',
      reasonHeaders: ['Q.850;cause=17', 'SIP;cause=486'],
    });
    expect(outcomeOf(refused(487, {}, 'Cancelled by me')).reason).toBe('Temporarily Unavailable');
  });

  test('§8.1.3.4: the contacts of a redirection, the highest q first', () => {
    const contacts = '<sip:low@a.test>;q=0.2, <sip:first@a.test>, <sip:bad@a.test>;q=x, <sip:mid@a.test>;q=0.5';
    expect(outcomeOf(refused(302, { Contact: contacts })).contacts.map(formatUri)).toEqual([
      'sip:first@a.test',
      'sip:mid@a.test',
      'sip:low@a.test',
      'sip:bad@a.test',
    ]);
  });

  test('a redirection whose Contact is missing, a star or not readable points nowhere', () => {
    for (const headers of [{}, { Contact: '*' }, { Contact: '<sip:' }] as HeaderInit[]) {
      expect(outcomeOf(refused(302, headers)).contacts).toEqual([]);
    }
  });

  test('no response at all', () => {
    const error = new PbxkitError('SIP_TRANSPORT', 'transport', 'x');
    expect(outcomeOf({ kind: 'timeout' })).toMatchObject({ kind: 'unreachable', status: 408 });
    expect(outcomeOf({ kind: 'unreachable', error, unsent: true })).toMatchObject({ kind: 'unreachable', status: 480 });
    expect(outcomeOf({ kind: 'cancelled' })).toMatchObject({ kind: 'no-answer', status: 480 });
  });
});

describe('the best of several (RFC 3261 §16.7 step 6)', () => {
  const best = (...statuses: number[]): number =>
    bestOutcome(statuses.map((status) => ({ ...outcome('failed', status) }))).status;

  test('a 6xx before all', () => {
    expect(best(486, 603, 404)).toBe(603);
  });

  test('then the lowest class', () => {
    expect(best(500, 404)).toBe(404);
  });

  test('within 4xx: 486 tells most, 408 least', () => {
    expect(best(408, 480, 486, 404)).toBe(486);
    expect(best(408, 480)).toBe(480);
    expect(best(408, 500)).toBe(408);
  });

  test('the first of equals; 480 when there is none', () => {
    expect(best(404, 480)).toBe(404);
    expect(best()).toBe(480);
  });
});

describe('a refusal of a change is told to the other side', () => {
  test.each([
    [491, 491],
    [488, 488],
    [401, 488],
    [302, 488],
    [603, 488],
    [606, 606],
    [503, 500],
  ])('%i as %i (RFC 3261 §16.7 step 6, §22.3)', (status, told) => {
    expect(modifyStatusFor(status)).toBe(told);
  });

  test('RFC 3261 §14.1: 408 as 500, because 408 would end the dialog of whoever asked', () => {
    expect(modifyStatusFor(408)).toBe(500);
  });
});

describe('how the caller’s leg ended', () => {
  for (const [status, kind] of [
    [486, 'busy'],
    [480, 'no-answer'],
    [603, 'rejected'],
    [404, 'failed'],
    [302, 'failed'],
    [500, 'failed'],
  ] as const) {
    test(`${status}: ${kind}`, () => {
      expect(inboundOutcome(status)).toBe(kind);
    });
  }
});
