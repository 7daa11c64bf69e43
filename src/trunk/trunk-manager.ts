import { UsageError } from '../base/errors.js';
import { type Events, TypedEmitter } from '../base/events.js';
import { normalizeHost } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import type { SipRequest } from '../protocol/sip/message.js';
import type { RecordStore } from '../storage/record-store.js';
import type { NextHopResolver } from '../ua/next-hop.js';
import type { FlowRef, Lease, Source } from '../ua/target.js';
import type { Uac } from '../ua/uac.js';
import { type CandidateOptions, Candidates } from './candidates.js';
import { checkNumber, refuse } from './checks.js';
import type { TrunkEvents } from './events.js';
import { ExternalLine } from './external-line.js';
import { type InboundPeer, identifyInbound } from './inbound.js';
import { LineMemories } from './line-memory.js';
import { type LineConfig, type LineOptions, lineConfig } from './line-options.js';
import type { LineState } from './line-parts.js';
import { Pacer } from './pacer.js';
import { PeerTable } from './peer-table.js';
import { CandidateSelection, type Selection, type SelectionStrategy } from './selection.js';
import { SipTrunk, type TrunkState } from './sip-trunk.js';
import { type TrunkOptions, type TrunkPeerConfig, trunkConfig } from './trunk-options.js';
import { type CallsInUse, Usages } from './usage.js';

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
  /** How long `close`, removal and change of a line wait for the carrier to answer the de-registration. Default 2000. */
  readonly goodbyeMs?: number;
  /** Whether a time condition holds now; asked for lines and trunks that name one. Default: it does. */
  readonly isOpen?: (tenantId: TenantId, timeCondition: string) => boolean;
}

/** The lines and trunks of one tenant; no two of one name. */
export interface LinesAndTrunks {
  readonly lines?: readonly LineOptions[];
  readonly trunks?: readonly TrunkOptions[];
}

/** A line and how it stands. */
export interface LineStatus {
  readonly name: string;
  readonly state: LineState;
  /** Calls now. */
  readonly inUse: CallsInUse;
}

/** A trunk and how it stands. */
export interface TrunkStatus {
  readonly name: string;
  readonly state: TrunkState;
  /** Calls now. */
  readonly inUse: CallsInUse;
}

/** What a call wants. */
export interface SelectOptions extends CandidateOptions {
  /** Default `round-robin`. */
  readonly strategy?: SelectionStrategy;
  /** The extension that calls: lines with another owner are passed over. */
  readonly caller?: string;
  /** The line or trunk that the call came in by: it does not go back there. */
  readonly cameBy?: string;
}

/**
 * The external lines and SIP trunks of all tenants: registers lines and keeps them registered, asks trunks whether they live, says where a
 * call goes out and on what a request came in. It knows no calls. `configure` begins, `close` ends.
 */
export class TrunkManager implements Events<TrunkEvents> {
  readonly #options: TrunkManagerOptions;
  readonly #events: TypedEmitter<TrunkEvents>;
  readonly #lines: PeerTable<LineConfig, ExternalLine>;
  readonly #trunks: PeerTable<TrunkPeerConfig, SipTrunk>;
  readonly #usages = new Usages();
  readonly #candidates: Candidates;
  #turn = 0;
  #closing: Promise<void> | undefined;

  /** @throws UsageError PBX_INVALID_ARGUMENT for a number out of range */
  constructor(options: TrunkManagerOptions) {
    const { uac, resolver, records, scheduler, random, registersPerSecond = 10, goodbyeMs = 2000 } = options;
    const { refusals = 5, failures } = options.suspendAfter ?? {};
    const logger = options.logger.child({ area: 'trunk' });
    if (!(registersPerSecond > 0)) refuse('registersPerSecond', registersPerSecond, 'more than 0');
    if (!(goodbyeMs >= 0)) refuse('goodbyeMs', goodbyeMs, 'milliseconds, 0 or more');
    checkNumber('suspendAfter.refusals', refusals, 1, Number.MAX_SAFE_INTEGER);
    checkNumber('suspendAfter.failures', failures, 1, Number.MAX_SAFE_INTEGER);
    this.#options = options;
    const events = new TypedEmitter<TrunkEvents>(logger);
    this.#events = events;
    const memories = new LineMemories(records);
    const pacer = new Pacer({ perSecond: registersPerSecond, random });
    const common = { uac, resolver, scheduler, random, logger, events };
    this.#lines = new PeerTable({
      make: (tenantId, { name, fixed }) =>
        new ExternalLine(tenantId, name, fixed, {
          ...common,
          memories,
          pace: (now) => pacer.reserve(now),
          maxRefusals: refusals,
          maxFailures: failures ?? Number.POSITIVE_INFINITY,
          goodbyeMs,
          isListed: (address) => this.#lines.get(tenantId, name)?.config.calls.addresses.has(address) === true,
        }),
      onRemoved: (tenantId, name) => memories.forget(tenantId, name),
    });
    this.#trunks = new PeerTable({
      make: (tenantId, { name, fixed }) =>
        new SipTrunk(tenantId, name, fixed, {
          ...common,
          isListed: (address) => this.#trunks.get(tenantId, name)?.config.calls.addresses.has(address) === true,
        }),
      onRemoved: () => Promise.resolve(),
    });
    const { isOpen = () => true } = options;
    this.#candidates = new Candidates({ lines: this.#lines, trunks: this.#trunks, usages: this.#usages, isOpen });
  }

  on<Name extends keyof TrunkEvents>(name: Name, listener: (event: TrunkEvents[Name]) => unknown): () => void {
    return this.#events.on(name, listener);
  }

  once<Name extends keyof TrunkEvents>(name: Name, listener: (event: TrunkEvents[Name]) => unknown): () => void {
    return this.#events.once(name, listener);
  }

  /**
   * Makes these the tenant's lines and trunks, and no others. New lines register; those of which the carrier would see a change take leave
   * and register anew; those that are gone take leave and are forgotten; the others notice nothing. Resolves when that has been set going.
   * @throws UsageError PBX_INVALID_ARGUMENT (nothing has changed then), PBX_WRONG_STATE once closed; what the store throws
   */
  async configure(tenantId: TenantId, { lines = [], trunks = [] }: LinesAndTrunks): Promise<void> {
    this.#checkOpen();
    const wantedLines = lines.map(lineConfig);
    const wantedTrunks = trunks.map(trunkConfig);
    const names = new Set<string>();
    for (const { name } of [...wantedLines, ...wantedTrunks]) {
      if (names.has(name)) refuseName(name);
      names.add(name);
    }
    const gone = [...this.#lines.entries(tenantId), ...this.#trunks.entries(tenantId)]
      .map(({ peer }) => peer.name)
      // One that was a line and is a trunk now, or the other way round, is gone as what it was.
      .filter(
        (name) => !wantedLines.some((each) => each.name === name && this.#lines.get(tenantId, name) !== undefined),
      )
      .filter(
        (name) => !wantedTrunks.some((each) => each.name === name && this.#trunks.get(tenantId, name) !== undefined),
      );
    await Promise.all([
      ...gone.map((name) => this.remove(tenantId, name)),
      ...wantedLines.map((config) => this.#lines.set(tenantId, config)),
      ...wantedTrunks.map((config) => this.#trunks.set(tenantId, config)),
    ]);
  }

  /** Adds a line, or puts it in the place of the one with its name. @throws as `configure` */
  async setLine(tenantId: TenantId, options: LineOptions): Promise<void> {
    this.#checkOpen();
    const config = lineConfig(options);
    if (this.#trunks.get(tenantId, config.name) !== undefined) refuseName(config.name);
    await this.#lines.set(tenantId, config);
  }

  /** Adds a trunk, or puts it in the place of the one with its name. @throws as `configure` */
  async setTrunk(tenantId: TenantId, options: TrunkOptions): Promise<void> {
    this.#checkOpen();
    const config = trunkConfig(options);
    if (this.#lines.get(tenantId, config.name) !== undefined) refuseName(config.name);
    await this.#trunks.set(tenantId, config);
  }

  /** Removes a line or trunk. False: there is none of that name. @throws what the store throws */
  async remove(tenantId: TenantId, name: string): Promise<boolean> {
    this.#usages.forget(tenantId, name);
    const removed = await Promise.all([this.#lines.remove(tenantId, name), this.#trunks.remove(tenantId, name)]);
    return removed.includes(true);
  }

  /**
   * Lets a suspended line try again. False: it is not suspended.
   * @throws UsageError PBX_INVALID_ARGUMENT for a line that is not there; what the store throws
   */
  async resume(tenantId: TenantId, name: string): Promise<boolean> {
    const resumed = await this.#lines.inTurn(tenantId, name, (line) => line.resume());
    return resumed ?? refuse('line', name, 'the name of a line of this tenant');
  }

  /** How the tenant's lines stand, in the order in which they were added. */
  lines(tenantId: TenantId): readonly LineStatus[] {
    return [...this.#lines.entries(tenantId)].map(({ peer: { name, state } }) => {
      return { name, state, inUse: this.#usages.of(tenantId, name).inUse };
    });
  }

  /** How the tenant's trunks stand, in the order in which they were added. */
  trunks(tenantId: TenantId): readonly TrunkStatus[] {
    return [...this.#trunks.entries(tenantId)].map(({ peer: { name, state } }) => {
      return { name, state, inUse: this.#usages.of(tenantId, name).inUse };
    });
  }

  /** The choice for one outgoing call: ask it for the first target, and after a failure for the next. */
  select(tenantId: TenantId, options: SelectOptions): Selection {
    const { strategy = 'round-robin', caller, cameBy } = options;
    const { random, scheduler } = this.#options;
    return new CandidateSelection({
      candidates: () => this.#candidates.of(tenantId, options),
      strategy,
      caller,
      cameBy,
      random,
      now: () => scheduler.now(),
      nextTurn: () => ++this.#turn,
    });
  }

  /** Which line or trunk a request came in on; of one tenant, if it is known whose request it is. Undefined: none that is known. */
  identify(request: SipRequest, source: Source, tenantId?: TenantId): InboundPeer | undefined {
    const lines = this.#lines.entries(tenantId);
    return identifyInbound(request, source, { lines, trunks: this.#trunks.entries(tenantId) });
  }

  /** Whether that address is a line's or trunk's carrier's. */
  isPeer(address: string): boolean {
    const normal = normalizeHost(address);
    for (const { peer } of this.#trunks.entries()) if (peer.isPeer(normal)) return true;
    for (const { peer } of this.#lines.entries()) if (peer.isPeer(normal)) return true;
    return false;
  }

  /** Counts an incoming call until its lease is released. Undefined: the line or trunk has all the calls it may have, or is not there. */
  admit(tenantId: TenantId, name: string): Lease | undefined {
    const calls = (this.#lines.get(tenantId, name) ?? this.#trunks.get(tenantId, name))?.config.calls;
    return calls === undefined ? undefined : this.#usages.of(tenantId, name).takeIn(calls.maxInboundCalls);
  }

  /**
   * To be told by the transport when a connection is closed: a line that was registered by it registers anew, because calls could not reach
   * it any more if a NAT is in between.
   */
  flowClosed(flow: FlowRef): void {
    for (const { peer } of this.#lines.entries()) peer.flowClosed(flow);
  }

  /** Takes leave of all carriers, for `goodbyeMs` at most. What is suspended stays so. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#lines.close(), this.#trunks.close()]);
    this.#events.removeAll();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new UsageError('PBX_WRONG_STATE', 'this TrunkManager is closed');
  }
}

/** @throws UsageError PBX_INVALID_ARGUMENT */
function refuseName(name: string): never {
  return refuse('name', name, 'a name that no other line or trunk has');
}
