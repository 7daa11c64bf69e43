import { errorText, UsageError } from '../../base/errors.js';
import { type Events, TypedEmitter } from '../../base/events.js';
import { ipVersion } from '../../base/ip.js';
import { type Logger, silentLogger } from '../../base/logger.js';
import type { Scheduler } from '../../base/scheduler.js';
import type { TenantId } from '../../base/tenant.js';
import { parseSdp, type Sdp, sdpText } from '../../protocol/sdp/lines.js';
import type { MediaEngine, MediaExchange } from '../media-engine.js';
import type { MediaEvents } from '../media-events.js';
import type { MediaStats, StreamStats } from '../media-stats.js';
import { type MediaTimeouts, tellTrouble } from '../media-trouble.js';
import type { Bencoded, BencodedDictionary } from './bencode.js';
import { engineView, graft, hasCarriedStreams, withoutIce } from './description.js';
import { readInstances } from './instance-url.js';
import { type Instance, Instances } from './instances.js';
import { MediaEngineError } from './media-engine-error.js';
import { readStats } from './ng-stats.js';
import { type RtpEngineOptions, readFigures } from './options.js';
import { Pair, type PairRequest, pairName } from './pair.js';
import { Round } from './round.js';

/** So many counters are read at once at most, whatever the number of calls. */
const POLLS_AT_ONCE = 16;

/** The counters of a pair are read more often at first: to find out soon who is not heard, and where from somebody is. */
const YOUNG_MS = 10_000;
const YOUNG_POLL_MS = 1_000;

/** How rtpengine is to treat every pair: packets pass as they are, from whom they may come, over ports that stay. */
const TREATMENT: Readonly<Record<string, Bencoded>> = {
  ICE: 'remove',
  passthrough: 'on',
};

const FLAGS = ['trust-address', 'strict-source', 'port-latching'] as const;

interface EngineCall {
  readonly tenantId: TenantId;
  readonly callId: string;
  readonly pairs: Set<Pair>;
  /** What was counted of pairs that are gone. */
  readonly ended: StreamStats[];
}

const NOTHING_SEEN: MediaStats = { path: 'relay', streams: [] };

/**
 * Media relayed by rtpengine 10.5 or later, on this machine or others, over its ng protocol. Each pair of legs is a call of its
 * own to rtpengine, on one instance as long as that is up; when it is not, new pairs go to the others, and so does a pair
 * that has one when it is offered something next. Health checks begin with the first offer, or with `start`.
 */
export class RtpEngine implements MediaEngine {
  readonly events: Events<MediaEvents>;
  readonly #emitter: TypedEmitter<MediaEvents>;
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  readonly #instances: Instances;
  readonly #timeouts: MediaTimeouts;
  readonly #learnElsewhere: boolean;
  readonly #calls = new Map<string, EngineCall>();
  readonly #round: Round<Pair>;
  readonly #young: Round<Pair>;
  #closed = false;

  /** @throws ConfigError (PBX_INVALID_ARGUMENT) that names each option that cannot be used */
  constructor(options: RtpEngineOptions) {
    const figures = readFigures(options);
    const logger = (options.logger ?? silentLogger).child({ area: 'media' });
    this.#logger = logger;
    this.#scheduler = options.scheduler;
    this.#emitter = new TypedEmitter(logger);
    this.events = this.#emitter;
    this.#timeouts = figures.timeouts;
    this.#learnElsewhere = options.learnElsewhere ?? false;
    this.#instances = new Instances({
      network: options.network,
      scheduler: options.scheduler,
      random: options.random,
      logger,
      instances: readInstances(options.instances),
      timeoutMs: figures.timeoutMs,
      pingMs: figures.pingSeconds * 1000,
      failuresUntilDown: figures.failuresUntilDown,
    });
    const { scheduler } = options;
    const intervalMs = figures.pollSeconds * 1000;
    const visit = (pair: Pair): Promise<void> => this.#poll(pair);
    this.#round = new Round({ scheduler, intervalMs, atOnce: POLLS_AT_ONCE, visit });
    this.#young = new Round({
      scheduler,
      intervalMs: Math.min(intervalMs, YOUNG_POLL_MS),
      atOnce: POLLS_AT_ONCE,
      visit,
    });
  }

  /** The instances, and which of them are up. */
  get instances(): readonly { readonly url: string; readonly up: boolean }[] {
    return this.#instances.all.map(({ url, up }) => ({ url, up }));
  }

  /** Begins to look after the instances now, not with the first offer. @throws UsageError (PBX_WRONG_STATE) once closed */
  start(): void {
    if (this.#closed) throw new UsageError('PBX_WRONG_STATE', 'the media engine has been closed: make another one');
    this.#instances.start();
  }

  /**
   * @throws MediaEngineError (MEDIA_ENGINE_FAILED) when no instance takes it: kind `transport` if none answers, `remote` if one refuses
   * @throws SdpParseError when the description cannot be read
   */
  async offer(exchange: MediaExchange): Promise<string> {
    this.start();
    const sdp = parseSdp(exchange.sdp);
    if (!hasCarriedStreams(sdp)) return sdpText(withoutIce(sdp));
    const pair = this.#pair(exchange);
    return pair.mailbox.run(() => this.#offer(pair, exchange, sdp));
  }

  /**
   * @throws MediaEngineError (MEDIA_ENGINE_FAILED) when the instance that took the offer does not take the answer: there is no other
   * to go to, because its ports are what the parties were told
   * @throws SdpParseError when the description cannot be read
   */
  async answer(exchange: MediaExchange): Promise<string> {
    this.start();
    const sdp = parseSdp(exchange.sdp);
    if (!hasCarriedStreams(sdp)) return sdpText(withoutIce(sdp));
    const pair = this.#pair(exchange);
    return pair.mailbox.run(() => this.#answer(pair, exchange, sdp));
  }

  async delete(callId: string, legId?: string): Promise<MediaStats> {
    const call = this.#calls.get(callId);
    if (call === undefined) return NOTHING_SEEN;
    const leaving = [...call.pairs].filter((pair) => legId === undefined || pair.has(legId));
    for (const pair of leaving) {
      call.pairs.delete(pair);
    }
    if (legId === undefined) this.#calls.delete(callId);
    const counted = await Promise.all(leaving.map((pair) => pair.mailbox.run(() => this.#release(pair))));
    call.ended.push(...counted.flat());
    if (legId !== undefined) return this.#statsOf(call);
    const stats: MediaStats = { path: 'relay', streams: call.ended };
    this.#emitter.emit('media.stats', { tenantId: call.tenantId, callId, stats });
    return stats;
  }

  async stats(callId: string): Promise<MediaStats> {
    const call = this.#calls.get(callId);
    return call === undefined ? NOTHING_SEEN : this.#statsOf(call);
  }

  /** Ends the health checks and the polling, and tells whoever waits. Calls stay with their instances until they are silent there. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#round.clear();
    this.#young.clear();
    await this.#instances.close();
  }

  #pair({ tenantId, callId, fromLeg, toLeg }: MediaExchange): Pair {
    let call = this.#calls.get(callId);
    if (call === undefined) {
      call = { tenantId, callId, pairs: new Set(), ended: [] };
      this.#calls.set(callId, call);
    }
    for (const known of call.pairs) if (known.has(fromLeg) && known.has(toLeg)) return known;
    const pair = new Pair(
      pairName(tenantId, callId, fromLeg, toLeg),
      this.#timeouts,
      this.#learnElsewhere,
      this.#scheduler.now(),
    );
    call.pairs.add(pair);
    return pair;
  }

  async #offer(pair: Pair, exchange: MediaExchange, sdp: Sdp): Promise<string> {
    const request = this.#request(pair, exchange, sdp, { 'from-tag': exchange.fromLeg, 'to-tag': exchange.toLeg });
    const failures: string[] = [];
    let refused = false;
    for (const instance of this.#candidates(pair)) {
      try {
        const told = written(sdp, await instance.ask('offer', asked(pair, request)), instance);
        pair.moveTo(instance);
        pair.offered = request;
        pair.answered = undefined;
        return told;
      } catch (error) {
        if (!(error instanceof MediaEngineError)) throw error;
        refused ||= error.kind === 'remote';
        failures.push(error.message);
      }
    }
    const { callId } = pair.name;
    const down = this.#instances.all.filter(({ up }) => !up).map(({ url }) => `${url} is down`);
    throw new MediaEngineError(
      refused ? 'remote' : 'transport',
      `no rtpengine takes the media of call ${callId}: ${[...failures, ...down].join('; ')}. See that rtpengine runs there with this --listen-ng address, or correct "instances".`,
    );
  }

  /** Where it is, while that is up; then the others. */
  #candidates(pair: Pair): readonly Instance[] {
    const ranked = this.#instances.rankedFor(pair.engineCallId);
    const { instance } = pair;
    return instance?.up === true ? [instance, ...ranked.filter((each) => each !== instance)] : ranked;
  }

  async #answer(pair: Pair, exchange: MediaExchange, sdp: Sdp): Promise<string> {
    const instance = pair.instance ?? this.#candidates(pair)[0];
    if (instance === undefined) throw new MediaEngineError('transport', 'every rtpengine is down');
    const request = this.#request(pair, exchange, sdp, { 'from-tag': exchange.toLeg, 'to-tag': exchange.fromLeg });
    const told = written(sdp, await instance.ask('answer', asked(pair, request)), instance);
    pair.moveTo(instance);
    pair.answered = request;
    const now = this.#scheduler.now();
    pair.watch.agree(sdp, exchange.fromLeg, exchange.toLeg, now);
    pair.youngUntil = now + YOUNG_MS;
    this.#round.remove(pair);
    this.#young.add(pair);
    return told;
  }

  #request(pair: Pair, exchange: MediaExchange, sdp: Sdp, tags: Readonly<Record<string, string>>): PairRequest {
    const { fromLeg, fromAddress, toAddress } = exchange;
    const family = toAddress === undefined ? 0 : ipVersion(toAddress);
    pair.guard.describe(fromLeg, sdp, fromAddress, pair.counts.total);
    return {
      describes: fromLeg,
      sdp,
      fromAddress,
      fields: {
        ...TREATMENT,
        ...tags,
        'call-id': pair.engineCallId,
        ...(family === 0 ? {} : { 'address family': `IP${family}` }),
      },
    };
  }

  /** The descriptions once more, with what is known by now of where the parties send from. Ports stay, so nobody need be told. */
  async #passAgain(pair: Pair): Promise<void> {
    const { instance, offered, answered } = pair;
    if (instance?.up !== true || offered === undefined || answered === undefined || !this.#has(pair)) return;
    const { callId, legs } = pair.name;
    const learning = legs.filter((leg) => pair.guard.learning(leg) !== 'off');
    this.#logger.info(
      { callId, legs, learning },
      'media comes from elsewhere than described: the instance looks again',
    );
    try {
      await instance.ask('offer', asked(pair, offered));
      await instance.ask('answer', asked(pair, answered));
    } catch (error) {
      this.#logger.warn({ callId, err: error }, `a media engine did not look again: ${errorText(error)}`);
    }
  }

  /** Resolves to what was counted of a pair that has been taken out of its call. */
  async #release(pair: Pair): Promise<readonly StreamStats[]> {
    const { instance } = pair;
    this.#round.remove(pair);
    this.#young.remove(pair);
    if (instance?.up !== true) return pair.counts.total;
    try {
      const answer = await instance.ask('delete', {
        'call-id': pair.engineCallId,
        'from-tag': pair.name.legs[0],
        'delete-delay': 0,
      });
      this.#count(pair, answer);
    } catch (error) {
      this.#logger.warn({ callId: pair.name.callId, err: error }, `media was not released: ${errorText(error)}`);
    }
    return pair.counts.total;
  }

  async #statsOf(call: EngineCall): Promise<MediaStats> {
    const pairs = [...call.pairs];
    await Promise.all(pairs.map((pair) => this.#read(pair)));
    return { path: 'relay', streams: [...call.ended, ...pairs.flatMap((pair) => pair.counts.total)] };
  }

  /** Where the counters cannot be had, those that were read last stand. */
  async #read(pair: Pair): Promise<void> {
    const { instance } = pair;
    if (instance?.up !== true) return;
    try {
      const answer = await instance.ask('query', { 'call-id': pair.engineCallId });
      // Meanwhile the pair may have moved: these would be the counters of the instance that had it.
      if (pair.instance === instance) this.#count(pair, answer);
    } catch (error) {
      this.#logger.debug({ callId: pair.name.callId, err: error }, 'the counters of a call could not be read');
    }
  }

  #count(pair: Pair, answer: BencodedDictionary): void {
    const streams = readStats(answer, pair.name.legs);
    // An answer about a call that is not known there holds no counters: what was read before stands.
    if (streams.length > 0) pair.counts.update(streams);
  }

  async #poll(pair: Pair): Promise<void> {
    await this.#read(pair);
    if (!this.#has(pair) || this.#closed) return;
    const now = this.#scheduler.now();
    const counted = pair.counts.total;
    for (const trouble of pair.watch.observe(counted, now)) tellTrouble(this.#emitter, pair.name, trouble);
    if (pair.answered !== undefined && pair.guard.judge(counted)) await pair.mailbox.run(() => this.#passAgain(pair));
    if (now < pair.youngUntil || !this.#has(pair)) return;
    this.#young.remove(pair);
    this.#round.add(pair);
  }

  #has(pair: Pair): boolean {
    return this.#calls.get(pair.name.callId)?.pairs.has(pair) === true;
  }
}

/** The fields of an offer or answer as they are sent now. */
function asked(pair: Pair, { describes, sdp, fromAddress, fields }: PairRequest): Readonly<Record<string, Bencoded>> {
  const { guard } = pair;
  return {
    ...fields,
    flags: [...FLAGS, `endpoint-learning-${guard.learning(describes)}`],
    sdp: engineView(sdp, fromAddress, guard.portShift(describes)),
  };
}

/** The description with the instance's ports. @throws MediaEngineError when its answer does not fit the description */
function written(sdp: Sdp, answer: BencodedDictionary, instance: Instance): string {
  const text = answer.get('sdp');
  const told = typeof text === 'string' ? graft(sdp, text) : undefined;
  if (told !== undefined) return sdpText(told);
  throw new MediaEngineError('remote', `rtpengine ${instance.url} gave no address for each stream`);
}
