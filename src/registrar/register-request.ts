import { normalizeHost, parseIpv4, parseIpv6, type SocketAddress } from '../base/ip.js';
import type { SipRequest } from '../protocol/sip/message.js';
import { formatNameAddr, type NameAddr } from '../protocol/sip/name-addr.js';
import { getParam, unquote, withoutParam } from '../protocol/sip/params.js';
import { SipParseError } from '../protocol/sip/parse-error.js';
import { aorOf, formatUri, type SipUri } from '../protocol/sip/uri.js';
import type { IncomingRequest } from '../ua/incoming.js';
import { isBehindNat } from '../ua/reach-back.js';
import type { Flow } from './binding.js';
import type { ContactWish, RegisterWish } from './bindings.js';
import { outboundOf } from './outbound.js';
import { ownParams, ownText, SharedTexts } from './own-text.js';

/** What a malformed expiration counts as (RFC 3261 §20.10). */
const MALFORMED_SECONDS = 3600;
const LARGEST_DELTA = 2 ** 32 - 1;
/** A phone's own words; kept with the binding for people, so it need not be long. */
const LONGEST_USER_AGENT = 200;
/** Thousands of phones are a few dozen kinds of them. */
const userAgents = new SharedTexts(1_000);
/** A request with more contacts than this is nobody's phone. */
const MOST_CONTACTS = 64;

/** The address-of-record that a REGISTER is about, from To (§10.3 step 5). @throws SipParseError 400 unless it is a SIP URI with a user part */
export function registeredAor(request: SipRequest): SipUri {
  const { uri } = request.to;
  if (uri.kind === 'sip' && uri.user !== undefined) return uri;
  throw new SipParseError(`To: found ${formatUri(uri)}, expected a SIP URI with a user part`, { header: 'To' });
}

/** Reads a REGISTER. @throws SipParseError 400 for what §10.3 step 6 forbids and for contacts that are no SIP URIs of one machine */
export function readRegister(incoming: Pick<IncomingRequest, 'request' | 'source'>): RegisterWish {
  const { request, source } = incoming;
  const { headers } = request;
  const userAgent = headers.first('User-Agent');
  const contacts = readContacts(request);
  const outbound = contacts === 'all' ? 'none' : outboundOf(request, contacts);
  return {
    aor: ownText(aorOf(registeredAor(request))),
    contacts: contacts === 'all' || outbound !== 'none' ? contacts : contacts.map(withoutRegId),
    callId: ownText(request.callId),
    cseq: request.cseq.sequence,
    path: (headers.get('Path') ?? []).map(formatNameAddr),
    flow: plainFlow(source.flow),
    observed: plainAddress(source.remote),
    behindNat: isBehindNat(request, source),
    ...(userAgent !== undefined && { userAgent: userAgents.share(userAgent.slice(0, LONGEST_USER_AGENT)) }),
    outbound,
  };
}

function withoutRegId({ regId: _, ...contact }: ContactWish): ContactWish {
  return contact;
}

/** Field by field: it is going to be stored. */
function plainFlow({ protocol, local, remote, connectionId }: Flow): Flow {
  const flow = { protocol, local: plainAddress(local), remote: plainAddress(remote) };
  return connectionId === undefined ? flow : { connectionId, ...flow };
}

function plainAddress({ address, port }: SocketAddress): SocketAddress {
  return { address, port };
}

function readContacts(request: SipRequest): 'all' | readonly ContactWish[] {
  const { headers } = request;
  const contacts = headers.get('Contact');
  const expires = headers.first('Expires');
  const expiresSeconds = expires === undefined ? undefined : readSeconds(expires);
  if (contacts === undefined) return [];
  if (contacts === '*') {
    if (expires?.trim() !== '0') throw badContact('"*" needs an Expires header of 0 (RFC 3261 §10.2.2)');
    return 'all';
  }
  if (contacts.length > MOST_CONTACTS)
    throw badContact(`found ${contacts.length} contacts, expected at most ${MOST_CONTACTS}`);
  return contacts.map((contact) => readContact(contact, expiresSeconds));
}

function readContact(contact: NameAddr, defaultSeconds: number | undefined): ContactWish {
  const { uri, params } = contact;
  if (uri.kind !== 'sip') throw badContact(`found ${formatUri(uri)}, expected a sip or sips URI`);
  if (isNobodysAddress(uri.host)) throw badContact(`found ${formatUri(uri)}, expected the address of one machine`);
  const expires = getParam(params, 'expires');
  const instance = getParam(params, '+sip.instance');
  const regId = readCount(getParam(params, 'reg-id'));
  return {
    uri,
    contact: formatUri(uri),
    params: ownParams(withoutParam(params, 'expires')),
    q: readQ(getParam(params, 'q')),
    expiresSeconds: expires === undefined ? defaultSeconds : readSeconds(expires),
    ...(instance !== undefined && instance !== '' && { instanceId: ownText(unquote(instance)) }),
    // RFC 5626 §6: a reg-id without an instance is ignored.
    ...(instance !== undefined && instance !== '' && regId !== undefined && { regId }),
  };
}

/** An unspecified, multicast or broadcast address (RFC 6890 §2.2.2, RFC 5771, RFC 4291 §2.7): calls to it would go to many, or to the server itself. */
function isNobodysAddress(host: string): boolean {
  const bytes = addressBytes(normalizeHost(host));
  if (bytes === undefined) return false;
  const first = bytes[0] as number;
  if (bytes.every((byte) => byte === 0)) return true;
  if (bytes.length === 16) return first === 0xff;
  return (first >= 224 && first <= 239) || bytes.every((byte) => byte === 255);
}

/** The bytes of an IP literal; of an IPv4-mapped IPv6 address those of the IPv4 address. */
function addressBytes(host: string): Uint8Array | undefined {
  const bytes = parseIpv4(host) ?? parseIpv6(host);
  if (bytes?.length !== 16) return bytes;
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return mapped ? bytes.subarray(12) : bytes;
}

/** delta-seconds; too large a number counts as 2³²−1, anything else as an hour (§20.10). */
function readSeconds(text: string): number {
  const digits = unquote(text.trim());
  if (!isDigits(digits)) return MALFORMED_SECONDS;
  return Math.min(Number(digits), LARGEST_DELTA);
}

/** qvalue (§25.1); what is none counts as 1, the value of a contact without one. */
function readQ(text: string | undefined): number {
  const q = text === undefined || text === '' || text.length > 8 ? Number.NaN : Number(text);
  return q >= 0 && q <= 1 ? q : 1;
}

function readCount(text: string | undefined): number | undefined {
  return text !== undefined && text.length < 10 && isDigits(text) && Number(text) > 0 ? Number(text) : undefined;
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length > 0;
}

function badContact(message: string): SipParseError {
  return new SipParseError(`Contact: ${message}`, { header: 'Contact' });
}
