import type { EpochMillis } from '../base/clock.js';
import type { SocketAddress } from '../base/ip.js';
import type { Params } from '../protocol/sip/params.js';
import { equalUris, parseUri, type SipUri } from '../protocol/sip/uri.js';
import type { Binding, BindingChange, Flow } from './binding.js';
import { instanceKey, isSameInstance } from './instance.js';
import type { Outbound } from './outbound.js';

/** How long a registration may last, in whole seconds. */
export interface ExpiryPolicy {
  /** Shorter wishes are refused with 423, as far as §10.3 step 7 allows it. Default 60. */
  readonly minSeconds: number;
  /** Longer wishes are cut to this. Default 3600. */
  readonly maxSeconds: number;
  /** Granted when the phone asks for nothing. Default 3600. */
  readonly defaultSeconds: number;
}

export interface BindingPolicy extends ExpiryPolicy {
  /** How many contacts an address-of-record may have. */
  readonly maxContacts: number;
  /** When there are too many: refuse the REGISTER (403), or let the bindings that were refreshed longest ago go. */
  readonly whenFull: 'refuse' | 'replace-oldest';
}

/** One contact that a REGISTER asks for. */
export interface ContactWish {
  readonly uri: SipUri;
  readonly contact: string;
  readonly params: Params;
  readonly q: number;
  /** Its own wish or the Expires header's; undefined when there is neither. 0: remove. */
  readonly expiresSeconds: number | undefined;
  readonly instanceId?: string;
  /** Only together with `instanceId`, and only where it counts (RFC 5626 §6). */
  readonly regId?: number;
}

/** What a REGISTER says about an address-of-record, apart from who sent it. */
export interface RegisterWish {
  readonly aor: string;
  /** `'all'`: remove every binding (`Contact: *`). Empty: a query. */
  readonly contacts: 'all' | readonly ContactWish[];
  readonly callId: string;
  readonly cseq: number;
  readonly path: readonly string[];
  readonly flow: Flow;
  readonly observed: SocketAddress;
  readonly behindNat: boolean;
  readonly userAgent?: string;
  /** Default `none`. */
  readonly outbound?: Outbound;
}

export type RegisterRefusal =
  | { readonly kind: 'too-brief'; readonly minSeconds: number }
  | { readonly kind: 'out-of-order' }
  | { readonly kind: 'too-many'; readonly maxContacts: number }
  /** The tenant has as many bindings as it may have. */
  | { readonly kind: 'full' };

export type RegisterOutcome =
  | {
      readonly kind: 'applied';
      readonly bindings: readonly Binding[];
      readonly changes: readonly BindingChange[];
      /** What each binding of `bindings` that this REGISTER added or refreshed was granted, in seconds. */
      readonly granted: ReadonlyMap<Binding, number>;
    }
  | { readonly kind: 'refused'; readonly refusal: RegisterRefusal };

/** RFC 3261 §10.3 step 7: only a wish of less than an hour may be refused as too brief. */
const ONE_HOUR_SECONDS = 3600;

/**
 * What a REGISTER makes of the bindings of its address-of-record (RFC 3261 §10.3 steps 6 and 7): all of it or nothing.
 * `current` holds no expired binding. Where one contact stands twice in a request, the last one counts.
 */
export function applyRegister(
  current: readonly Binding[],
  wish: RegisterWish,
  policy: BindingPolicy,
  now: EpochMillis,
): RegisterOutcome {
  const { contacts } = wish;
  if (contacts === 'all') return removeAll(current, wish);
  const brief = contacts.some(({ expiresSeconds }) => isTooBrief(expiresSeconds, policy));
  if (brief) return refused({ kind: 'too-brief', minSeconds: policy.minSeconds });

  let bindings: readonly Binding[] = current;
  const granted = new Map<Binding, number>();
  const changes: BindingChange[] = [];
  for (const contact of withoutRepeats(contacts)) {
    const same = bindings.filter((binding) => !granted.has(binding) && isSameContact(binding, contact));
    if (same.some((binding) => isOutOfOrder(binding, wish))) return refused({ kind: 'out-of-order' });
    const seconds = grantedSeconds(contact.expiresSeconds, policy);
    if (seconds === 0) {
      bindings = bindings.filter((binding) => !same.includes(binding));
      for (const binding of same) changes.push({ type: 'removed', binding, reason: 'unregistered' });
      continue;
    }
    // Equality is not transitive (§19.1.4): one contact may stand for several bindings, and takes the place of all.
    const [known, ...doubles] = same;
    const binding = bindingOf(contact, wish, seconds, known?.firstRegisteredAt ?? now, now);
    granted.set(binding, seconds);
    changes.push({ type: known === undefined ? 'added' : 'refreshed', binding });
    for (const double of doubles) changes.push({ type: 'removed', binding: double, reason: 'replaced' });
    bindings =
      known === undefined
        ? [...bindings, binding]
        : bindings.flatMap((each) => (each === known ? [binding] : doubles.includes(each) ? [] : [each]));
  }
  const adds = changes.some(({ type }) => type === 'added');
  const kept = adds ? makeRoom(bindings, granted, policy) : bindings;
  if (kept === undefined) return refused({ kind: 'too-many', maxContacts: policy.maxContacts });
  for (const binding of bindings) {
    if (!kept.includes(binding)) changes.push({ type: 'removed', binding, reason: 'replaced' });
  }
  return { kind: 'applied', bindings: kept, changes, granted };
}

/** Without the contacts that a later one of the request repeats. */
function withoutRepeats(contacts: readonly ContactWish[]): readonly ContactWish[] {
  return contacts.filter((contact, i) => !contacts.slice(i + 1).some((later) => isSameContact(contact, later)));
}

interface Contact {
  readonly uri?: SipUri;
  readonly contact: string;
  readonly instanceId?: string;
  readonly regId?: number;
}

/**
 * Whether one takes the place of the other: flows by instance and reg-id (RFC 5626 §6), others by their URI (RFC 3261
 * §10.3), which is not enough to touch the flow of another phone: behind two NATs two phones may have one address.
 */
function isSameContact(a: Contact, b: Contact): boolean {
  if (a.regId !== undefined && b.regId !== undefined) {
    return a.regId === b.regId && isSameInstance(a.instanceId, b.instanceId);
  }
  const isFlow = a.regId !== undefined || b.regId !== undefined;
  const named = a.instanceId !== undefined && b.instanceId !== undefined;
  if (isFlow && named && !isSameInstance(a.instanceId, b.instanceId)) return false;
  return a.contact === b.contact || equalUris(a.uri ?? uriOf(a), b.uri ?? uriOf(b));
}

/** The bindings that still live at `now`, and those that do not. */
export function splitExpired(
  bindings: readonly Binding[],
  now: EpochMillis,
): { readonly live: readonly Binding[]; readonly expired: readonly Binding[] } {
  const live = bindings.filter((binding) => binding.expiresAt > now);
  const expired = live.length === bindings.length ? [] : bindings.filter((binding) => binding.expiresAt <= now);
  return { live, expired };
}

/** The contact of a binding. Stored text was printed by us, so it parses. */
export function uriOf(binding: Pick<Binding, 'contact'>): SipUri {
  const uri = parseUri(binding.contact);
  if (uri.kind !== 'sip') throw new TypeError(`stored contact ${binding.contact} is no SIP URI`);
  return uri;
}

/** `Contact: *`: a Call-ID that differs removes, an equal one only with a higher CSeq (§10.3 step 6). */
function removeAll(current: readonly Binding[], wish: RegisterWish): RegisterOutcome {
  if (current.some((binding) => isOutOfOrder(binding, wish))) return refused({ kind: 'out-of-order' });
  const changes = current.map((binding): BindingChange => ({ type: 'removed', binding, reason: 'unregistered' }));
  return { kind: 'applied', bindings: [], changes, granted: new Map() };
}

function isOutOfOrder(binding: Binding, wish: RegisterWish): boolean {
  return binding.callId === wish.callId && wish.cseq <= binding.cseq;
}

function isTooBrief(seconds: number | undefined, policy: ExpiryPolicy): boolean {
  return seconds !== undefined && seconds > 0 && seconds < policy.minSeconds && seconds < ONE_HOUR_SECONDS;
}

function grantedSeconds(wished: number | undefined, policy: ExpiryPolicy): number {
  return Math.min(wished ?? policy.defaultSeconds, policy.maxSeconds);
}

function bindingOf(
  contact: ContactWish,
  wish: RegisterWish,
  seconds: number,
  firstRegisteredAt: EpochMillis,
  now: EpochMillis,
): Binding {
  const { instanceId, regId } = contact;
  return {
    aor: wish.aor,
    contact: contact.contact,
    params: contact.params,
    q: contact.q,
    callId: wish.callId,
    cseq: wish.cseq,
    path: wish.path,
    flow: wish.flow,
    observed: wish.observed,
    behindNat: wish.behindNat,
    ...(wish.userAgent !== undefined && { userAgent: wish.userAgent }),
    ...(instanceId !== undefined && { instanceId }),
    ...(regId !== undefined && { regId }),
    firstRegisteredAt,
    refreshedAt: now,
    expiresAt: now + seconds * 1000,
  };
}

/**
 * At most `maxContacts`, or undefined when that cannot be. A phone that comes back from another address displaces its
 * own old binding (same +sip.instance) before it is refused.
 */
function makeRoom(
  bindings: readonly Binding[],
  granted: ReadonlyMap<Binding, number>,
  policy: BindingPolicy,
): readonly Binding[] | undefined {
  let surplus = bindings.length - policy.maxContacts;
  if (surplus <= 0) return bindings;
  const others = bindings.filter((binding) => !granted.has(binding)).sort((a, b) => a.refreshedAt - b.refreshedAt);
  const instances = new Set([...granted.keys()].map(({ instanceId }) => instanceId && instanceKey(instanceId)));
  const dropped = new Set<Binding>();
  for (const binding of others) {
    if (surplus > 0 && binding.instanceId !== undefined && instances.has(instanceKey(binding.instanceId))) {
      dropped.add(binding);
      surplus--;
    }
  }
  if (policy.whenFull === 'replace-oldest') {
    for (const binding of others) {
      if (surplus > 0 && !dropped.has(binding)) {
        dropped.add(binding);
        surplus--;
      }
    }
  }
  return surplus > 0 ? undefined : bindings.filter((binding) => !dropped.has(binding));
}

function refused(refusal: RegisterRefusal): RegisterOutcome {
  return { kind: 'refused', refusal };
}
