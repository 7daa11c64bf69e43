import type { MediaMode } from '../base/media-mode.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { sipUri, type Uri } from '../protocol/sip/uri.js';
import type { HostPort } from '../ua/target.js';
import { passPhrase } from './passing.js';

/** One end of a call as people know it. */
export interface Party {
  /** The number: an extension of the PBX, or what the other side said. */
  readonly number: string;
  readonly displayName?: string;
  /** The extension that was authenticated, if one was. */
  readonly extension?: string;
  /** True when the called party must not learn who this is (RFC 3323, RFC 3325 §9.3). Records show it all the same. */
  readonly withheld?: boolean;
  /** How its media goes. Default: the call service's. */
  readonly media?: MediaMode;
  /** The line, trunk or server by which the party speaks. Absent: a phone, or a peer that is trusted by its address alone. */
  readonly via?: PartyVia;
}

/** What a party that speaks by a line, a trunk or another server may do. */
export interface PartyVia {
  /** `peer`: another server, which has registered here as the extension of that name. */
  readonly kind: 'line' | 'trunk' | 'peer';
  readonly name: string;
  /** Whether its calls may go out again by another line or trunk. */
  readonly transit: boolean;
  /** The dial plan that its calls follow. Default `default`. */
  readonly plan?: string;
  /** Where its calls go, whatever was dialled. */
  readonly inbound?: string;
  /** What stands in our Contact towards it instead of our address. */
  readonly contactAddress?: HostPort;
  /** The audio formats that it may be told of, and that are taken of its offers. Default: all. */
  readonly codecs?: readonly string[];
}

/** Which side of the house a party is on: an extension's phone, or a peer of the trust domain that speaks for it. */
export function sideOf(party: Party): 'phone' | 'trunk' {
  return party.extension === undefined ? 'trunk' : 'phone';
}

/** The party as it stands in From, without a tag. Its name is for people to read: cut, and without control characters. */
export function partyAddress(party: Party, domain: string): NameAddr {
  const uri = sipUri({ user: party.number, host: domain });
  if (party.displayName === undefined) return { uri, params: [] };
  return { displayName: passPhrase(party.displayName), uri, params: [] };
}

/** The number that a URI calls: its user part, or the number of a tel URI without what only makes it readable (RFC 3966 §5.1.1). */
export function numberOf(uri: Uri): string | undefined {
  switch (uri.kind) {
    case 'sip':
      return uri.user;
    case 'tel':
      return withoutSeparators(uri.number);
    case 'other':
      return undefined;
  }
}

/** A telephone number without visual separators: `+49(30)12-34` is `+49301234` (RFC 3966 §3). */
export function withoutSeparators(number: string): string {
  return number.replace(/[-.()]/g, '');
}
