import { describe, expect, test } from 'vitest';
import { SuccessRetransmission } from '../../src/dialog/success-retransmission.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

function begin() {
  const clock = new ManualClock({ startMs: 1000 });
  const sent: number[] = [];
  const givenUp: number[] = [];
  const retransmission = new SuccessRetransmission({
    scheduler: clock,
    send: () => sent.push(clock.now() - 1000),
    giveUp: () => givenUp.push(clock.now() - 1000),
  });
  return { clock, sent, givenUp, retransmission };
}

describe('retransmission of a 2xx (RFC 3261 §13.3.1.4)', () => {
  test('starts at T1, doubles up to T2, and gives up at 64·T1 without another copy', async () => {
    const { clock, sent, givenUp } = begin();
    await clock.advance(60_000);
    expect(sent).toEqual([500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect(givenUp).toEqual([32_000]);
    expect(clock.pending).toBe(0);
  });

  test('the ACK stops it, and its timer', async () => {
    const { clock, sent, givenUp, retransmission } = begin();
    await clock.advance(1600);
    retransmission.stop();
    expect(clock.pending).toBe(0);
    await clock.advance(60_000);
    expect([sent, givenUp]).toEqual([[500, 1500], []]);
  });

  test('stopping while a copy is sent holds', async () => {
    const clock = new ManualClock();
    const retransmission: SuccessRetransmission = new SuccessRetransmission({
      scheduler: clock,
      send: () => retransmission.stop(),
      giveUp: () => {
        throw new Error('given up');
      },
    });
    await clock.advance(60_000);
    expect(clock.pending).toBe(0);
  });
});
