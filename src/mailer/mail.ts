import type { EpochMillis } from '../base/clock.js';
import { UsageError } from '../base/errors.js';
import { parseMailAddress } from './address.js';

/** A file that goes with a mail, such as a recorded message. */
export interface MailAttachment {
  /** As the reader sees it; no path. */
  readonly fileName: string;
  /** `audio/wav`. */
  readonly contentType: string;
  readonly content: Uint8Array;
}

/** One mail: plain data, so that it can be kept until it is delivered. */
export interface Mail {
  /** `office@example.net` or `Office <office@example.net>`. Default: what the mailer was made with. */
  readonly from?: string;
  /** At least one. */
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly attachments?: readonly MailAttachment[];
  /**
   * Names the mail however often it is tried: the left side of its Message-ID (RFC 5322 §3.6.4), by which receivers find doubles. 1–64
   * letters, digits, `-`, `_`, `.`. Default: a new one each time.
   */
  readonly id?: string;
  /** When it was written. Default: when it is sent. */
  readonly date?: EpochMillis;
}

/** RFC 5321 §4.5.3.1.3 allows 256 octets of path; a display name comes on top. */
const LONGEST_ADDRESS = 512;
/** RFC 5322 §2.1.1. */
const LONGEST_LINE = 998;
const ONE_ADDRESS = 'one such as "alice@example.net" or "Alice <alice@example.net>"';

/**
 * Refuses what could begin a header of its own in the mail: callers choose display names and numbers, and these end up in subjects.
 * @throws UsageError PBX_INVALID_ARGUMENT for no recipient, what is not exactly one address, or a control character in a header or file name
 */
export function checkMail({ from, to, subject, attachments = [], id, date }: Mail): void {
  if (to.length === 0) refuse('to', '', 'at least one address');
  for (const address of from === undefined ? to : [from, ...to]) {
    checkLine('address', address, LONGEST_ADDRESS);
    if (parseMailAddress(address) === undefined) refuse('address', address, ONE_ADDRESS);
  }
  if (id !== undefined && !/^[\w.-]{1,64}$/.test(id)) refuse('id', id, '1–64 letters, digits, "-", "_" or "."');
  if (date !== undefined && !Number.isFinite(date)) refuse('date', String(date), 'milliseconds since 1970');
  checkLine('subject', subject, LONGEST_LINE);
  for (const { fileName, contentType } of attachments) {
    checkLine('fileName', fileName, LONGEST_LINE);
    if (fileName === '' || /[/\\]/.test(fileName)) refuse('fileName', fileName, 'a name without a path');
    if (!/^[\w.+-]{1,64}\/[\w.+-]{1,64}$/.test(contentType))
      refuse('contentType', contentType, 'one such as "audio/wav"');
  }
}

function checkLine(what: string, text: string, longest: number): void {
  if (text.length > longest) refuse(what, `${text.length} characters`, `at most ${longest}`);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) refuse(what, text, 'one line without control characters');
  }
}

function refuse(what: string, found: string, expected: string): never {
  throw new UsageError('PBX_INVALID_ARGUMENT', `mail ${what}: found ${JSON.stringify(found)}, expected ${expected}`);
}
