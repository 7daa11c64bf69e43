import { describe, expect, it } from 'vitest';
import type { Hop } from '../../src/transport/hop.js';
import { FailedHops } from '../../src/ua/failed-hops.js';

const hop = (n: number, protocol: Hop['protocol'] = 'udp'): Hop => ({ protocol, address: `192.0.2.${n}`, port: 5060 });
const [A, B, C] = [hop(1), hop(2), hop(3)];

describe('hops that failed', () => {
  it('are put behind the others for half a minute, in their order, and not refused', () => {
    const failed = new FailedHops();
    expect(failed.order([A, B, C], 0)).toEqual([A, B, C]);
    failed.failed(A, 0);
    expect(failed.order([A, B, C], 29_999)).toEqual([B, C, A]);
    failed.failed(B, 10_000);
    expect(failed.order([A, B, C], 20_000)).toEqual([C, A, B]);
    expect(failed.order([A], 20_000)).toEqual([A]);
    expect(failed.order([A, B, C], 30_000)).toEqual([A, C, B]);
    expect(failed.order([A, B, C], 40_000)).toEqual([A, B, C]);
  });

  it('one by another transport is another', () => {
    const failed = new FailedHops();
    failed.failed(A, 0);
    expect(failed.order([A, hop(1, 'tcp')], 1)).toEqual([hop(1, 'tcp'), A]);
  });

  it('an answer clears it', () => {
    const failed = new FailedHops();
    failed.failed(A, 0);
    failed.answered(A);
    expect(failed.order([A, B], 1)).toEqual([A, B]);
  });

  it('RFC 3261 §21.5.4: for as long as Retry-After says, five minutes at most', () => {
    const failed = new FailedHops();
    failed.failed(A, 0, 2);
    expect(failed.order([A, B], 1_999)).toEqual([B, A]);
    expect(failed.order([A, B], 2_000)).toEqual([A, B]);
    failed.failed(A, 0, 4_294_967_295);
    expect(failed.order([A, B], 299_999)).toEqual([B, A]);
    expect(failed.order([A, B], 300_000)).toEqual([A, B]);
  });
});
