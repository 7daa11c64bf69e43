import { describe, expect, test } from 'vitest';
import type { CallSnapshot } from '../../src/call/journal.js';
import { RecordJournal } from '../../src/pbx/record-journal.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';

function snapshot(id: string, tenantId = 'default'): CallSnapshot {
  const session = (tag: string): CallSnapshot['inbound']['session'] => ({
    dialog: {
      role: 'uas',
      state: 'confirmed',
      callId: `wire-${id}`,
      local: `<sip:me@office.test>;tag=${tag}`,
      remote: '<sip:you@office.test>;tag=r',
      localContact: '<sip:me@192.0.2.1:5060>',
      localSequence: 3,
      remoteTarget: 'sip:you@10.0.0.1:5060',
      routeSet: ['<sip:p.test;lr>'],
      behindNat: false,
    },
  });
  const record = { id, tenantId, caller: '100', called: '101', startedAt: 1, talkMs: 0, legs: [] };
  return { record, inbound: { legId: 'a', session: session('x') }, outbound: { legId: 'b1', session: session('y') } };
}

describe('the journal of calls over a record store', () => {
  test('gives back what was saved, whole; saving again replaces it', async () => {
    const { records } = memoryStorage();
    const journal = new RecordJournal({ records, nodeId: 'n1', tenants: ['default'] });
    await journal.save(snapshot('c1'));
    const changed = { ...snapshot('c1'), record: { ...snapshot('c1').record, answeredAt: 5 } };
    await journal.save(changed);
    await journal.save(snapshot('c2'));
    expect(await journal.load()).toEqual([changed, snapshot('c2')]);
  });

  test('what was removed is gone; removing it again does nothing', async () => {
    const { records } = memoryStorage();
    const journal = new RecordJournal({ records, nodeId: 'n1', tenants: ['default'] });
    await journal.save(snapshot('c1'));
    await journal.remove('default', 'c1');
    await journal.remove('default', 'c1');
    expect(await journal.load()).toEqual([]);
  });

  test('a node reads its own calls alone, also where its name begins another one’s', async () => {
    const { records } = memoryStorage();
    const of = (nodeId: string): RecordJournal => new RecordJournal({ records, nodeId, tenants: ['default'] });
    await of('n1').save(snapshot('c1'));
    await of('n11').save(snapshot('c2'));
    await of('n2').save(snapshot('c3'));
    const ids = async (nodeId: string): Promise<string[]> => (await of(nodeId).load()).map(({ record }) => record.id);
    expect([await ids('n1'), await ids('n11'), await ids('n2'), await ids('n3')]).toEqual([['c1'], ['c2'], ['c3'], []]);
  });

  test('the calls of every tenant that is named, and of no other', async () => {
    const { records } = memoryStorage();
    const journal = new RecordJournal({ records, nodeId: 'n1', tenants: ['red', 'blue'] });
    for (const tenant of ['red', 'blue', 'green']) await journal.save(snapshot(`c-${tenant}`, tenant));
    expect((await journal.load()).map(({ record }) => record.id)).toEqual(['c-red', 'c-blue']);
  });

  test('more calls than one page of the store', async () => {
    const { records } = memoryStorage();
    const journal = new RecordJournal({ records, nodeId: 'n1', tenants: ['default'] });
    const ids = Array.from({ length: 2500 }, (_, i) => `c${String(i).padStart(5, '0')}`);
    for (const id of ids) await journal.save(snapshot(id));
    expect((await journal.load()).map(({ record }) => record.id)).toEqual(ids);
  });
});
