import { Mailbox } from '../base/mailbox.js';
import type { TenantId } from '../base/tenant.js';
import { sameConfig } from './same-config.js';

/** A line or trunk: begins once, ends once. */
export interface Peer {
  readonly name: string;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The part of a configuration that cannot change without beginning anew. */
export interface PeerConfig {
  readonly name: string;
  readonly fixed: object;
}

interface Entry<Config, Each> {
  /** What is wanted; the peer follows as soon as the one before has said goodbye. */
  config: Config;
  peer: Each;
  /** Changes in order. */
  readonly turn: Mailbox;
}

export interface PeerTableOptions<Config, Each> {
  readonly make: (tenantId: TenantId, config: Config) => Each;
  /** It is gone for good, and has said goodbye. */
  readonly onRemoved: (tenantId: TenantId, name: string) => Promise<void>;
}

/** The lines, or the trunks, of all tenants: each change of one waits for the one before. */
export class PeerTable<Config extends PeerConfig, Each extends Peer> {
  readonly #options: PeerTableOptions<Config, Each>;
  readonly #tenants = new Map<TenantId, Map<string, Entry<Config, Each>>>();
  /** Those that are gone and whose goodbye is under way: one that comes anew under that name waits for it. */
  readonly #leaving = new Map<string, Promise<void>>();
  #closed = false;

  constructor(options: PeerTableOptions<Config, Each>) {
    this.#options = options;
  }

  get(tenantId: TenantId, name: string): { readonly peer: Each; readonly config: Config } | undefined {
    return this.#tenants.get(tenantId)?.get(name);
  }

  /** In the order in which they were added; of all tenants if none is named. */
  *entries(
    tenantId?: TenantId,
  ): Generator<{ readonly tenantId: TenantId; readonly peer: Each; readonly config: Config }> {
    for (const [tenant, entries] of this.#tenants)
      if (tenantId === undefined || tenantId === tenant)
        for (const { peer, config } of entries.values()) yield { tenantId: tenant, peer, config };
  }

  /** Adds it, or puts it in the place of the one with its name, which is left alone where `fixed` has not changed. */
  set(tenantId: TenantId, config: Config): Promise<void> {
    const entry = this.#tenants.get(tenantId)?.get(config.name);
    if (entry === undefined) return this.#add(tenantId, config);
    const changed = !sameConfig(entry.config.fixed, config.fixed);
    entry.config = config;
    if (!changed) return Promise.resolve();
    return entry.turn.run(async () => {
      await entry.peer.close();
      if (this.#closed) return;
      entry.peer = this.#options.make(tenantId, config);
      await entry.peer.start();
    });
  }

  /** False: there is none of that name. @throws what the store throws */
  async remove(tenantId: TenantId, name: string): Promise<boolean> {
    const entries = this.#tenants.get(tenantId);
    const entry = entries?.get(name);
    if (entries === undefined || entry === undefined) return false;
    entries.delete(name);
    if (entries.size === 0) this.#tenants.delete(tenantId);
    const key = keyOf(tenantId, name);
    const gone = entry.turn.run(async () => {
      await entry.peer.close();
      await this.#options.onRemoved(tenantId, name);
    });
    // A failure is told to whoever removes it; one that comes anew need not care.
    const settled = gone.catch(() => {}).finally(() => this.#leaving.delete(key));
    this.#leaving.set(key, settled);
    await gone;
    return true;
  }

  /** Runs behind the changes of that peer that are under way; undefined: there is none of that name. */
  async inTurn<Result>(
    tenantId: TenantId,
    name: string,
    task: (peer: Each) => Promise<Result>,
  ): Promise<Result | undefined> {
    const entry = this.#tenants.get(tenantId)?.get(name);
    return entry?.turn.run(() => task(entry.peer));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const entries = [...this.#tenants.values()].flatMap((each) => [...each.values()]);
    await Promise.all(entries.map(({ peer, turn }) => Promise.all([peer.close(), turn.idle()])));
    await Promise.all(this.#leaving.values());
  }

  #add(tenantId: TenantId, config: Config): Promise<void> {
    const peer = this.#options.make(tenantId, config);
    const added: Entry<Config, Each> = { config, peer, turn: new Mailbox() };
    const entries = this.#tenants.get(tenantId) ?? new Map<string, Entry<Config, Each>>();
    entries.set(config.name, added);
    this.#tenants.set(tenantId, entries);
    return added.turn.run(async () => {
      await this.#leaving.get(keyOf(tenantId, config.name));
      await peer.start();
    });
  }
}

function keyOf(tenantId: TenantId, name: string): string {
  return `${name} ${tenantId}`;
}
