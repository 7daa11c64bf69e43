import { UsageError } from '../base/errors.js';

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
}

/** RFC 5321 §4.5.3.1.3 allows 256 octets of path; a display name comes on top. */
const LONGEST_ADDRESS = 512;
/** RFC 5322 §2.1.1. */
const LONGEST_LINE = 998;

/**
 * Refuses what could begin a header of its own in the mail: callers choose display names and numbers, and these end up in subjects.
 * @throws UsageError PBX_INVALID_ARGUMENT for no recipient, an address without `@`, or a control character in a header or file name
 */
export function checkMail({ from, to, subject, attachments = [] }: Mail): void {
  if (to.length === 0) refuse('to', '', 'at least one address');
  for (const address of from === undefined ? to : [from, ...to]) {
    checkLine('address', address, LONGEST_ADDRESS);
    const at = address.lastIndexOf('@');
    if (at < 1 || at === address.length - 1) refuse('address', address, 'one such as "alice@example.net"');
  }
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
