import { PbxkitError } from '../../base/errors.js';

/**
 * As much of an unusable message as was read: enough to build the answer that RFC 3261 §8.2.6 asks for.
 * `SipRequest` and `SipResponse` have this shape; `partialRequest` in `parse.ts` gives the full class.
 */
export interface PartialMessage {
  readonly kind: 'request' | 'response';
  readonly headers: {
    /** The field values of one header as they were received, one character per byte. */
    wire(name: string): readonly string[];
  };
}

/** The limits that a message can exceed. */
export type MessageLimit = 'startLineBytes' | 'headerBytes' | 'headers' | 'headerLineBytes' | 'bodyBytes' | 'bodyParts';

/** What is known about the place and the weight of a fault. */
export interface SipParseErrorOptions {
  /** Characters from the start of the text that was parsed; bytes of the message where `parseMessage` throws. Default 0. */
  readonly offset?: number;
  /** The response code that fits the fault: 400 (default), 413, 414, 505 or 513. */
  readonly status?: number;
  /** Canonical name of the header that is at fault. */
  readonly header?: string;
  readonly partial?: PartialMessage;
  /** The limit that was exceeded, if that is the fault. */
  readonly limit?: MessageLimit;
  readonly cause?: unknown;
}

/** Text or bytes from a peer that are not SIP (RFC 3261 §25). The only error that the parsers of this folder throw. */
export class SipParseError extends PbxkitError {
  readonly offset: number;
  readonly status: number;
  readonly header?: string;
  readonly partial?: PartialMessage;
  readonly limit?: MessageLimit;

  constructor(message: string, options: SipParseErrorOptions = {}) {
    super('SIP_PARSE', 'remote', message, options.cause === undefined ? undefined : { cause: options.cause });
    this.offset = options.offset ?? 0;
    this.status = options.status ?? 400;
    if (options.header !== undefined) this.header = options.header;
    if (options.partial !== undefined) this.partial = options.partial;
    if (options.limit !== undefined) this.limit = options.limit;
  }
}

/** The error of a reader as the error of a header; any other error as it is. */
export function inHeader(header: string, error: unknown): unknown {
  if (!(error instanceof SipParseError)) return error;
  const { message, offset, status } = error;
  return new SipParseError(`${header}: ${message}`, { offset, status, header });
}

/** What `read` gives; undefined when a peer's text cannot be read. For what may be passed over; any other error goes on. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SipParseError) return undefined;
    throw error;
  }
}
