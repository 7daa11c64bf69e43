import { describe, expect, test } from 'vitest';
import { PassThroughEngine } from '../../src/media/pass-through-engine.js';
import { OFFER } from '../dialog/stack.js';

describe('media end to end', () => {
  const exchange = { tenantId: 'default', callId: 'c', fromLeg: 'a', toLeg: 'b1' };

  for (const [name, sdp] of [
    ['a description', OFFER],
    ['one that no parser would take', 'v=9\nwhat is this\u0000'],
    ['an empty one', ''],
  ] as const) {
    test(`${name} passes untouched, as an offer and as an answer`, async () => {
      const engine = new PassThroughEngine();
      expect(await engine.offer({ ...exchange, sdp })).toBe(sdp);
      expect(await engine.answer({ ...exchange, sdp })).toBe(sdp);
    });
  }

  test('nothing is counted', async () => {
    const engine = new PassThroughEngine();
    expect(await engine.stats()).toEqual({ path: 'direct', streams: [] });
    expect(await engine.delete()).toEqual({ path: 'direct', streams: [] });
  });
});
