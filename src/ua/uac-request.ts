import type { PbxkitError } from '../base/errors.js';
import type { HeaderInit } from '../protocol/sip/headers.js';
import type { SipRequest, SipResponse } from '../protocol/sip/message.js';
import type { Source } from '../transport/hop.js';

/** Why there is no success. */
export type UacFailure =
  | { readonly kind: 'response'; readonly response: SipResponse; readonly source: Source }
  /** Timer B or F at the last hop, or nothing came after a CANCEL: counts as 408 (RFC 3261 §8.1.3.1). */
  | { readonly kind: 'timeout' }
  /**
   * No hop took it: DNS_FAILED, SIP_NO_ROUTE or SIP_TRANSPORT, counts as 503; PBX_ABORTED when it was cancelled before
   * it was sent. `unsent`: no hop can have seen any of it; else a connection broke after it had taken the request.
   */
  | { readonly kind: 'unreachable'; readonly error: PbxkitError; readonly unsent: boolean };

/** What the sender of a request is told. None is called before `Uac.send` has returned. */
export interface UacHandlers {
  /** Every 1xx, 100 too. */
  onProvisional?(response: SipResponse, source: Source): void;
  /** The 2xx; of an INVITE every one, forked and repeated ones too, until timer M ends; later ones go to `Uac.onStray`. */
  onSuccess(response: SipResponse, source: Source): void;
  /** Once, and then nothing follows. */
  onFailure(failure: UacFailure): void;
  /**
   * In a dialog: the CSeq number of a request that goes out again, with credentials or by another way. Default: one more than it had
   * with credentials, the same by another way.
   */
  nextSequence?(): number;
  /**
   * Asked before each transaction. `false`: the request has become pointless, its dialog being over for example. What is under way
   * goes on, for a transaction cannot be taken back (RFC 3261 §17.1.2); none is begun, and the request fails as it stands.
   * Default: it is needed.
   */
  isNeeded?(): boolean;
  /** The request goes out again with credentials. */
  onRetry?(request: SipRequest): void;
}

export interface UacRequest {
  /** As sent last, with the Via; before the hop is known, as it will be sent. */
  readonly request: SipRequest;
  /** Whether it goes, or went last, by a flow. */
  readonly byFlow: boolean;
  /** An INVITE: CANCEL (RFC 3261 §9.1), or not sent at all when there is still time. A 2xx may come all the same. */
  cancel(headers?: HeaderInit): void;
}
