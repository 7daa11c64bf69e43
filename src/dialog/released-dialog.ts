import type { SipRequest } from '../protocol/sip/message.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Source } from '../ua/target.js';
import type { DialogContext, DialogUsage } from './context.js';
import type { Dialog } from './dialog.js';
import { type SentAck, sendAck, sendBye } from './dialog-request.js';

/**
 * The dialog of an answer that nobody wants: acknowledged and hung up at once (RFC 3261 §13.2.2.4, §9.1). Stays known until the
 * BYE is answered, for the peer may hang up at the same moment.
 */
export class ReleasedDialog implements DialogUsage {
  readonly #dialog: Dialog;
  readonly #ack: SentAck;
  #peerLeft = false;

  /** `invite`: as it was sent last. */
  constructor(context: DialogContext, dialog: Dialog, invite: SipRequest) {
    this.#dialog = dialog;
    this.#ack = sendAck(context, dialog, invite, undefined);
    const unregister = context.register(dialog, this);
    sendBye(context, dialog, { onDone: unregister, isNeeded: () => !this.#peerLeft });
  }

  /** The 2xx has come once more. */
  again(source: Source): void {
    this.#dialog.reachedBy(source);
    this.#ack.resend();
  }

  onRequest(incoming: IncomingRequest): void {
    const { request } = incoming;
    if (!this.#dialog.acceptSequence(request)) {
      incoming.respond(500, { reason: 'CSeq Out Of Order' });
    } else if (request.method === 'BYE') {
      this.#peerLeft = true;
      incoming.respond(200);
    } else {
      incoming.respond(481);
    }
  }

  onAck(): void {}

  close(): void {}
}
