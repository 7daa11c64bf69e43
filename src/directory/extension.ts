import { UsageError } from '../base/errors.js';
import { isMailAddress } from '../base/mail-address.js';
import { MEDIA_MODES, type MediaMode } from '../base/media-mode.js';
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from '../protocol/digest/algorithm.js';
import { type DigestSecret, makeSecret } from '../protocol/digest/compute.js';

/** Somebody, or something, that can register and be called inside a tenant. */
export interface Extension {
  /** What is dialled, the user part of its address-of-record, and its digest user name. */
  readonly number: string;
  /** Shown to those it calls. */
  readonly name?: string;
  /** Where its owner gets mail, a bare address: `alice@office.example`. Default: no mail is sent. */
  readonly email?: string;
  /** Stands for the password; the password itself is kept nowhere. */
  readonly secret: DigestSecret;
  /** Digest algorithms offered to it instead of the server's, by the user that its To (REGISTER) or From (calls) names: a stranger can see that it exists. */
  readonly digest?: readonly DigestAlgorithm[];
  /** How many phones may be registered at once (≥ 1). Default: the registrar's. */
  readonly maxContacts?: number;
  /** How long it rings before the call counts as not answered (≥ 1). Default: the server's. */
  readonly noAnswerSeconds?: number;
  /**
   * `server`: another PBX, not a phone. It is believed who its callers are, and its calls may go on by lines and trunks; calls reach it by
   * routes to peers, and are told the number that was dialled in To. Default `phone`.
   */
  readonly kind?: 'phone' | 'server';
  /** The call levels that it owns: rules of the dial plan may ask for one. Default: none. */
  readonly levels?: readonly string[];
  /**
   * How the media of its calls goes: `direct`, end to end; `relay`, through the server; `auto`, through the server where both parties could
   * not hear each other otherwise. Default: that of the PBX.
   */
  readonly media?: MediaMode;
  /** False: it can neither register nor call, and calls to it fail as if it did not exist. Default true. */
  readonly enabled?: boolean;
}

/** What an administrator writes down about an extension. */
export interface ExtensionOptions extends Omit<Extension, 'secret'> {
  readonly password: string;
}

const LONGEST_NUMBER = 64;
const LONGEST_NAME = 128;

/**
 * The extension that the options describe; the password goes into the HA1 values of `realm` at once, for every algorithm.
 * @throws UsageError PBX_INVALID_ARGUMENT
 */
export function extensionFrom(options: ExtensionOptions, realm: string): Extension {
  const { password, ...rest } = options;
  checkNumber(options.number);
  if (typeof password !== 'string' || password === '') {
    throw invalid(
      `extension ${options.number}: password`,
      typeof password === 'string' ? '""' : typeof password,
      'a text that is not empty',
    );
  }
  if (realm === '') throw invalid('realm', '""', 'a text that is not empty');
  const extension: Extension = { ...rest, secret: makeSecret({ username: options.number, realm, password }) };
  checkExtension(extension);
  return extension;
}

/** @throws UsageError PBX_INVALID_ARGUMENT: 1–64 letters, digits or `+ * # . _ ~ ! -`. */
export function checkNumber(number: unknown): void {
  if (isNumber(number)) return;
  throw invalid(
    'extension number',
    show(number),
    `1–${LONGEST_NUMBER} letters, digits or + * # . _ ~ ! -, such as "100"`,
  );
}

/** Whether an extension can have this number. */
export function isNumber(number: unknown): number is string {
  return typeof number === 'string' && number.length <= LONGEST_NUMBER && /^[A-Za-z0-9+*#._~!-]+$/.test(number);
}

/** @throws UsageError PBX_INVALID_ARGUMENT, never showing the secret */
export function checkExtension(extension: Extension): void {
  const { number, name, email, kind, secret, digest, maxContacts, noAnswerSeconds, levels, media, enabled } = extension;
  checkNumber(number);
  const at = `extension ${number}`;
  if (name !== undefined && (typeof name !== 'string' || name.length > LONGEST_NAME || /\p{Cc}/u.test(name))) {
    throw invalid(`${at}: name`, show(name), `at most ${LONGEST_NAME} characters without control characters`);
  }
  if (email !== undefined && !isMailAddress(email))
    throw invalid(`${at}: email`, show(email), 'an address such as "alice@office.example"');
  if (typeof secret !== 'object' || secret === null || secret.username !== number) {
    throw invalid(`${at}: secret`, 'one of another user name', `one made for "${number}"; use extensionFrom()`);
  }
  if (Object.keys(secret.ha1).length === 0) throw invalid(`${at}: secret`, 'no HA1 value', 'at least one');
  for (const algorithm of digest ?? []) {
    if (!DIGEST_ALGORITHMS.includes(algorithm))
      throw invalid(`${at}: digest`, show(algorithm), DIGEST_ALGORITHMS.join(', '));
  }
  checkCount(`${at}: maxContacts`, maxContacts);
  checkCount(`${at}: noAnswerSeconds`, noAnswerSeconds);
  if (kind !== undefined && kind !== 'phone' && kind !== 'server') {
    throw invalid(`${at}: kind`, show(kind), '"phone" or "server"');
  }
  if (media !== undefined && !MEDIA_MODES.includes(media)) {
    throw invalid(`${at}: media`, show(media), MEDIA_MODES.join(', '));
  }
  if (levels !== undefined && !(Array.isArray(levels) && levels.every((level) => typeof level === 'string'))) {
    throw invalid(`${at}: levels`, show(levels), 'a list of call levels');
  }
  if (enabled !== undefined && typeof enabled !== 'boolean')
    throw invalid(`${at}: enabled`, show(enabled), 'true or false');
}

function checkCount(what: string, count: number | undefined): void {
  if (count === undefined || (Number.isSafeInteger(count) && count >= 1)) return;
  throw invalid(what, show(count), 'a whole number from 1');
}

function invalid(what: string, found: string, expected: string): UsageError {
  return new UsageError('PBX_INVALID_ARGUMENT', `${what}: found ${found}, expected ${expected}`);
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
}
