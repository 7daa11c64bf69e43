import type { Mailbox } from '../base/mailbox.js';
import type { TenantId } from '../base/tenant.js';
import type { Progress } from '../dialog/outgoing-invite.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Source } from '../ua/target.js';
import type { CallLeg } from './call-leg.js';
import type { CallMedia } from './call-media.js';
import type { CallLog, GivenLeg, TransferRecord } from './call-record.js';
import type { Party } from './party.js';
import type { HandlerDestination, Refusal, SearchResult } from './search.js';

/** What is asked before a party's wish to transfer a call, or to take a place in one, is served. */
export interface TransferAttempt {
  readonly tenantId: TenantId;
  readonly callId: string;
  readonly kind: 'blind' | 'attended' | 'replaced';
  /** Who asks: the party that leaves; for `replaced` the one that comes. */
  readonly by: Party;
  /** The number that the call would be handed to; empty when it is not known. */
  readonly to: string;
}

/** Who holds a call while one of its parties is on the way out. */
export interface Hold {
  /** The party that may hang up without ending the call. */
  readonly leaving: CallLeg;
  /** It has hung up. */
  onLeft(): void;
  /** A request of the leaving party about what it has asked for: true when it was taken. */
  take?(incoming: IncomingRequest): boolean;
  /** The call has ended, or is ended: nobody waits any more. */
  cancel(): void;
}

/** A handler takes the place of a party that leaves. */
export interface ServeRequest {
  readonly leaving: CallLeg;
  readonly stays: CallLeg;
  readonly destination: HandlerDestination;
  /** The number that the handler serves. */
  readonly called: string;
  readonly transfer: Omit<TransferRecord, 'at' | 'status'>;
  /** What legs that the handler dials are sent with. */
  readonly maxForwards: number;
  /** Where the transferor's wish came from. */
  readonly source: Source;
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
  /** Tells the transferor of a provisional response. */
  readonly progress: (status: number, reason: string) => void;
}

/** A call of two talking legs as a transfer sees it. */
export interface TransferHost {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly log: CallLog;
  readonly media: CallMedia;
  readonly mailbox: Mailbox;
  /** Two legs talk, or one waits for the outcome of a transfer. */
  readonly live: boolean;
  nextLegId(): string;
  /** What the two legs ask of each other waits, or goes on. */
  suspend(): void;
  resume(): void;
  /** `hold` has the call from now on. False when another one has it. */
  reserve(hold: Hold): boolean;
  /** `hold` lets the call go. If the leaving party has hung up and nobody took its place, the call ends. */
  free(hold: Hold): void;
  /** `next` takes the place of `gone`, which is not hung up here. */
  replace(gone: CallLeg, next: CallLeg, transfer: Omit<TransferRecord, 'at'>): void;
  /** A handler serves `stays`. Resolves to what the transferor is told: 200 when it has answered, else everything is as it was. */
  serve(request: ServeRequest): Promise<{ readonly status: number; readonly reason: string }>;
  /** The server itself talks to `stays` from now on, and listens to its session; see `replace`. */
  giveWay(gone: CallLeg, stays: CallLeg, transfer: Omit<TransferRecord, 'at' | 'status'>): void;
  /** Hangs up whoever is left. */
  end(): void;
  /** The call ends because `leaving` and its partner part; the partner goes on in another call. */
  handOver(leaving: CallLeg, partner: CallLeg, toCall: string): GivenLeg;
}

/** Who takes what a waiting caller waits for. */
export interface Heir {
  onProgress(progress: Progress): void;
  /** Somebody has answered. True when the heir has taken the leg, false when the caller shall have it after all. */
  onAnswered(answered: Extract<SearchResult, { kind: 'answered' }>): Promise<boolean>;
  /** Nobody will answer. */
  onFailed(refusal: Refusal): void;
  /** A handler would serve the caller. True when it serves the heir's party instead. */
  onHandler(destination: HandlerDestination): Promise<boolean>;
}

/** A call whose caller waits for an answer, as a transfer sees it. */
export interface WaitingCall {
  readonly id: string;
  readonly log: CallLog;
  readonly media: CallMedia;
  /**
   * The answer is for `heir` from now on; the caller may give up without ending the search. False when there is an heir, or
   * the caller wants to be offered something: then nobody else can take the answer.
   */
  bequeath(heir: Heir): boolean;
  /** The heir does not want it any more. */
  disown(heir: Heir): void;
}

/** A call that a handler serves, as a transfer sees it. */
export interface ServedCall {
  readonly id: string;
  /** The party has handed on what it was served: it is hung up, or refused with 487 if it was not answered yet. */
  endTransferred(to: Party): void;
}

/** A dialog of ours that a Replaces names. */
export type FoundDialog =
  | { readonly kind: 'talking'; readonly call: TransferHost; readonly leg: CallLeg; readonly other: CallLeg }
  /** The early dialog of a caller who waits for an answer. */
  | { readonly kind: 'waiting'; readonly call: WaitingCall; readonly party: Party }
  /** The dialog, early or not, of a party that a handler serves. */
  | {
      readonly kind: 'served';
      readonly call: ServedCall;
      readonly party: Party;
      readonly called: string;
      readonly destination: HandlerDestination;
      /** The handler has not answered yet. */
      readonly early: boolean;
    };
