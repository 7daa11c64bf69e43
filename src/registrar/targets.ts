import { ipVersion, normalizeHost } from '../base/ip.js';
import { parseNameAddr } from '../protocol/sip/name-addr.js';
import { getParam, hasParam, NO_PARAMS, withoutParam } from '../protocol/sip/params.js';
import type { SipUri } from '../protocol/sip/uri.js';
import type { OtherFlow, Target } from '../ua/target.js';
import type { Binding } from './binding.js';
import { uriOf } from './bindings.js';
import { instanceKey } from './instance.js';

/**
 * Where to send for these bindings: by q, then the one refreshed last (RFC 3261 §16.6 leaves that to us). The contacts of
 * one phone are one target, whose flows are tried in turn (RFC 5626 §7).
 * `isOpen` says whether the connection of a flow can still be used.
 */
export function targetsOf(bindings: readonly Binding[], isOpen: (connectionId: string) => boolean): readonly Target[] {
  const ordered = [...bindings].sort((a, b) => b.q - a.q || b.refreshedAt - a.refreshedAt);
  const phones = new Map<string | Binding, [Binding, ...Binding[]]>();
  for (const binding of ordered) {
    if (isLost(binding, isOpen)) continue;
    const phone = binding.instanceId === undefined ? binding : instanceKey(binding.instanceId);
    const flows = phones.get(phone);
    if (flows === undefined) phones.set(phone, [binding]);
    else flows.push(binding);
  }
  return [...phones.values()].map(([first, ...others]): Target => {
    const target: Target = { policy: { peer: 'phone' }, ...wayTo(first, isOpen) };
    return others.length === 0 ? target : { otherFlows: others.map((other) => wayTo(other, isOpen)), ...target };
  });
}

/** Whether a binding stands for a flow between the phone and us, with no proxy in between (RFC 5626 §6). */
export function isOwnFlow({ regId, path }: Binding): boolean {
  return regId !== undefined && path.length === 0;
}

/** A phone behind a NAT whose connection is gone: its own address leads to nobody, or to somebody else. */
function isLost(binding: Binding, isOpen: (connectionId: string) => boolean): boolean {
  const { flow, behindNat, path } = binding;
  if (path.length > 0 || flow.protocol === 'udp' || !behindNat) return false;
  return flow.connectionId === undefined || !isOpen(flow.connectionId);
}

function wayTo(binding: Binding, isOpen: (connectionId: string) => boolean): OtherFlow {
  const uri = requestUriOf(uriOf(binding));
  // With a Path its first proxy is the next hop, and the flow led to a proxy, not to the phone (RFC 3327 §5.4).
  if (binding.path.length > 0) return { uri, route: binding.path.map(parseNameAddr) };
  const { flow, behindNat } = binding;
  return needsFlow(binding, uri, isOpen) ? { uri, flow, flowOnly: behindNat } : { uri };
}

/** Headers and `method` may stand in a Contact, not in a Request-URI (RFC 3261 §19.1.1). */
function requestUriOf(contact: SipUri): SipUri {
  if (contact.headers.length === 0 && !hasParam(contact.params, 'method')) return contact;
  return { ...contact, headers: NO_PARAMS, params: withoutParam(contact.params, 'method') };
}

/**
 * A connection from the contact's own host, or through a NAT, is used as long as it is open; one that has closed, or was of
 * an earlier run, is not named, so that the contact's own address is tried. Over UDP the flow is needed behind a NAT, unless
 * the contact is the very place that the REGISTER came from. Somebody may also register a contact for another machine, by
 * its address: a contact that is a name stands for the phone that connected, whose own name need not be known to any DNS.
 * A flow is used always (RFC 5626 §7).
 */
function needsFlow(binding: Binding, uri: SipUri, isOpen: (connectionId: string) => boolean): boolean {
  const { flow, observed, behindNat } = binding;
  const isFlow = isOwnFlow(binding);
  if (isFlow && flow.protocol === 'udp') return true;
  const sameHost = normalizeHost(uri.host) === normalizeHost(observed.address);
  if (flow.protocol !== 'udp') {
    const own = isFlow || behindNat || sameHost || ipVersion(normalizeHost(uri.host)) === 0;
    return own && flow.connectionId !== undefined && isOpen(flow.connectionId);
  }
  const transport = getParam(uri.params, 'transport')?.toLowerCase() ?? 'udp';
  const direct = transport === 'udp' && uri.scheme === 'sip' && getParam(uri.params, 'maddr') === undefined;
  return behindNat && !(direct && sameHost && (uri.port ?? 5060) === observed.port);
}
