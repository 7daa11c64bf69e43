import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRequest } from '../../src/protocol/sip/message.js';
import { sipUri } from '../../src/protocol/sip/uri.js';
import { DEFAULT_MAX_BREADTH, maxBreadth, splitBreadth } from '../../src/ua/max-breadth.js';

function request(breadth?: string) {
  const headers = breadth === undefined ? {} : { 'Max-Breadth': breadth };
  return createRequest({ method: 'INVITE', uri: sipUri({ host: 'office.test' }), headers });
}

describe('RFC 5393 §5.3: Max-Breadth', () => {
  test('RFC 5393 §5.3.3.1: a request without it counts as 60', () => {
    expect([maxBreadth(request()), maxBreadth(request('7')), DEFAULT_MAX_BREADTH]).toEqual([60, 7, 60]);
  });

  test('what is no number is the sender’s fault', () => {
    expect(() => maxBreadth(request('many'))).toThrow(/Max-Breadth/);
  });

  test('RFC 5393 §5.3.3.2: parallel branches share what there is, and none gets 0', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 200 }), (breadth, branches) => {
        const shares = splitBreadth(breadth, branches);
        if (shares === undefined) return branches > breadth;
        const sum = shares.reduce((total, share) => total + share, 0);
        return shares.length === branches && sum === breadth && Math.min(...shares) >= 1;
      }),
    );
  });
});
