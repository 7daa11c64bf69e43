import { describe, expect, test } from 'vitest';
import { CallLog, type LegStart } from '../../src/call/call-record.js';
import { ManualClock, WORLD_EPOCH_MS } from '../../src/testing/manual-clock.js';

const leg = (id: string): LegStart => ({
  id,
  direction: id === 'a' ? 'inbound' : 'outbound',
  number: '100',
  uri: 'sip:100@office.test',
  sipCallId: `wire-${id}`,
});

function begin() {
  const clock = new ManualClock();
  const log = new CallLog(clock, { id: 'c1', tenantId: 'default', caller: '100', called: '101' });
  log.addLeg(leg('a'));
  return { clock, log };
}

describe('the record of a call', () => {
  test('has the times of each leg, and talks from the answer to the end', async () => {
    const { clock, log } = begin();
    await clock.advance(100);
    log.addLeg(leg('b1'));
    await clock.advance(400);
    log.ringing('b1');
    await clock.advance(2000);
    log.answered('b1');
    log.answered('a');
    log.callAnswered();
    await clock.advance(60_000);
    log.endLeg('a', { outcome: 'answered', releasedBy: 'this-party' });
    log.endLeg('b1', { outcome: 'answered', releasedBy: 'other-party', cause: 'why not' });
    log.endCall();
    expect(log.record).toEqual({
      id: 'c1',
      tenantId: 'default',
      caller: '100',
      called: '101',
      startedAt: WORLD_EPOCH_MS,
      answeredAt: WORLD_EPOCH_MS + 2500,
      endedAt: WORLD_EPOCH_MS + 62_500,
      talkMs: 60_000,
      legs: [
        {
          ...leg('a'),
          startedAt: WORLD_EPOCH_MS,
          answeredAt: WORLD_EPOCH_MS + 2500,
          endedAt: WORLD_EPOCH_MS + 62_500,
          outcome: 'answered',
          releasedBy: 'this-party',
        },
        {
          ...leg('b1'),
          startedAt: WORLD_EPOCH_MS + 100,
          ringingAt: WORLD_EPOCH_MS + 500,
          answeredAt: WORLD_EPOCH_MS + 2500,
          endedAt: WORLD_EPOCH_MS + 62_500,
          outcome: 'answered',
          releasedBy: 'other-party',
          cause: 'why not',
        },
      ],
    });
  });

  test('each fact is written once: what comes later changes nothing', async () => {
    const { clock, log } = begin();
    log.ringing('a');
    log.answered('a');
    log.callAnswered();
    log.endLeg('a', { outcome: 'busy', releasedBy: 'this-party', status: 486 });
    log.endCall();
    const before = log.record;
    await clock.advance(1000);
    log.ringing('a');
    log.answered('a');
    log.callAnswered();
    log.endLeg('a', { outcome: 'failed', releasedBy: 'network' });
    log.endCall();
    expect(log.record).toEqual(before);
  });

  test('a leg that was answered for a transfer and is not joined yet ends with the call (simulation, seed 487)', () => {
    const { log } = begin();
    log.addLeg(leg('b2'));
    log.answered('b2');
    log.endCall();
    log.endLeg('b2', { outcome: 'failed', releasedBy: 'server' });
    const [, second] = log.record.legs;
    expect(second).toMatchObject({ outcome: 'cancelled', releasedBy: 'other-party', endedAt: expect.any(Number) });
  });

  test('a call that nobody answered has talked for 0 ms', async () => {
    const { clock, log } = begin();
    await clock.advance(5000);
    log.endCall();
    expect(log.record.talkMs).toBe(0);
    expect(log.record.answeredAt).toBeUndefined();
  });

  test('talking time does not follow a wall clock that is set', async () => {
    const clock = new ManualClock();
    const scope = clock.scope();
    const log = new CallLog(scope, { id: 'c1', tenantId: 'default', caller: '100', called: '101' });
    log.callAnswered();
    await clock.advance(30_000);
    scope.jumpWallTime(-3_600_000);
    log.endCall();
    expect(log.record.talkMs).toBe(30_000);
  });

  test('a record that was given out does not change any more', () => {
    const { log } = begin();
    const before = log.record;
    log.endLeg('a', { outcome: 'busy', releasedBy: 'server' });
    expect(before.legs[0]?.endedAt).toBeUndefined();
  });

  test('resumed in another process it goes on counting, also over the time in between', async () => {
    const { clock, log } = begin();
    log.callAnswered();
    await clock.advance(10_000);
    const copy = JSON.parse(JSON.stringify(log.record)) as typeof log.record;
    const later = new ManualClock({ startMs: 5, wallTimeMs: WORLD_EPOCH_MS + 25_000 });
    const resumed = CallLog.resume(
      later,
      copy,
      copy.legs.map(({ id }) => id),
    );
    expect(resumed.record).toEqual(copy);
    await later.advance(5000);
    resumed.endCall();
    expect(resumed.record.talkMs).toBe(30_000);
  });

  test('resumed in another process, a leg that rang for a transfer has ended with the first one', () => {
    const { log } = begin();
    log.addLeg({ id: 'b9', direction: 'outbound', number: '102', uri: 'sip:102@x', sipCallId: 'c9' });
    const later = new ManualClock();
    const resumed = CallLog.resume(
      later,
      log.record,
      log.record.legs.map(({ id }) => id).filter((id) => id !== 'b9'),
    );
    expect(resumed.record.legs.find(({ id }) => id === 'b9')).toMatchObject({
      outcome: 'failed',
      releasedBy: 'server',
      endedAt: later.wallTime(),
    });
    expect(resumed.record.legs.filter(({ endedAt }) => endedAt !== undefined)).toHaveLength(1);
  });

  test('a leg that does not exist is a bug', () => {
    const { log } = begin();
    expect(() => log.ringing('b9')).toThrow('call c1 has no leg b9');
  });
});
