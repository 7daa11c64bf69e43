import { SipHeaders } from '../protocol/sip/headers.js';
import { type HeaderInit, SipRequest } from '../protocol/sip/message.js';
import { newBranch, ownVia } from '../transaction/own-via.js';
import type { UacFailure, UacHandlers, UacRequest } from '../ua/uac-request.js';
import type { DialogContext } from './context.js';
import type { Dialog } from './dialog.js';
import { SDP_TYPE } from './session-body.js';

/** Shared: few calls have credentials. */
const NO_HEADERS: HeaderInit = Object.freeze({});

/** An ACK to a 2xx, kept because each repeated 2xx is answered with the same one. */
export interface SentAck {
  resend(): void;
}

/**
 * Sends the ACK to the 2xx of `invite` (RFC 3261 §13.2.2.4), with the answer if the offer came in the 2xx. Sent again, it is made
 * again, under the same branch: that is rare, and it is not worth keeping the message of each call for half a minute. It takes the
 * way that the dialog has then: the connection that the first went by may have died with it.
 */
export function sendAck(context: DialogContext, dialog: Dialog, invite: SipRequest, sdp: string | undefined): SentAck {
  return new KeptAck(context, dialog, invite, sdp);
}

class KeptAck implements SentAck {
  readonly #context: Pick<DialogContext, 'uac'>;
  readonly #dialog: Dialog;
  readonly #headers: HeaderInit;
  readonly #sequence: number;
  readonly #branch: string;
  readonly #sdp: string | undefined;

  constructor(context: DialogContext, dialog: Dialog, invite: SipRequest, sdp: string | undefined) {
    this.#context = context;
    this.#dialog = dialog;
    this.#headers = credentialsOf(invite);
    this.#sequence = invite.cseq.sequence;
    this.#branch = newBranch(context.random);
    this.#sdp = sdp;
    this.resend();
  }

  resend(): void {
    const headers = this.#headers;
    const sdp = this.#sdp;
    const request = this.#dialog.createAck(
      this.#sequence,
      sdp === undefined ? { headers } : { headers, body: sdp, contentType: SDP_TYPE },
    );
    request.headers.pushVia(ownVia(this.#branch));
    this.#context.uac.ack(request, this.#dialog.target);
  }
}

/** RFC 3261 §22.1: an ACK cannot be challenged, it carries what the INVITE was accepted with. */
function credentialsOf(invite: SipRequest): HeaderInit {
  let headers: HeaderInit = NO_HEADERS;
  for (const name of ['Authorization', 'Proxy-Authorization'] as const) {
    const values = invite.headers.raw(name);
    if (values.length > 0) headers = { [name]: values, ...headers };
  }
  return headers;
}

/** Sends a request of the dialog; what a challenge makes of it has the dialog's next CSeq (RFC 3261 §12.2.1.1). */
export function sendInDialog(
  context: Pick<DialogContext, 'uac'>,
  dialog: Dialog,
  request: SipRequest,
  handlers: Omit<UacHandlers, 'onRetry' | 'nextSequence'>,
): UacRequest {
  return context.uac.send(request, dialog.target, {
    nextSequence: () => dialog.nextSequence(),
    ...handlers,
  });
}

export interface ByeOptions {
  readonly headers?: HeaderInit;
  /** It is answered, or nobody can be reached. */
  readonly onDone?: () => void;
  /** Whether the peer has not hung up itself meanwhile: no other way is tried then (RFC 3261 §15.1.2). */
  readonly isNeeded: () => boolean;
}

export function sendBye(context: Pick<DialogContext, 'uac'>, dialog: Dialog, options: ByeOptions): void {
  const { headers = {}, onDone = () => {}, isNeeded } = options;
  const request = dialog.createRequest('BYE', { headers });
  sendInDialog(context, dialog, request, { onSuccess: onDone, onFailure: onDone, isNeeded });
}

/** Of an INVITE that was sent what the dialogs need that may still be made of it, and its ACKs; without the body. */
export function openingOf(invite: SipRequest): SipRequest {
  const headers = new SipHeaders();
  for (const name of ['From', 'To', 'Call-ID', 'CSeq', 'Contact', 'Authorization', 'Proxy-Authorization']) {
    headers.copyFrom(invite.headers, name);
  }
  return new SipRequest('INVITE', invite.requestUri, headers);
}

/** What a re-INVITE or UPDATE tells in Supported: everything, because what it leaves out may count as withdrawn (RFC 3261 §20.37). */
export function modifyTags({ supported }: Pick<DialogContext, 'supported'>): readonly string[] {
  return ['100rel', 'timer', ...supported];
}

/** Whether the peer can have seen nothing of a failed request. */
export function leftUnsent(failure: UacFailure): boolean {
  return failure.kind === 'unreachable' && failure.unsent;
}

/** Whether a failed request shows that the peer has lost the whole dialog (RFC 3261 §12.2.1.2). */
export function endsDialog(failure: UacFailure): boolean {
  if (failure.kind !== 'response') return failure.kind === 'timeout';
  return failure.response.status === 481 || failure.response.status === 408;
}
