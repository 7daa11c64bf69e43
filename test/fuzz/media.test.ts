import { describe, expect, test } from 'vitest';
import { MediaEpisode } from './media/episode.js';

const SEED = 20_261_122;
const EPISODES = 8;

describe('a relayed call, served calls and a STUN server under mutants on every port, and spoiled descriptions', () => {
  test('RFC 3550 §A.1, RFC 3711 §3.3, RFC 8489 §6.3: never thrown, never heard by strangers; afterwards all are served, and nothing is left', async () => {
    let inputs = 0;
    for (let index = 0; index < EPISODES; index++) {
      const result = await new MediaEpisode(SEED, index).play();
      inputs += result.inputs;
      const repeat = `npm run fuzz -- --target media --seed ${SEED} --only ${index}`;
      expect(result.error && `${repeat}: ${result.error.stack}`).toBeUndefined();
    }
    expect(inputs).toBeGreaterThan(1_000);
  }, 60_000);

  test('an episode is the same each time, and what is not kept is not sent', async () => {
    const [first, second] = [await new MediaEpisode(SEED, 3).play(), await new MediaEpisode(SEED, 3).play()];
    expect(second.ladder() === first.ladder()).toBe(true);
    const kept = new Set(first.sent.slice(0, 5));
    const less = await new MediaEpisode(SEED, 3, (number) => kept.has(number)).play();
    expect(less.sent).toEqual([...kept]);
    expect(less.error).toBeUndefined();
  }, 60_000);
});
