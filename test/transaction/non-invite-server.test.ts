import { describe, expect, it } from 'vitest';
import type { ServerEffect } from '../../src/transaction/effects.js';
import { NonInviteServerMachine } from '../../src/transaction/non-invite-server.js';
import { MachineWorld, response } from './machine-world.js';

type World = MachineWorld<ServerEffect, NonInviteServerMachine>;

function world(reliable: boolean): World {
  return new MachineWorld<ServerEffect, NonInviteServerMachine>(
    (now) => new NonInviteServerMachine(reliable, () => response(100), now),
  );
}

const respond =
  (status: number) =>
  (machine: NonInviteServerMachine, now: number): readonly ServerEffect[] =>
    machine.respond(response(status), now);

const again = (machine: NonInviteServerMachine): readonly ServerEffect[] => machine.onRetransmission();

describe('non-INVITE server transaction', () => {
  it('§17.2.2: retransmissions in Trying are dropped', () => {
    expect(world(false).until(500).do(again).log).toEqual([]);
  });

  it('§17.2.2: retransmissions in Completed get the final response until timer J at 64*T1', () => {
    const w = world(false).until(100).do(respond(200)).until(32_099).do(again);
    expect(w.times('send')).toEqual([100, 32_099]);
    expect(w.until(32_100).machine.terminated).toBe(true);
    expect(w.do(again).times('send')).toHaveLength(2);
  });

  it('§17.2.2: timer J is zero over a reliable transport', () => {
    const w = world(true).do(respond(404));
    expect(w.times('send')).toEqual([0]);
    expect(w.machine.terminated).toBe(true);
    expect(w.machine.nextDeadline).toBeUndefined();
  });

  it.each([false, true])(
    'RFC 4320 §4.1: a 100 leaves at 3.5 s, when timer E of the client has come to T2 (reliable: %s)',
    (reliable) => {
      const w = world(reliable).until(3_499);
      expect(w.times('send')).toEqual([]);
      w.until(7_500).do(again);
      expect(w.times('send')).toEqual([3_500, 7_500]);
      expect(w.machine.lastResponse?.status).toBe(100);
    },
  );

  it('RFC 4320 §4.1: other provisional responses are never sent, and no early 100 over UDP', () => {
    const w = world(false).do(respond(180)).do(respond(100));
    expect(w.log).toEqual([]);
    expect(world(true).do(respond(183)).do(respond(100)).times('send')).toEqual([0]);
  });

  it('RFC 4320 §4.2: a 408 is not sent and retransmissions are absorbed', () => {
    const w = world(false).until(4_000).do(respond(408)).until(5_000).do(again);
    expect(w.times('send')).toEqual([3_500]);
    expect(w.machine.state).toBe('completed');
    expect(w.until(36_000).machine.terminated).toBe(true);
  });

  it('RFC 4320 §4.2: what has no answer when the client has given up never gets one', () => {
    const w = world(false).until(31_999);
    expect(w.times('timeout')).toEqual([]);
    w.until(32_000).do(respond(200));
    expect(w.times('timeout')).toEqual([32_000]);
    expect(w.times('send')).toEqual([3_500]);
    expect(w.machine.terminated).toBe(true);
    expect(w.machine.nextDeadline).toBeUndefined();
  });

  it('§17.2.2: a second final response is refused', () => {
    const w = world(false).do(respond(200));
    expect(w.machine.accepts(404)).toBe(false);
    expect(w.do(respond(404)).times('send')).toEqual([0]);
  });
});
