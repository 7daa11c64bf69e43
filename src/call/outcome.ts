import type { InviteFailure } from '../dialog/outgoing-invite.js';
import type { SipResponse } from '../protocol/sip/message.js';
import { getParam } from '../protocol/sip/params.js';
import { readable } from '../protocol/sip/parse-error.js';
import { reasonPhrase } from '../protocol/sip/status.js';
import type { Uri } from '../protocol/sip/uri.js';
import { passPhrase } from './passing.js';
import type { FinalResponse, RouteOutcome } from './route-outcome.js';

/** An outcome that no response stands behind. */
export function outcome(kind: RouteOutcome['kind'], status: number): RouteOutcome {
  return { kind, status, reason: reasonPhrase(status), contacts: [], reasonHeaders: [] };
}

/** What an INVITE that was not answered means for its call. */
export function outcomeOf(failure: InviteFailure): RouteOutcome {
  switch (failure.kind) {
    case 'response':
      return outcomeOfResponse(failure.response);
    case 'timeout':
      return outcome('unreachable', 408);
    case 'unreachable':
      return outcome('unreachable', 480);
    case 'cancelled':
      return outcome('no-answer', 480);
  }
}

/**
 * The outcome that the caller is told when no leg was answered: a 6xx before all, then the lowest class, and within 4xx
 * what tells most (RFC 3261 §16.7 step 6).
 */
export function bestOutcome(outcomes: readonly RouteOutcome[]): RouteOutcome {
  let best: RouteOutcome | undefined;
  for (const each of outcomes) if (best === undefined || rank(each) < rank(best)) best = each;
  return best ?? outcome('unreachable', 480);
}

function rank({ kind, status }: RouteOutcome): number {
  if (status >= 600) return 0;
  if (kind === 'redirected') return 300;
  if (status === 486) return 400;
  if (status === 408) return 498;
  return status >= 400 && status < 500 ? 450 : status;
}

function outcomeOfResponse(response: SipResponse): RouteOutcome {
  const { status } = response;
  const told = statusForCaller(status);
  return {
    kind: kindOf(status),
    status: told,
    reason: told === status && response.reason !== '' ? passPhrase(response.reason) : reasonPhrase(told),
    contacts: status >= 300 && status < 400 ? redirectionContacts(response) : [],
    reasonHeaders: response.headers.raw('Reason'),
    response: finalResponse(response),
  };
}

function finalResponse(response: SipResponse): FinalResponse {
  const { status } = response;
  const retryAfter = readable(() => response.headers.get('Retry-After'));
  return retryAfter === undefined ? { status } : { retryAfterSeconds: retryAfter.seconds, status };
}

function kindOf(status: number): RouteOutcome['kind'] {
  if (status < 400) return 'redirected';
  switch (status) {
    case 486:
    case 600:
      return 'busy';
    case 408:
    case 480:
    case 487:
      return 'no-answer';
    case 403:
    case 603:
      return 'rejected';
    default:
      return 'failed';
  }
}

/**
 * What one side's refusal of a re-INVITE or UPDATE means for the other side: a challenge or a redirection was meant for us, and
 * one phone's trouble is not the whole server's (RFC 3261 §16.7 step 6, §22.3). A 408 would end the dialog of whoever asked
 * (§14.1), though it was another one that could not be reached, perhaps for a moment only: if that one is gone, a BYE tells.
 */
export function modifyStatusFor(status: number): number {
  if (status === 606) return status;
  if (status < 400 || status === 401 || status === 407 || status >= 600) return 488;
  return status === 503 || status === 408 ? 500 : status;
}

/** What a callee says about itself need not hold for the caller: RFC 3261 §16.7 step 6 for 503, and our own for the rest. */
function statusForCaller(status: number): number {
  if (status < 400) return 480;
  if (status === 401 || status === 407 || status === 487) return 480;
  return status === 503 ? 500 : status;
}

/** Contacts of a 3xx, highest q first (RFC 3261 §8.1.3.4); none when they cannot be read. */
function redirectionContacts(response: SipResponse): readonly Uri[] {
  const contacts = readable(() => response.headers.get('Contact'));
  if (contacts === undefined || contacts === '*') return [];
  return [...contacts].sort((a, b) => qOf(b.params) - qOf(a.params)).map((contact) => contact.uri);
}

function qOf(params: Parameters<typeof getParam>[0]): number {
  const q = Number(getParam(params, 'q') ?? 1);
  return Number.isFinite(q) ? q : 0;
}

/** How the caller's leg ended when the caller was refused with `status`. */
export function inboundOutcome(status: number): 'busy' | 'no-answer' | 'rejected' | 'failed' {
  const kind = kindOf(status);
  return kind === 'busy' || kind === 'no-answer' || kind === 'rejected' ? kind : 'failed';
}
