import type { NameAddr } from '../name-addr.js';
import type { Params } from '../params.js';
import { address, addresses, type ContactValue, contactCodec } from './address.js';
import { type AuthValue, auth, authenticationInfoCodec } from './auth.js';
import type { HeaderCodec } from './codec.js';
import { type CSeq, cseqCodec, type RAck, rackCodec } from './cseq.js';
import { dateCodec } from './date.js';
import { type Replaces, replaces, type TargetDialog, targetDialogCodec } from './dialog-id.js';
import {
  type EventValue,
  eventCodec,
  type ReferSub,
  referSubCodec,
  type SubscriptionState,
  subscriptionStateCodec,
} from './event.js';
import { type InfoUri, infoUris } from './info-uri.js';
import {
  acceptCodec,
  contentTypeCodec,
  type MediaType,
  type TokenWithParams,
  tokensWithParams,
  tokenWithParams,
} from './media-type.js';
import {
  type DeltaWithParams,
  delta,
  number,
  type RetryAfter,
  retryAfterCodec,
  type Timestamp,
  timestampCodec,
} from './number.js';
import { type Reason, reasonCodec } from './reason.js';
import { callIdCodec, inReplyToCodec, privacyCodec, text, token, tokens } from './text.js';
import { type Via, viaCodec } from './via.js';
import { type Warning, warningCodec } from './warning.js';

export type {
  AuthValue,
  ContactValue,
  CSeq,
  DeltaWithParams,
  EventValue,
  InfoUri,
  MediaType,
  RAck,
  Reason,
  ReferSub,
  Replaces,
  RetryAfter,
  SubscriptionState,
  TargetDialog,
  Timestamp,
  TokenWithParams,
  Via,
  Warning,
};

/** The typed value of every header that pbxkit knows, by canonical name. All are read-only. */
export interface HeaderValues {
  Accept: readonly MediaType[];
  'Accept-Contact': string;
  'Accept-Encoding': readonly TokenWithParams[];
  'Accept-Language': readonly TokenWithParams[];
  'Alert-Info': readonly InfoUri[];
  Allow: readonly string[];
  'Allow-Events': readonly string[];
  'Authentication-Info': Params;
  Authorization: readonly AuthValue[];
  'Call-ID': string;
  'Call-Info': readonly InfoUri[];
  Contact: ContactValue;
  'Content-Disposition': TokenWithParams;
  'Content-Encoding': readonly string[];
  'Content-Language': readonly string[];
  'Content-Length': number;
  'Content-Type': MediaType;
  CSeq: CSeq;
  Date: Date;
  Diversion: readonly NameAddr[];
  'Error-Info': readonly InfoUri[];
  Event: EventValue;
  Expires: number;
  'Flow-Timer': number;
  From: NameAddr;
  'History-Info': readonly NameAddr[];
  Identity: string;
  'Identity-Info': string;
  'In-Reply-To': readonly string[];
  Join: Replaces;
  'Max-Breadth': number;
  'Max-Forwards': number;
  'MIME-Version': string;
  'Min-Expires': number;
  'Min-SE': DeltaWithParams;
  Organization: string;
  'P-Asserted-Identity': readonly NameAddr[];
  'P-Preferred-Identity': readonly NameAddr[];
  Path: readonly NameAddr[];
  Priority: string;
  Privacy: readonly string[];
  'Proxy-Authenticate': readonly AuthValue[];
  'Proxy-Authorization': readonly AuthValue[];
  'Proxy-Require': readonly string[];
  RAck: RAck;
  Reason: readonly Reason[];
  'Record-Route': readonly NameAddr[];
  'Refer-Sub': ReferSub;
  'Refer-To': NameAddr;
  'Referred-By': NameAddr;
  'Reject-Contact': string;
  Replaces: Replaces;
  'Reply-To': NameAddr;
  'Request-Disposition': readonly string[];
  Require: readonly string[];
  'Retry-After': RetryAfter;
  Route: readonly NameAddr[];
  RSeq: number;
  Server: string;
  'Service-Route': readonly NameAddr[];
  'Session-Expires': DeltaWithParams;
  'SIP-ETag': string;
  'SIP-If-Match': string;
  Subject: string;
  'Subscription-State': SubscriptionState;
  Supported: readonly string[];
  'Target-Dialog': TargetDialog;
  Timestamp: Timestamp;
  To: NameAddr;
  Unsupported: readonly string[];
  'User-Agent': string;
  Via: readonly Via[];
  Warning: readonly Warning[];
  'WWW-Authenticate': readonly AuthValue[];
}

/** Canonical name of a header that pbxkit knows. */
export type HeaderName = keyof HeaderValues;

/** The codec of each header. */
export const CODECS: { readonly [K in HeaderName]: HeaderCodec<HeaderValues[K]> } = {
  Accept: acceptCodec,
  'Accept-Contact': text('Accept-Contact', 'a'),
  'Accept-Encoding': tokensWithParams('Accept-Encoding'),
  'Accept-Language': tokensWithParams('Accept-Language'),
  'Alert-Info': infoUris('Alert-Info'),
  Allow: tokens('Allow'),
  'Allow-Events': tokens('Allow-Events', 'u'),
  'Authentication-Info': authenticationInfoCodec,
  Authorization: auth('Authorization'),
  'Call-ID': callIdCodec,
  'Call-Info': infoUris('Call-Info'),
  Contact: contactCodec,
  'Content-Disposition': tokenWithParams('Content-Disposition'),
  'Content-Encoding': tokens('Content-Encoding', 'e'),
  'Content-Language': tokens('Content-Language'),
  'Content-Length': number('Content-Length', 0x7fff_ffff, 'l'),
  'Content-Type': contentTypeCodec,
  CSeq: cseqCodec,
  Date: dateCodec,
  Diversion: addresses('Diversion'),
  'Error-Info': infoUris('Error-Info'),
  Event: eventCodec,
  Expires: number('Expires'),
  'Flow-Timer': number('Flow-Timer'),
  From: address('From', 'f'),
  'History-Info': addresses('History-Info'),
  Identity: text('Identity', 'y'),
  'Identity-Info': text('Identity-Info', 'n'),
  'In-Reply-To': inReplyToCodec,
  Join: replaces('Join'),
  'Max-Breadth': number('Max-Breadth'),
  'Max-Forwards': number('Max-Forwards', 255),
  'MIME-Version': text('MIME-Version'),
  'Min-Expires': number('Min-Expires'),
  'Min-SE': delta('Min-SE'),
  Organization: text('Organization'),
  'P-Asserted-Identity': addresses('P-Asserted-Identity'),
  'P-Preferred-Identity': addresses('P-Preferred-Identity'),
  Path: addresses('Path'),
  Priority: token('Priority'),
  Privacy: privacyCodec,
  'Proxy-Authenticate': auth('Proxy-Authenticate'),
  'Proxy-Authorization': auth('Proxy-Authorization'),
  'Proxy-Require': tokens('Proxy-Require'),
  RAck: rackCodec,
  Reason: reasonCodec,
  'Record-Route': addresses('Record-Route'),
  'Refer-Sub': referSubCodec,
  'Refer-To': address('Refer-To', 'r'),
  'Referred-By': address('Referred-By', 'b'),
  'Reject-Contact': text('Reject-Contact', 'j'),
  Replaces: replaces('Replaces'),
  'Reply-To': address('Reply-To'),
  'Request-Disposition': tokens('Request-Disposition', 'd'),
  Require: tokens('Require'),
  'Retry-After': retryAfterCodec,
  Route: addresses('Route'),
  RSeq: number('RSeq'),
  Server: text('Server'),
  'Service-Route': addresses('Service-Route'),
  'Session-Expires': delta('Session-Expires', 'x'),
  'SIP-ETag': token('SIP-ETag'),
  'SIP-If-Match': token('SIP-If-Match'),
  Subject: text('Subject', 's'),
  'Subscription-State': subscriptionStateCodec,
  Supported: tokens('Supported', 'k'),
  'Target-Dialog': targetDialogCodec,
  Timestamp: timestampCodec,
  To: address('To', 't'),
  Unsupported: tokens('Unsupported'),
  'User-Agent': text('User-Agent'),
  Via: viaCodec,
  Warning: warningCodec,
  'WWW-Authenticate': auth('WWW-Authenticate'),
};

/** Any codec, for code that does not care about the type of the value. */
export type AnyCodec = HeaderCodec<unknown>;
