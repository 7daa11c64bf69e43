import { errorText } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { RecordChange } from './record-store.js';

interface Watcher {
  readonly prefix: string;
  readonly listener: (change: RecordChange) => void;
}

/** Who watches what in one store. */
export class Watchers {
  readonly #byCollection = new Map<string, Set<Watcher>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(collection: string, prefix: string, listener: (change: RecordChange) => void): () => void {
    const watcher: Watcher = { prefix, listener };
    const watchers = this.#byCollection.get(collection) ?? new Set();
    this.#byCollection.set(collection, watchers);
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#byCollection.get(collection) === watchers) this.#byCollection.delete(collection);
    };
  }

  tell(changes: readonly RecordChange[]): void {
    for (const change of changes) {
      const watchers = this.#byCollection.get(change.collection);
      if (watchers === undefined) continue;
      for (const { prefix, listener } of [...watchers])
        if (change.id.startsWith(prefix)) this.#tellOne(listener, change);
    }
  }

  clear(): void {
    this.#byCollection.clear();
  }

  #tellOne(listener: (change: RecordChange) => void, change: RecordChange): void {
    try {
      listener(change);
    } catch (error) {
      this.#logger.error({ err: error, collection: change.collection }, `a watcher failed: ${errorText(error)}`);
    }
  }
}
