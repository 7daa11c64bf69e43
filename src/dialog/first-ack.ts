import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { Source } from '../ua/target.js';
import type { DialogContext } from './context.js';
import type { Dialog } from './dialog.js';
import { type SentAck, sendAck } from './dialog-request.js';

/**
 * The ACK to the 2xx that began a session: owed until it is sent, and sent again for each repeated 2xx (RFC 3261 §13.2.2.4), for as
 * long as one may come: the INVITE holds it for half a minute, the session only until it is sent.
 */
export class FirstAck {
  readonly #context: DialogContext;
  readonly #dialog: Dialog;
  #owed: SipRequest | undefined;
  #sent: { readonly sequence: number; readonly ack: SentAck } | undefined;

  /** `invite` has got its 2xx and is not acknowledged yet. */
  constructor(context: DialogContext, dialog: Dialog, invite: SipRequest) {
    this.#context = context;
    this.#dialog = dialog;
    this.#owed = invite;
  }

  /** With the answer, if the offer came in the 2xx. Does nothing when no ACK is owed. */
  send(answer: string | undefined): void {
    const invite = this.#owed;
    if (invite === undefined) return;
    this.#owed = undefined;
    this.#sent = { sequence: invite.cseq.sequence, ack: sendAck(this.#context, this.#dialog, invite, answer) };
  }

  /** A 2xx came once more, perhaps by another connection: the ACK was lost. */
  again(response: SipResponse, source: Source): void {
    this.#dialog.reachedBy(source);
    if (this.#sent?.sequence === response.cseq.sequence) this.#sent.ack.resend();
  }
}
