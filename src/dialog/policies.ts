/** How sessions are kept from living on after their phones (RFC 4028). */
export interface SessionTimerPolicy {
  /** The session interval that we ask for, and the longest that we grant. RFC 4028 §4 recommends 1800. */
  readonly seconds: number;
  /** Shorter intervals are refused with 422. Not below 90 outside of tests (RFC 4028 §9). */
  readonly minSeconds: number;
  /** Peers that know nothing of session timers are refreshed by us all the same (§7.2), so that a dead one is found out. */
  readonly always: boolean;
}

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
