import type { SessionTimerPolicy } from './session-timer.js';

/** How dialogs behave: may change while others live, for new ones. */
export interface DialogPolicies {
  /**
   * When provisional responses are sent reliably (RFC 3262 §3). `required`: only to callers that require it. `sdp`: also to
   * those that support it, when the response carries a description. `always`: every one to those that support it. Default
   * `sdp`, so that early media cannot get lost, and a phone that only rings costs no message more.
   */
  readonly reliableProvisionals?: 'required' | 'sdp' | 'always';
  /** Session timers (RFC 4028). Default: none. */
  readonly sessionTimer?: SessionTimerPolicy;
}
