import { describe, expect, it } from 'vitest';
import type { ServerEffect } from '../../src/transaction/effects.js';
import { InviteServerMachine } from '../../src/transaction/invite-server.js';
import { MachineWorld, response } from './machine-world.js';

type World = MachineWorld<ServerEffect, InviteServerMachine>;

function world(reliable: boolean): World {
  return new MachineWorld<ServerEffect, InviteServerMachine>(
    (now) => new InviteServerMachine(reliable, () => response(100), now),
  );
}

const respond =
  (status: number) =>
  (machine: InviteServerMachine, now: number): readonly ServerEffect[] =>
    machine.respond(response(status), now);

const again = (machine: InviteServerMachine): readonly ServerEffect[] => machine.onRetransmission();
const ack = (machine: InviteServerMachine, now: number): readonly ServerEffect[] => machine.onAck(now);

describe('INVITE server transaction', () => {
  it('§17.2.1: 100 leaves at 200 ms when the user is silent', () => {
    const w = world(false).until(199);
    expect(w.times('send')).toEqual([]);
    expect(w.until(10_000).times('send')).toEqual([200]);
    expect(w.machine.lastResponse?.status).toBe(100);
  });

  it('§17.2.1: no 100 when the user has answered in time', () => {
    const w = world(false).until(150).do(respond(180)).until(10_000);
    expect(w.times('send')).toEqual([150]);
  });

  it('§17.2.1: a retransmission gets the last provisional response, and nothing before there is one', () => {
    const w = world(false).until(100).do(again);
    expect(w.times('send')).toEqual([]);
    w.until(300).do(respond(180)).until(500).do(again);
    expect(w.times('send')).toEqual([200, 300, 500]);
    expect(w.machine.lastResponse?.status).toBe(180);
  });

  it('§17.2.1: timer G sends a non-2xx again from T1 up to T2; timer H gives up at 64*T1', () => {
    const w = world(false).do(respond(486)).until(60_000);
    expect(w.times('send')).toEqual([0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect(w.times('timeout')).toEqual([32_000]);
    expect(w.machine.terminated).toBe(true);
    expect(w.machine.nextDeadline).toBeUndefined();
  });

  it('§17.2.1: over a reliable transport timer G is off and timer H still runs', () => {
    const w = world(true).do(respond(486)).until(60_000);
    expect(w.times('send')).toEqual([0]);
    expect(w.times('timeout')).toEqual([32_000]);
  });

  it('§17.2.1: a retransmission in Completed gets the final response', () => {
    const w = world(false).do(respond(486)).until(100).do(again);
    expect(w.times('send')).toEqual([0, 100]);
  });

  it('§17.2.1: the ACK stops retransmissions; timer I absorbs more ACKs for T4', () => {
    const w = world(false).do(respond(486)).until(600).do(ack).until(5_599).do(ack).do(again);
    expect(w.times('acknowledged')).toEqual([600]);
    expect(w.times('send')).toEqual([0, 500]);
    expect(w.machine.state).toBe('confirmed');
    expect(w.until(5_600).machine.terminated).toBe(true);
    expect(w.times('timeout')).toEqual([]);
  });

  it('§17.2.1: timer I is zero over a reliable transport', () => {
    const w = world(true).do(respond(404)).do(ack);
    expect(w.times('acknowledged')).toEqual([0]);
    expect(w.machine.terminated).toBe(true);
    expect(w.machine.nextDeadline).toBeUndefined();
  });

  it.each([false, true])(
    'RFC 6026 §7.1: Accepted absorbs INVITEs, passes ACKs up, and ends by timer L (reliable: %s)',
    (reliable) => {
      const w = world(reliable).until(50).do(respond(200));
      w.until(500).do(again).do(ack).do(ack);
      expect(w.times('send')).toEqual([50]);
      expect(w.times('ack-to-user')).toEqual([500, 500]);
      expect(w.until(32_049).machine.state).toBe('accepted');
      expect(w.until(32_050).machine.terminated).toBe(true);
      expect(w.times('timeout')).toEqual([]);
    },
  );

  it('RFC 6026 §7.1: the user sends the 2xx again in Accepted, and nothing else', () => {
    const w = world(false).do(respond(200)).until(500).do(respond(200));
    expect(w.times('send')).toEqual([0, 500]);
    expect(w.machine.accepts(200)).toBe(true);
    expect(w.machine.accepts(180)).toBe(false);
    expect(w.machine.accepts(486)).toBe(false);
    expect(w.do(respond(486)).times('send')).toHaveLength(2);
  });

  it('§17.2.1: a second final response is refused', () => {
    const w = world(false).do(respond(486));
    expect([100, 200, 486].map((status) => w.machine.accepts(status))).toEqual([false, false, false]);
  });

  it('a user that rings for ever keeps its transaction, which needs no timer', () => {
    const w = world(false).do(respond(180)).until(1_000_000);
    expect(w.machine.state).toBe('proceeding');
    expect(w.machine.nextDeadline).toBeUndefined();
  });
});
