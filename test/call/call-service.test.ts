import { describe, expect } from 'vitest';
import { officeScenario } from '../support/office.js';
import { ListJournal } from './ports.js';

describe('the journal of established calls (architecture decision 11)', () => {
  const journal = new ListJournal();
  officeScenario(
    'a call is written when it is answered and changed, and goes when it ends',
    { pbx: { journal } },
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call } = await office.talk(alice, bob);
      expect(journal.told).toEqual(['save']);
      const [snapshot] = [...journal.saved.values()];
      expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
      expect(snapshot).toMatchObject({
        record: { caller: '100', called: '101' },
        inbound: { legId: 'a', session: { dialog: { role: 'uas', state: 'confirmed' } } },
        outbound: { legId: 'b1', session: { dialog: { role: 'uac', state: 'confirmed' } } },
      });
      await world.run(() => call.hold());
      await world.advance({ ms: 100 });
      expect(journal.told).toEqual(['save', 'save']);
      call.hangUp();
      await office.quiet();
      expect(journal.told).toEqual(['save', 'save', 'remove']);
      expect(journal.saved.size).toBe(0);
    },
  );

  const unanswered = new ListJournal();
  officeScenario(
    'a call that nobody answered is never written',
    { pbx: { journal: unanswered } },
    async (office, world) => {
      const alice = await office.registered('100');
      await office.registered('101', { onCall: (call) => call.reject(486) });
      const call = alice.call('101');
      await world.until(call.ended());
      await office.quiet();
      expect(unanswered.told).toEqual([]);
    },
  );

  const failing = new ListJournal();
  failing.fail = true;
  officeScenario(
    'one that fails costs the call nothing; it is logged',
    { pbx: { journal: failing } },
    async (office, world) => {
      const alice = await office.registered('100');
      const bob = await office.registered('101');
      const { call } = await office.talk(alice, bob);
      expect(call.state.kind).toBe('talking');
      call.hangUp();
      await office.quiet();
      expect(office.records).toHaveLength(1);
      expect(world.log.lines('error').map((line) => line.text)).toEqual(['the call journal could not be written']);
      expect(failing.told).toEqual(['save', 'remove']);
    },
  );
});
