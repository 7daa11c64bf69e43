import { AddressSet } from '../base/address-set.js';
import { ipVersion, isWildcardAddress, normalizeHost } from '../base/ip.js';
import type { MediaMode } from '../base/media-mode.js';
import { LINK_NETWORKS, PRIVATE_NETWORKS } from '../base/private-networks.js';

/** What is known of where a leg's media comes from and goes to. */
export interface MediaSide {
  /** For people: the number at the far end. */
  readonly name: string;
  readonly mode: MediaMode;
  /** The IP address that its signalling comes from, or goes to. */
  readonly address?: string;
  /** A line or trunk that is called by a host name: where its media is nobody knows before it has said so. */
  readonly named?: boolean;
  /** The IP address that the host name leads to by which it is called: decides which of our addresses it is told, and nothing else. */
  readonly hop?: string;
  /** It has registered through a NAT. */
  readonly behindNat?: boolean;
  /** The address of its audio, as it was said last. */
  readonly said?: string;
}

/** By which path the media of two legs goes, and why. */
export interface MediaDecision {
  readonly path: 'direct' | 'relay';
  /** For people. */
  readonly reason: string;
}

const PRIVATE = new AddressSet([...PRIVATE_NETWORKS, ...LINK_NETWORKS]);

/** From where an address can be reached. */
type Zone =
  /** From everywhere. */
  | { readonly kind: 'public' }
  /** From the server's own networks. */
  | { readonly kind: 'local' }
  /** From behind this address alone: a NAT's. */
  | { readonly kind: 'behind'; readonly nat: string }
  | { readonly kind: 'unknown' };

/**
 * Whether two parties can hear each other without help. `local`: the networks that the server reaches without a NAT; an address of
 * them is believed even when the signalling comes from another one. Undefined: nobody has asked, because both are set to `direct`.
 */
export function decideMediaPath(a: MediaSide, b: MediaSide, local: AddressSet): MediaDecision | undefined {
  const asked = [a, b].find(({ mode }) => mode === 'relay');
  if (asked !== undefined) return { path: 'relay', reason: `${asked.name} is set to relay` };
  if (a.mode === 'direct' && b.mode === 'direct') return undefined;
  const [from, to] = [zoneOf(a, local), zoneOf(b, local)];
  const reason = `${a.name} ${describe(from, a)}, ${b.name} ${describe(to, b)}`;
  const [one, other] = [familyOf(a), familyOf(b)];
  if (one !== 0 && other !== 0 && one !== other) {
    return { path: 'relay', reason: `${reason}: IPv${one} and IPv${other} do not meet` };
  }
  return { path: meet(from, to) ? 'direct' : 'relay', reason };
}

/** Where a party's audio is: as it was said, else where its signalling is. */
function placeOf({ address, said }: MediaSide): string | undefined {
  return said === undefined || isWildcardAddress(said) ? address : said;
}

/** 0: not known, or a name, which may have addresses of both. */
function familyOf(side: MediaSide): 4 | 6 | 0 {
  const place = placeOf(side);
  return place === undefined ? 0 : ipVersion(normalizeHost(place));
}

function meet(a: Zone, b: Zone): boolean {
  if (a.kind === 'unknown' || b.kind === 'unknown') return true;
  if (a.kind === 'behind' || b.kind === 'behind') return a.kind === 'behind' && b.kind === 'behind' && a.nat === b.nat;
  return a.kind === b.kind;
}

function zoneOf({ address, said, behindNat, named }: MediaSide, local: AddressSet): Zone {
  const seen = address === undefined ? undefined : normalizeHost(address);
  const media = said === undefined || isWildcardAddress(said) ? undefined : normalizeHost(said);
  if (media === undefined) {
    // A carrier's name: one that stands in the server's own network loses nothing but a shorter way.
    if (seen === undefined) return { kind: named === true ? 'public' : 'unknown' };
    if (behindNat === true) return { kind: 'behind', nat: seen };
    return PRIVATE.has(seen) || local.has(seen) ? { kind: 'local' } : { kind: 'public' };
  }
  if (local.has(media)) return { kind: 'local' };
  // A name stands in no private network's DNS alone: who says one means it for everybody.
  if (ipVersion(media) === 0 || !PRIVATE.has(media)) return { kind: 'public' };
  if (seen === undefined || seen === media) return { kind: 'local' };
  return { kind: 'behind', nat: seen };
}

function describe(zone: Zone, side: MediaSide): string {
  const { said } = side;
  const place = placeOf(side);
  switch (zone.kind) {
    case 'public':
      return place === undefined ? 'is called by a host name' : `can be reached at ${place}`;
    case 'local':
      return `is in the server's network (${place})`;
    case 'behind':
      return `is behind a NAT (${said === undefined ? '' : `${said} `}seen as ${zone.nat})`;
    case 'unknown':
      return 'has said nothing yet';
  }
}
