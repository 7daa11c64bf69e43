import { errorText } from '../../base/errors.js';
import { MailError } from '../mailer.js';
import type { SmtpSettings } from './options.js';

/** What nodemailer's errors carry, as far as we look at it. */
interface Failure {
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly responseCode?: unknown;
  readonly response?: unknown;
  readonly command?: unknown;
  readonly recipient?: unknown;
  readonly rejectedErrors?: unknown;
}

const LONGEST_ANSWER = 300;

/**
 * What a mail failed with, as the port says it. `ownSender`: the mail came from the account's own `from`. Without nodemailer's error as
 * cause: it holds the answer as it came, in which a server may repeat what it was sent, and whole certificates.
 */
export function mailFailure(error: unknown, settings: SmtpSettings, ownSender: boolean): MailError {
  const failure: Failure = typeof error === 'object' && error !== null ? error : {};
  return typeof failure.responseCode === 'number'
    ? answered(failure, failure.responseCode, settings, ownSender)
    : unanswered(failure, error, settings);
}

/** Some recipients were taken, these were not. For now as long as one of them may be taken yet. */
export function partialFailure(
  rejected: readonly unknown[],
  undelivered: readonly string[],
  settings: SmtpSettings,
): MailError {
  const failures = rejected.map((each) => mailFailure(each, settings, false));
  const later = failures.find(({ code }) => code === 'MAIL_FAILED');
  const code = later === undefined && failures.length > 0 ? 'MAIL_REFUSED' : 'MAIL_FAILED';
  const said = failures.map(({ message }) => message).join('; ');
  return new MailError(code, `the mail was taken, but not for ${undelivered.join(', ')}: ${said}`, { undelivered });
}

/** RFC 5321 §4.2: the server said a status. */
function answered(failure: Failure, status: number, settings: SmtpSettings, ownSender: boolean): MailError {
  const command = String(failure.command ?? '').toUpperCase();
  const said = withoutSecrets(String(failure.response ?? status), settings);
  const step = stepOf(command, failure, settings);
  // 503 (bad sequence) speaks of the session, not of the mail: a new one may do.
  const refused = status >= 500 && status < 600 && status !== 503;
  const message = `${place(settings)} did not take ${step.what}: it said "${said}"; ${refused ? step.advice : 'try again later'}`;
  const scope = isOfServer(command, status, said, ownSender) ? 'server' : 'mail';
  return new MailError(refused ? 'MAIL_REFUSED' : 'MAIL_FAILED', message, { scope });
}

/** Whether every other mail would have met the same answer. */
function isOfServer(command: string, status: number, said: string, ownSender: boolean): boolean {
  if (status === 421 || status === 530 || status === 454) return true;
  if (command.startsWith('RCPT') || command === 'DATA') return false;
  if (!command.startsWith('MAIL')) return true;
  // Too large (RFC 1870 §6.2) is the mail's own fault.
  return ownSender && status !== 552 && !/\b[45]\.3\.4\b/.test(said);
}

interface Step {
  readonly what: string;
  readonly advice: string;
}

function stepOf(command: string, failure: Failure, { account, security }: SmtpSettings): Step {
  if (command.startsWith('AUTH')) {
    return { what: `the login of "${account?.user ?? ''}"`, advice: 'correct user and password of smtp()' };
  }
  if (command.startsWith('MAIL')) {
    return { what: 'the sender', advice: 'correct `from`: an address that this account may send as' };
  }
  if (command.startsWith('RCPT'))
    return { what: `the recipient ${recipientOf(failure)}`, advice: 'correct the address' };
  if (command === 'DATA') return { what: 'the mail', advice: 'sending it again as it is will not help' };
  if (command === 'STARTTLS') {
    return { what: 'STARTTLS', advice: `it must offer TLS for security: '${security}'; see if 'tls' on port 465 does` };
  }
  return { what: 'the connection', advice: 'correct host and port, or ask who runs it whether we may send there' };
}

function recipientOf({ recipient, rejectedErrors }: Failure): string {
  if (typeof recipient === 'string') return recipient;
  const list: readonly Failure[] = Array.isArray(rejectedErrors) ? rejectedErrors : [];
  return list.flatMap((each) => (typeof each.recipient === 'string' ? [each.recipient] : [])).join(', ');
}

/** No status: the network, TLS, or something that nodemailer itself found. */
function unanswered({ code, originalCode, command }: Failure, error: unknown, settings: SmtpSettings): MailError {
  const text = withoutSecrets(errorText(error), settings);
  const found = `${place(settings)}: ${text}`;
  if (code === 'EENVELOPE' || code === 'EMESSAGE') {
    return new MailError('MAIL_REFUSED', `${found}; correct the mail`);
  }
  const scope = 'server';
  const advice = adviceFor(String(code), String(originalCode ?? ''), String(command ?? ''), text);
  return new MailError('MAIL_FAILED', `${found}; ${advice}`, { scope });
}

function adviceFor(code: string, original: string, command: string, text: string): string {
  const reason = `${original} ${text}`;
  if (/CERT|SELF_SIGNED|ISSUER|VERIFY|certificate|altname/i.test(reason)) {
    return 'its certificate is not one that is trusted here: name its authority in tls.trust, or its name in tls.serverName';
  }
  if (/wrong version number|WRONG_VERSION/i.test(reason)) {
    return "it does not speak TLS from the first byte: use security 'starttls', or the port for TLS (465)";
  }
  if (code === 'ETLS' || command === 'STARTTLS') {
    return "no TLS could be agreed on: see if security 'tls' on port 465 does; 'plain' only where the way is trusted";
  }
  if (code === 'EDNS') return 'the name is not known: correct host';
  if (code === 'EAUTH' || code === 'ENOAUTH') return 'it offers no login that fits: correct user, password or port';
  if (code === 'ETIMEDOUT') return 'it did not answer in time: try again later, or correct host and port';
  return 'it cannot be reached now: try again later, or correct host and port';
}

function place({ host, port }: SmtpSettings): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** One line of bounded length, without the password in any of the forms in which it was sent. */
function withoutSecrets(text: string, { account }: SmtpSettings): string {
  let clean = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  if (account !== undefined) {
    const { user, password } = account;
    const base64 = (what: string): string => Buffer.from(what).toString('base64');
    for (const secret of [base64(`\0${user}\0${password}`), base64(password), password]) {
      clean = clean.replaceAll(secret, '…');
    }
  }
  return clean.length > LONGEST_ANSWER ? `${clean.slice(0, LONGEST_ANSWER)}…` : clean;
}
