import type { SipResponse } from '../protocol/sip/message.js';
import type { Source } from '../ua/target.js';
import type { DialogContext, SuccessTaker } from './context.js';
import type { Dialog } from './dialog.js';
import { sendBye } from './dialog-request.js';

/**
 * What a 2xx to a re-INVITE is given whose transaction is gone: the request had left by a way that broke, or was not answered in
 * time, and the peer has it all the same (RFC 3261 §13.2.2.4). Outlives the session, and holds only its dialog.
 */
export class LateSuccesses implements SuccessTaker {
  readonly #context: Pick<DialogContext, 'uac'>;
  readonly #dialog: Dialog;
  #hangUp = false;
  #peerLeft = false;

  constructor(context: Pick<DialogContext, 'uac'>, dialog: Dialog) {
    this.#context = context;
    this.#dialog = dialog;
  }

  /** Acknowledged by the connection that it came by: the dialog's own may have died. A number that we never used is none of ours. */
  onSuccess(response: SipResponse, source: Source): void {
    const { sequence } = response.cseq;
    if (sequence > this.#dialog.localSequence) return;
    this.#dialog.reachedBy(source);
    this.#context.uac.ack(this.#dialog.createAck(sequence), this.#dialog.target);
    if (!this.#hangUp) return;
    this.#hangUp = false;
    sendBye(this.#context, this.#dialog, { isNeeded: () => !this.#peerLeft });
  }

  /** The session ended here: a peer that still says yes has perhaps not heard our BYE, and gets another. */
  hangUp(): void {
    this.#hangUp = true;
  }

  /** The peer's BYE has come: ours has nothing left to say (RFC 3261 §15.1.2). */
  peerLeft(): void {
    this.#peerLeft = true;
  }
}
