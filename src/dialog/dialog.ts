import type { HeaderInit, SipMessage, SipRequest, SipResponse } from '../protocol/sip/message.js';
import { createRequest } from '../protocol/sip/message.js';
import { formatNameAddr, type NameAddr, parseNameAddr, tagOf, withTag } from '../protocol/sip/name-addr.js';
import { hasParam } from '../protocol/sip/params.js';
import { readable } from '../protocol/sip/parse-error.js';
import { formatUri, parseUri, type SipUri, type Uri } from '../protocol/sip/uri.js';
import type { DigestClient } from '../ua/digest-client.js';
import { flowTo, isBehindNat } from '../ua/reach-back.js';
import type { FlowRef, Source } from '../ua/target.js';
import { allowOf, contactUri, ownContact, routeSetOf } from './dialog-headers.js';
import { PeerHost } from './peer-host.js';

/** A dialog is named by these three (RFC 3261 §12). */
export interface DialogId {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}

export type DialogState = 'early' | 'confirmed';

/** A dialog as plain data: JSON keeps it whole. */
export interface DialogSnapshot {
  readonly role: 'uac' | 'uas';
  readonly state: DialogState;
  readonly callId: string;
  /** From and To of requests sent here, tags included. */
  readonly local: string;
  readonly remote: string;
  readonly localContact: string;
  readonly localSequence: number;
  readonly remoteSequence?: number;
  readonly remoteTarget: string;
  readonly routeSet: readonly string[];
  /** The peer is answered by the flow that its messages come from, because its Contact cannot be reached. */
  readonly behindNat: boolean;
  readonly flow?: FlowRef;
  /** The methods that the peer has told in Allow, as it told them. */
  readonly allow?: string;
}

/** How the request was sent that opened the dialog: the requests after it go the same way. */
export interface DialogWay {
  /** It had to be sent by the flow of a registration. */
  readonly behindNat: boolean;
  /** Answers the challenges of the peer. */
  readonly digest?: DigestClient | undefined;
}

/** Where a request within the dialog goes. */
export interface DialogTarget {
  readonly route: readonly NameAddr[];
  /** Where to send when it is neither the top Route nor the Request-URI: a strict router (RFC 3261 §12.2.1.1). */
  readonly nextHop?: SipUri;
  readonly flow?: FlowRef;
  readonly flowOnly?: boolean;
  readonly digest?: DigestClient;
}

export interface DialogRequestOptions {
  readonly headers?: HeaderInit;
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
}

interface DialogParts {
  readonly role: 'uac' | 'uas';
  readonly state: DialogState;
  readonly callId: string;
  readonly local: NameAddr;
  readonly remote: NameAddr;
  readonly localContact: NameAddr;
  readonly localSequence: number;
  readonly remoteSequence: number | undefined;
  readonly remoteTarget: Uri;
  readonly routeSet: readonly NameAddr[];
  readonly behindNat: boolean;
  readonly flow: FlowRef | undefined;
  /** Of the message that has made the dialog; undefined after a restart. */
  readonly source?: Source;
  readonly allow: string | undefined;
  readonly digest?: DigestClient | undefined;
}

/** More requests than one dialog sends between two snapshots. */
const RESTORE_MARGIN = 1000;

/** The methods that carry a Contact. */
const TARGET_REFRESHES: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

/** The state that two user agents share: RFC 3261 §12. Holds no timer and sends nothing. */
export class Dialog {
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  readonly local: NameAddr;
  readonly remote: NameAddr;
  #localContact: NameAddr;
  #state: DialogState;
  #localSequence: number;
  #remoteSequence: number | undefined;
  #remoteTarget: Uri;
  #routeSet: readonly NameAddr[];
  #behindNat: boolean;
  #flow: FlowRef | undefined;
  #allow: string | undefined;
  #host: PeerHost;
  readonly #digest: DigestClient | undefined;

  private constructor(parts: DialogParts) {
    this.role = parts.role;
    this.callId = parts.callId;
    this.local = parts.local;
    this.remote = parts.remote;
    this.#localContact = parts.localContact;
    this.#state = parts.state;
    this.#localSequence = parts.localSequence;
    this.#remoteSequence = parts.remoteSequence;
    this.#remoteTarget = parts.remoteTarget;
    this.#routeSet = parts.routeSet;
    this.#behindNat = parts.behindNat;
    this.#flow = parts.flow;
    this.#allow = parts.allow;
    this.#host = new PeerHost(parts.source);
    this.#digest = parts.digest;
  }

  /** The caller's side, from its INVITE and a 1xx or 2xx with a To tag (RFC 3261 §12.1.2). */
  static uac(request: SipRequest, response: SipResponse, source: Source, way: DialogWay): Dialog {
    const { behindNat, digest } = way;
    const target = contactUri(response) ?? request.uri;
    const routeSet = routeSetOf(response);
    return new Dialog({
      role: 'uac',
      state: response.status >= 200 ? 'confirmed' : 'early',
      callId: request.callId,
      local: request.from,
      remote: response.to,
      localContact: ownContact(request),
      localSequence: request.cseq.sequence,
      remoteSequence: undefined,
      remoteTarget: target,
      routeSet,
      behindNat,
      flow: routeSet.length === 0 ? flowTo(target, source, behindNat) : undefined,
      source,
      allow: allowOf(response),
      digest,
    });
  }

  /** The subscriber's side, from its SUBSCRIBE and the first NOTIFY (RFC 6665 §4.4.1). */
  static subscriber(subscribe: SipRequest, notify: SipRequest, source: Source, way: DialogWay): Dialog {
    const { behindNat, digest } = way;
    const target = contactUri(notify) ?? subscribe.uri;
    const routeSet = readable(() => notify.headers.get('Record-Route')) ?? [];
    return new Dialog({
      role: 'uac',
      state: 'confirmed',
      callId: subscribe.callId,
      local: subscribe.from,
      remote: notify.from,
      localContact: ownContact(subscribe),
      localSequence: subscribe.cseq.sequence,
      remoteSequence: undefined,
      remoteTarget: target,
      routeSet,
      behindNat,
      flow: routeSet.length === 0 ? flowTo(target, source, behindNat) : undefined,
      source,
      allow: allowOf(notify),
      digest,
    });
  }

  /** The callee's side, from the INVITE and the tag and Contact of the answer to it (RFC 3261 §12.1.1). */
  static uas(
    request: SipRequest,
    localTag: string,
    localContact: NameAddr,
    state: DialogState,
    source: Source,
  ): Dialog {
    const target = contactUri(request) ?? request.from.uri;
    const routeSet = request.headers.get('Record-Route') ?? [];
    const behindNat = isBehindNat(request, source);
    return new Dialog({
      role: 'uas',
      state,
      callId: request.callId,
      local: withTag(request.to, localTag),
      remote: request.from,
      localContact,
      localSequence: 0,
      remoteSequence: request.cseq.sequence,
      remoteTarget: target,
      routeSet,
      behindNat,
      flow: routeSet.length === 0 ? flowTo(target, source, behindNat) : undefined,
      source,
      allow: allowOf(request),
    });
  }

  /**
   * The dialog of a snapshot, in this process or another one. A connection died with its process: the peer's own
   * address is used instead. CSeq goes on well above the snapshot's, because requests sent after it are not in it; the
   * numbers only have to grow (RFC 3261 §12.2.1.1). `digest`: answers challenges.
   */
  static restore(snapshot: DialogSnapshot, digest?: DigestClient): Dialog {
    const { flow } = snapshot;
    return new Dialog({
      role: snapshot.role,
      state: snapshot.state,
      callId: snapshot.callId,
      local: parseNameAddr(snapshot.local),
      remote: parseNameAddr(snapshot.remote),
      localContact: parseNameAddr(snapshot.localContact),
      localSequence: snapshot.localSequence + RESTORE_MARGIN,
      remoteSequence: snapshot.remoteSequence,
      remoteTarget: parseUri(snapshot.remoteTarget),
      routeSet: snapshot.routeSet.map(parseNameAddr),
      behindNat: snapshot.behindNat,
      flow: flow?.protocol === 'udp' ? flow : undefined,
      allow: snapshot.allow,
      digest,
    });
  }

  /** What the peer was told last, or is told next. */
  get localContact(): NameAddr {
    return this.#localContact;
  }

  /** The next target refresh tells the peer `present` of what it was told before (RFC 3261 §12.2.1.1, §12.2.2). */
  renewContact(present: (contact: NameAddr) => NameAddr): void {
    this.#localContact = present(this.#localContact);
  }

  get state(): DialogState {
    return this.#state;
  }

  get id(): DialogId {
    return { callId: this.callId, localTag: tagOf(this.local) ?? '', remoteTag: tagOf(this.remote) ?? '' };
  }

  get remoteTarget(): Uri {
    return this.#remoteTarget;
  }

  /** The host that the peer was last seen to speak from; after a restart that of its flow, if one is known. */
  get seenAt(): string | undefined {
    return this.#host.seen ?? this.#flow?.remote.address;
  }

  get localSequence(): number {
    return this.#localSequence;
  }

  /** The next request of this side, with the CSeq counted up (RFC 3261 §12.2.1.1). ACK and CANCEL are not made here. */
  createRequest(method: string, options: DialogRequestOptions = {}): SipRequest {
    return this.#build(method, this.nextSequence(), options);
  }

  /** The CSeq number of the next request of this side; each is given out once. */
  nextSequence(): number {
    this.#localSequence++;
    return this.#localSequence;
  }

  /** The ACK to a 2xx (RFC 3261 §13.2.2.4), with the CSeq number of its INVITE. */
  createAck(sequence: number, options: DialogRequestOptions = {}): SipRequest {
    return this.#build('ACK', sequence, options);
  }

  /** Where requests of this dialog are sent. */
  get target(): DialogTarget {
    const strict = this.#strictRouter();
    const flow = this.#flow === undefined ? {} : { flow: this.#flow, flowOnly: this.#behindNat };
    const digest = this.#digest === undefined ? {} : { digest: this.#digest };
    if (strict === undefined) return { route: this.#routeSet, ...flow, ...digest };
    const last: NameAddr = { uri: this.#remoteTarget, params: [] };
    return { route: [...this.#routeSet.slice(1), last], nextHop: strict, ...flow, ...digest };
  }

  /**
   * Notes the CSeq of a request from the other side. `false`: it is older than one that was seen, answer 500
   * (RFC 3261 §12.2.2). ACK and CANCEL carry the number of their INVITE and are not given here.
   */
  acceptSequence(request: SipRequest): boolean {
    const { sequence } = request.cseq;
    if (this.#remoteSequence !== undefined && sequence <= this.#remoteSequence) return false;
    this.#remoteSequence = sequence;
    return true;
  }

  /** Whether the peer has said that it serves this method (RFC 3261 §20.5). Silence is a no. */
  allows(method: string): boolean {
    return this.#allow?.split(',').some((each) => each.trim() === method) === true;
  }

  /** The Allow of a message of the peer, if it has one, holds from now on. */
  noteAllow(message: SipMessage): void {
    this.#allow = allowOf(message) ?? this.#allow;
  }

  /**
   * Target refresh by a re-INVITE, an UPDATE or its 2xx (RFC 3261 §12.2.1.2, §12.2.2, RFC 3311 §5.1). True for a request that comes from
   * another host than the last description that was accepted: the peer, and its media, is in another network now, whatever it describes.
   */
  refreshTarget(message: SipMessage, source: Source): boolean {
    this.#reachAt(message, source);
    return message.kind === 'request' && this.#host.see(source);
  }

  /** An offer that came from there has been accepted. */
  describedFrom(source: Source): void {
    this.#host.describedFrom(source);
  }

  #reachAt(message: SipMessage, source: Source): void {
    this.noteAllow(message);
    const target = contactUri(message);
    if (target !== undefined) this.#remoteTarget = target;
    if (this.#routeSet.length > 0) return;
    if (message.kind === 'request') this.#behindNat = isBehindNat(message, source);
    this.#flow = flowTo(this.#remoteTarget, source, this.#behindNat);
  }

  /**
   * A repeated message of the peer came by another connection than the dialog uses: that one has died, and whatever is sent
   * by it is lost (RFC 5626 §4.3). The target stays: what is only repeated may be older than the last refresh.
   */
  reachedBy(source: Source): void {
    const { connectionId } = source.flow;
    if (connectionId === undefined || this.#flow?.connectionId === undefined) return;
    if (this.#routeSet.length === 0) this.#flow = source.flow;
  }

  /** The callee's side has sent its 2xx. */
  confirmLocally(): void {
    this.#state = 'confirmed';
  }

  /** The caller's side has its 2xx: the route set is computed anew (RFC 3261 §13.2.2.4). */
  confirm(response: SipResponse, source: Source): void {
    this.#state = 'confirmed';
    this.#routeSet = routeSetOf(response);
    this.#flow = undefined;
    this.#host = new PeerHost(source);
    this.#reachAt(response, source);
  }

  snapshot(): DialogSnapshot {
    return {
      role: this.role,
      state: this.#state,
      callId: this.callId,
      local: formatNameAddr(this.local),
      remote: formatNameAddr(this.remote),
      localContact: formatNameAddr(this.localContact),
      localSequence: this.#localSequence,
      ...(this.#remoteSequence === undefined ? {} : { remoteSequence: this.#remoteSequence }),
      remoteTarget: formatUri(this.#remoteTarget),
      routeSet: this.#routeSet.map(formatNameAddr),
      behindNat: this.#behindNat,
      ...(this.#flow === undefined ? {} : { flow: this.#flow }),
      ...(this.#allow === undefined ? {} : { allow: this.#allow }),
    };
  }

  #build(method: string, sequence: number, options: DialogRequestOptions): SipRequest {
    return createRequest({
      method,
      uri: this.#strictRouter() ?? this.#remoteTarget,
      headers: {
        From: this.local,
        To: this.remote,
        'Call-ID': this.callId,
        CSeq: { sequence, method },
        ...(TARGET_REFRESHES.has(method) ? { Contact: [this.localContact] } : {}),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: options.body }),
      ...(options.contentType === undefined ? {} : { contentType: options.contentType }),
    });
  }

  /** The first route when it is a strict router, without what a Request-URI may not carry (RFC 3261 §12.2.1.1). */
  #strictRouter(): SipUri | undefined {
    const first = this.#routeSet[0]?.uri;
    if (first?.kind !== 'sip' || hasParam(first.params, 'lr')) return undefined;
    return { ...first, headers: [] };
  }
}
