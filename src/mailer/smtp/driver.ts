import { UsageError } from '../../base/errors.js';
import type { MailAddress } from '../address.js';
import type { SmtpSettings } from './options.js';

/** A mail as nodemailer takes it. Addresses are parts, contents bytes: nothing is left to be read as a path, URL or second address. */
export interface SmtpMessage {
  readonly from: AddressParts;
  readonly to: readonly AddressParts[];
  readonly subject: string;
  readonly text: string;
  readonly messageId?: string;
  readonly date?: Date;
  readonly headers: Readonly<Record<string, string>>;
  readonly attachments: readonly {
    readonly filename: string;
    readonly contentType: string;
    readonly content: Buffer;
  }[];
  readonly disableFileAccess: true;
  readonly disableUrlAccess: true;
  readonly signal?: AbortSignal;
}

type AddressParts = Required<MailAddress>;

/** What we need of a transport of the `nodemailer` package. */
export interface SmtpTransport {
  sendMail(message: SmtpMessage): Promise<SmtpResult>;
  close(): void;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  readonly transporter: { readonly version?: string };
}

/** What nodemailer says of a mail that the server took for one recipient at least. */
export interface SmtpResult {
  readonly rejected?: readonly string[];
  readonly rejectedErrors?: readonly unknown[];
}

interface SmtpModule {
  createTransport(options: object): SmtpTransport;
}

/** Older ones have known holes and are not mended any more. */
const LEAST_VERSION = 10;
const INSTALL = 'add it to your project with `npm install nodemailer@^10`';

/** The optional peer, loaded when the first mail is sent. @throws UsageError PBX_MISSING_PACKAGE: it is absent, or too old */
export async function openTransport(
  settings: SmtpSettings,
  load: () => Promise<unknown> = () => import('nodemailer'),
): Promise<SmtpTransport> {
  let module: Partial<SmtpModule> & { readonly default?: SmtpModule };
  try {
    module = (await load()) as SmtpModule;
  } catch (cause) {
    throw new UsageError('PBX_MISSING_PACKAGE', `mailer smtp() needs the package "nodemailer": ${INSTALL}`, { cause });
  }
  const { createTransport = module.default?.createTransport } = module;
  const transport = createTransport?.(transportOptions(settings));
  const version = transport?.transporter.version?.split('[')[0] ?? 'unknown';
  if (transport === undefined || !(Number.parseInt(version, 10) >= LEAST_VERSION)) {
    transport?.close();
    throw new UsageError(
      'PBX_MISSING_PACKAGE',
      `mailer smtp() needs the package "nodemailer" from version ${LEAST_VERSION} on, found ${version}: ${INSTALL}`,
    );
  }
  // Of connections that nobody waits for; without a listener it would end the process.
  transport.on('error', () => {});
  return transport;
}

function transportOptions(settings: SmtpSettings): object {
  const { host, port, security, account, tls, pooled, timeouts, clientName } = settings;
  return {
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'plain',
    ...(account !== undefined && {
      auth: { user: account.user, pass: account.password },
      // A server that offers no login must not get mail from nobody.
      forceAuth: true,
    }),
    tls: {
      minVersion: 'TLSv1.2',
      rejectUnauthorized: tls.verify ?? true,
      ...(tls.trust !== undefined && { ca: tls.trust }),
      ...(tls.serverName !== undefined && { servername: tls.serverName }),
    },
    // What was cut off after the last byte may have been taken: only a connection that broke while idle is worth a second try.
    ...(pooled > 0 && { pool: true, maxConnections: pooled, maxRequeues: 1 }),
    connectionTimeout: timeouts.connectSeconds * 1000,
    dnsTimeout: timeouts.connectSeconds * 1000,
    greetingTimeout: timeouts.greetingSeconds * 1000,
    socketTimeout: timeouts.answerSeconds * 1000,
    ...(clientName !== undefined && { name: clientName }),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
