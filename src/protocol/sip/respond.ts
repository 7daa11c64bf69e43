import { UsageError } from '../../base/errors.js';
import { isToken } from './chars.js';
import { type HeaderInit, SipHeaders } from './headers.js';
import { createResponse, SipRequest, type SipResponse } from './message.js';
import { getParam } from './params.js';
import { type PartialMessage, readable, SipParseError } from './parse-error.js';
import { salvageTopVia } from './salvage.js';
import { decodeWire } from './wire-text.js';

/** What a response may add to what it echoes. */
export interface ResponseOptions {
  /** Default: the registered phrase. */
  readonly reason?: string | undefined;
  /** Added to To if it has none; not in a 100 (RFC 3261 §8.2.6.2). */
  readonly toTag?: string | undefined;
  readonly headers?: HeaderInit | undefined;
  readonly body?: Uint8Array | string | undefined;
  readonly contentType?: string | undefined;
}

/**
 * The response to a request (RFC 3261 §8.2.6): Via, From, To, Call-ID and CSeq are echoed byte for byte, Timestamp in a 100,
 * Record-Route in the other provisional and the successful ones.
 * Takes also the `partial` of a SipParseError; what is missing there is left out, and a Via that is broken behind its
 * sent-by is echoed without the broken part.
 * @throws UsageError PBX_INVALID_ARGUMENT for options that cannot stand in a message.
 */
export function responseTo(
  request: SipRequest | PartialMessage,
  status: number,
  options: ResponseOptions = {},
): SipResponse {
  const headers = new SipHeaders();
  const source = request instanceof SipRequest ? request.headers : wrap(request);
  echoVia(headers, source);
  headers.copyFrom(source, 'From').copyFrom(source, 'To').copyFrom(source, 'Call-ID').copyFrom(source, 'CSeq');
  // The route set of a dialog is what the caller finds in these (RFC 3261 §12.1.1). What nobody can read makes none.
  if (status > 100 && status < 300 && isReadable(source, 'Record-Route')) headers.copyFrom(source, 'Record-Route');
  if (status === 100) headers.copyFrom(source, 'Timestamp');
  else if (options.toTag !== undefined) addToTag(headers, source, options.toTag);
  if (options.headers !== undefined) headers.assign(options.headers);
  return createResponse(status, {
    reason: options.reason,
    headers,
    body: options.body,
    contentType: options.contentType,
  });
}

function wrap(request: PartialMessage): SipHeaders {
  if (request.headers instanceof SipHeaders) return request.headers;
  const headers = new SipHeaders();
  for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq'])
    headers.setRaw(name, request.headers.wire(name).map(decodeWire));
  return headers;
}

function echoVia(headers: SipHeaders, source: SipHeaders): void {
  if (isReadable(source, 'Via')) headers.copyFrom(source, 'Via');
  else {
    const via = salvageTopVia(source);
    if (via !== undefined) headers.set('Via', [via]);
  }
}

function isReadable(source: SipHeaders, name: 'Via' | 'Record-Route'): boolean {
  try {
    source.get(name);
    return true;
  } catch (error) {
    if (error instanceof SipParseError) return false;
    throw error;
  }
}

/** The tag goes behind the text as it came, so that the echo stays exact. */
function addToTag(headers: SipHeaders, source: SipHeaders, toTag: string): void {
  const to = readable(() => source.get('To'));
  // A To that cannot be read is echoed as it is; a 400 is all that goes out with it. So is one with a tag of its own, even
  // one that is no token: callers hand that tag over again.
  if (to === undefined || getParam(to.params, 'tag') !== undefined) return;
  if (!isToken(toTag))
    throw new UsageError('PBX_INVALID_ARGUMENT', `toTag: found ${JSON.stringify(toTag)}, expected a token`);
  headers.appendToLine('To', `;tag=${toTag}`);
}
