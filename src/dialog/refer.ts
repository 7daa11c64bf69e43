import { parseReplaces, type Replaces } from '../protocol/sip/header/dialog-id.js';
import type { SipRequest } from '../protocol/sip/message.js';
import { getParam, sameName, withoutParam } from '../protocol/sip/params.js';
import { SipParseError } from '../protocol/sip/parse-error.js';
import type { Uri } from '../protocol/sip/uri.js';
import { unescapeUriText } from '../protocol/sip/uri-escape.js';

/** What a REFER asks for (RFC 3515 §2.1). */
export interface Refer {
  /** Where to send the INVITE: the URI of Refer-To without its headers. */
  readonly target: Uri;
  /** The dialog that the INVITE shall replace (RFC 3891), from the headers of that URI. */
  readonly replaces: Replaces | undefined;
  /** False when no subscription is wanted: Refer-Sub: false (RFC 4488 §4). */
  readonly subscribes: boolean;
  /** The CSeq number, which tells several REFERs of one dialog apart (RFC 3515 §2.4.6). */
  readonly sequence: number;
}

/** A REFER that cannot be served, whoever sent it. */
export interface ReferRefusal {
  readonly status: number;
  readonly reason: string;
}

/** Reads a REFER: RFC 3515 §2.4.2. Only INVITE is referred to, and only SIP and tel URIs. */
export function readRefer(request: SipRequest): Refer | ReferRefusal {
  try {
    return read(request);
  } catch (error) {
    if (error instanceof SipParseError) return { status: 400, reason: `Bad ${error.header ?? 'Refer-To'}` };
    throw error;
  }
}

/** Tells the two results of `readRefer` apart. */
export function isRefer(result: Refer | ReferRefusal): result is Refer {
  return 'target' in result;
}

function read(request: SipRequest): Refer | ReferRefusal {
  const referTo = request.headers.get('Refer-To');
  if (referTo === undefined) return { status: 400, reason: 'Refer-To Missing' };
  // RFC 4488 §4: only "false" is a wish; whoever requires `norefersub` without it wants the subscription all the same.
  const subscribes = request.headers.get('Refer-Sub')?.value !== false;
  const { sequence } = request.cseq;
  const { uri } = referTo;
  if (uri.kind === 'tel') return { target: uri, replaces: undefined, subscribes, sequence };
  if (uri.kind === 'other') return { status: 416, reason: 'Refer-To Scheme Not Supported' };
  const method = getParam(uri.params, 'method') ?? 'INVITE';
  if (method !== 'INVITE') return { status: 403, reason: 'Only INVITE Can Be Referred To' };
  const target = { ...uri, params: withoutParam(uri.params, 'method'), headers: [] };
  const asked = uri.headers.filter(({ name }) => sameName(unescapeUriText(name), 'Replaces'));
  if (asked.length > 1) return { status: 400, reason: 'Replaces More Than Once' };
  const text = asked[0]?.value;
  const replaces = text === undefined ? undefined : parseReplaces(unescapeUriText(text));
  return { target, replaces, subscribes, sequence };
}
