import type { MediaType } from '../protocol/sip/header/media-type.js';
import type { HeaderInit } from '../protocol/sip/headers.js';
import type { SipRequest } from '../protocol/sip/message.js';
import { type Part, parseMultipart } from '../protocol/sip/multipart.js';
import { getParam } from '../protocol/sip/params.js';
import { ACCEPTED_BODIES } from './capabilities.js';
import type { Refusal } from './refusal.js';

/**
 * Whether the body of an INVITE, or of another request that may carry an offer or answer, can be read and its answer be understood: RFC 3261 §8.2.3. 415 for a body that is no
 * session description and may not be left aside, 406 for a caller that takes none.
 * @throws SipParseError for malformed headers or parts, and for more than `maxParts` (default 64)
 */
export function checkInviteBody(request: SipRequest, maxParts?: number): Refusal | undefined {
  return checkAccept(request) ?? (request.body.length === 0 ? undefined : checkBody(request, maxParts));
}

function checkBody(request: SipRequest, maxParts: number | undefined): Refusal | undefined {
  const { headers } = request;
  const encodings = headers.get('Content-Encoding') ?? [];
  if (encodings.some((encoding) => encoding.toLowerCase() !== 'identity')) {
    return { status: 415, headers: { 'Accept-Encoding': 'identity' } };
  }
  const type = headers.get('Content-Type');
  if (type !== undefined && holdsSdp(request.body, type, maxParts)) return undefined;
  const disposition = headers.get('Content-Disposition');
  const handling = disposition === undefined ? undefined : getParam(disposition.params, 'handling');
  if (handling?.toLowerCase() === 'optional') return undefined;
  return { status: 415, headers: { Accept: ACCEPTED_BODIES } };
}

function holdsSdp(body: Uint8Array, type: MediaType, maxParts: number | undefined): boolean {
  if (isSdp(type)) return true;
  if (type.type !== 'multipart') return false;
  const parts = parseMultipart(body, type, maxParts);
  return parts.some(({ contentType }) => isSdp(contentType)) && !parts.some(isDemanded);
}

/** A part that we do not know and that may not be left aside (RFC 5621 §8.3). Deviates: only where it says so itself. */
function isDemanded({ contentType, headers }: Part): boolean {
  return !isSdp(contentType) && headers.some(([name, value]) => isName(name) && DEMANDED.test(value.slice(0, 256)));
}

const DEMANDED = /;\s*handling\s*=\s*required/i;

function isName(name: string): boolean {
  return name.toLowerCase() === 'content-disposition';
}

function isSdp(type: MediaType): boolean {
  return type.type === 'application' && type.subtype === 'sdp';
}

/** No Accept means application/sdp (RFC 3261 §20.1); an empty one means nothing at all. */
function checkAccept(request: SipRequest): Refusal | undefined {
  const accepted = request.headers.get('Accept');
  if (accepted === undefined || accepted.some(takesSdp)) return undefined;
  const headers: HeaderInit = {
    Warning: '399 pbxkit "The answer would be application/sdp, which Accept does not allow"',
  };
  return { status: 406, headers };
}

function takesSdp(range: MediaType): boolean {
  if (range.type === '*') return true;
  return range.type === 'application' && (range.subtype === '*' || range.subtype === 'sdp');
}
