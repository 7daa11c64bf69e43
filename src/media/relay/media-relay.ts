import { type AddressAdvisor, localAddressAdvisor } from '../../base/address-advisor.js';
import { UsageError } from '../../base/errors.js';
import { type Events, TypedEmitter } from '../../base/events.js';
import { type Logger, silentLogger } from '../../base/logger.js';
import { type Random, SystemRandom } from '../../base/random.js';
import type { Cancel, Scheduler } from '../../base/scheduler.js';
import type { Network } from '../../net/network.js';
import { SourceAddresses } from '../../net/source-addresses.js';
import type { MediaEngine, MediaExchange } from '../media-engine.js';
import type { MediaEvents } from '../media-events.js';
import type { MediaStats } from '../media-stats.js';
import { DEFAULT_MEDIA_TIMEOUTS, type MediaTimeouts, type MediaTrouble, tellTrouble } from '../media-trouble.js';
import { PortPool, type PortPoolStats, type PortRange } from '../port-pool.js';
import { RelayCall } from './relay-call.js';
import { newRelayCounters, type RelayCounters } from './relay-counters.js';
import type { PairContext } from './relay-pair.js';
import type { LearningRule } from './source-latch.js';

export interface MediaRelayOptions {
  readonly network: Pick<Network, 'openUdp' | 'localAddresses' | 'sourceAddressFor'>;
  readonly scheduler: Scheduler;
  /** Default: the system's. */
  readonly random?: Random;
  /** Default: says nothing. */
  readonly logger?: Logger;
  /** A range, or a pool that others take ports of as well. Default 20000 to 29998. */
  readonly ports?: Partial<PortRange> | PortPool;
  /** Ours, in order of preference: each leg is faced with one of its family, by the system's routes. Default: those of the machine's interfaces. */
  readonly addresses?: readonly string[];
  /** Which address each leg is told. Default: that of the socket. */
  readonly advisor?: AddressAdvisor;
  readonly timeouts?: Partial<MediaTimeouts>;
  readonly learning?: Partial<LearningRule>;
}

/** Counts since the relay was made, and what is open now. */
export interface MediaRelayStats {
  readonly calls: number;
  /** `m=` lines with ports, each between two legs. */
  readonly streams: number;
  readonly ports: PortPoolStats;
  readonly packets: Readonly<RelayCounters>;
}

const DEFAULT_LEARNING: LearningRule = { packets: 4, silentMs: 1_000, fromAnywhere: false };
const LOOK_EVERY_MS = 1_000;

/**
 * A media relay in this process: each stream of two legs gets a pair of ports towards each of them, and what comes in at one leaves by the
 * other as it is: any codec, SRTP, RTCP, T.38. Where a leg is it learns from its packets by strict rules (`LearningRule`), so that phones
 * behind NAT hear, and strangers do not (RFC 7362 §5).
 *
 * `offer` and `answer` reject with SdpParseError for what is no description, with MediaError (MEDIA_NO_PORT) when no ports are left;
 * what the call had before stays. A call is kept from its first offer until `delete`.
 */
export class MediaRelay implements MediaEngine {
  readonly #emitter: TypedEmitter<MediaEvents>;
  readonly #logger: Logger;
  readonly #scheduler: Scheduler;
  readonly #pool: PortPool;
  readonly #timeouts: MediaTimeouts;
  readonly #context: Omit<PairContext, 'onClosing'>;
  readonly #counters = newRelayCounters();
  readonly #calls = new Map<string, RelayCall>();
  #cancelLook: Cancel | undefined;
  #closed = false;

  /** @throws UsageError (PBX_INVALID_ARGUMENT) for a range without ports, or no address */
  constructor(options: MediaRelayOptions) {
    const { network, scheduler, random = new SystemRandom(), ports = {} } = options;
    this.#logger = (options.logger ?? silentLogger).child({ area: 'media' });
    this.#emitter = new TypedEmitter(this.#logger);
    this.#scheduler = scheduler;
    this.#pool = 'take' in ports ? ports : new PortPool({ ...ports, scheduler, random });
    this.#timeouts = { ...DEFAULT_MEDIA_TIMEOUTS, ...options.timeouts };
    const [first, ...others] = options.addresses ?? network.localAddresses();
    if (first === undefined) {
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        'MediaRelay: found no address, expected one of this machine at least',
      );
    }
    this.#context = {
      network,
      addresses: [first, ...others],
      sourceFor: new SourceAddresses({ network, clock: scheduler }).for,
      pool: this.#pool,
      clock: scheduler,
      counters: this.#counters,
      learning: { ...DEFAULT_LEARNING, ...options.learning },
      advisor: options.advisor ?? localAddressAdvisor,
    };
  }

  get events(): Events<MediaEvents> {
    return this.#emitter;
  }

  get totals(): MediaRelayStats {
    let streams = 0;
    for (const call of this.#calls.values()) streams += call.streams.length;
    return { calls: this.#calls.size, streams, ports: this.#pool.stats, packets: { ...this.#counters } };
  }

  offer(exchange: MediaExchange): Promise<string> {
    if (this.#closed) return Promise.reject(closedError());
    return this.#callFor(exchange).offer(exchange);
  }

  /** An answer of a call or leg that is not known comes back as it is: there was no offer, or the call is over. */
  answer(exchange: MediaExchange): Promise<string> {
    const call = this.#calls.get(exchange.callId);
    return call === undefined ? Promise.resolve(exchange.sdp) : call.answer(exchange);
  }

  async delete(callId: string, legId?: string): Promise<MediaStats> {
    const call = this.#calls.get(callId);
    if (call === undefined) return NOTHING_SEEN;
    if (legId !== undefined) {
      await call.deleteLeg(legId);
      return call.stats();
    }
    this.#calls.delete(callId);
    if (this.#calls.size === 0) this.#stopLooking();
    await call.end();
    const stats = call.stats();
    this.#emitter.emit('media.stats', { tenantId: call.tenantId, callId, stats });
    return stats;
  }

  stats(callId: string): Promise<MediaStats> {
    return Promise.resolve(this.#calls.get(callId)?.stats() ?? NOTHING_SEEN);
  }

  /** Ends all calls; afterwards there is no socket and no timer. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#calls.keys()].map((callId) => this.delete(callId)));
  }

  #callFor(exchange: MediaExchange): RelayCall {
    let call = this.#calls.get(exchange.callId);
    if (call === undefined) {
      call = new RelayCall(exchange, this.#context);
      this.#calls.set(exchange.callId, call);
      this.#cancelLook ??= this.#scheduler.after(LOOK_EVERY_MS, () => this.#look());
    }
    return call;
  }

  /** One timer for all calls, and none when there are none. */
  #look(): void {
    const now = this.#scheduler.now();
    this.#cancelLook = this.#scheduler.after(LOOK_EVERY_MS, () => this.#look());
    for (const call of this.#calls.values()) {
      call.look(now, this.#timeouts, (legs, trouble) => this.#tell(call, legs, trouble));
    }
  }

  #stopLooking(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #tell({ tenantId, callId }: RelayCall, legs: readonly [string, string], trouble: MediaTrouble): void {
    const { kind, ...facts } = trouble;
    this.#logger.info(
      { tenantId, callId, legs, ...facts },
      kind === 'lost' ? 'no media from either party' : 'one-way media',
    );
    tellTrouble(this.#emitter, { tenantId, callId, legs }, trouble);
  }
}

const NOTHING_SEEN: MediaStats = { path: 'relay', streams: [] };

function closedError(): UsageError {
  return new UsageError('PBX_WRONG_STATE', 'this MediaRelay is closed');
}
