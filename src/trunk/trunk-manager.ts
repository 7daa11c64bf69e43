import { UsageError } from '../base/errors.js';
import { type Events, TypedEmitter } from '../base/events.js';
import type { Logger } from '../base/logger.js';
import { Mailbox } from '../base/mailbox.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import type { RecordStore } from '../storage/record-store.js';
import type { NextHopResolver } from '../ua/next-hop.js';
import type { Uac } from '../ua/uac.js';
import type { TrunkEvents } from './events.js';
import { ExternalLine, type LineParts, type LineState } from './external-line.js';
import { LineMemories } from './line-memory.js';
import { type LineConfig, type LineOptions, lineConfig, refuse, sameConfig } from './line-options.js';
import { Pacer } from './pacer.js';

export interface TrunkManagerOptions {
  readonly uac: Pick<Uac, 'request' | 'digestFor'>;
  /** The resolver that the UAC uses: what it finds is who may challenge. */
  readonly resolver: NextHopResolver;
  /** Where suspensions are kept. Not closed here. */
  readonly records: RecordStore;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** Registrations that begin in one second at most, over all lines. Default 10. */
  readonly registersPerSecond?: number;
  /**
   * Attempts in a row after which a line is suspended. `refusals`: those that the carrier refused (default 5; a 403 suspends at
   * once); `failures`: of any kind (default: never, for a carrier may be out of order for a night).
   */
  readonly suspendAfter?: { readonly refusals?: number; readonly failures?: number };
  /** How long `close`, `removeLine` and a change wait for the carrier to answer the de-registration. Default 2000. */
  readonly goodbyeMs?: number;
}

/** The lines of one tenant. */
export interface TrunkConfig {
  readonly lines?: readonly LineOptions[];
}

/** A line and how it stands. */
export interface LineStatus {
  readonly name: string;
  readonly state: LineState;
}

interface Entry {
  /** What is wanted; the line follows as soon as the one before has said goodbye. */
  config: LineConfig;
  line: ExternalLine;
  /** Changes of one line in order. */
  readonly turn: Mailbox;
}

/**
 * The external lines of all tenants: registers them, keeps them registered, and stops where the carrier says no. It knows no calls.
 * `configure` begins, `close` ends.
 */
export class TrunkManager implements Events<TrunkEvents> {
  readonly #events: TypedEmitter<TrunkEvents>;
  readonly #parts: LineParts;
  readonly #memories: LineMemories;
  readonly #tenants = new Map<TenantId, Map<string, Entry>>();
  /** Lines that are gone and whose goodbye is under way: one that comes anew under that name waits for it. */
  readonly #leaving = new Map<string, Promise<void>>();
  #closing: Promise<void> | undefined;

  /** @throws UsageError PBX_INVALID_ARGUMENT for a number out of range */
  constructor(options: TrunkManagerOptions) {
    const { uac, resolver, records, scheduler, random, registersPerSecond = 10, goodbyeMs = 2000 } = options;
    const { refusals = 5, failures = Number.POSITIVE_INFINITY } = options.suspendAfter ?? {};
    const logger = options.logger.child({ area: 'trunk' });
    if (!(registersPerSecond > 0)) refuse('registersPerSecond', registersPerSecond, 'more than 0');
    if (!(goodbyeMs >= 0)) refuse('goodbyeMs', goodbyeMs, 'milliseconds, 0 or more');
    checkCount('suspendAfter.refusals', refusals);
    if (failures !== Number.POSITIVE_INFINITY) checkCount('suspendAfter.failures', failures);
    this.#events = new TypedEmitter(logger);
    this.#memories = new LineMemories(records);
    const pacer = new Pacer({ perSecond: registersPerSecond, random });
    this.#parts = {
      uac,
      resolver,
      scheduler,
      random,
      logger,
      memories: this.#memories,
      events: this.#events,
      pace: (now) => pacer.reserve(now),
      maxRefusals: refusals,
      maxFailures: failures,
      goodbyeMs,
    };
  }

  on<Name extends keyof TrunkEvents>(name: Name, listener: (event: TrunkEvents[Name]) => unknown): () => void {
    return this.#events.on(name, listener);
  }

  once<Name extends keyof TrunkEvents>(name: Name, listener: (event: TrunkEvents[Name]) => unknown): () => void {
    return this.#events.once(name, listener);
  }

  /**
   * Makes these the tenant's lines, and no others. New lines register; changed ones take leave and register anew; those that are gone
   * take leave and are forgotten; unchanged ones notice nothing. Resolves when that has been set going.
   * @throws UsageError PBX_INVALID_ARGUMENT (nothing has changed then), PBX_WRONG_STATE once closed; what the store throws
   */
  async configure(tenantId: TenantId, { lines = [] }: TrunkConfig): Promise<void> {
    this.#checkOpen();
    const wanted = new Map<string, LineConfig>();
    for (const options of lines) {
      const config = lineConfig(options);
      if (wanted.has(config.name)) refuse('name', config.name, 'a name that no other line has');
      wanted.set(config.name, config);
    }
    const gone = [...(this.#tenants.get(tenantId)?.keys() ?? [])].filter((name) => !wanted.has(name));
    await Promise.all([
      ...gone.map((name) => this.#remove(tenantId, name)),
      ...[...wanted.values()].map((config) => this.#set(tenantId, config)),
    ]);
  }

  /** Adds a line, or puts it in the place of the one with its name. @throws as `configure` */
  async setLine(tenantId: TenantId, options: LineOptions): Promise<void> {
    this.#checkOpen();
    await this.#set(tenantId, lineConfig(options));
  }

  /** False: there is no such line. @throws what the store throws */
  removeLine(tenantId: TenantId, name: string): Promise<boolean> {
    return this.#remove(tenantId, name);
  }

  /** Lets a suspended line try again. False: it is not suspended. @throws UsageError PBX_INVALID_ARGUMENT for a line that is not there; what the store throws */
  async resume(tenantId: TenantId, name: string): Promise<boolean> {
    const entry = this.#find(tenantId, name);
    if (entry === undefined) return refuse('line', name, 'the name of a line of this tenant');
    return entry.turn.run(() => entry.line.resume());
  }

  /** How the tenant's lines stand, in the order in which they were added. */
  lines(tenantId: TenantId): readonly LineStatus[] {
    return [...(this.#tenants.get(tenantId)?.values() ?? [])].map(({ line }) => ({
      name: line.name,
      state: line.state,
    }));
  }

  /** Takes leave of all carriers, for `goodbyeMs` at most. What is suspended stays so. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const entries = [...this.#tenants.values()].flatMap((lines) => [...lines.values()]);
    await Promise.all(entries.map(({ line, turn }) => Promise.all([line.close(), turn.idle()])));
    this.#events.removeAll();
  }

  #set(tenantId: TenantId, config: LineConfig): Promise<void> {
    const entry = this.#find(tenantId, config.name);
    if (entry === undefined) return this.#add(tenantId, config);
    if (sameConfig(entry.config, config)) return Promise.resolve();
    entry.config = config;
    return entry.turn.run(async () => {
      await entry.line.close();
      if (this.#closing !== undefined) return;
      entry.line = new ExternalLine(tenantId, config, this.#parts);
      await entry.line.start();
    });
  }

  #add(tenantId: TenantId, config: LineConfig): Promise<void> {
    const line = new ExternalLine(tenantId, config, this.#parts);
    const added: Entry = { config, line, turn: new Mailbox() };
    const entries = this.#tenants.get(tenantId) ?? new Map<string, Entry>();
    entries.set(config.name, added);
    this.#tenants.set(tenantId, entries);
    return added.turn.run(async () => {
      await this.#leaving.get(keyOf(tenantId, config.name));
      await line.start();
    });
  }

  async #remove(tenantId: TenantId, name: string): Promise<boolean> {
    const entry = this.#find(tenantId, name);
    if (entry === undefined) return false;
    const entries = this.#tenants.get(tenantId);
    entries?.delete(name);
    if (entries?.size === 0) this.#tenants.delete(tenantId);
    const key = keyOf(tenantId, name);
    const gone = entry.turn.run(async () => {
      await entry.line.close();
      await this.#memories.forget(tenantId, name);
    });
    // A failure is told to whoever removes the line; one that comes anew need not care.
    const settled = gone.catch(() => {}).finally(() => this.#leaving.delete(key));
    this.#leaving.set(key, settled);
    await gone;
    return true;
  }

  #find(tenantId: TenantId, name: string): Entry | undefined {
    return this.#tenants.get(tenantId)?.get(name);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new UsageError('PBX_WRONG_STATE', 'this TrunkManager is closed');
  }
}

function keyOf(tenantId: TenantId, name: string): string {
  return `${name} ${tenantId}`;
}

function checkCount(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) refuse(what, value, 'a whole number above 0');
}
