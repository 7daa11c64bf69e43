import { type CallRecord, createPbx } from 'pbxkit';
import { createWorld } from 'pbxkit/testing';
import { expect, test } from 'vitest';

test('Bob answers after five seconds and talks for a minute', async () => {
  const world = createWorld({ seed: 1, loss: 0.05, delayMs: [5, 40] });
  const pbx = world.use(
    createPbx({
      domain: 'office.example',
      listen: ['udp://192.0.2.1:5060'],
      extensions: [
        { number: '100', name: 'Alice', password: 'a' },
        { number: '101', name: 'Bob', password: 'b' },
      ],
      ...world.ports,
    }),
  );
  const records: CallRecord[] = [];
  pbx.on('call.ended', ({ record }) => records.push(record));
  const alice = world.phone('sip:100@office.example', { password: 'a' });
  const bob = world.phone('sip:101@office.example', { password: 'b', behindNat: true });
  await world.run(() => Promise.all([pbx.start(), alice.register(), bob.register()]));

  const call = alice.call('101');
  await world.until(bob.ringing);
  await world.advance({ seconds: 5 });
  bob.calls[0]?.answer();
  await world.until(call.talking());
  await world.advance({ minutes: 1 });
  call.hangUp();
  await world.until(() => records.length > 0);

  expect(records).toMatchObject([
    {
      caller: '100',
      called: '101',
      legs: [
        { direction: 'inbound', outcome: 'answered', releasedBy: 'this-party' },
        { direction: 'outbound', outcome: 'answered', releasedBy: 'other-party' },
      ],
    },
  ]);
  expect(records[0]?.talkMs).toBeGreaterThanOrEqual(60_000);
  await world.close();
  expect(world.leaks()).toEqual([]);
});
