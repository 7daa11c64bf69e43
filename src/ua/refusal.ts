import type { HeaderInit } from '../protocol/sip/headers.js';

/** A check's reason not to serve a request, as it is answered. */
export interface Refusal {
  readonly status: number;
  readonly headers?: HeaderInit;
}
