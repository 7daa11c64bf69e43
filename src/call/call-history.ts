import type { HeaderInit, SipMessage } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { getParam } from '../protocol/sip/params.js';
import { readable } from '../protocol/sip/parse-error.js';
import { sipUri } from '../protocol/sip/uri.js';
import type { TargetPolicy } from '../ua/target.js';

/** Values of Privacy that hide where a call was before: RFC 7044 §10.1.1. */
const HIDES_HISTORY: ReadonlySet<string> = new Set(['history', 'session', 'header']);

/**
 * Where a call was before, as the next party may know it: Diversion (RFC 5806) and History-Info (RFC 7044). Whole, with the
 * marks of what is private, to a peer of the trust domain; to a phone without the entries that are private (RFC 7044
 * §10.1.2, RFC 5806 §6.2), and without any History-Info where the request itself asks for it. `diverted`: what happened to
 * it here, which stands above what was before (RFC 5806 §5.1). `message`: whose past is believed.
 */
export function passHistory(
  message: SipMessage | undefined,
  to: TargetPolicy,
  diverted: readonly NameAddr[],
): HeaderInit {
  const { history, diversion } = message === undefined ? NO_PAST : pastOf(message);
  if (to.peer === 'phone') {
    const shown = history.filter((entry) => !isPrivateEntry(entry));
    return told([...diverted, ...diversion.filter((entry) => !isPrivateDiversion(entry))], shown);
  }
  const { history: wanted = 'both' } = to;
  return told(
    wanted === 'both' || wanted === 'diversion' ? [...diverted, ...diversion] : [],
    wanted === 'both' || wanted === 'history-info' ? history : [],
  );
}

interface Past {
  readonly history: readonly NameAddr[];
  readonly diversion: readonly NameAddr[];
}

const NO_PAST: Past = { history: [], diversion: [] };

function pastOf({ headers }: SipMessage): Past {
  const asked = readable(() => headers.get('Privacy')) ?? [];
  return {
    history: hidesHistory(asked) ? [] : (readable(() => headers.get('History-Info')) ?? []),
    diversion: readable(() => headers.get('Diversion')) ?? [],
  };
}

function told(diversion: readonly NameAddr[], history: readonly NameAddr[]): HeaderInit {
  return {
    ...(diversion.length === 0 ? {} : { Diversion: diversion }),
    ...(history.length === 0 ? {} : { 'History-Info': history }),
  };
}

/** Diversion of a call that phones of these numbers have sent on by a 3xx (RFC 5806 §4), the last one first. */
export function diversions(numbers: readonly string[], domain: string): readonly NameAddr[] {
  return numbers.map((user) => ({
    uri: sipUri({ user, host: domain }),
    params: [{ name: 'reason', value: 'deflection' }],
  }));
}

/** The Privacy of one entry stands in the headers of its URI: `<sip:1@a?Privacy=history>`. */
function isPrivateEntry({ uri }: NameAddr): boolean {
  if (uri.kind !== 'sip') return false;
  return uri.headers.some(
    ({ name, value = '' }) => name.toLowerCase() === 'privacy' && hidesHistory(value.split(/;|,|%3b|%2c/i)),
  );
}

/** `name` and `uri` hide a part, and what is left without it tells a phone nothing. */
function isPrivateDiversion({ params }: NameAddr): boolean {
  const privacy = getParam(params, 'privacy')?.toLowerCase();
  return privacy !== undefined && privacy !== 'off';
}

function hidesHistory(values: readonly string[]): boolean {
  return values.some((value) => HIDES_HISTORY.has(value.trim().toLowerCase()));
}
