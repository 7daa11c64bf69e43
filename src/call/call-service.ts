import { type Events, TypedEmitter } from '../base/events.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { TenantId } from '../base/tenant.js';
import type { DialogLayer } from '../dialog/dialog-layer.js';
import { replacesOf } from '../dialog/replaces.js';
import type { Replaces } from '../protocol/sip/header/dialog-id.js';
import type { CredentialSource } from '../ua/credential-source.js';
import type { IncomingRequest } from '../ua/incoming.js';
import { maxBreadth } from '../ua/max-breadth.js';
import { maxForwards } from '../ua/max-forwards.js';
import type { RequestTaker } from '../ua/request-chain.js';
import type { Lease } from '../ua/target.js';
import { Call } from './call.js';
import type { MediaPolicy } from './call-media.js';
import type { CallRecord, LegRecord, TransferRecord } from './call-record.js';
import type { CallContext, LiveCall } from './context.js';
import { ExtensionCalls } from './extension-calls.js';
import type { MusicOnHold } from './hold-music.js';
import { privacyOf } from './identity.js';
import type { CallJournal } from './journal.js';
import { JournalWriter } from './journal-writer.js';
import type { MediaMoveResult } from './media-move.js';
import { numberOf, type Party } from './party.js';
import { passPhrase } from './passing.js';
import { Readdressing } from './readdress.js';
import { serveReplaces } from './replacing.js';
import type { Router } from './route.js';
import type { FoundDialog, TransferAttempt } from './transfer-host.js';

export interface CallEvents {
  'call.started': { readonly tenantId: TenantId; readonly record: CallRecord };
  'call.ringing': { readonly tenantId: TenantId; readonly record: CallRecord };
  'call.answered': { readonly tenantId: TenantId; readonly record: CallRecord };
  /** One end of a call was handed to somebody else; `transfer` stands in the record too. */
  'call.transferred': {
    readonly tenantId: TenantId;
    readonly record: CallRecord;
    readonly transfer: TransferRecord;
  };
  'call.ended': { readonly tenantId: TenantId; readonly record: CallRecord };
}

export interface CallServiceOptions {
  readonly dialogs: DialogLayer;
  readonly router: Router;
  /** How the media of calls goes. Default: end to end, whatever it is. */
  readonly media?: MediaPolicy;
  /** What held parties hear. Default: the hold is passed on, and they hear what the holder sends. */
  readonly music?: MusicOnHold;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** Who calls. Resolves to undefined when the INVITE has been answered instead: challenged, refused. */
  readonly identify: (incoming: IncomingRequest) => Promise<IdentifiedCaller | undefined>;
  /** Asked when everything else lets a call begin: a place on its line or trunk, held until its leg ends, or `full`. */
  readonly admit?: (tenantId: TenantId, caller: Party) => Lease | 'full' | undefined;
  /** A place for a leg that was taken over after a restart, whatever the limits are. */
  readonly occupy?: (tenantId: TenantId, via: string, direction: LegRecord['direction']) => Lease | undefined;
  /** What answers the challenges of a line or trunk to a call that was taken over after a restart. Default: nothing does. */
  readonly credentialsFor?: (tenantId: TenantId, via: string) => CredentialSource | undefined;
  readonly domainOf: (tenantId: TenantId) => string;
  /** Established calls are written here, and read back by `restore()`. Default: they end with the process. */
  readonly journal?: CallJournal;
  /** How long phones ring before the router is asked for another destination. Default 60. */
  readonly noAnswerSeconds?: number;
  /** Calls at once; beyond it a new one gets 503. Default 10,000. */
  readonly maxCalls?: number;
  /** Calls that one extension has begun and that still live; a further one gets 403. Default: no fewer than `maxCalls`. */
  readonly maxCallsPerExtension?: number;
  /**
   * Whether extensions may transfer their calls (REFER) and take others' places (INVITE with Replaces); a function is asked
   * each time. Somebody who is no extension never may. Default true.
   */
  readonly transfers?: boolean | ((attempt: TransferAttempt) => boolean);
}

/** Who calls, and whom. */
export interface IdentifiedCaller {
  readonly party: Party;
  /** The number that was dialled where the Request-URI does not tell it: it names our Contact at a registrar. */
  readonly called?: string;
}

const RETRY_AFTER_SECONDS = 10;
/** Calls at once, unless told otherwise. */
export const DEFAULT_MAX_CALLS = 10_000;
const DEFAULT_NO_ANSWER_SECONDS = 60;

/** How many calls there are, and how many there could not be. */
export interface CallStats {
  readonly live: number;
  /** INVITEs that got 503: too many calls or dialogs, or the PBX is being drained. */
  readonly refused: number;
  /** INVITEs that got 403 because the extension had as many calls as it may have. */
  readonly refusedPerExtension: number;
}

/** Takes INVITEs outside dialogs and makes calls of them. */
export class CallService implements RequestTaker, Events<CallEvents> {
  readonly name = 'calls';
  readonly #options: CallServiceOptions;
  readonly #emitter: TypedEmitter<CallEvents>;
  #context: CallContext;
  readonly #calls = new Map<string, Call>();
  readonly #readdressing: Readdressing;
  readonly #extensions = new ExtensionCalls();
  #maxCalls: number;
  #maxCallsPerExtension: number;
  #refused = 0;
  #refusedPerExtension = 0;
  #draining = false;
  #onEmpty: (() => void)[] = [];
  readonly #journal: JournalWriter | undefined;

  constructor(options: CallServiceOptions) {
    this.#options = options;
    const { journal, logger } = options;
    this.#readdressing = new Readdressing(options);
    this.#journal = journal === undefined ? undefined : new JournalWriter(journal, logger);
    this.#emitter = new TypedEmitter(logger);
    this.#maxCalls = options.maxCalls ?? DEFAULT_MAX_CALLS;
    this.#maxCallsPerExtension = options.maxCallsPerExtension ?? Number.POSITIVE_INFINITY;
    this.#context = {
      dialogs: options.dialogs,
      router: options.router,
      media: options.media,
      music: options.music,
      scheduler: options.scheduler,
      random: options.random,
      logger: options.logger,
      noAnswerSeconds: options.noAnswerSeconds ?? DEFAULT_NO_ANSWER_SECONDS,
      domainOf: options.domainOf,
      mayTransfer: permission(options.transfers),
      find: (replaces, tenantId) => this.#find(replaces, tenantId),
      occupy: options.occupy ?? (() => undefined),
      credentialsFor: options.credentialsFor ?? (() => undefined),
      onAgreed: (call) => this.#readdressing.look(call),
      onRinging: (call) => this.#emit('call.ringing', call),
      onAnswered: (call) => {
        this.#journal?.save(call);
        this.#emit('call.answered', call);
      },
      onChanged: (call) => this.#journal?.save(call),
      onTransferred: (call, transfer) => {
        // A party that the server itself talks to now is not taken over by its next life.
        if (call.snapshot() === undefined) this.#journal?.remove(call);
        else this.#journal?.save(call);
        const { tenantId, record } = call;
        this.#emitter.emit('call.transferred', { tenantId, record, transfer });
      },
      onEnded: (call) => this.#onEnded(call),
    };
  }

  on<Name extends keyof CallEvents>(name: Name, listener: (event: CallEvents[Name]) => unknown): () => void {
    return this.#emitter.on(name, listener);
  }

  once<Name extends keyof CallEvents>(name: Name, listener: (event: CallEvents[Name]) => unknown): () => void {
    return this.#emitter.once(name, listener);
  }

  /** How many calls live. */
  get size(): number {
    return this.#calls.size;
  }

  /** The records of the calls that live. */
  get calls(): readonly CallRecord[] {
    return [...this.#calls.values()].map((call) => call.record);
  }

  /** Calls that live, and those that were refused since the start. */
  stats(): CallStats {
    return { live: this.size, refused: this.#refused, refusedPerExtension: this.#refusedPerExtension };
  }

  /** Resolves when everything written to the journal so far is there. */
  async settled(): Promise<void> {
    await this.#journal?.settled();
  }

  /**
   * Takes the established calls of the journal over; `probeRestored()` follows when the transports are open. Resolves to
   * how many there were.
   */
  async restore(): Promise<number> {
    const snapshots = (await this.#options.journal?.load()) ?? [];
    for (const snapshot of snapshots) {
      try {
        const call = Call.restore(this.#context, snapshot);
        this.#calls.set(call.id, call);
        // Its dialogs go on at higher CSeq numbers: the next life must begin above those, not above the old ones.
        this.#journal?.save(call);
      } catch (error) {
        // One record that cannot be read must not keep the whole PBX from starting.
        this.#options.logger.error({ err: error, snapshot }, 'a call of the journal cannot be taken over');
      }
    }
    return this.#calls.size;
  }

  /** New limits for new calls; those under way keep theirs. What is left out goes back to its default. */
  reconfigure(
    changes: Pick<CallServiceOptions, 'noAnswerSeconds' | 'maxCalls' | 'maxCallsPerExtension' | 'transfers'>,
  ): void {
    this.#maxCalls = changes.maxCalls ?? DEFAULT_MAX_CALLS;
    this.#maxCallsPerExtension = changes.maxCallsPerExtension ?? Number.POSITIVE_INFINITY;
    this.#context = {
      ...this.#context,
      noAnswerSeconds: changes.noAnswerSeconds ?? DEFAULT_NO_ANSWER_SECONDS,
      mayTransfer: permission(changes.transfers),
    };
  }

  /** Asks the phones of restored calls whether they still talk: a call that ended meanwhile is ended here too. */
  probeRestored(): void {
    const { logger } = this.#options;
    for (const call of [...this.#calls.values()])
      call.probe().catch((error: unknown) =>
        // The two talk, without media until one of them offers something: better than no call, and no reason for the others to go.
        logger.error({ callId: call.id, err: error }, 'the media of a call could not be taken over'),
      );
  }

  /**
   * Moves the media of an established call: `relay`, through the server, or `direct`, end to end. Both parties learn of it by a re-INVITE
   * each; when one of them refuses, everything is as it was.
   */
  async moveMedia(callId: string, path: 'direct' | 'relay'): Promise<MediaMoveResult> {
    const call = this.#calls.get(callId);
    if (call === undefined) return { moved: false, status: 481, reason: 'No Such Call' };
    const failed = await call.moveMedia({ path, reason: 'the host asked for it' });
    return failed === undefined ? { moved: true } : { moved: false, ...failed };
  }

  /**
   * Peers outside were told `before`, an IP address, and are told `now`: parties of relayed calls who were told it for media are offered the
   * present one by a re-INVITE, ten calls a second; those that were not yet answered, once they are. Calls that the server itself serves keep
   * what they were told.
   */
  addressChanged(before: string, now: string): void {
    this.#readdressing.begin(this.#calls.values(), before, now);
  }

  /** Hangs a call up. False when there is no such call. */
  end(callId: string): boolean {
    const call = this.#calls.get(callId);
    call?.end();
    return call !== undefined;
  }

  /** From now on new calls are refused with 503 and Retry-After; resolves when the last one under way has ended. */
  drain(): Promise<void> {
    this.#draining = true;
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Hangs every call up. Their records are told as events before this returns. */
  endAll(): void {
    this.#draining = true;
    this.#readdressing.end();
    for (const call of [...this.#calls.values()]) call.end();
  }

  take(incoming: IncomingRequest): boolean | Promise<boolean> {
    const { request } = incoming;
    if (request.toTag !== undefined) return false;
    if (request.method === 'REFER') return this.#refuseRefer(incoming);
    if (request.method !== 'INVITE') return false;
    const hops = maxForwards(request);
    if (hops === 0) {
      incoming.respond(483, { once: true });
    } else if (maxBreadth(request) === 0) {
      incoming.respond(440, { once: true });
    } else if (this.#refusing) {
      this.#refuse(incoming);
    } else {
      return this.#admit(incoming, hops - 1);
    }
    return true;
  }

  get #refusing(): boolean {
    return this.#draining || this.#options.dialogs.full || this.#calls.size >= this.#maxCalls;
  }

  #refuse(incoming: IncomingRequest): void {
    this.#refused++;
    incoming.respond(503, { once: true, headers: { 'Retry-After': { seconds: RETRY_AFTER_SECONDS, params: [] } } });
  }

  /** A REFER outside a call would have us call anybody on somebody's word: nobody may, and strangers learn nothing. */
  async #refuseRefer(incoming: IncomingRequest): Promise<boolean> {
    const identified = await this.#options.identify(incoming);
    if (identified !== undefined) incoming.respond(403, { reason: 'REFER Within A Call Only' });
    return true;
  }

  async #admit(incoming: IncomingRequest, hops: number): Promise<boolean> {
    const { withheld, impossible } = privacyOf(incoming.request);
    if (impossible !== undefined) {
      incoming.respond(500, { once: true, reason: `Privacy "${passPhrase(impossible)}" Not Available` });
      return true;
    }
    const identified = await this.#options.identify(incoming);
    if (identified === undefined || incoming.cancelled) return true;
    const { party } = identified;
    const caller: Party = withheld ? { ...party, withheld } : party;
    const replaces = replacesOf(incoming.request);
    if (replaces !== undefined) {
      serveReplaces(this.#context, incoming, replaces, caller);
      return true;
    }
    // Others may have begun their calls while the caller was looked up.
    if (this.#refusing) {
      this.#refuse(incoming);
      return true;
    }
    if (this.#extensions.of(incoming.tenantId, caller) >= this.#maxCallsPerExtension) {
      this.#refusedPerExtension++;
      incoming.respond(403, { reason: `Too Many Calls (at most ${this.#maxCallsPerExtension})` });
      return true;
    }
    const called = identified.called ?? numberOf(incoming.request.uri) ?? '';
    const invite = this.#options.dialogs.receive(incoming, called, caller.via);
    // After `receive`, which refuses what cannot be answered: a place that is taken belongs to a call.
    const lease = this.#options.admit?.(incoming.tenantId, caller);
    if (lease === 'full') {
      // Not 503: one trunk's limit is not the whole server's (RFC 3261 §21.5.4).
      invite.reject({ status: 486, reason: 'All Channels Busy' });
      return true;
    }
    const call = Call.start(this.#context, {
      id: this.#options.random.token(),
      tenantId: incoming.tenantId,
      caller,
      called,
      invite,
      maxForwards: hops,
      ...(lease === undefined ? {} : { lease }),
    });
    this.#calls.set(call.id, call);
    this.#extensions.begin(call.id, incoming.tenantId, caller);
    this.#emit('call.started', call);
    return true;
  }

  /** Rare, so no index is kept: the call whose dialog is named. */
  #find(replaces: Replaces, tenantId: TenantId): FoundDialog | undefined {
    for (const call of this.#calls.values()) {
      if (call.tenantId !== tenantId) continue;
      const found = call.find(replaces);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #onEnded(call: LiveCall): void {
    this.#calls.delete(call.id);
    this.#extensions.end(call.id);
    if (call.record.answeredAt !== undefined) this.#journal?.remove(call);
    this.#emit('call.ended', call);
    if (this.#calls.size > 0) return;
    for (const resolve of this.#onEmpty) resolve();
    this.#onEmpty = [];
  }

  #emit(name: Exclude<keyof CallEvents, 'call.transferred'>, call: LiveCall): void {
    this.#emitter.emit(name, { tenantId: call.tenantId, record: call.record });
  }
}

function permission(transfers: CallServiceOptions['transfers'] = true): (attempt: TransferAttempt) => boolean {
  return typeof transfers === 'function' ? transfers : () => transfers;
}
