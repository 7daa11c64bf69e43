import type { DialogId } from '../dialog/dialog.js';
import type { InviteSession } from '../dialog/invite-session.js';
import { formatReplaces } from '../protocol/sip/header/dialog-id.js';
import type { HeaderInit } from '../protocol/sip/message.js';
import type { SipUri } from '../protocol/sip/uri.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { Uac } from '../ua/uac.js';

/** A call with its dialog, such as `PhoneCall`. */
export interface InDialog {
  readonly dialogId: DialogId;
}

export interface PhoneTransferOptions {
  readonly to: SipUri;
  /** Attended: the call with the other party, which the transferred one shall replace. */
  readonly replacing?: InDialog;
  readonly headers?: HeaderInit;
}

/** A REFER that a phone has sent, and what it was told of it (RFC 3515). */
export class PhoneTransfer {
  /** The status lines of the NOTIFYs so far, without the version: `100 Trying`. */
  readonly told: string[] = [];
  /** The answer to the REFER; 0 while there is none, or when none came. */
  status = 0;
  /** The status that the last NOTIFY told; undefined as long as the subscription lives. */
  result: number | undefined;
  #done: () => void = () => {};
  #answered: () => void = () => {};
  /** Resolves when the REFER is answered. */
  readonly answered = new Promise<void>((resolve) => {
    this.#answered = resolve;
  });
  /** Resolves when the last NOTIFY has come. */
  readonly settled = new Promise<void>((resolve) => {
    this.#done = resolve;
  });

  constructor(uac: Pick<Uac, 'send'>, session: InviteSession, options: PhoneTransferOptions) {
    const { to, replacing, headers } = options;
    const replaces = replacing === undefined ? undefined : replacesOf(replacing);
    const uri = replaces === undefined ? to : { ...to, headers: [{ name: 'Replaces', value: escaped(replaces) }] };
    const request = session.dialog.createRequest('REFER', { headers: { 'Refer-To': { uri, params: [] }, ...headers } });
    uac.send(request, session.dialog.target, {
      onSuccess: (response) => this.#onAnswered(response.status),
      onFailure: (failure) => this.#onAnswered(failure.kind === 'response' ? failure.response.status : 0),
    });
  }

  /** A NOTIFY in the dialog of the REFER. False: it is about something else. */
  take(incoming: IncomingRequest): boolean {
    const { request } = incoming;
    if (request.method !== 'NOTIFY' || request.headers.get('Event')?.package !== 'refer') return false;
    incoming.respond(200);
    const line = request.bodyText().split('\r\n')[0] ?? '';
    this.told.push(line.replace('SIP/2.0 ', ''));
    if (request.headers.get('Subscription-State')?.state === 'terminated') {
      this.result = Number(line.split(' ')[1]);
      this.#done();
    }
    return true;
  }

  #onAnswered(status: number): void {
    this.status = status;
    this.#answered();
  }
}

/** A Replaces that names `call` as the other side of it sees the dialog (RFC 3891 §3). */
export function replacesOf(call: InDialog): string {
  const { callId, localTag, remoteTag } = call.dialogId;
  return formatReplaces({ callId, toTag: remoteTag, fromTag: localTag, earlyOnly: false, params: [] });
}

function escaped(text: string): string {
  return encodeURIComponent(text);
}
