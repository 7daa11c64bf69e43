import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeadlineQueue } from '../../src/base/deadline-queue.js';

/** What the queue should be: a list, searched from end to end. */
class NaiveQueue {
  #list: { readonly deadline: number; readonly id: number }[] = [];

  get size(): number {
    return this.#list.length;
  }

  get next(): number | undefined {
    return this.#list.length === 0 ? undefined : Math.min(...this.#list.map((entry) => entry.deadline));
  }

  add(deadline: number, id: number): void {
    this.#list.push({ deadline, id });
  }

  cancel(id: number): void {
    this.#list = this.#list.filter((entry) => entry.id !== id);
  }

  take(now: number): number | undefined {
    const { next } = this;
    if (next === undefined || next > now) return undefined;
    const first = this.#list.find((entry) => entry.deadline === next);
    if (first !== undefined) this.cancel(first.id);
    return first?.id;
  }
}

type Step =
  | { readonly do: 'add'; readonly deadline: number }
  | { readonly do: 'cancel'; readonly pick: number }
  | { readonly do: 'take'; readonly now: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(20).map((deadline) => ({ do: 'add', deadline }) as const) },
  { weight: 3, arbitrary: fc.nat().map((pick) => ({ do: 'cancel', pick }) as const) },
  { weight: 2, arbitrary: fc.nat(20).map((now) => ({ do: 'take', now }) as const) },
);

function compare(steps: Iterable<Step>): void {
  const queue = new DeadlineQueue();
  const naive = new NaiveQueue();
  const cancels: (() => void)[] = [];
  let ran: number | undefined;
  for (const each of steps) {
    if (each.do === 'add') {
      const id = cancels.length;
      cancels.push(
        queue.add(each.deadline, () => {
          ran = id;
        }),
      );
      naive.add(each.deadline, id);
    } else if (each.do === 'cancel' && cancels.length > 0) {
      const id = each.pick % cancels.length;
      cancels[id]?.();
      naive.cancel(id);
    } else if (each.do === 'take') {
      ran = undefined;
      queue.take(each.now)?.();
      expect(ran).toBe(naive.take(each.now));
    }
    expect(queue.size).toBe(naive.size);
    expect(queue.next).toBe(naive.next);
  }
}

describe('DeadlineQueue', () => {
  test('behaves as a plain list does, whatever is added, cancelled and taken', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 120 }), compare), { numRuns: 200 });
  });

  test('the same beyond the size at which cancelled entries are swept out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { minLength: 100, maxLength: 150 }),
        fc.infiniteStream(fc.nat()),
        (deadlines, picks) => {
          const steps: Step[] = deadlines.map((deadline) => ({ do: 'add', deadline }));
          for (const pick of picks) {
            steps.push({ do: 'cancel', pick });
            if (steps.length > 2 * deadlines.length) break;
          }
          for (let i = 0; i < deadlines.length; i++) steps.push({ do: 'take', now: 1000 });
          compare(steps);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('first in, first out within one deadline', () => {
    const queue = new DeadlineQueue();
    const seen: number[] = [];
    for (let i = 0; i < 100; i++) queue.add(5, () => seen.push(i));
    for (let task = queue.take(5); task !== undefined; task = queue.take(5)) task();
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test('cancelling after the task was taken, or twice, changes nothing', () => {
    const queue = new DeadlineQueue();
    const cancel = queue.add(1, () => {});
    queue.add(2, () => {});
    queue.take(1);
    cancel();
    cancel();
    expect(queue.size).toBe(1);
    expect(queue.next).toBe(2);
  });

  test('says when a cancellation has left nothing that waits', () => {
    let empty = 0;
    const queue = new DeadlineQueue(() => empty++);
    const first = queue.add(1, () => {});
    const second = queue.add(2, () => {});
    first();
    expect(empty).toBe(0);
    second();
    second();
    expect(empty).toBe(1);
  });
});
