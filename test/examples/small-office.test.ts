import { expect, vi } from 'vitest';
import { main } from '../../examples/small-office/main.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import { scenario } from '../support/scenario.js';

scenario(
  'small-office: serves, says how to connect a phone, and tells what happens',
  { seed: 1, delayMs: 5 },
  async (world) => {
    const said: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
    try {
      const pbx = world.use(
        await world.run(() =>
          main({
            domain: 'office.example',
            listen: ['udp://192.0.2.1:5060', 'tcp://192.0.2.1:5060'],
            storage: memoryStorage(),
            extensions: [
              { number: '100', name: 'Alice', password: 'a' },
              { number: '101', name: 'Bob', password: 'b' },
            ],
            ...world.ports,
          }),
        ),
      );
      expect(said.at(-1)).toMatch(/^ready: office\.example at udp:\/\/192\.0\.2\.1:5060/);
      expect(said.join('\n')).toContain('100, 101');
      const alice = world.phone('sip:100@office.example', { password: 'a' });
      const bob = world.phone('sip:101@office.example', { password: 'b' });
      const mallory = world.phone('sip:101@office.example', { password: 'guess' });
      await world.run(() => Promise.all([alice.register(), bob.register(), mallory.register()]));
      const call = alice.call('101');
      await world.until(bob.ringing);
      bob.calls[0]?.answer();
      await world.until(call.talking());
      await world.advance({ seconds: 12 });
      call.hangUp();
      await world.advance({ seconds: 40 });
      expect(said).toContain('100@office.example registered from sip:100@10.0.0.1:5060');
      const refused = 'wrong password, or no extension "101": refused 10.0.0.3:5060';
      expect(said.filter((line) => line === refused)).toHaveLength(1);
      await world.run(() => mallory.register());
      expect(said.filter((line) => line === refused)).toHaveLength(1);
      expect(said).toContain('100 calls 101: ringing');
      expect(said).toContain('100 calls 101: ended, talked 12 s');
      expect(pbx.calls).toEqual([]);
    } finally {
      log.mockRestore();
    }
  },
);
