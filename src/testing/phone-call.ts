import { UsageError } from '../base/errors.js';
import type { DialogId } from '../dialog/dialog.js';
import type { IncomingInvite } from '../dialog/incoming-invite.js';
import type { IncomingModify } from '../dialog/incoming-modify.js';
import type { InviteSession, SessionEnd } from '../dialog/invite-session.js';
import type { InviteFailure, OutgoingInvite, OutgoingInviteHandlers } from '../dialog/outgoing-invite.js';
import type { ModifyResult } from '../dialog/outgoing-modify.js';
import type { Uri } from '../protocol/sip/uri.js';
import type { Uac } from '../ua/uac.js';
import type { PhoneMedia } from './phone-media.js';
import { PhoneTransfer, type PhoneTransferOptions } from './phone-transfer.js';

/** Where a phone's call stands. */
export type PhoneCallState =
  | { readonly kind: 'calling' }
  | { readonly kind: 'ringing' }
  | { readonly kind: 'talking' }
  /** `status`: the final response when there was no 200; 0 for none at all. */
  | {
      readonly kind: 'ended';
      readonly by: 'this-phone' | 'other-side' | 'network';
      readonly status?: number;
      readonly reason?: string;
    };

/** A provisional response that a caller saw. */
export interface SeenProgress {
  readonly status: number;
  readonly tag: string;
  readonly sdp: string | undefined;
}

/** What the phone does with a re-INVITE of the other side. */
export type ModifyPolicy = (modify: IncomingModify, media: PhoneMedia) => void;

const answerModify: ModifyPolicy = (modify, media) => {
  if (modify.sdp !== undefined) void modify.accept(media.answer(modify.sdp));
  else void modify.accept(media.offer()).then((answer) => media.heard(answer));
};

/** One call as a phone sees it, whoever made it. */
export class PhoneCall {
  readonly direction: 'out' | 'in';
  readonly media: PhoneMedia;
  /** Every provisional response above 100 of a call that was made here, in order. */
  readonly progress: SeenProgress[] = [];
  /** The REFERs that were sent in this call. */
  readonly transfers: PhoneTransfer[] = [];
  /** How re-INVITEs are answered. Default: 200 with a fitting answer. */
  onModify: ModifyPolicy = answerModify;
  #state: PhoneCallState;
  #session: InviteSession | undefined;
  #outgoing: OutgoingInvite | undefined;
  readonly #incoming: IncomingInvite | undefined;
  readonly #uac: Pick<Uac, 'send'>;
  readonly #waiting: { readonly met: () => boolean; readonly resolve: () => void }[] = [];

  private constructor(
    direction: 'out' | 'in',
    media: PhoneMedia,
    uac: Pick<Uac, 'send'>,
    incoming: IncomingInvite | undefined,
  ) {
    this.direction = direction;
    this.#uac = uac;
    this.media = media;
    this.#incoming = incoming;
    this.#state = { kind: direction === 'out' ? 'calling' : 'ringing' };
  }

  /** @internal */
  static outgoing(
    media: PhoneMedia,
    uac: Pick<Uac, 'send'>,
    invite: (handlers: OutgoingInviteHandlers) => OutgoingInvite,
  ): PhoneCall {
    const call = new PhoneCall('out', media, uac, undefined);
    call.#outgoing = invite({
      onProgress: ({ status, remoteTag, sdp }) => {
        call.progress.push({ status, tag: remoteTag, sdp });
        if (call.#state.kind === 'calling') call.#become({ kind: 'ringing' });
      },
      onAnswered: ({ session, sdp, acknowledge }) => {
        if (call.media.local === undefined && sdp !== undefined) acknowledge(call.media.answer(sdp));
        else call.media.heard(sdp);
        call.#talk(session);
      },
      onFailed: (failure) => call.#become(failed(failure)),
    });
    return call;
  }

  /** @internal */
  static incoming(media: PhoneMedia, uac: Pick<Uac, 'send'>, invite: IncomingInvite): PhoneCall {
    const call = new PhoneCall('in', media, uac, invite);
    invite.onAbandoned(() => call.#become({ kind: 'ended', by: 'other-side', status: 487 }));
    return call;
  }

  get state(): PhoneCallState {
    return this.#state;
  }

  /** The session, once the call is answered. */
  get session(): InviteSession | undefined {
    return this.#session;
  }

  /** The INVITE that came in. @throws UsageError for a call that was made here */
  get invite(): IncomingInvite {
    if (this.#incoming === undefined) throw new UsageError('PBX_WRONG_STATE', 'this call was made by this phone');
    return this.#incoming;
  }

  /** 180. */
  ring(): void {
    this.invite.progress({ status: 180 });
  }

  /** 183 with early media. */
  earlyMedia(): void {
    const offer = this.invite.sdp;
    this.invite.progress(offer === undefined ? { status: 183 } : { status: 183, sdp: this.media.answer(offer) });
  }

  /** 200: with the answer, or with an offer when the INVITE had none. */
  answer(): void {
    const offer = this.invite.sdp;
    const sdp = offer === undefined ? this.media.offer() : this.media.answer(offer);
    const accept = (): void => {
      const session = this.invite.accept({ sdp });
      if (session !== undefined) this.#talk(session);
    };
    if (this.invite.acceptable()) accept();
    else void this.invite.settled().then((open) => open && accept());
  }

  /** A failure from 400 to 699. */
  reject(status: number, reason?: string): void {
    this.invite.reject(reason === undefined ? { status } : { status, reason });
    this.#become({ kind: 'ended', by: 'this-phone', status });
  }

  /** 302 to another place. */
  redirect(uri: Uri): void {
    this.invite.reject({ status: 302, headers: { Contact: [{ uri, params: [] }] } });
    this.#become({ kind: 'ended', by: 'this-phone', status: 302 });
  }

  /** Gives up before the answer. */
  cancel(): void {
    this.#outgoing?.cancel();
  }

  /** Hangs up. */
  hangUp(): void {
    if (this.#session === undefined) {
      if (this.direction === 'out') this.cancel();
      else this.reject(486);
    } else {
      this.#session.end();
      this.#become({ kind: 'ended', by: 'this-phone' });
    }
  }

  /** Puts the other side on hold; resolves to what became of it. */
  hold(): Promise<ModifyResult> {
    return this.reinvite(this.media.hold());
  }

  resume(): Promise<ModifyResult> {
    return this.reinvite(this.media.resume());
  }

  /** A re-INVITE with any description, or without one to be offered something. */
  async reinvite(sdp?: string): Promise<ModifyResult> {
    const session = this.#talking();
    const result = await session.modify(sdp === undefined ? {} : { sdp: this.media.say(sdp) });
    if (result.kind === 'accepted') {
      if (sdp === undefined && result.sdp !== undefined) result.acknowledge(this.media.answer(result.sdp));
      else this.media.heard(result.sdp);
    }
    return result;
  }

  /**
   * The dialog of a call, from this phone's side: of one that was made here also while it rings.
   * @throws UsageError for a call that has none
   */
  get dialogId(): DialogId {
    if (this.#session !== undefined) return this.#session.dialog.id;
    const remoteTag = this.progress.at(-1)?.tag;
    if (this.#outgoing === undefined || remoteTag === undefined) {
      throw new UsageError('PBX_WRONG_STATE', `the call is ${this.#state.kind}: it has no dialog`);
    }
    return { callId: this.#outgoing.callId, localTag: this.#outgoing.localTag, remoteTag };
  }

  /** Hands the other party over to a number, or to that of another call of this phone: REFER (RFC 5589 §6, §7). */
  transfer(options: PhoneTransferOptions): PhoneTransfer {
    const transfer = new PhoneTransfer(this.#uac, this.#talking(), options);
    this.transfers.push(transfer);
    return transfer;
  }

  /** Resolves when the call rings, or has gone further. */
  ringing(): Promise<void> {
    return this.#when(() => this.#state.kind !== 'calling');
  }

  /** Resolves when the call is answered, or has ended. */
  talking(): Promise<void> {
    return this.#when(() => this.#state.kind === 'talking' || this.#state.kind === 'ended');
  }

  ended(): Promise<void> {
    return this.#when(() => this.#state.kind === 'ended');
  }

  #talk(session: InviteSession): void {
    this.#session = session;
    this.#become({ kind: 'talking' });
    session.handle({
      onModify: (modify) => this.onModify(modify, this.media),
      onAcknowledged: (sdp) => this.media.heard(sdp),
      onRequest: (incoming) => this.transfers.at(-1)?.take(incoming) ?? false,
      onEnded: (end) => this.#become(endedBy(end)),
    });
  }

  #talking(): InviteSession {
    if (this.#session === undefined)
      throw new UsageError('PBX_WRONG_STATE', `the call is ${this.#state.kind}, not answered`);
    return this.#session;
  }

  #become(state: PhoneCallState): void {
    if (this.#state.kind === 'ended') return;
    this.#state = state;
    for (const waiter of this.#waiting.filter(({ met }) => met())) waiter.resolve();
  }

  #when(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ met, resolve }));
  }
}

function failed(failure: InviteFailure): PhoneCallState {
  switch (failure.kind) {
    case 'response':
      return { kind: 'ended', by: 'other-side', status: failure.response.status, reason: failure.response.reason };
    case 'cancelled':
      return { kind: 'ended', by: 'this-phone', status: 487 };
    default:
      return { kind: 'ended', by: 'network', status: 0 };
  }
}

function endedBy(end: SessionEnd): PhoneCallState {
  const by = { local: 'this-phone', remote: 'other-side', network: 'network' } as const;
  return { kind: 'ended', by: by[end.by] };
}
