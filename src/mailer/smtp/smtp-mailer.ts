import { AbortedError, throwIfAborted } from '../../base/errors.js';
import { type MailAddress, parseMailAddress } from '../address.js';
import { checkMail, type Mail } from '../mail.js';
import { closedMailer, type Mailer } from '../mailer.js';
import { openTransport, type SmtpMessage, type SmtpTransport } from './driver.js';
import { mailFailure, partialFailure } from './failure.js';
import { type SmtpOptions, type SmtpSettings, smtpSettings } from './options.js';

/**
 * A mailer that hands mail to an SMTP server (RFC 5321, RFC 6409), through the optional package `nodemailer`, which is loaded by the
 * first `send` (PBX_MISSING_PACKAGE without it). Encrypted, unless `security: 'plain'` says that the way is trusted. Opens nothing itself.
 * @throws UsageError PBX_INVALID_ARGUMENT
 */
export function smtp(options: SmtpOptions): Mailer {
  return new SmtpMailer(smtpSettings(options));
}

class SmtpMailer implements Mailer {
  readonly #settings: SmtpSettings;
  readonly #underWay = new Set<Promise<void>>();
  #transport: Promise<SmtpTransport> | undefined;
  #closed = false;

  constructor(settings: SmtpSettings) {
    this.#settings = settings;
  }

  async send(mail: Mail, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    if (this.#closed) throw closedMailer();
    throwIfAborted(signal, 'the mail');
    checkMail(mail);
    const delivery = this.#deliver(mail, signal);
    this.#underWay.add(delivery);
    try {
      await delivery;
    } finally {
      this.#underWay.delete(delivery);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    const transport = await this.#transport?.catch(() => undefined);
    this.#transport = undefined;
    transport?.close();
  }

  async #deliver(mail: Mail, signal: AbortSignal | undefined): Promise<void> {
    const transport = await this.#open();
    throwIfAborted(signal, 'the mail');
    const recipients = mail.to.map(mailboxOf);
    const from = mail.from === undefined ? this.#settings.from : mailboxOf(mail.from);
    const message = messageOf(mail, from, recipients, signal);
    const { rejected = [], rejectedErrors = [] } = await transport.sendMail(message).catch((error: unknown) => {
      if (signal?.aborted === true) throw new AbortedError('the mail', signal.reason);
      throw mailFailure(error, this.#settings, from.address === this.#settings.from.address);
    });
    if (rejected.length === 0) return;
    const lost = new Set(rejected.map((address) => address.toLowerCase()));
    const undelivered = mail.to.filter((_, at) => lost.has(recipients[at]?.address.toLowerCase() ?? ''));
    throw partialFailure(rejectedErrors, undelivered.length > 0 ? undelivered : rejected, this.#settings);
  }

  /** A package that was missing is looked for again by the next mail. */
  #open(): Promise<SmtpTransport> {
    this.#transport ??= openTransport(this.#settings).catch((error: unknown) => {
      this.#transport = undefined;
      throw error;
    });
    return this.#transport;
  }
}

function messageOf(
  { subject, text, attachments = [], id, date }: Mail,
  from: MailAddress,
  to: readonly MailAddress[],
  signal: AbortSignal | undefined,
): SmtpMessage {
  const named = ({ name = '', address }: MailAddress) => ({ name, address });
  return {
    from: named(from),
    to: to.map(named),
    subject,
    text,
    ...(id !== undefined && { messageId: `<${id}@${domainOf(from.address)}>` }),
    ...(date !== undefined && { date: new Date(date) }),
    // RFC 3834 §5: written by a machine, so no out-of-office reply is due.
    headers: { 'Auto-Submitted': 'auto-generated' },
    attachments: attachments.map(({ fileName, contentType, content }) => ({
      filename: fileName,
      contentType,
      content: Buffer.from(content.buffer, content.byteOffset, content.byteLength),
    })),
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(signal !== undefined && { signal }),
  };
}

/** What `checkMail` has let pass is one mailbox. */
function mailboxOf(text: string): MailAddress {
  return parseMailAddress(text) ?? { address: text };
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
