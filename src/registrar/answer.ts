import type { EpochMillis } from '../base/clock.js';
import { assertNever } from '../base/errors.js';
import type { HeaderInit } from '../protocol/sip/headers.js';
import { formatParams } from '../protocol/sip/params.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { RegisterOutcome, RegisterRefusal, RegisterWish } from './bindings.js';

/** Why a REGISTER with good credentials is refused all the same. */
export type Refusal =
  | RegisterRefusal
  | { readonly kind: 'path-without-support' | 'first-hop-lacks-outbound' | 'store-failed' };

/** A phone that hears nothing for so long is dead to us: RFC 5626 §4.4 lets it ping within 80 to 100 % of that. */
const FLOW_TIMER_SECONDS = 120;

/** Phones come back after so long when the store has failed. */
const RETRY_AFTER_SECONDS = 10;

/** A tenant that is full is not emptier in a moment. */
const FULL_RETRY_AFTER_SECONDS = 300;

/** Answers a REGISTER that changes nothing. */
export function refuse(incoming: IncomingRequest, refusal: Refusal): void {
  switch (refusal.kind) {
    case 'too-brief':
      incoming.respond(423, { headers: { 'Min-Expires': refusal.minSeconds } });
      return;
    case 'out-of-order':
      // §10.3 steps 6 and 7 name no status; 500 is what §12.2.2 gives to a CSeq out of order.
      incoming.respond(500, { reason: 'CSeq Out of Order' });
      return;
    case 'too-many':
      incoming.respond(403, { reason: `Too Many Contacts (at most ${refusal.maxContacts})` });
      return;
    case 'full':
      incoming.respond(503, { headers: { 'Retry-After': String(FULL_RETRY_AFTER_SECONDS) } });
      return;
    case 'path-without-support':
      incoming.respond(420, { headers: { Unsupported: ['path'] } });
      return;
    case 'first-hop-lacks-outbound':
      incoming.respond(439);
      return;
    case 'store-failed':
      incoming.respond(500, { headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) } });
      return;
    default:
      assertNever(refusal);
  }
}

/**
 * The headers of the 200 (§10.3 step 8): every current binding with what is left of it. What was just granted stands as
 * granted; of older ones whole seconds, rounded down, so that no phone relies on a binding longer than it lives.
 * `keepsFlow`: the phone is told that its flow is kept (RFC 5626 §6), and by a connection how often to ping it.
 */
export function acceptHeaders(
  outcome: RegisterOutcome & { readonly kind: 'applied' },
  wish: RegisterWish,
  now: EpochMillis,
  keepsFlow: boolean,
): HeaderInit {
  const contacts = outcome.bindings.map((binding) => {
    const seconds = outcome.granted.get(binding) ?? Math.max(0, Math.floor((binding.expiresAt - now) / 1000));
    return `<${binding.contact}>${formatParams(binding.params)};expires=${seconds}`;
  });
  return {
    Contact: contacts.length > 0 ? contacts : undefined,
    Path: wish.path.length > 0 ? wish.path : undefined,
    Require: keepsFlow ? ['outbound'] : undefined,
    'Flow-Timer': keepsFlow && isConnected(wish) ? FLOW_TIMER_SECONDS : undefined,
    Supported: ['path', 'outbound'],
    Date: new Date(now),
  };
}

/** Without an edge proxy, and by a connection: a NAT forgets a UDP flow long before the timer's time, as the phone knows. */
function isConnected({ path, flow }: RegisterWish): boolean {
  return path.length === 0 && flow.protocol !== 'udp';
}
