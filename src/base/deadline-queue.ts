import type { Millis } from './clock.js';

interface Entry {
  readonly deadline: Millis;
  readonly order: number;
  task: (() => void) | undefined;
}

/**
 * Tasks by deadline, first in first out within one deadline: a binary heap. Adding and taking cost O(log n);
 * a cancelled entry is emptied at once and dropped when it surfaces, or when more than half of the heap is empty.
 */
export class DeadlineQueue {
  readonly #onEmpty: (() => void) | undefined;
  #heap: Entry[] = [];
  #order = 0;
  #live = 0;

  /** `onEmpty` is called when a cancellation has left nothing that waits. */
  constructor(onEmpty?: () => void) {
    this.#onEmpty = onEmpty;
  }

  /** How many tasks wait. */
  get size(): number {
    return this.#live;
  }

  /** The earliest deadline, undefined when nothing waits. */
  get next(): Millis | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.deadline;
  }

  add(deadline: Millis, task: () => void): () => void {
    const entry: Entry = { deadline, order: this.#order++, task };
    this.#heap.push(entry);
    this.#live++;
    this.#up(this.#heap.length - 1);
    return () => this.#cancel(entry);
  }

  /** Takes the first task that is due at `now`, or nothing. */
  take(now: Millis): (() => void) | undefined {
    this.#dropCancelled();
    const first = this.#heap[0];
    if (first === undefined || first.deadline > now) return undefined;
    const { task } = first;
    first.task = undefined;
    this.#live--;
    this.#pop();
    return task;
  }

  #cancel(entry: Entry): void {
    if (entry.task === undefined) return;
    entry.task = undefined;
    this.#live--;
    if (this.#heap.length > 64 && this.#live * 2 < this.#heap.length) this.#compact();
    if (this.#live === 0) this.#onEmpty?.();
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]?.task === undefined) this.#pop();
  }

  /** What is left is made a heap again from the bottom up: O(n), where sorting would cost O(n log n). */
  #compact(): void {
    this.#heap = this.#heap.filter((entry) => entry.task !== undefined);
    for (let index = (this.#heap.length >> 1) - 1; index >= 0; index--) this.#down(index);
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(start: number): void {
    const heap = this.#heap;
    let index = start;
    const entry = heap[index] as Entry;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!before(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #down(start: number): void {
    const heap = this.#heap;
    let index = start;
    const entry = heap[index] as Entry;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && before(heap[right] as Entry, heap[child] as Entry)) child = right;
      const below = heap[child] as Entry;
      if (!before(below, entry)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = entry;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
}
