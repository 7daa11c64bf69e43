import { type CalledRule, DialPlan, deleteDigits, line } from 'pbxkit/dialplan';
import type { Benchmark } from './harness.js';

/** A plan of so many prefixes of one to six digits below the out-prefix, spread over eight carriers. */
function planOf(count: number): { readonly plan: DialPlan; readonly numbers: readonly string[] } {
  const prefixes = new Set<string>();
  for (let i = 1; prefixes.size < count; i++) {
    const mixed = Math.imul(i, 2_654_435_761) >>> 0;
    prefixes.add(
      `9${String(mixed)
        .padStart(10, '0')
        .slice(0, 1 + (i % 6))}`,
    );
  }
  const called = [...prefixes].map(
    (prefix, i): CalledRule => ({ prefix, route: line(`carrier-${i % 8}`), transform: 1 }),
  );
  const plan = new DialPlan({ transforms: { 1: deleteDigits({ length: 1 }) }, called });
  // Whole numbers below the prefixes, in an order of which a processor can learn nothing.
  const list = [...prefixes];
  const numbers = Array.from({ length: 4096 }, (_, i) => {
    const at = Math.imul(i + 1, 2_246_822_519) >>> 0;
    return `${list[at % list.length]}5551234`.slice(0, 12);
  });
  return { plan, numbers };
}

function deciding(count: number): () => unknown {
  const { plan, numbers } = planOf(count);
  let next = 0;
  return () => plan.decide({ caller: '100', called: numbers[next++ & 4095] as string });
}

/** Every rule has office hours, and the instants are so many milliseconds apart. */
function decidingByTime(apartMs: number): () => unknown {
  const plan = new DialPlan({
    timeZone: 'Europe/Berlin',
    times: {
      office: { start: '08:00', finish: '18:00', weekdays: ['mon', 'tue', 'wed', 'thu', 'fri'], dates: ['03-02'] },
    },
    called: [{ prefix: '9', route: line('1234'), time: 'office' }],
  });
  let at = Date.parse('2026-03-02T09:00:00Z');
  return () => {
    at += apartMs;
    return plan.decide({ caller: '100', called: '95551234', at });
  };
}

/** At most 5 µs in a plan of 10,000 prefixes, and at most twice what a plan of 10 costs: a ratio of 0.5 or more. */
export const benchmarks: readonly Benchmark[] = [
  {
    name: 'dial plan: decide',
    contestants: [
      { name: '10,000 prefixes', run: deciding(10_000) },
      { name: '10 prefixes', run: deciding(10) },
    ],
    minimumRatio: 0.5,
  },
  {
    name: 'dial plan: decide by the time',
    contestants: [
      { name: '1,000 calls a second', run: decidingByTime(1) },
      { name: 'one call a minute', run: decidingByTime(60_000) },
    ],
  },
];
