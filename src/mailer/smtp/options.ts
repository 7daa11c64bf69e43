import { UsageError } from '../../base/errors.js';
import { isMailAddress } from '../../base/mail-address.js';
import { type MailAddress, parseMailAddress } from '../address.js';

/**
 * `starttls`: TLS before anything is said (RFC 3207), or no mail leaves. `tls`: TLS from the first byte (RFC 8314 §3.3). `plain`: none;
 * whoever sees the network reads mail and password, so only for a server on this machine or behind a wall of its own.
 */
export type SmtpSecurity = 'starttls' | 'tls' | 'plain';

export interface SmtpTlsOptions {
  /** The authorities that the server's certificate must come from, PEM. Default: those that Node.js knows. */
  readonly trust?: string | readonly string[];
  /** The name that the certificate must have. Default: `host`. */
  readonly serverName?: string;
  /** False: the certificate is not looked at, and anybody in between can read the password. For laboratories. Default true. */
  readonly verify?: boolean;
}

export interface SmtpTimeouts {
  /** Until the connection stands. Default 30. */
  readonly connectSeconds?: number;
  /** Until the server greets. Default 300 (RFC 5321 §4.5.3.2.1). */
  readonly greetingSeconds?: number;
  /** Without a word from the server. Default 600 (RFC 5321 §4.5.3.2.6). */
  readonly answerSeconds?: number;
}

/** The server that takes our mail, and our account there. */
export interface SmtpOptions {
  /** Host name or address. */
  readonly host: string;
  /** Default 587, with `security: 'tls'` 465 (RFC 6409, RFC 8314). */
  readonly port?: number;
  /** Default `tls` where `port` is 465, else `starttls`. */
  readonly security?: SmtpSecurity;
  readonly user?: string;
  /** Together with `user`. In no error and no log. */
  readonly password?: string;
  /** Whom mail comes from that does not say: `PBX <pbx@office.example>`. Default: `user`, where that is an address. */
  readonly from?: string;
  readonly tls?: SmtpTlsOptions;
  /** Keeps up to so many connections open for the next mail (default of `connections` 1). Absent: a connection for each mail. */
  readonly pool?: { readonly connections?: number };
  readonly timeouts?: SmtpTimeouts;
  /** The name that we greet with (EHLO). Default: this machine's. */
  readonly clientName?: string;
}

/** Options, checked and complete. */
export interface SmtpSettings extends Required<Pick<SmtpOptions, 'host' | 'port' | 'security'>> {
  readonly account: { readonly user: string; readonly password: string } | undefined;
  readonly from: MailAddress;
  readonly tls: SmtpTlsOptions;
  /** 0: no pool. */
  readonly pooled: number;
  readonly timeouts: Required<SmtpTimeouts>;
  readonly clientName: string | undefined;
}

const KEYS = ['host', 'port', 'security', 'user', 'password', 'from', 'tls', 'pool', 'timeouts', 'clientName'] as const;
const NAME = /^[\p{L}\p{N}]([\p{L}\p{N}.-]{0,251}[\p{L}\p{N}])?$/u;
const ADDRESS = /^\[?[0-9A-Fa-f:.]{2,45}\]?$/;

/** @throws UsageError PBX_INVALID_ARGUMENT that names the option, what was found and what was expected, never a password */
export function smtpSettings(options: SmtpOptions): SmtpSettings {
  known('', options, KEYS);
  const { host, user, password, clientName, tls = {}, pool, timeouts = {} } = options;
  known('tls.', tls, ['trust', 'serverName', 'verify']);
  known('timeouts.', timeouts, ['connectSeconds', 'greetingSeconds', 'answerSeconds']);
  if (pool !== undefined) known('pool.', pool, ['connections']);
  if (!isHost(host)) refuse('host', host, 'a host name such as "smtp.example"');
  const security = options.security ?? (options.port === 465 ? 'tls' : 'starttls');
  if (!['starttls', 'tls', 'plain'].includes(security)) refuse('security', security, '"starttls", "tls" or "plain"');
  const port = whole('port', options.port, security === 'tls' ? 465 : 587, 65_535);
  if (clientName !== undefined && !isHost(clientName)) refuse('clientName', clientName, 'a host name');
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port,
    security,
    account: account(user, password),
    from: sender(options.from, user),
    tls: checkTls(tls),
    pooled: pool === undefined ? 0 : whole('pool.connections', pool.connections, 1, 100),
    timeouts: {
      connectSeconds: whole('timeouts.connectSeconds', timeouts.connectSeconds, 30, 3600),
      greetingSeconds: whole('timeouts.greetingSeconds', timeouts.greetingSeconds, 300, 3600),
      answerSeconds: whole('timeouts.answerSeconds', timeouts.answerSeconds, 600, 3600),
    },
    clientName,
  };
}

function account(user: unknown, password: unknown): SmtpSettings['account'] {
  if (user === undefined && password === undefined) return undefined;
  if (!isText(user)) return refuse('user', user, 'a user name beside the password');
  // Never in a message, not even a wrong one.
  if (typeof password !== 'string' || password === '' || password.includes('\0'))
    return refuse('password', undefined, 'a text that is not empty beside the user name');
  return { user, password };
}

function sender(from: unknown, user: unknown): MailAddress {
  if (from === undefined && typeof user === 'string' && isMailAddress(user)) return { address: user };
  const mailbox = typeof from === 'string' && isText(from) ? parseMailAddress(from) : undefined;
  return mailbox ?? refuse('from', from, 'the address that mail comes from, such as "PBX <pbx@office.example>"');
}

function checkTls(tls: SmtpTlsOptions): SmtpTlsOptions {
  const { trust = [], serverName, verify } = tls;
  for (const each of typeof trust === 'string' ? [trust] : trust)
    if (typeof each !== 'string' || !each.includes('-----BEGIN CERTIFICATE-----'))
      refuse('tls.trust', 'a text that is none', 'certificates in PEM');
  if (serverName !== undefined && !isHost(serverName)) refuse('tls.serverName', serverName, 'a host name');
  if (verify !== undefined && typeof verify !== 'boolean') refuse('tls.verify', verify, 'true or false');
  return tls;
}

function known(at: string, options: unknown, keys: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    refuse(at.slice(0, -1) || 'options', options, `options such as ${keys[0]}`);
  const stranger = Object.keys(options).find((key) => !keys.includes(key));
  if (stranger !== undefined)
    throw invalid(`${at}${stranger}: found an option that does not exist, expected one of ${keys.join(', ')}`);
}

function whole(what: string, value: number | undefined, otherwise: number, most: number): number {
  if (value === undefined) return otherwise;
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  return refuse(what, value, `a whole number from 1 to ${most}`);
}

function isHost(text: unknown): text is string {
  return typeof text === 'string' && (NAME.test(text) || ADDRESS.test(text));
}

function isText(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && !/\p{Cc}/u.test(text);
}

function refuse(what: string, found: unknown, expected: string): never {
  const shown = found === undefined ? 'nothing usable' : String(JSON.stringify(found)).slice(0, 80);
  throw invalid(`${what}: found ${shown}, expected ${expected}`);
}

function invalid(problem: string): UsageError {
  return new UsageError('PBX_INVALID_ARGUMENT', `smtp() ${problem}`);
}
