import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail as it came in. */
export interface Delivered {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: unknown;
  readonly bytes: Buffer;
  readonly email: Email;
}

export interface MailServerOptions {
  /** `implicit`: TLS from the first byte. Default `starttls`. */
  readonly tls?: 'starttls' | 'implicit' | 'none';
  readonly key?: string;
  readonly cert?: string;
  /** Who may log in; absent: nobody need. */
  readonly account?: { readonly user: string; readonly password: string };
  /** What it says of a recipient: a status and a text, or nothing. */
  readonly onRecipient?: (address: string) => readonly [number, string] | undefined;
  /** As `onRecipient`, of the whole mail. */
  readonly onMail?: (mail: Delivered) => readonly [number, string] | undefined;
  readonly more?: SMTPServerOptions;
  /** Default: what the system gives. */
  readonly port?: number;
}

/** A real SMTP server on 127.0.0.1. */
export interface MailServer {
  readonly port: number;
  /** What it has taken. */
  readonly taken: readonly Delivered[];
  readonly connections: () => number;
  stop(): Promise<void>;
}

export async function mailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { tls = 'starttls', key, cert, account, onRecipient, onMail, more, port = 0 } = options;
  const taken: Delivered[] = [];
  let connections = 0;
  const disabled = [...(tls === 'starttls' ? [] : ['STARTTLS']), ...(account === undefined ? ['AUTH'] : [])];
  const server = new SMTPServer({
    logger: false,
    secure: tls === 'implicit',
    ...(key !== undefined && cert !== undefined && { key, cert }),
    authOptional: account === undefined,
    disabledCommands: disabled,
    allowInsecureAuth: tls === 'none',
    disableReverseLookup: true,
    closeTimeout: 1,
    onConnect: (_session, callback) => {
      connections++;
      callback();
    },
    onAuth: ({ username, password }, _session, callback) => {
      if (username === account?.user && password === account?.password) callback(null, { user: username });
      else callback(failure(535, `5.7.8 wrong password "${password ?? ''}" for you`));
    },
    onRcptTo: ({ address }, _session, callback) => callback(said(onRecipient?.(address))),
    onData: (stream, session, callback) => {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        const bytes = Buffer.concat(pieces);
        const { mailFrom, rcptTo } = session.envelope;
        void PostalMime.parse(bytes).then((email) => {
          const mail: Delivered = {
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            secure: session.secure,
            user: session.user,
            bytes,
            email,
          };
          const answer = onMail?.(mail);
          if (answer === undefined) taken.push(mail);
          callback(said(answer));
        }, callback);
      });
    },
    ...more,
  });
  // What a client that was refused does with its connection is not what a test looks at.
  server.on('error', () => {});
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.server.address() as AddressInfo).port,
    taken,
    connections: () => connections,
    stop: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}

function said(answer: readonly [number, string] | undefined): Error | null {
  return answer === undefined ? null : failure(...answer);
}

function failure(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}
