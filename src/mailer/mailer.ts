import { PbxkitError } from '../base/errors.js';
import type { Mail } from './mail.js';

/** How mail leaves. One call delivers one mail to the next server, or fails; who wants it tried again keeps it. */
export interface Mailer {
  /**
   * Resolves once a server has taken the mail for all its recipients.
   * @throws MailError: MAIL_REFUSED for good, MAIL_FAILED for now; UsageError PBX_INVALID_ARGUMENT for a mail that cannot be written;
   * AbortedError
   */
  send(mail: Mail, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Lets what is under way end. Later calls fail with MAIL_FAILED. Closing again does nothing. */
  close(): Promise<void>;
}

/** A mail was not taken. `MAIL_REFUSED`: it never will be (RFC 5321 §4.2.1, 5yz). `MAIL_FAILED`: try again later (4yz, no connection). */
export class MailError extends PbxkitError {
  constructor(code: 'MAIL_REFUSED' | 'MAIL_FAILED', message: string, options?: { readonly cause?: unknown }) {
    super(code, code === 'MAIL_REFUSED' ? 'remote' : 'transport', message, options);
  }
}
