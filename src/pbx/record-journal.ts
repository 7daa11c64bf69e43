import type { TenantId } from '../base/tenant.js';
import type { CallJournal, CallSnapshot } from '../call/journal.js';
import type { Json } from '../storage/json.js';
import type { RecordStore } from '../storage/record-store.js';

export interface RecordJournalOptions {
  readonly records: RecordStore;
  /** The calls of this node are read back; those of other nodes stay theirs. */
  readonly nodeId: string;
  readonly tenants: readonly TenantId[];
}

/** The call journal over a record store: one record for each established call, in `${tenantId}/calls`. */
export class RecordJournal implements CallJournal {
  readonly #options: RecordJournalOptions;

  constructor(options: RecordJournalOptions) {
    this.#options = options;
  }

  async save(snapshot: CallSnapshot): Promise<void> {
    const { tenantId, id } = snapshot.record;
    await this.#options.records.put(collectionOf(tenantId), this.#key(id), snapshot as unknown as Json);
  }

  async remove(tenantId: TenantId, callId: string): Promise<void> {
    await this.#options.records.delete(collectionOf(tenantId), this.#key(callId));
  }

  async load(): Promise<readonly CallSnapshot[]> {
    const { records, tenants } = this.#options;
    const snapshots: CallSnapshot[] = [];
    for (const tenantId of tenants) {
      let after: string | undefined;
      for (;;) {
        const page = await records.scan(collectionOf(tenantId), {
          prefix: this.#key(''),
          ...(after === undefined ? {} : { after }),
        });
        for (const { value } of page) snapshots.push(value as unknown as CallSnapshot);
        after = page.at(-1)?.id;
        if (after === undefined) break;
      }
    }
    return snapshots;
  }

  #key(callId: string): string {
    return `${this.#options.nodeId}/${callId}`;
  }
}

function collectionOf(tenantId: TenantId): string {
  return `${tenantId}/calls`;
}
