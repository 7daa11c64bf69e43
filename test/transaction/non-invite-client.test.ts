import { describe, expect, it } from 'vitest';
import type { ClientEffect } from '../../src/transaction/effects.js';
import { NonInviteClientMachine } from '../../src/transaction/non-invite-client.js';
import { MachineWorld, response } from './machine-world.js';

function world(reliable: boolean): MachineWorld<ClientEffect, NonInviteClientMachine> {
  return new MachineWorld<ClientEffect, NonInviteClientMachine>(() => new NonInviteClientMachine(reliable)).do(
    (m, now) => m.start(now),
  );
}

const receive =
  (status: number) =>
  (machine: NonInviteClientMachine, now: number): readonly ClientEffect[] =>
    machine.onResponse(response(status), now);

describe('non-INVITE client transaction', () => {
  it('§17.1.2.2: timer E doubles up to T2 and timer F ends it at 64*T1', () => {
    const w = world(false).until(60_000);
    expect(w.times('send')).toEqual([0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect(w.times('timeout')).toEqual([32_000]);
    expect(w.machine.terminated).toBe(true);
    expect(w.machine.nextDeadline).toBeUndefined();
  });

  it('§17.1.2.2: in Proceeding timer E is reset to T2 each time it fires', () => {
    const w = world(false).until(600).do(receive(100)).until(60_000);
    expect(w.times('send')).toEqual([0, 500, 1_500, 5_500, 9_500, 13_500, 17_500, 21_500, 25_500, 29_500]);
    expect(w.times('timeout')).toEqual([32_000]);
  });

  it('§17.1.2.2: over a reliable transport nothing is sent again', () => {
    const w = world(true).until(60_000);
    expect(w.times('send')).toEqual([0]);
    expect(w.times('timeout')).toEqual([32_000]);
  });

  it('§17.1.2.2: one final response is delivered; timer K ends Completed after T4', () => {
    const w = world(false).until(100).do(receive(200)).until(5_099).do(receive(200)).do(receive(404));
    expect(w.times('deliver')).toEqual([100]);
    expect(w.machine.state).toBe('completed');
    expect(w.until(5_100).machine.terminated).toBe(true);
    expect(w.times('send')).toEqual([0]);
  });

  it('§17.1.2.2: timer K is zero over a reliable transport', () => {
    const w = world(true).do(receive(100)).do(receive(503));
    expect(w.times('deliver')).toHaveLength(2);
    expect(w.machine.terminated).toBe(true);
    expect(w.machine.nextDeadline).toBeUndefined();
  });

  it.each([undefined, 100])(
    '§17.1.4: a transport error before the final response ends it and is told (after %s)',
    (status) => {
      const w = world(false);
      if (status !== undefined) w.do(receive(status));
      w.do((m) => m.onTransportError());
      expect(w.times('unsent')).toEqual([0]);
      expect(w.machine.terminated).toBe(true);
    },
  );

  it('§17.1.4: a transport error after the final response is nobody’s concern', () => {
    const w = world(false)
      .do(receive(200))
      .do((m) => m.onTransportError());
    expect(w.times('unsent')).toEqual([]);
    expect(w.machine.state).toBe('completed');
  });
});
