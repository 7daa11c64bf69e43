import type { HeaderInit, SipRequest } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { readable } from '../protocol/sip/parse-error.js';
import { sipUri, type Uri } from '../protocol/sip/uri.js';
import type { TargetPolicy } from '../ua/target.js';
import { numberOf, type Party, partyAddress } from './party.js';

/** The numbers of a call on its way to one destination. */
export interface LegNumbers {
  /** The number that is called. */
  readonly called: string;
  /** The number by which the called party is told who calls. Default: the caller's. */
  readonly caller?: string;
}

/** Whom the INVITE of an outbound leg says it is from, and for whom. */
export interface LegIdentity {
  /** Without a tag. */
  readonly to: NameAddr;
  /** Without a tag. */
  readonly from: NameAddr;
  /** The user part of our Contact. */
  readonly contactUser: string;
  /** P-Asserted-Identity and Privacy, where they belong. */
  readonly headers: HeaderInit;
}

/** What the caller asks of us as its privacy service (RFC 3323 §4.2, RFC 3325 §9.3). */
export interface PrivacyRequest {
  /** The called party must not learn who calls. */
  readonly withheld: boolean;
  /** What was asked with `critical` and cannot be had here; the call is then refused with 500 (RFC 3323 §5). */
  readonly impossible?: string;
}

/** RFC 3323 §4.1.1.3: what stands where a name and a number would. */
const ANONYMOUS_HOST = 'anonymous.invalid';
const ANONYMOUS_USER = 'anonymous';
const ANONYMOUS: NameAddr = {
  displayName: 'Anonymous',
  uri: sipUri({ user: ANONYMOUS_USER, host: ANONYMOUS_HOST }),
  params: [],
};

/**
 * What this server does whether it is asked or not: every header of the other leg is its own (`header`), and the identity
 * of the caller is shown or withheld (`user`, `id`). It adds no History-Info that would have to be hidden (`history`).
 */
const PROVIDED: ReadonlySet<string> = new Set(['header', 'user', 'id', 'history', 'none', 'critical']);

/** Reads the caller's wish: the Privacy header, or a From that is anonymous already. */
export function privacyOf(request: SipRequest): PrivacyRequest {
  const asked = new Set((readable(() => request.headers.get('Privacy')) ?? []).map((value) => value.toLowerCase()));
  const withheld = asked.has('id') || asked.has('user') || (!asked.has('none') && isAnonymous(request.from.uri));
  const impossible = asked.has('critical') ? [...asked].find((value) => !PROVIDED.has(value)) : undefined;
  return impossible === undefined ? { withheld } : { withheld, impossible };
}

/**
 * The caller as the called party is told. From is made from the account, never from what the phone wrote in its own. A
 * trunk belongs to the trust domain: it is told the identity in P-Asserted-Identity even when From is anonymous, with
 * `Privacy: id` so that it ends there (RFC 3325 §5, §7). A phone is told nothing that is withheld.
 */
export function legIdentity(caller: Party, numbers: LegNumbers, domain: string, policy: TargetPolicy): LegIdentity {
  const isTrunk = policy.peer === 'trunk';
  const host = (isTrunk ? policy.domain : undefined) ?? domain;
  const number = (isTrunk ? policy.callerNumber : undefined) ?? numbers.caller ?? caller.number;
  const to: NameAddr = { uri: sipUri({ user: numbers.called, host }), params: [] };
  const known = partyAddress({ ...caller, number }, host);
  if (caller.withheld !== true) {
    const asserted: HeaderInit = isTrunk && policy.assertsIdentity !== false ? { 'P-Asserted-Identity': [known] } : {};
    return { to, from: known, contactUser: number, headers: asserted };
  }
  if (!isTrunk) return { to, from: ANONYMOUS, contactUser: ANONYMOUS_USER, headers: {} };
  const headers: HeaderInit = { 'P-Asserted-Identity': [known], Privacy: ['id'] };
  return policy.withheldFrom === 'number'
    ? { to, from: { uri: known.uri, params: [] }, contactUser: number, headers }
    : { to, from: ANONYMOUS, contactUser: ANONYMOUS_USER, headers };
}

/** The user part of the Contact that stands for `party` on another party's leg. */
export function contactUserOf(party: Party): string {
  return party.withheld === true ? ANONYMOUS_USER : party.number;
}

/**
 * The caller that a peer of the trust domain asserts (RFC 3325 §4): the first SIP or tel URI of P-Asserted-Identity;
 * undefined when there is none. Never to be asked of a message from a phone: whoever can write the header could be anybody.
 */
export function assertedParty(request: SipRequest): Party | undefined {
  for (const { uri, displayName } of readable(() => request.headers.get('P-Asserted-Identity')) ?? []) {
    const number = numberOf(uri);
    if (number !== undefined && number !== '') return { number, ...(displayName === undefined ? {} : { displayName }) };
  }
  return undefined;
}

function isAnonymous(uri: Uri): boolean {
  return (
    uri.kind === 'sip' && (uri.host.toLowerCase() === ANONYMOUS_HOST || uri.user?.toLowerCase() === ANONYMOUS_USER)
  );
}
