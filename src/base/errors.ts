/**
 * Whose fault an error is. `misuse`: the host app called the API wrongly. `remote`: a peer sent or did something that it may not.
 * `transport`: the network or the machine failed. `storage`: a store failed or refused. `aborted`: the caller's signal ended it.
 */
export type ErrorKind = 'misuse' | 'remote' | 'transport' | 'storage' | 'aborted';

/** Every stable error code; `docs/errors.md` explains each, and a test keeps the two equal. */
export type ErrorCode =
  | 'PBX_CONFIG_INVALID'
  | 'PBX_PORT_IN_USE'
  | 'PBX_LISTEN_FAILED'
  | 'PBX_WRONG_STATE'
  | 'PBX_INVALID_ARGUMENT'
  | 'PBX_ABORTED'
  | 'PBX_MISSING_PACKAGE'
  | 'PBX_CERTIFICATE_INVALID'
  | 'SIP_PARSE'
  | 'SDP_PARSE'
  | 'SDP_NEGOTIATION'
  | 'DIGEST_PARSE'
  | 'SIP_TRANSPORT'
  | 'SIP_NO_ROUTE'
  | 'SIP_WRONG_STATE'
  | 'DNS_FAILED'
  | 'STORAGE_CONFLICT'
  | 'STORAGE_FAILED'
  | 'STORAGE_CLOSED'
  | 'BLOB_NOT_FOUND'
  | 'DIRECTORY_DUPLICATE'
  | 'DIRECTORY_NOT_FOUND'
  | 'DIALPLAN_INVALID'
  | 'TRUNK_CONFIG_INVALID'
  | 'CALL_ENDED'
  | 'WAV_PARSE'
  | 'MAIL_REFUSED'
  | 'MAIL_FAILED'
  | 'MEDIA_NO_PORT'
  | 'MEDIA_ENGINE_FAILED'
  | 'TEST_TIME_LIMIT';

/**
 * The root of every error that pbxkit throws. Tell errors apart by `code` and `kind`, never by `instanceof`:
 * a program may hold two copies of the package (ESM and CommonJS).
 */
export class PbxkitError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;

  constructor(code: ErrorCode, kind: ErrorKind, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.kind = kind;
    this.name = new.target.name;
  }
}

/** The host app called the API wrongly; the message says what was found, what was expected and what to do. */
export class UsageError extends PbxkitError {
  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(code, 'misuse', message, options);
  }
}

/** A certificate or key cannot be used (PBX_CERTIFICATE_INVALID); the message says which and why. */
export class CertificateError extends UsageError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('PBX_CERTIFICATE_INVALID', problem, options);
  }
}

/** The operation was ended by the caller's `AbortSignal`; `cause` is the signal's reason. */
export class AbortedError extends PbxkitError {
  constructor(what: string, reason: unknown) {
    super('PBX_ABORTED', 'aborted', `${what} was aborted`, { cause: reason });
  }
}

/** @throws AbortedError if the signal has already fired. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true) throw new AbortedError(what, signal.reason);
}

/** The text of whatever was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** For the `default` of a switch over a closed union: a compile error when a case is missing. */
export function assertNever(value: never): never {
  throw new PbxkitError(
    'PBX_WRONG_STATE',
    'misuse',
    `unexpected value ${JSON.stringify(value)}: this is a bug in pbxkit`,
  );
}
