import { UsageError } from '../../base/errors.js';
import { decodeBody, encodeBody } from './body-text.js';
import { isToken } from './chars.js';
import type { CSeq, Via } from './header/registry.js';
import { type HeaderInit, SipHeaders } from './headers.js';
import { isMethod } from './method.js';
import { type NameAddr, tagOf } from './name-addr.js';
import { getParam } from './params.js';
import { SipParseError } from './parse-error.js';
import { putWire } from './put.js';
import { reasonPhrase } from './status.js';
import { formatUri, parseUri, putUri, type Uri } from './uri.js';
import { checkLine, decodeWire, encodeWire } from './wire-text.js';

export type { HeaderInit } from './headers.js';

const NO_BODY = new Uint8Array(0);

/** A slice of a datagram that becomes an array when it is asked for. */
export interface BodySpan {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

abstract class Message {
  readonly headers: SipHeaders;
  /** Protocol version as it stands; 'SIP/2.0' in everything that is made here. */
  readonly version: string;
  #body: Uint8Array | undefined;
  readonly #span: BodySpan | undefined;

  constructor(headers: SipHeaders, body: Uint8Array | BodySpan | undefined, version: string) {
    this.headers = headers;
    this.version = version;
    if (body === undefined || body instanceof Uint8Array) {
      this.#body = body ?? NO_BODY;
      this.#span = undefined;
    } else {
      this.#body = undefined;
      this.#span = body;
    }
  }

  /** The body as bytes; a view into the datagram, not a copy. */
  get body(): Uint8Array {
    if (this.#body === undefined) {
      const span = this.#span as BodySpan;
      this.#body = span.end > span.start ? span.bytes.subarray(span.start, span.end) : NO_BODY;
    }
    return this.#body;
  }

  /** Octets that stood behind the start of the body, also those beyond Content-Length; undefined for a message made here. */
  get received(): number | undefined {
    return this.#span === undefined ? undefined : this.#span.bytes.length - this.#span.start;
  }

  /** The body as UTF-8 text. Bytes that are none become lone surrogates, and the same bytes again when the text is sent as a body. */
  bodyText(): string {
    return decodeBody(this.body);
  }

  /** @throws SipParseError when missing or malformed; so do the other getters. */
  get callId(): string {
    return this.headers.get('Call-ID') ?? missing('Call-ID');
  }

  get cseq(): CSeq {
    return this.headers.get('CSeq') ?? missing('CSeq');
  }

  get from(): NameAddr {
    return this.headers.get('From') ?? missing('From');
  }

  get to(): NameAddr {
    return this.headers.get('To') ?? missing('To');
  }

  get topVia(): Via {
    return this.headers.topVia ?? missing('Via');
  }

  /** Undefined when the header has no tag. */
  get fromTag(): string | undefined {
    return tagOf(this.from);
  }

  /** Undefined when the header has no tag. */
  get toTag(): string | undefined {
    return tagOf(this.to);
  }

  /** Branch of the top Via; undefined when it has none (RFC 2543). */
  get branch(): string | undefined {
    return getParam(this.topVia.params, 'branch');
  }
}

function missing(header: string): never {
  throw new SipParseError(`${header} is missing`, { header });
}

/** A request (RFC 3261 §7.1). */
export class SipRequest extends Message {
  readonly kind = 'request';
  /** Any token; methods are case-sensitive. */
  readonly method: string;
  #wireUri: string | undefined;
  #uri: Uri | undefined;

  /** @param uri wire text, or a URI. Use `createRequest` to make one. */
  constructor(
    method: string,
    uri: string | Uri,
    headers: SipHeaders,
    body?: Uint8Array | BodySpan,
    version = 'SIP/2.0',
  ) {
    super(headers, body, version);
    this.method = method;
    if (typeof uri === 'string') {
      this.#wireUri = uri;
      this.#uri = undefined;
    } else {
      this.#wireUri = undefined;
      this.#uri = uri;
    }
  }

  /** The Request-URI, parsed on first use. @throws SipParseError */
  get uri(): Uri {
    this.#uri ??= parseUri(decodeWire(this.#wireUri as string));
    return this.#uri;
  }

  /** The Request-URI as text, as it stood. */
  get requestUri(): string {
    return this.#wireUri === undefined ? formatUri(this.#uri as Uri) : decodeWire(this.#wireUri);
  }

  /** Writes the Request-URI as it stood, or from its typed value. */
  putUri(pos: number): number {
    return this.#wireUri === undefined ? putUri(pos, this.#uri as Uri) : putWire(pos, this.#wireUri);
  }

  /** A copy with these changes; the headers are cloned. */
  with(changes: {
    readonly uri?: Uri | string | undefined;
    readonly method?: string | undefined;
    readonly body?: Uint8Array | string | undefined;
  }): SipRequest {
    const uri = changes.uri === undefined ? (this.#wireUri ?? (this.#uri as Uri)) : checkUri(changes.uri);
    return new SipRequest(
      changes.method === undefined ? this.method : checkMethod(changes.method),
      uri,
      this.headers.clone(),
      changes.body === undefined ? this.body : bytesOf(changes.body),
    );
  }
}

/** A response (RFC 3261 §7.2). */
export class SipResponse extends Message {
  readonly kind = 'response';
  /** 100 to 699. */
  readonly status: number;
  readonly reason: string;

  /** Use `createResponse` or `responseTo` to make one. */
  constructor(status: number, reason: string, headers: SipHeaders, body?: Uint8Array | BodySpan, version = 'SIP/2.0') {
    super(headers, body, version);
    this.status = status;
    this.reason = reason;
  }
}

export type SipMessage = SipRequest | SipResponse;

/** A request. Text bodies go out as UTF-8. @throws UsageError PBX_INVALID_ARGUMENT for values that cannot stand in a message. */
export function createRequest(options: {
  readonly method: string;
  readonly uri: Uri | string;
  readonly headers?: SipHeaders | HeaderInit | undefined;
  readonly body?: Uint8Array | string | undefined;
  readonly contentType?: string | undefined;
}): SipRequest {
  return new SipRequest(
    checkMethod(options.method),
    checkUri(options.uri),
    headersOf(options.headers, options.contentType),
    bytesOf(options.body),
  );
}

/** A response; `reason` is the registered phrase unless given. @throws UsageError PBX_INVALID_ARGUMENT */
export function createResponse(
  status: number,
  options: {
    readonly reason?: string | undefined;
    readonly headers?: SipHeaders | HeaderInit | undefined;
    readonly body?: Uint8Array | string | undefined;
    readonly contentType?: string | undefined;
  } = {},
): SipResponse {
  if (!Number.isInteger(status) || status < 100 || status > 699) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `status: found ${status}, expected an integer from 100 to 699`);
  }
  const reason = options.reason ?? reasonPhrase(status);
  if (options.reason !== undefined) checkLine(reason, 'reason');
  return new SipResponse(status, reason, headersOf(options.headers, options.contentType), bytesOf(options.body));
}

function headersOf(headers: SipHeaders | HeaderInit | undefined, contentType: string | undefined): SipHeaders {
  const result = headers instanceof SipHeaders ? headers : SipHeaders.from(headers ?? {});
  if (contentType !== undefined) result.setRaw('Content-Type', contentType);
  return result;
}

function bytesOf(body: Uint8Array | string | undefined): Uint8Array {
  if (body === undefined || body === '') return NO_BODY;
  return typeof body === 'string' ? encodeBody(body) : body;
}

function checkMethod(method: string): string {
  if (isMethod(method) || isToken(method)) return method;
  throw new UsageError('PBX_INVALID_ARGUMENT', `method: found ${JSON.stringify(method)}, expected a token`);
}

function checkUri(uri: Uri | string): Uri | string {
  if (typeof uri !== 'string') return uri;
  for (let i = 0; i < uri.length || uri.length === 0; i++) {
    const code = uri.charCodeAt(i);
    if (!(code > 0x20) || code === 0x7f) {
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `uri: found ${JSON.stringify(uri)}, expected a URI such as "sip:100@host"`,
      );
    }
  }
  return encodeWire(uri);
}
