import { describe, expect, test } from 'vitest';
import { Episode } from './stack/episode.js';

const SEED = 20_261_122;
const EPISODES = 12;

describe('a running PBX under spoiled messages of its phones, and mutants of strangers over UDP and TCP', () => {
  test('RFC 3261 §16.3, §18: it serves on, sends only sound messages, logs no fault of its own, and nothing is left of them', async () => {
    let inputs = 0;
    for (let index = 0; index < EPISODES; index++) {
      const result = await new Episode(SEED, index).play();
      inputs += result.inputs;
      const repeat = `npm run fuzz -- --target stack --seed ${SEED} --only ${index}`;
      expect(result.error && `${repeat}: ${result.error.stack}`).toBeUndefined();
    }
    expect(inputs).toBeGreaterThan(1_000);
  }, 60_000);

  test('an episode is the same each time, and what is not kept is not sent', async () => {
    const [first, second] = [await new Episode(SEED, 3).play(), await new Episode(SEED, 3).play()];
    expect(second.ladder() === first.ladder()).toBe(true);
    const kept = new Set(first.sent.slice(0, 5));
    const less = await new Episode(SEED, 3, (number) => kept.has(number)).play();
    expect(less.sent.length).toBeLessThanOrEqual(5);
    expect(less.sent.length).toBeGreaterThan(0);
  });
});
