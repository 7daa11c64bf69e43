import type { Replaces } from '../protocol/sip/header/dialog-id.js';
import type { Source } from '../ua/target.js';
import { type CallLeg, partyOfTarget } from './call-leg.js';
import { Join, type JoinFailure } from './join.js';
import { outcome } from './outcome.js';
import type { Party } from './party.js';
import type { HandlerDestination, Refusal, SearchResult } from './search.js';
import type { FoundDialog, Heir, Hold } from './transfer-host.js';
import { TERMINATED, TRANSFERRED, type TransferParts, type TransferResult } from './transfer-parts.js';

type Answered = Extract<SearchResult, { kind: 'answered' }>;
type Talking = Extract<FoundDialog, { kind: 'talking' }>;
type Waiting = Extract<FoundDialog, { kind: 'waiting' }>;
type Served = Extract<FoundDialog, { kind: 'served' }>;

export interface AttendedTransferOptions {
  readonly replaces: Replaces;
  readonly hops: number;
  /** Where the REFER came from. */
  readonly source: Source;
}

const UNKNOWN: TransferResult = { status: 481, reason: 'Call/Transaction Does Not Exist' };
const DECLINED: TransferResult = { status: 603, reason: 'Decline' };
const PENDING: TransferResult = { status: 491, reason: 'Request Pending' };

/**
 * The party that stays is joined with the one that the transferor talks to in another call of ours, or calls: RFC 5589 §7,
 * flows T4 and T5. Only a dialog that the transferor itself has with us can be named.
 */
export class AttendedTransfer {
  readonly #parts: TransferParts;
  readonly #replaces: Replaces;
  readonly #options: AttendedTransferOptions;
  readonly #join: Join;

  constructor(parts: TransferParts, options: AttendedTransferOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#replaces = options.replaces;
    const { host, context, stays, signal } = parts;
    const { scheduler, random } = context;
    this.#join = new Join({ media: host.media, scheduler, random, signal }, stays);
  }

  async run(): Promise<TransferResult> {
    const { context, host, leaving } = this.#parts;
    const { callId, toTag, fromTag } = this.#replaces;
    const found = context.find(this.#replaces, host.tenantId);
    if (found === undefined) {
      const ended = context.dialogs.endedLately({ callId, localTag: toTag, remoteTag: fromTag });
      return ended ? DECLINED : UNKNOWN;
    }
    const owner = found.kind === 'talking' ? found.leg.party : found.party;
    if (found.call.id === host.id || !sameParty(owner, leaving.party)) return UNKNOWN;
    switch (found.kind) {
      case 'talking':
        return this.#talking(found);
      case 'waiting':
        return this.#waiting(found);
      case 'served':
        return this.#served(found);
    }
  }

  /** T4: the transferor has talked to the target. Both calls stay as they are until the two others talk. */
  async #talking({ call, leg, other }: Talking): Promise<TransferResult> {
    if (this.#replaces.earlyOnly) return { status: 486, reason: 'Busy Here' };
    const { host } = this.#parts;
    const hold: Hold = { leaving: leg, onLeft: () => {}, cancel: () => {} };
    if (!call.reserve(hold)) return PENDING;
    try {
      return await host.mailbox.run(() =>
        call.mailbox.run(async () => {
          if (!host.live || !call.live) return TERMINATED;
          host.suspend();
          call.suspend();
          const partner: CallLeg = { ...other, legId: host.nextLegId() };
          host.media.leg(partner.legId, call.media.side(other.legId));
          let failed: JoinFailure;
          try {
            failed = await this.#join.withEstablished(partner);
          } finally {
            host.resume();
            call.resume();
          }
          if (failed !== undefined) return failed;
          if (!host.live || !call.live) return this.#undo(partner);
          host.log.takeLeg(partner.legId, call.handOver(leg, other, host.id));
          this.#replace(partner, call.id);
          return TRANSFERRED;
        }),
      );
    } finally {
      call.free(hold);
    }
  }

  /** The transferor is served by a handler: the party that stays is served anew by the same, and the transferor's call ends. */
  async #served({ call, called, destination, early }: Served): Promise<TransferResult> {
    if (this.#replaces.earlyOnly && !early) return { status: 486, reason: 'Busy Here' };
    const result = await this.#serve(destination, called, call.id);
    if (result.status === 200) call.endTransferred(this.#parts.stays.party);
    return result;
  }

  #serve(destination: HandlerDestination, called: string, fromCall: string): Promise<TransferResult> {
    const { host, leaving, stays, signal, progress } = this.#parts;
    const { hops: maxForwards, source } = this.#options;
    const transfer = { kind: 'attended', fromLeg: leaving.legId, to: called, fromCall } as const;
    return host.serve({ leaving, stays, destination, called, transfer, maxForwards, source, signal, progress });
  }

  /** One of the two calls ended at the last moment. */
  #undo(partner: CallLeg): TransferResult {
    if (!this.#parts.host.live) partner.session.end();
    return TERMINATED;
  }

  /** T5: the target still rings. What the caller waits for is for the party that stays, who hears nothing of the ringing. */
  #waiting({ call }: Waiting): Promise<TransferResult> {
    const { signal, progress } = this.#parts;
    return new Promise((resolve, reject) => {
      const heir: Heir = {
        onProgress: ({ status, reason }) => {
          if (status === 180 || status === 183) progress(status, reason);
        },
        onAnswered: async (answered) => {
          try {
            const result = await this.#inherit(answered, call);
            resolve(result);
            return result.status === 200;
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
            return false;
          }
        },
        onFailed: (refusal) => resolve(resultOf(refusal)),
        onHandler: async (destination) => {
          const result = await this.#serve(destination, call.log.record.called, call.id);
          resolve(result);
          return result.status === 200;
        },
      };
      if (!call.bequeath(heir)) return resolve(PENDING);
      signal.addEventListener(
        'abort',
        () => {
          call.disown(heir);
          resolve(TERMINATED);
        },
        { once: true },
      );
    });
  }

  #inherit({ leg, called, answer }: Answered, call: Waiting['call']): Promise<TransferResult> {
    const { host, signal } = this.#parts;
    return host.mailbox.run(async () => {
      if (signal.aborted || !host.live) return TERMINATED;
      const party = partyOfTarget(leg.target, called);
      const partner: CallLeg = { legId: host.nextLegId(), session: answer.session, party };
      host.media.leg(partner.legId, call.media.side(leg.id));
      host.suspend();
      let failed: JoinFailure;
      try {
        failed = await this.#join.withEstablished(partner);
      } finally {
        host.resume();
      }
      if (failed !== undefined) return failed;
      if (!host.live) {
        partner.session.end();
        return TERMINATED;
      }
      host.log.takeLeg(partner.legId, call.log.giveLeg(leg.id, host.id));
      this.#replace(partner, call.id);
      return TRANSFERRED;
    });
  }

  #replace(partner: CallLeg, fromCall: string): void {
    const { host, leaving } = this.#parts;
    const { legId: toLeg, party } = partner;
    host.replace(leaving, partner, {
      kind: 'attended',
      fromLeg: leaving.legId,
      toLeg,
      to: party.number,
      status: 200,
      fromCall,
    });
  }
}

function sameParty(a: Party, b: Party): boolean {
  return a.extension !== undefined && a.extension === b.extension;
}

function resultOf({ status, reason }: Refusal): TransferResult {
  return { status, reason: reason ?? outcome('failed', status).reason };
}
