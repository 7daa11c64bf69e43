import { UsageError } from '../base/errors.js';
import { type Events, TypedEmitter } from '../base/events.js';
import { normalizeHost, type SocketAddress } from '../base/ip.js';
import { accept } from '../base/schema-problems.js';
import { show } from '../base/show.js';
import type { TenantId } from '../base/tenant.js';
import type { SipRequest } from '../protocol/sip/message.js';
import type { CredentialSource } from '../ua/credential-source.js';
import type { FlowRef, Lease, Source } from '../ua/target.js';
import { type CandidateOptions, Candidates } from './candidates.js';
import type { TrunkEvents } from './events.js';
import { ExternalLine } from './external-line.js';
import { type InboundPeer, identifyInbound } from './inbound.js';
import { LineMemories } from './line-memory.js';
import { type LineConfig, type LineOptions, lineSchema } from './line-options.js';
import type { LineState } from './line-parts.js';
import { type LinesAndTrunks, linesAndTrunksSchema } from './lines-and-trunks.js';
import { managerSchema, type TrunkManagerOptions } from './manager-options.js';
import { Pacer } from './pacer.js';
import { PeerTable } from './peer-table.js';
import { CandidateSelection, type Selection, type SelectionStrategy } from './selection.js';
import { SipTrunk, type TrunkState } from './sip-trunk.js';
import { TrunkConfigError } from './trunk-config-error.js';
import { type TrunkOptions, type TrunkPeerConfig, trunkSchema } from './trunk-options.js';
import { type CallsInUse, Usages } from './usage.js';

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

  /** @throws TrunkConfigError (TRUNK_CONFIG_INVALID) that lists every fault */
  constructor(options: TrunkManagerOptions) {
    accept(managerSchema, options, (problems) => new TrunkConfigError('options', problems));
    const { uac, resolver, records, scheduler, random, registersPerSecond = 10, goodbyeMs = 2000 } = options;
    const { refusals = 5, failures } = options.suspendAfter ?? {};
    const logger = options.logger.child({ area: 'trunk' });
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
          contactAddress: () => this.#trunks.get(tenantId, name)?.config.identity.contactAddress,
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
   * @throws TrunkConfigError (TRUNK_CONFIG_INVALID) that lists every fault (`lines[2].password`; nothing has changed then), UsageError
   * PBX_WRONG_STATE once closed; what the store throws
   */
  async configure(tenantId: TenantId, wanted: LinesAndTrunks): Promise<void> {
    this.#checkOpen();
    const { lines, trunks } = accept(
      linesAndTrunksSchema,
      wanted,
      (problems) => new TrunkConfigError('lines and trunks', problems),
    );
    const gone = [...this.#lines.entries(tenantId), ...this.#trunks.entries(tenantId)]
      .map(({ peer }) => peer.name)
      // One that was a line and is a trunk now, or the other way round, is gone as what it was.
      .filter((name) => !lines.some((each) => each.name === name && this.#lines.get(tenantId, name) !== undefined))
      .filter((name) => !trunks.some((each) => each.name === name && this.#trunks.get(tenantId, name) !== undefined));
    await Promise.all([
      ...gone.map((name) => this.remove(tenantId, name)),
      ...lines.map((config) => this.#lines.set(tenantId, config)),
      ...trunks.map((config) => this.#trunks.set(tenantId, config)),
    ]);
  }

  /** Adds a line, or puts it in the place of the one with its name. @throws as `configure` */
  async setLine(tenantId: TenantId, options: LineOptions): Promise<void> {
    this.#checkOpen();
    const config = accept(lineSchema, options, (problems) => new TrunkConfigError('line', problems));
    if (this.#trunks.get(tenantId, config.name) !== undefined) refuseName(config.name);
    await this.#lines.set(tenantId, config);
  }

  /** Adds a trunk, or puts it in the place of the one with its name. @throws as `configure` */
  async setTrunk(tenantId: TenantId, options: TrunkOptions): Promise<void> {
    this.#checkOpen();
    const config = accept(trunkSchema, options, (problems) => new TrunkConfigError('trunk', problems));
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
    if (resumed !== undefined) return resumed;
    throw new UsageError('PBX_INVALID_ARGUMENT', `found ${show('', name)}, expected the name of a line of this tenant`);
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

  /** Counts a call that has been there before this process was, whatever the limits are, until its lease is released. */
  occupy(tenantId: TenantId, name: string, direction: 'inbound' | 'outbound'): Lease {
    const usage = this.#usages.of(tenantId, name);
    return direction === 'inbound' ? usage.occupyIn() : usage.takeOut({}, ++this.#turn, this.#options.scheduler.now());
  }

  /** What answers the challenges of the line or trunk of that name; looked up at each, for it may not be configured yet. */
  credentialsFor(tenantId: TenantId, name: string): CredentialSource {
    return {
      secretFor: (request, challenger) => {
        const { peer } = this.#lines.get(tenantId, name) ?? this.#trunks.get(tenantId, name) ?? {};
        return peer?.credentials?.secretFor(request, challenger);
      },
    };
  }

  /**
   * To be told by the transport when a connection is closed: a line that was registered by it registers anew, because calls could not reach
   * it any more if a NAT is in between.
   */
  flowClosed(flow: FlowRef): void {
    for (const { peer } of this.#lines.entries()) peer.flowClosed(flow);
  }

  /**
   * To be told when peers outside are told another address of ours: lines whose carrier knows the old one register anew, no more than
   * `registersPerSecond` of them. Returns connections that are dead by that, to be closed.
   */
  addressChanged(before: SocketAddress, now: SocketAddress): readonly FlowRef[] {
    return [...this.#lines.entries()]
      .map(({ peer }) => peer.addressChanged(before, now))
      .filter((flow) => flow !== undefined);
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

/** @throws TrunkConfigError, always */
function refuseName(name: string): never {
  const expected = 'a name that no other line or trunk has';
  throw new TrunkConfigError('name', [{ path: 'name', found: show('name', name), expected }]);
}
