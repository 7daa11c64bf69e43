import type { MediaMode } from '../base/media-mode.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import type { SipUri, Uri } from '../protocol/sip/uri.js';
import type { FlowRef, TransportProtocol } from '../transport/hop.js';
import type { CredentialSource } from './credential-source.js';
import type { DigestClient } from './digest-client.js';

/** For the floors above, which know no transport. */
export type { FlowRef, Source, TransportProtocol } from '../transport/hop.js';

/** How a request is sent. Nothing of it is needed for one that goes where its Request-URI says. */
export interface SendTarget {
  /** Route headers to put on: a Path, a Service-Route, a dialog's route set, an outbound proxy. */
  readonly route?: readonly NameAddr[];
  /** Where to send when it is neither the top Route nor the Request-URI: a strict router (RFC 3261 §12.2.1.1). */
  readonly nextHop?: SipUri;
  /**
   * Send by this flow (RFC 5626, RFC 3581); nothing is resolved. A UDP flow is the only way there is; when a connection has
   * died, the next hop's own address is tried, unless `flowOnly`.
   */
  readonly flow?: FlowRef;
  /** The peer is behind a NAT: its own address leads nowhere, or to somebody else. */
  readonly flowOnly?: boolean;
  /** Transport to prefer where the next hop's URI leaves it open. */
  readonly transport?: TransportProtocol;
  /**
   * The user part of our Contact (RFC 3261 §8.1.1.8), '' for none: the address in it is chosen when the hop is known.
   * Absent: the request is sent as it is.
   */
  readonly contactUser?: string;
  /** Stands in our Contact instead of the address that is chosen: a name that the peer insists on, or what it sees of us behind a NAT. */
  readonly contactAddress?: HostPort;
  /** Answers 401 and 407; without it they are failures like any other. */
  readonly credentials?: CredentialSource;
  /**
   * Other ways to the same phone, tried one after the other (RFC 5626 §7): when nothing was heard by this one, or a 408 or
   * 430. Any other answer is the phone's.
   */
  readonly otherFlows?: readonly OtherFlow[];
  /** Instead of `credentials`: a client that is kept over many requests, so that they carry credentials at once. */
  readonly digest?: DigestClient;
}

/** A host name or address; without a port the one that is chosen. */
export interface HostPort {
  readonly host: string;
  readonly port?: number;
}

/** Another flow to the same phone, with the contact that was registered by it. */
export interface OtherFlow extends Pick<SendTarget, 'route' | 'flow' | 'flowOnly'> {
  /** The Request-URI. */
  readonly uri: Uri;
}

/** Where a call can be sent: what registrar and trunks answer. */
export interface Target extends SendTarget {
  /** The Request-URI. */
  readonly uri: Uri;
  readonly policy: TargetPolicy;
  /** To be released exactly once, when the attempt is over. */
  readonly lease?: Lease;
}

/** Which side of the house a target is on: decides what headers pass to it, and how it is shown who calls. */
export type TargetPolicy = PhonePolicy | TrunkPolicy;

/** The phone of an extension. */
export interface PhonePolicy {
  readonly peer: 'phone';
  /** How its media goes. Default: the call service's. */
  readonly media?: MediaMode;
}

/** A peer of the trust domain (RFC 3325): a line, a trunk, another server of ours. */
export interface TrunkPolicy {
  readonly peer: 'trunk';
  /** Of the line or trunk, for records. */
  readonly name?: string;
  /** The domain in which the peer knows numbers: of To, From and P-Asserted-Identity. Default: the PBX's own. */
  readonly domain?: string;
  /** The number that every call shows, whoever calls. Default: the caller's. */
  readonly callerNumber?: string;
  /** Whether every call carries P-Asserted-Identity; one whose caller withholds the number does in any case. Default true. */
  readonly assertsIdentity?: boolean;
  /**
   * What a call shows whose caller withholds the number, beside `Privacy: id`: an anonymous From (RFC 3325 §7), or the number, for
   * carriers that know accounts by From and hide it themselves. Default `anonymous`.
   */
  readonly withheldFrom?: 'anonymous' | 'number';
  /** Where the call was before, as the peer wants it told. Default `both`. */
  readonly history?: 'diversion' | 'history-info' | 'both' | 'none';
  /** The audio formats, named as in `a=rtpmap`, that descriptions to it hold and that are taken of its offers. Default: all. */
  readonly codecs?: readonly string[];
  /** How its media goes. Default: the call service's. */
  readonly media?: MediaMode;
}

export type LeaseOutcome = 'answered' | 'busy' | 'rejected' | 'no-answer' | 'failed' | 'cancelled';

/** A place taken in something that counts, such as a line's channels. */
export interface Lease {
  release(outcome: LeaseOutcome): void;
}
