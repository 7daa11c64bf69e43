import { OfferAnswerWitness } from './offer-answer-witness.js';
import type { SeenMessage } from './sip-eyes.js';
import type { Novelty, Seen } from './transaction-witness.js';
import type { LostConnection } from './wire-tap.js';

/** One dialog as the watched program has it. */
interface WatchedDialog {
  readonly name: string;
  readonly exchange: OfferAnswerWitness;
  /** Highest CSeq that was sent, and by which method. */
  sequence: number;
  sequenceMethod: string;
  confirmed: boolean;
  byeSent: boolean;
  byeReceived: boolean;
  byeReceivedAt: number;
  /** What their first BYE was answered with: after a 481 the dialog may yet begin here, by a 2xx that was late. */
  byeStatus: number | undefined;
  /** By a connection: when it is lost and cannot be made again, nothing is sent, and nothing is seen of the attempt. */
  readonly reliable: boolean;
  /** From before a crash: the program may know nothing of it. */
  inherited: boolean;
  /** 2xx to INVITEs that came, by CSeq number. */
  readonly successes: Map<number, Success>;
  /** An offer came in a 2xx and its ACK had no answer: only a BYE is left then. */
  mustEnd: boolean;
}

/** A 2xx to an INVITE of ours. */
interface Success {
  /** How many messages had been seen at the last one, and at the last ACK. */
  seen: number;
  acknowledged: number;
  ackBody: string | undefined;
  /** When and by which connection it came last. */
  at: number;
  connection: number | undefined;
}

/** For so long a 2xx is repeated, and its ACK may still be under way (64·T1). */
const REPEATED_MS = 32_000;

/** For so long a late answer is known to belong to an INVITE: its transaction (64·T1), and once more. */
const REMEMBERED_MS = 64_000;

/** Rules of dialogs (RFC 3261 §12–15), as one program's messages show them; offers and answers are watched by others. */
export class DialogWitness {
  readonly #dialogs = new Map<string, WatchedDialog>();
  /** Of INVITEs and other requests outside dialogs: CSeq by Call-ID and our tag. */
  readonly #outside = new Map<string, number>();
  /** The INVITE that a dialog began with, or will, and when it was seen. */
  readonly #invites = new Map<string, { readonly message: SeenMessage; readonly at: number }>();
  readonly #tell: (fault: string) => void;
  #seen = 0;

  constructor(tell: (fault: string) => void) {
    this.#tell = tell;
  }

  /** The program was killed. Dialogs that it restores go on, with higher CSeq numbers. */
  forget(): void {
    for (const dialog of this.#dialogs.values()) {
      dialog.inherited = true;
      dialog.successes.clear();
      dialog.exchange.forget();
    }
    this.#invites.clear();
  }

  see({ tapped, message }: Seen, novelty: Novelty): void {
    this.#seen++;
    const ours = tapped.direction === 'sent';
    if (message.method !== undefined) this.#request(message, ours, novelty, tapped);
    else this.#response(message, ours, tapped);
  }

  lose(lost: LostConnection, at: number): void {
    for (const { exchange, successes } of this.#dialogs.values()) {
      exchange.lose(lost);
      // The ACK may have to wait for an answer, and then finds no way. Nothing is seen of an attempt by a connection that is gone.
      for (const success of successes.values())
        if (success.connection === lost.connection && at - success.at < REPEATED_MS) success.seen = 0;
    }
  }

  finish(): void {
    for (const {
      name,
      confirmed,
      byeSent,
      byeReceived,
      inherited,
      successes,
      mustEnd,
      reliable,
    } of this.#dialogs.values()) {
      if (inherited) continue;
      const over = byeSent || byeReceived || reliable;
      if (confirmed && !over) this.#tell(`${name}: no BYE ever ended it`);
      if (mustEnd && !over) this.#tell(`${name}: an offer was never answered`);
      for (const [sequence, { seen, acknowledged }] of successes)
        if (acknowledged < seen) this.#tell(`§13.2.2.4: ${name}: a 2xx to INVITE ${sequence} got no ACK`);
    }
  }

  #request(message: SeenMessage, ours: boolean, novelty: Novelty, tapped: Seen['tapped']): void {
    const { at } = tapped;
    const { method = '', callId, fromTag, toTag } = message;
    const key = ours ? dialogKey(callId, fromTag, toTag) : dialogKey(callId, toTag, fromTag);
    const dialog = this.#dialogs.get(key);
    if (toTag === '') {
      if (novelty === 'new' && method === 'INVITE') this.#invites.set(inviteKey(message, ours), { message, at });
      if (ours && novelty === 'new' && method !== 'CANCEL' && method !== 'ACK') this.#outsideSequence(message);
      return;
    }
    if (dialog === undefined || method === 'CANCEL' || novelty === 'hop by hop') return;
    if (method === 'ACK') return ours ? this.#ackSent(dialog, message) : dialog.exchange.ackReceived(message);
    if (novelty === 'again') return;
    if (ours) this.#requestSent(dialog, message, method, at);
    else if (method === 'BYE') {
      dialog.byeReceived = true;
      dialog.byeReceivedAt = at;
    }
    if (ours) dialog.exchange.requestSent(message, tapped);
    else dialog.exchange.requestReceived(message, at);
  }

  #outsideSequence(message: SeenMessage): void {
    const key = `${message.callId} ${message.fromTag}`;
    const last = this.#outside.get(key) ?? -1;
    if (message.cseq < last) this.#tell(`§8.1.1.5: ${message.method} with CSeq ${message.cseq} after ${last}`);
    this.#outside.set(key, message.cseq);
  }

  #requestSent(dialog: WatchedDialog, message: SeenMessage, method: string, at: number): void {
    const { name } = dialog;
    // The same number again is the same request at the next hop (RFC 3263 §4.3).
    const sameAgain = message.cseq === dialog.sequence && method === dialog.sequenceMethod;
    // What waited for a connection to come up may leave after what was made later.
    if (message.cseq <= dialog.sequence && !sameAgain && !dialog.reliable)
      this.#tell(`§12.2.1.1: ${name}: ${method} with CSeq ${message.cseq} after ${dialog.sequence}`);
    dialog.sequence = Math.max(dialog.sequence, message.cseq);
    dialog.sequenceMethod = method;
    // A request that was on its way when the BYE came leaves at the same moment.
    // The subscription of a REFER outlives the session in their one dialog (RFC 5057 §4).
    // A dialog that was restored from before the BYE is asked whether it lives.
    if (method === 'NOTIFY' || dialog.inherited) return;
    const hungUp = dialog.byeReceived && dialog.byeStatus !== 481;
    if (hungUp && at > dialog.byeReceivedAt) this.#tell(`§15.1.2: ${name}: ${method} after a BYE came`);
    else if (dialog.byeSent && method !== 'BYE') this.#tell(`§15.1.1: ${name}: ${method} after our BYE`);
    if (method === 'BYE') dialog.byeSent = true;
  }

  #ackSent(dialog: WatchedDialog, message: SeenMessage): void {
    const success = dialog.successes.get(message.cseq);
    if (success === undefined) {
      if (!dialog.inherited) this.#tell(`${dialog.name}: ACK ${message.cseq} for no 2xx`);
      return;
    }
    if (success.ackBody !== undefined && success.ackBody !== message.body)
      this.#tell(`§13.2.2.4: ${dialog.name}: two different ACKs ${message.cseq}`);
    success.ackBody = message.body;
    success.acknowledged = this.#seen;
    if (!dialog.exchange.ackSent(message)) dialog.mustEnd = true;
  }

  #response(message: SeenMessage, ours: boolean, { at, protocol, connection }: Seen['tapped']): void {
    const { status = 0, callId, fromTag, toTag, cseqMethod } = message;
    if (status === 100) return;
    const [local, remote] = ours ? [toTag, fromTag] : [fromTag, toTag];
    const key = dialogKey(callId, local, remote);
    const invite = this.#invites.get(`${ours ? 'in' : 'out'} ${callId} ${fromTag} ${message.cseq}`);
    let dialog = this.#dialogs.get(key);
    if (dialog === undefined) {
      if (cseqMethod !== 'INVITE' || invite === undefined || toTag === '' || status >= 300) return;
      dialog = this.#open(key, invite.message, ours, protocol === 'tcp');
      // A connection may bring an answer long after everybody has given up and forgotten the INVITE.
      if (!ours && at - invite.at > REMEMBERED_MS) dialog.inherited = true;
    }
    if (ours && cseqMethod === 'BYE') dialog.byeStatus ??= status;
    if (cseqMethod === 'INVITE' && status >= 200 && status < 300) {
      dialog.confirmed = true;
      if (!ours) {
        const success = dialog.successes.get(message.cseq);
        const last = { seen: this.#seen, at, connection };
        if (success !== undefined) Object.assign(success, last);
        else dialog.successes.set(message.cseq, { acknowledged: 0, ackBody: undefined, ...last });
      }
    }
    if (ours) dialog.exchange.responseSent(message);
    else dialog.exchange.responseReceived(message, at);
  }

  #open(key: string, invite: SeenMessage, ours: boolean, reliable: boolean): WatchedDialog {
    const name = `dialog ${key}`;
    const dialog: WatchedDialog = {
      name,
      exchange: new OfferAnswerWitness((fault) => this.#tell(`${name}: ${fault}`), invite, !ours),
      sequence: ours ? -1 : invite.cseq,
      sequenceMethod: 'INVITE',
      confirmed: false,
      byeSent: false,
      byeReceived: false,
      byeReceivedAt: 0,
      byeStatus: undefined,
      reliable,
      inherited: false,
      successes: new Map(),
      mustEnd: false,
    };
    this.#dialogs.set(key, dialog);
    return dialog;
  }
}

function dialogKey(callId: string, local: string, remote: string): string {
  return `${callId} ${local} ${remote}`;
}

function inviteKey(message: SeenMessage, ours: boolean): string {
  return `${ours ? 'out' : 'in'} ${message.callId} ${message.fromTag} ${message.cseq}`;
}
