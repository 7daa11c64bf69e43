import type { Logger } from '../base/logger.js';
import type { LiveCall } from './context.js';
import type { CallJournal } from './journal.js';

/** Writes established calls down: those of one call one after another. A journal that fails costs a call its restart, not the caller the call. */
export class JournalWriter {
  readonly #journal: CallJournal;
  readonly #logger: Logger;
  readonly #writes = new Map<string, Promise<void>>();

  constructor(journal: CallJournal, logger: Logger) {
    this.#journal = journal;
    this.#logger = logger;
  }

  /** A call of which there is nothing to be written yet, or any more, is left out. */
  save(call: LiveCall): void {
    const snapshot = call.snapshot();
    if (snapshot !== undefined) this.#write(call.id, () => this.#journal.save(snapshot));
  }

  remove({ id, tenantId }: LiveCall): void {
    this.#write(id, () => this.#journal.remove(tenantId, id));
  }

  /** Resolves when everything written so far is there. */
  async settled(): Promise<void> {
    await Promise.all(this.#writes.values());
  }

  #write(callId: string, write: () => Promise<void>): void {
    const before = this.#writes.get(callId) ?? Promise.resolve();
    const after = before.then(write).catch((error: unknown) => {
      this.#logger.error({ callId, err: error }, 'the call journal could not be written');
    });
    this.#writes.set(callId, after);
    void after.then(() => {
      if (this.#writes.get(callId) === after) this.#writes.delete(callId);
    });
  }
}
