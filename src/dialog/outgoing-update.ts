import type { HeaderInit, SipResponse } from '../protocol/sip/message.js';
import type { Source } from '../ua/target.js';
import type { DialogContext } from './context.js';
import type { Dialog } from './dialog.js';
import { endsDialog, leftUnsent, modifyTags, sendInDialog } from './dialog-request.js';
import type { Negotiation } from './negotiation.js';
import type { ModifyResult } from './outgoing-modify.js';
import { SDP_TYPE, sessionDescription } from './session-body.js';

export interface OutgoingUpdateOptions {
  readonly context: DialogContext;
  readonly dialog: Dialog;
  readonly negotiation: Negotiation;
  /** The offer; without it only the target and the session timer are refreshed. */
  readonly sdp?: string;
  readonly headers?: HeaderInit;
  /** Whether the dialog lives still. */
  readonly isNeeded: () => boolean;
  /** Who waits for the answer wants it no longer: an UPDATE cannot be taken back, but nobody is told of its answer. */
  readonly signal?: AbortSignal;
  readonly onSuccess: (response: SipResponse) => void;
  readonly onRefused: (response: SipResponse) => void;
  /** It was accepted when nobody waited any more. */
  readonly onAcceptedLate: () => void;
  /** The failure shows that the dialog is no more. */
  readonly onGone: () => void;
}

/** Sends an UPDATE (RFC 3311 §5.1); whether it may carry an offer now is the caller's to know. Never rejects. */
export function sendUpdate(options: OutgoingUpdateOptions): Promise<ModifyResult> {
  const { context, dialog, negotiation, sdp, headers, signal, isNeeded, onSuccess, onRefused, onAcceptedLate, onGone } =
    options;
  if (signal?.aborted === true) return Promise.resolve({ kind: 'ended' });
  return new Promise((resolve) => {
    let waiting = true;
    const settle = (result: ModifyResult): void => {
      waiting = false;
      signal?.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const onAbort = (): void => settle({ kind: 'ended' });
    signal?.addEventListener('abort', onAbort, { once: true });
    dialog.renewContact(context.presentContact);
    const request = dialog.createRequest('UPDATE', {
      headers: { Allow: context.allow, Supported: modifyTags(context), ...headers },
      ...(sdp === undefined ? {} : { body: negotiation.offer(sdp), contentType: SDP_TYPE }),
    });
    sendInDialog(context, dialog, request, {
      isNeeded,
      onSuccess: (response: SipResponse, source: Source) => {
        const answer = sessionDescription(response);
        dialog.refreshTarget(response, source);
        if (sdp !== undefined) negotiation.answered(answer);
        onSuccess(response);
        if (waiting) settle({ kind: 'accepted', sdp: answer, acknowledge: () => {} });
        else if (sdp !== undefined) onAcceptedLate();
      },
      onFailure: (failure) => {
        if (sdp !== undefined) negotiation.withdraw(leftUnsent(failure));
        if (failure.kind === 'response') onRefused(failure.response);
        if (waiting) settle(refusal(failure));
        if (endsDialog(failure)) onGone();
      },
    });
  });
}

function refusal(failure: Parameters<typeof endsDialog>[0]): ModifyResult {
  if (failure.kind !== 'response') return { kind: 'rejected', status: 408, reason: 'Request Timeout' };
  const { status, reason } = failure.response;
  return { kind: 'rejected', status, reason };
}
