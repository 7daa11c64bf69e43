import { expect, vi } from 'vitest';
import { main as echoTest } from '../../examples/echo-test/main.js';
import { main as musicLine } from '../../examples/music-line/main.js';
import { main as talkingClock } from '../../examples/talking-clock/main.js';
import { scenario } from '../support/scenario.js';
import { OFFICE } from '../support/served-by-example.js';

for (const [name, main] of Object.entries({ echoTest, musicLine, talkingClock })) {
  scenario(
    `${name}: a phone with a wrong password is told of once; the right one says nothing`,
    { seed: 1 },
    async (world) => {
      const said: string[] = [];
      const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
      try {
        world.use(await world.run(() => main({ ...OFFICE, ...world.ports })));
        const right = world.phone(`sip:100@${OFFICE.domain}`, { password: 'secret-100' });
        await world.run(() => right.register());
        expect(said).toEqual([]);
        const wrong = world.phone(`sip:101@${OFFICE.domain}`, { password: 'guess' });
        await world.run(() => wrong.register());
        await world.run(() => wrong.register());
        expect(said).toEqual([
          'a phone is refused: wrong password, or a number that is none; the right ones stand above',
        ]);
      } finally {
        log.mockRestore();
      }
    },
  );
}
