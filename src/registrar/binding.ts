import type { EpochMillis } from '../base/clock.js';
import type { SocketAddress } from '../base/ip.js';
import type { Params } from '../protocol/sip/params.js';
import { parseUri } from '../protocol/sip/uri.js';
import type { Json } from '../storage/json.js';
import type { Target } from '../ua/target.js';

/** The flow that a REGISTER came by (RFC 5626 §3.1). */
export type Flow = NonNullable<Target['flow']>;

/** One contact of an address-of-record (RFC 3261 §10). Plain data: this is what is stored. */
export interface Binding {
  /** The address-of-record that it was registered under, `user@host`. */
  readonly aor: string;
  /** The contact URI. */
  readonly contact: string;
  /** Contact parameters as they came, but `expires`: q, +sip.instance, reg-id, and whatever else. */
  readonly params: Params;
  /** 0 to 1; 1 when the phone gave none. */
  readonly q: number;
  readonly callId: string;
  readonly cseq: number;
  /** Path (RFC 3327), the proxy nearest to us first; empty: none. One name-addr each. */
  readonly path: readonly string[];
  readonly flow: Flow;
  /** Where the REGISTER came from: the phone, its NAT, or a proxy. */
  readonly observed: SocketAddress;
  /** The REGISTER came through a NAT: its Via names an address or port that is not where it came from. */
  readonly behindNat: boolean;
  readonly userAgent?: string;
  /** The value of +sip.instance without quotes (RFC 5626 §4.1). */
  readonly instanceId?: string;
  /** RFC 5626 §4.2: together with the instance the name of this flow. Absent where it does not count (§6). */
  readonly regId?: number;
  readonly firstRegisteredAt: EpochMillis;
  readonly refreshedAt: EpochMillis;
  readonly expiresAt: EpochMillis;
}

/**
 * Why a binding is gone. `replaced`: it made room for a newer one. `flow-failed`: the connection that it was bound to has
 * closed (RFC 5626 §7). `administrative`: the host removed it.
 */
export type RemovalReason = 'expired' | 'unregistered' | 'replaced' | 'flow-failed' | 'administrative';

/** What one REGISTER, or the passing of time, did. */
export type BindingChange =
  | { readonly type: 'added'; readonly binding: Binding }
  | { readonly type: 'refreshed'; readonly binding: Binding }
  | { readonly type: 'removed'; readonly binding: Binding; readonly reason: RemovalReason };

/** What a record of `${tenantId}/bindings` holds: all bindings of one address-of-record. */
export function recordOfBindings(bindings: readonly Binding[]): Json {
  return { bindings: bindings as unknown as Json };
}

/** The bindings of such a record. What does not look like one, because something else wrote it, is left out. */
export function bindingsOfRecord(value: Json): readonly Binding[] {
  const list = typeof value === 'object' && value !== null && 'bindings' in value ? value['bindings'] : [];
  return Array.isArray(list) ? list.filter(isBinding) : [];
}

/** The bindings of a record that this process has just made with `recordOfBindings`. */
export function ownBindingsOfRecord(value: Json): readonly Binding[] {
  return (value as unknown as { readonly bindings: readonly Binding[] }).bindings;
}

function isBinding(value: unknown): value is Binding {
  if (typeof value !== 'object' || value === null) return false;
  const { contact, aor, callId, cseq, q, params, path, flow, observed, behindNat, refreshedAt, expiresAt } =
    value as Partial<Binding>;
  return (
    typeof contact === 'string' &&
    isSipUri(contact) &&
    typeof aor === 'string' &&
    typeof callId === 'string' &&
    [cseq, q, refreshedAt, expiresAt].every(Number.isFinite) &&
    Array.isArray(params) &&
    Array.isArray(path) &&
    typeof flow?.remote?.address === 'string' &&
    typeof observed?.address === 'string' &&
    typeof behindNat === 'boolean'
  );
}

function isSipUri(text: string): boolean {
  try {
    return parseUri(text).kind === 'sip';
  } catch {
    return false;
  }
}
