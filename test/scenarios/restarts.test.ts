/** The PBX dies, and again: what its dialogs have promised holds over all its lives. */
import { expect, test } from 'vitest';
import { createPbx } from '../../src/pbx/pbx.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import { DOMAIN } from '../support/office.js';
import { runScenario } from '../support/scenario.js';
import { headerOf, messagesOf } from '../support/wire.js';

test('§12.2.1.1: killed twice during a call, its requests to a phone have CSeq numbers that only grow', () =>
  runScenario({ seed: 31, delayMs: 5 }, async (world) => {
    const { records, blobs } = memoryStorage({ clock: world.clock });
    const life = () =>
      createPbx({
        domain: DOMAIN,
        listen: ['udp://192.0.2.1:5060'],
        extensions: ['100', '101'].map((number) => ({ number, password: `secret-${number}` })),
        storage: { records, blobs, close: async () => {} },
        ...world.ports,
      });
    const first = life();
    await world.run(() => first.start());
    const alice = world.phone(`sip:100@${DOMAIN}`, { password: 'secret-100' });
    const bob = world.phone(`sip:101@${DOMAIN}`, { password: 'secret-101', onCall: (call) => call.answer() });
    await world.run(() => Promise.all([alice.register(), bob.register()]));
    const call = alice.call('101');
    await world.until(call.talking());
    await world.advance({ seconds: 1 });
    for (const change of ['hold', 'resume'] as const) {
      world.pbx.restart();
      const pbx = world.use(life(), world.pbx);
      await world.run(() => pbx.start());
      // Each asks the phones whether they still talk, and passes a re-INVITE on.
      await world.advance({ seconds: 1 });
      expect((await world.run(() => call[change]())).kind).toBe('accepted');
    }
    call.hangUp();
    await world.advance({ seconds: 40 });
    const toBob = messagesOf(world, '101').filter(
      ({ fromHost, method, again }) => fromHost === 'pbx' && method !== undefined && method !== 'ACK' && !again,
    );
    const numbers = toBob.map((message) => Number.parseInt(headerOf(message, 'CSeq') ?? '', 10));
    expect(toBob.map(({ method }) => method)).toEqual(['INVITE', 'OPTIONS', 'INVITE', 'OPTIONS', 'INVITE', 'BYE']);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  }));
