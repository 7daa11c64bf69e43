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

/** What a `MailError` knows besides its code. */
export interface MailErrorDetails {
  readonly cause?: unknown;
  /** Default `mail`. */
  readonly scope?: 'mail' | 'server';
  readonly undelivered?: readonly string[];
}

/**
 * A mail was not taken. `MAIL_REFUSED`: it never will be, as it stands and from this account (RFC 5321 §4.2.1, 5yz). `MAIL_FAILED`: try
 * again later (4yz, no connection).
 */
export class MailError extends PbxkitError {
  /**
   * `mail`: it is about this mail or its recipients; others may pass. `server`: no other would have been taken now either (no connection,
   * no login, a sender that is not the account's), so who keeps mail lets all of it wait (RFC 5321 §4.5.4.1).
   */
  readonly scope: 'mail' | 'server';
  /** Those who did not get it, as they stood in `to`, where others did; undefined: nobody did. */
  readonly undelivered: readonly string[] | undefined;

  constructor(code: 'MAIL_REFUSED' | 'MAIL_FAILED', message: string, details: MailErrorDetails = {}) {
    super(code, code === 'MAIL_REFUSED' ? 'remote' : 'transport', message, details);
    this.scope = details.scope ?? 'mail';
    this.undelivered = details.undelivered;
  }
}

/** What a mailer that was closed rejects with. */
export function closedMailer(): MailError {
  return new MailError('MAIL_FAILED', 'the mailer is closed; create a new one', { scope: 'server' });
}
