import { describe, expect, it } from 'vitest';
import type { ClientEffect } from '../../src/transaction/effects.js';
import { InviteClientMachine } from '../../src/transaction/invite-client.js';
import { MachineWorld, response } from './machine-world.js';

function world(reliable: boolean): MachineWorld<ClientEffect, InviteClientMachine> {
  return new MachineWorld<ClientEffect, InviteClientMachine>(() => new InviteClientMachine(reliable)).do((m, now) =>
    m.start(now),
  );
}

const receive =
  (status: number) =>
  (machine: InviteClientMachine, now: number): readonly ClientEffect[] =>
    machine.onResponse(response(status), now);

describe('INVITE client transaction', () => {
  it('§17.1.1.2: timer A doubles without cap and timer B ends it at 64*T1', () => {
    const w = world(false).until(60_000);
    expect(w.times('send')).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    expect(w.times('timeout')).toEqual([32_000]);
    expect(w.machine.terminated).toBe(true);
    expect(w.machine.nextDeadline).toBeUndefined();
  });

  it('§17.1.1.2: over a reliable transport nothing is sent again, timer B runs all the same', () => {
    const w = world(true).until(31_999);
    expect(w.times('send')).toEqual([0]);
    expect(w.times('timeout')).toEqual([]);
    expect(w.until(32_000).times('timeout')).toEqual([32_000]);
  });

  it('§17.1.1.2: a provisional response stops timers A and B for good', () => {
    const w = world(false).until(600).do(receive(180)).until(600_000);
    expect(w.times('send')).toEqual([0, 500]);
    expect(w.times('timeout')).toEqual([]);
    expect(w.machine.state).toBe('proceeding');
    expect(w.machine.nextDeadline).toBeUndefined();
  });

  it('§17.1.1.2: every provisional response is passed up', () => {
    const w = world(false).do(receive(100)).do(receive(180)).do(receive(180));
    expect(w.times('deliver')).toHaveLength(3);
  });

  it.each([false, true])(
    'RFC 6026 §7.2: Accepted passes every 2xx up and nothing else until timer M at 64*T1 (reliable: %s)',
    (reliable) => {
      const w = world(reliable).until(100).do(receive(200));
      expect(w.machine.state).toBe('accepted');
      w.until(32_099).do(receive(200)).do(receive(180)).do(receive(486));
      expect(w.times('deliver')).toEqual([100, 32_099]);
      expect(w.times('ack')).toEqual([]);
      expect(w.machine.terminated).toBe(false);
      expect(w.until(32_100).machine.terminated).toBe(true);
      expect(w.do(receive(200)).times('deliver')).toHaveLength(2);
    },
  );

  it('§17.1.1.2: a final non-2xx is acknowledged first, delivered once, and acknowledged again until timer D at 32 s', () => {
    const w = world(false).until(100).do(receive(486));
    expect(w.log.slice(1)).toEqual([
      [100, 'ack'],
      [100, 'deliver'],
    ]);
    w.until(32_099).do(receive(486)).do(receive(200)).do(receive(180));
    expect(w.times('ack')).toEqual([100, 32_099]);
    expect(w.times('deliver')).toEqual([100]);
    expect(w.until(32_100).machine.terminated).toBe(true);
    expect(w.do(receive(486)).times('ack')).toHaveLength(2);
  });

  it('§17.1.1.2: timer D is zero over a reliable transport', () => {
    const w = world(true).do(receive(180)).do(receive(603));
    expect(w.times('ack')).toEqual([0]);
    expect(w.machine.terminated).toBe(true);
    expect(w.machine.nextDeadline).toBeUndefined();
  });

  it('§17.1.4: a transport error in Calling ends it and is told', () => {
    const w = world(false).do((m) => m.onTransportError());
    expect(w.times('unsent')).toEqual([0]);
    expect(w.machine.terminated).toBe(true);
  });

  it('RFC 6026 figure 5: a transport error in Proceeding or Accepted changes nothing', () => {
    const w = world(false)
      .do(receive(180))
      .do((m) => m.onTransportError());
    expect(w.machine.state).toBe('proceeding');
    w.do(receive(200)).do((m) => m.onTransportError());
    expect(w.machine.state).toBe('accepted');
    expect(w.times('unsent')).toEqual([]);
  });

  it('RFC 6026 figure 5: an ACK that cannot be sent ends Completed; the user already has its outcome', () => {
    const w = world(false)
      .do(receive(404))
      .do((m) => m.onTransportError());
    expect(w.machine.terminated).toBe(true);
    expect(w.times('unsent')).toEqual([]);
  });

  describe('§9.1 CANCEL', () => {
    it('is held until a provisional response comes', () => {
      const w = world(false)
        .do((m, now) => m.cancel(now))
        .until(700);
      expect(w.times('cancel')).toEqual([]);
      expect(w.times('send')).toEqual([0, 500]);
      w.do(receive(100));
      expect(w.log.slice(-2)).toEqual([
        [700, 'deliver'],
        [700, 'cancel'],
      ]);
    });

    it('leaves at once after a provisional response, and only once', () => {
      const w = world(false)
        .do(receive(180))
        .until(50)
        .do((m, now) => m.cancel(now))
        .do((m, now) => m.cancel(now))
        .do(receive(183));
      expect(w.times('cancel')).toEqual([50]);
    });

    it('gives up 64*T1 after the CANCEL when no final response comes', () => {
      const w = world(false)
        .do(receive(180))
        .until(1_000)
        .do((m, now) => m.cancel(now))
        .until(32_999);
      expect(w.machine.terminated).toBe(false);
      w.until(33_000);
      expect(w.times('timeout')).toEqual([33_000]);
      expect(w.machine.terminated).toBe(true);
    });

    it('a 487 ends it as any final response does', () => {
      const w = world(false)
        .do(receive(180))
        .do((m, now) => m.cancel(now))
        .until(10)
        .do(receive(487))
        .until(100_000);
      expect(w.times('ack')).toEqual([10]);
      expect(w.times('timeout')).toEqual([]);
    });

    it('a 2xx that crosses it is delivered and keeps its timer M', () => {
      const w = world(false)
        .do(receive(180))
        .do((m, now) => m.cancel(now))
        .until(10)
        .do(receive(200));
      expect(w.machine.state).toBe('accepted');
      expect(w.machine.nextDeadline).toBe(32_010);
    });

    it('never leaves when the final response comes before a provisional one', () => {
      const w = world(false)
        .do((m, now) => m.cancel(now))
        .do(receive(486))
        .until(100_000);
      expect(w.times('cancel')).toEqual([]);
    });

    it('still times out by timer B when nothing ever comes', () => {
      const w = world(false)
        .do((m, now) => m.cancel(now))
        .until(40_000);
      expect(w.times('timeout')).toEqual([32_000]);
    });

    it('means nothing after a final response', () => {
      const w = world(false)
        .do(receive(200))
        .do((m, now) => m.cancel(now));
      expect(w.times('cancel')).toEqual([]);
    });
  });
});
