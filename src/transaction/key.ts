import { flatText } from '../base/flat-text.js';
import type { Via } from '../protocol/sip/header/registry.js';
import type { SipMessage, SipRequest, SipResponse } from '../protocol/sip/message.js';

/** What every branch made by an RFC 3261 element starts with (§8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

/** Responses find their client transaction by branch and CSeq method: RFC 3261 §17.1.3. */
export function clientKey(message: SipRequest | SipResponse): string {
  return flatText(`${message.branch ?? ''}|${message.cseq.method}`);
}

/**
 * The name of the server transaction that a request other than ACK makes or belongs to: RFC 3261 §17.2.3. A CANCEL has
 * a transaction of its own; `cancelledKey` names the one that it cancels.
 *
 * Branches are compared as they stand: no element in the field changes their case, but some make branches that differ
 * in nothing else.
 */
export function serverKey(request: SipRequest): string {
  return keyFor(request, request.method, request.toTag);
}

/** The INVITE that a CANCEL cancels: RFC 3261 §9.2. */
export function cancelledKey(cancel: SipRequest): string {
  return keyFor(cancel, 'INVITE', cancel.toTag);
}

/**
 * The INVITE transactions that an ACK may belong to: one with the magic cookie; two without it, because the INVITE may
 * have had no To tag yet. In that second case the To tag must also be the one of the response: `acknowledges`.
 */
export function acknowledgedKeys(ack: SipRequest): readonly string[] {
  if (hasCookie(ack)) return [keyFor(ack, 'INVITE', undefined)];
  return ack.toTag === undefined
    ? [keyFor(ack, 'INVITE', undefined)]
    : [keyFor(ack, 'INVITE', ack.toTag), keyFor(ack, 'INVITE', undefined)];
}

/** Whether an ACK is for the response with that To tag, where no branch says so: RFC 3261 §17.2.3. */
export function acknowledges(ack: SipRequest, toTag: string | undefined): boolean {
  return hasCookie(ack) || (toTag !== undefined && ack.toTag === toTag);
}

/** `false` for an RFC 2543 element, and for a branch that is nothing but the cookie (RFC 4475 §3.2.1). */
export function hasCookie(message: SipMessage): boolean {
  const { branch } = message;
  return branch !== undefined && branch.length > MAGIC_COOKIE.length && branch.startsWith(MAGIC_COOKIE);
}

function keyFor(request: SipRequest, method: string, toTag: string | undefined): string {
  const via = request.topVia;
  if (hasCookie(request)) return flatText(`${request.branch ?? ''}|${sentBy(via)}|${method}`);
  // RFC 2543: Request-URI, To tag, From tag, Call-ID, CSeq and top Via together name the transaction. Each is written
  // as JSON, so that no value can run into its neighbour.
  return JSON.stringify([
    method,
    request.requestUri,
    toTag ?? '',
    request.fromTag ?? '',
    request.callId,
    request.cseq.sequence,
    via.transport,
    sentBy(via),
    request.branch ?? '',
  ]);
}

function sentBy(via: Via): string {
  return `${via.host.toLowerCase()}:${via.port ?? ''}`;
}

/**
 * Names a request that reached us by several ways (RFC 3261 §8.2.2.2): same From tag, Call-ID and CSeq. Undefined for
 * a request within a dialog, which cannot be merged.
 */
export function mergeKey(request: SipRequest): string | undefined {
  if (request.toTag !== undefined) return undefined;
  const fromTag = request.fromTag ?? '';
  const { sequence } = request.cseq;
  // No value can run into its neighbour: a number and a method hold no white space, the tag says how long it is, the rest is the Call-ID.
  return flatText(`${sequence} ${request.method} ${fromTag.length} ${fromTag} ${request.callId}`);
}
