/** The mailer and the outbox against a real SMTP server (smtp-server), read by another program (postal-mime). */
import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SystemRandom } from '../../src/base/random.js';
import type { Mail } from '../../src/mailer/mail.js';
import type { Mailer } from '../../src/mailer/mailer.js';
import { Outbox } from '../../src/mailer/outbox.js';
import type { SmtpOptions } from '../../src/mailer/smtp/options.js';
import { smtp } from '../../src/mailer/smtp/smtp-mailer.js';
import { lineSuspendedMail } from '../../src/pbx/notices.js';
import type { CertificateAuthority } from '../../src/security/certificate-authority.js';
import type { CertificatePair } from '../../src/security/certificates.js';
import { MemoryBlobs } from '../../src/storage/memory-blobs.js';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { realAuthority } from '../support/certificates.js';
import { Lab } from './support/lab.js';
import { type MailServer, type MailServerOptions, mailServer } from './support/smtp.js';

const ACCOUNT = { user: 'pbx@office.example', password: 'correct-horse-battery' };
const MAIL: Mail = { to: ['alice@office.example'], subject: 'Line 1234 is suspended', text: '403 Account Closed\n' };

let lab = new Lab();
let authority: CertificateAuthority;
let pair: CertificatePair;

beforeAll(async () => {
  authority = await realAuthority();
  pair = await authority.issue({ names: ['127.0.0.1', 'mail.office.example'] });
});

afterEach(async () => {
  await lab.close();
  lab = new Lab();
});

afterAll(() => lab.close());

async function server(options: MailServerOptions = {}): Promise<MailServer> {
  return lab.own(await mailServer({ ...pair, ...options }));
}

/** A mailer for that server, closed after the test. */
function mailerFor({ port }: { readonly port: number }, options: Partial<SmtpOptions> = {}): Mailer {
  const account = options.security === 'plain' ? {} : ACCOUNT;
  const tls = { trust: authority.cert };
  const mailer = smtp({ host: '127.0.0.1', port, from: ACCOUNT.user, ...account, tls, ...options });
  lab.own({ stop: () => mailer.close() });
  return mailer;
}

/** What `send` rejects with: code, scope and text, and everything that a logger would print of it. */
async function failureOf(sending: Promise<void>): Promise<Record<'code' | 'scope' | 'message' | 'all', string>> {
  const error: unknown = await sending.then(
    () => {
      throw new Error('it was sent');
    },
    (reason: unknown) => reason,
  );
  const { code, scope, message, cause } = error as Error & Record<'code' | 'scope', string>;
  const all = `${message} ${JSON.stringify(error)} ${String(cause)} ${JSON.stringify(cause ?? null)}`;
  return { code, scope, message, all };
}

function expectNoSecret(text: string): void {
  const { user, password } = ACCOUNT;
  for (const secret of [password, `\0${user}\0${password}`].flatMap((each) => [
    each,
    Buffer.from(each).toString('base64'),
  ]))
    expect(text).not.toContain(secret);
}

describe('the way to the server', () => {
  test('STARTTLS (RFC 3207) and a login (RFC 4954)', async () => {
    const { port, taken } = await server({ account: ACCOUNT });
    await mailerFor({ port }).send(MAIL);
    expect(taken).toHaveLength(1);
    expect(taken[0]).toMatchObject({ from: ACCOUNT.user, to: MAIL.to, secure: true, user: ACCOUNT.user });
    expect(taken[0]?.email).toMatchObject({ subject: MAIL.subject, from: { address: ACCOUNT.user } });
    expect(taken[0]?.email.headers).toContainEqual(
      expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
    );
  });

  test('TLS from the first byte (RFC 8314 §3.3)', async () => {
    const { port, taken } = await server({ tls: 'implicit', account: ACCOUNT });
    await mailerFor({ port }, { security: 'tls' }).send(MAIL);
    expect(taken).toMatchObject([{ secure: true, user: ACCOUNT.user }]);
  });

  test('by the name that the certificate has', async () => {
    const { port, taken } = await server({ account: ACCOUNT });
    const tls = { trust: [authority.cert], serverName: 'mail.office.example' };
    await mailerFor({ port }, { tls }).send(MAIL);
    const wrong = await failureOf(mailerFor({ port }, { tls: { ...tls, serverName: 'other.example' } }).send(MAIL));
    expect(wrong).toMatchObject({ code: 'MAIL_FAILED', scope: 'server' });
    expect(wrong.message).toContain('tls.serverName');
    expect(taken).toHaveLength(1);
  });

  test('plain where it is allowed, and only there', async () => {
    const { port, taken } = await server({ tls: 'none' });
    const failure = await failureOf(mailerFor({ port }).send(MAIL));
    expect(failure.scope).toBe('server');
    expect(failure.message).toMatch(/^127\.0\.0\.1:\d+.*STARTTLS.*'tls'/);
    expect(taken).toEqual([]);
    await mailerFor({ port }, { security: 'plain' }).send(MAIL);
    expect(taken).toMatchObject([{ secure: false }]);
  });

  test('a certificate that nobody vouches for: nothing is sent, not even the password', async () => {
    const { port, taken } = await server({ account: ACCOUNT });
    const failure = await failureOf(mailerFor({ port }, { tls: {} }).send(MAIL));
    expect(failure).toMatchObject({ code: 'MAIL_FAILED', scope: 'server' });
    expect(failure.message).toContain('tls.trust');
    expectNoSecret(failure.all);
    await mailerFor({ port }, { tls: { verify: false } }).send(MAIL);
    expect(taken).toHaveLength(1);
  });

  test('a wrong password, which the server repeats in its answer: refused, and the password is in no error', async () => {
    const { port, taken } = await server({ account: { ...ACCOUNT, password: 'another' } });
    const failure = await failureOf(mailerFor({ port }).send(MAIL));
    expect(failure).toMatchObject({ code: 'MAIL_REFUSED', scope: 'server' });
    expect(failure.message).toContain(`the login of "${ACCOUNT.user}": it said "535 5.7.8 wrong password "…" for you"`);
    expect(failure.message).toContain('correct user and password');
    expectNoSecret(failure.all);
    expect(taken).toEqual([]);
  });

  test('a server that offers no login gets no mail from somebody who has one', async () => {
    const { port, taken } = await server();
    expect(await failureOf(mailerFor({ port }).send(MAIL))).toMatchObject({ scope: 'server' });
    expect(taken).toEqual([]);
  });

  test('nobody listens there; and a name that does not exist', async () => {
    const { port, stop } = await mailServer(pair);
    await stop();
    const failure = await failureOf(mailerFor({ port }).send(MAIL));
    expect(failure).toMatchObject({ code: 'MAIL_FAILED', scope: 'server' });
    expect(failure.message).toContain(`127.0.0.1:${port}`);
    const unknown = await failureOf(mailerFor({ port: 25 }, { host: 'smtp.invalid' }).send(MAIL));
    expect(unknown).toMatchObject({ code: 'MAIL_FAILED', scope: 'server' });
  });

  test('one that accepts and says nothing: its time ends', async () => {
    const silent: Server = createServer(() => {});
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const { port } = silent.address() as { port: number };
    const failure = await failureOf(mailerFor({ port }, { timeouts: { greetingSeconds: 1 } }).send(MAIL));
    expect(failure.message).toContain('did not answer in time');
    const abort = new AbortController();
    const sending = mailerFor({ port }).send(MAIL, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(sending).rejects.toMatchObject({ code: 'PBX_ABORTED', cause: { message: 'enough' } });
    await new Promise<void>((resolve) => {
      silent.close(() => resolve());
    });
  });

  test('a pool keeps its connection for the next mail; close leaves none', async () => {
    const { port, taken, connections } = await server({ account: ACCOUNT });
    const mailer = mailerFor({ port }, { pool: {} });
    for (let at = 0; at < 5; at++) await mailer.send(MAIL);
    expect([taken.length, connections()]).toEqual([5, 1]);
    const last = mailer.send(MAIL);
    await mailer.close();
    await last;
    expect(taken).toHaveLength(6);
    await expect(mailer.send(MAIL)).rejects.toMatchObject({ code: 'MAIL_FAILED', scope: 'server' });
  });
});

describe('what the server says of a mail (RFC 5321 §4.2)', () => {
  const onRecipient = (address: string): readonly [number, string] | undefined => {
    if (address.startsWith('gone')) return [550, '5.1.1 no such user'];
    return address.startsWith('busy') ? [450, '4.2.1 try later'] : undefined;
  };

  test('550 to the recipient: refused, and about this mail alone', async () => {
    const { port } = await server({ account: ACCOUNT, onRecipient });
    const failure = await failureOf(mailerFor({ port }).send({ ...MAIL, to: ['gone@office.example'] }));
    expect(failure).toMatchObject({ code: 'MAIL_REFUSED', scope: 'mail' });
    expect(failure.message).toContain('the recipient gone@office.example: it said "550 5.1.1 no such user"; correct');
  });

  test('450: for now', async () => {
    const { port } = await server({ account: ACCOUNT, onRecipient });
    const failure = await failureOf(mailerFor({ port }).send({ ...MAIL, to: ['busy@office.example'] }));
    expect(failure).toMatchObject({ code: 'MAIL_FAILED', scope: 'mail' });
    expect(failure.message).toContain('try again later');
  });

  test('taken for some: the error names the others', async () => {
    const { port, taken } = await server({ account: ACCOUNT, onRecipient });
    const to = ['alice@office.example', 'Gone <gone@office.example>'];
    await expect(mailerFor({ port }).send({ ...MAIL, to })).rejects.toMatchObject({
      code: 'MAIL_REFUSED',
      scope: 'mail',
      undelivered: ['Gone <gone@office.example>'],
      message: expect.stringContaining('no such user'),
    });
    expect(taken.map((each) => each.to)).toEqual([['alice@office.example']]);
  });

  test('554 to the mail itself', async () => {
    const { port } = await server({ account: ACCOUNT, onMail: () => [554, '5.7.1 looks like spam'] });
    const failure = await failureOf(mailerFor({ port }).send(MAIL));
    expect(failure).toMatchObject({ code: 'MAIL_REFUSED', scope: 'mail' });
  });

  test('553 to the sender: of the account’s own address it is no word about the mail', async () => {
    const onMailFrom: NonNullable<MailServerOptions['more']>['onMailFrom'] = (_address, _session, callback) =>
      callback(Object.assign(new Error('5.7.1 not your address'), { responseCode: 553 }));
    const { port } = await server({ account: ACCOUNT, more: { onMailFrom } });
    const mailer = mailerFor({ port });
    expect(await failureOf(mailer.send(MAIL))).toMatchObject({ code: 'MAIL_REFUSED', scope: 'server' });
    const foreign = { ...MAIL, from: 'somebody@else.example' };
    expect(await failureOf(mailer.send(foreign))).toMatchObject({ code: 'MAIL_REFUSED', scope: 'mail' });
  });

  test('a mail that is larger than the server takes (RFC 1870)', async () => {
    const { port } = await server({
      account: ACCOUNT,
      onMail: ({ bytes }) => (bytes.length > 1_000 ? [552, '5.3.4 too large'] : undefined),
    });
    const failure = await failureOf(mailerFor({ port }).send({ ...MAIL, text: 'x\n'.repeat(2_000) }));
    expect(failure).toMatchObject({ code: 'MAIL_REFUSED', scope: 'mail' });
  });
});

describe('what arrives', () => {
  test('an attachment byte by byte, a subject and names in UTF-8, its own Message-ID and date', async () => {
    const { port, taken } = await server({ account: ACCOUNT });
    const content = Uint8Array.from({ length: 200_000 }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
    const date = Date.UTC(2026, 0, 2, 3, 4, 5);
    await mailerFor({ port }, { from: 'Büro Ω, Zentrale <pbx@office.example>' }).send({
      to: ['"Müller, Jürgen" <juergen@office.example>'],
      subject: 'Nachricht von Ærøskøbing – 日本語 ☎',
      text: 'Grüße\n.\n..ein Punkt\nFrom the start\n',
      attachments: [{ fileName: 'Gespräch ☎.wav', contentType: 'audio/wav', content }],
      id: '2f7c.a-1',
      date,
    });
    const { email } = taken[0] ?? {};
    expect(email).toMatchObject({
      subject: 'Nachricht von Ærøskøbing – 日本語 ☎',
      from: { name: 'Büro Ω, Zentrale', address: 'pbx@office.example' },
      to: [{ name: 'Müller, Jürgen', address: 'juergen@office.example' }],
      messageId: '<2f7c.a-1@office.example>',
    });
    expect(email?.text?.trimEnd()).toBe('Grüße\n.\n..ein Punkt\nFrom the start');
    expect(Date.parse(email?.date ?? '')).toBe(date);
    const attachment = email?.attachments[0];
    expect(attachment).toMatchObject({ filename: 'Gespräch ☎.wav', mimeType: 'audio/wav' });
    expect(Buffer.compare(Buffer.from(attachment?.content as ArrayBuffer), content)).toBe(0);
  });

  test('nobody adds a header or a recipient (checklist 55)', async () => {
    const { port, taken } = await server({ account: ACCOUNT });
    const mailer = mailerFor({ port });
    for (const change of [
      { subject: 'x\r\nBcc: eve@else.example' },
      { to: ['alice@office.example\r\nBcc: eve@else.example'] },
      { to: ['alice@office.example, eve@else.example'] },
      { to: ['Alice <alice@office.example>, Eve <eve@else.example>'] },
      { to: ['team: alice@office.example, eve@else.example;'] },
      { from: 'pbx@office.example\nBcc: eve@else.example' },
      { attachments: [{ fileName: 'a\r\nX-Evil: 1', contentType: 'audio/wav', content: new Uint8Array(1) }] },
    ] as Partial<Mail>[])
      await expect(mailer.send({ ...MAIL, ...change })).rejects.toMatchObject({ code: 'PBX_INVALID_ARGUMENT' });
    expect(taken).toEqual([]);
    const text = '403 Closed\r\n.\r\nRCPT TO:<eve@else.example>\r\nBcc: eve@else.example\r\n\r\nX-Evil: 1';
    const about = { line: '1234', pbx: 'office.example' };
    await mailer.send(lineSuspendedMail('alice@office.example', about, { kind: 'forbidden', status: 403, text }, 0));
    await mailer.send({ ...MAIL, text });
    expect(taken.map(({ to }) => to)).toEqual([['alice@office.example'], ['alice@office.example']]);
    for (const { email } of taken) {
      expect(email.headers.map(({ key }) => key)).not.toContain('x-evil');
      expect(email.bcc ?? []).toEqual([]);
    }
    expect(taken[1]?.email.text?.replaceAll('\r\n', '\n').trim()).toBe(text.replaceAll('\r\n', '\n'));
  });
});

describe('the outbox', () => {
  /** On virtual time, but with real mail: what is on the way holds the clock. */
  async function outboxFor(mailer: Mailer, records = new MemoryRecords()) {
    const clock = new ManualClock({ wallTimeMs: Date.now() });
    const held: Mailer = {
      send: (mail, options) => clock.hold(mailer.send(mail, options)),
      close: () => Promise.resolve(),
    };
    const parts = { records, blobs: new MemoryBlobs(), mailer: held, scheduler: clock, random: new SystemRandom() };
    const outbox = new Outbox(parts);
    lab.own({ stop: () => outbox.close() });
    await outbox.start();
    const told: string[] = [];
    outbox.on('mail.sent', ({ subject, attempts }) => told.push(`sent ${subject} ${attempts}`));
    outbox.on('mail.delayed', ({ subject }) => told.push(`delayed ${subject}`));
    outbox.on('mail.dropped', ({ subject, cause }) => told.push(`dropped ${subject} ${cause}`));
    outbox.on('outbox.paused', ({ waiting }) => told.push(`paused ${waiting}`));
    return { clock, outbox, told };
  }

  test('451, then taken; 550 is dropped and told', async () => {
    let busy = 2;
    const { port, taken } = await server({
      account: ACCOUNT,
      onRecipient: (address) => (address.startsWith('gone') ? [550, 'no such user'] : undefined),
      onMail: () => (busy-- > 0 ? [451, '4.3.0 try later'] : undefined),
    });
    const { clock, outbox, told } = await outboxFor(mailerFor({ port }));
    await outbox.add('default', { ...MAIL, subject: 'later' });
    await outbox.add('default', { ...MAIL, subject: 'never', to: ['gone@office.example'] });
    await clock.advance(600_000);
    expect(told.filter((each) => each.includes('later'))).toEqual(['delayed later', 'delayed later', 'sent later 3']);
    expect(told).toContain('dropped never refused');
    expect(taken).toHaveLength(1);
  });

  test('the server is away, the process restarts, the server is back: each mail arrives once, in order', async () => {
    const records = new MemoryRecords();
    const first = await mailServer({ ...pair, account: ACCOUNT });
    const { port } = first;
    await first.stop();
    const before = await outboxFor(mailerFor({ port }), records);
    for (const subject of ['one', 'two', 'three']) await before.outbox.add('default', { ...MAIL, subject });
    await before.clock.advance(3_600_000);
    expect(before.told.length).toBeGreaterThan(3);
    expect(before.told.filter((each) => !each.startsWith('paused'))).toEqual([]);
    await before.outbox.close();

    const { taken } = await server({ account: ACCOUNT, port });
    const after = await outboxFor(mailerFor({ port }), records);
    await after.clock.advance(1_000);
    expect(taken.map(({ email }) => email.subject)).toEqual(['one', 'two', 'three']);
    expect(after.outbox.size).toBe(0);
    expect(await records.scan('default/outbox')).toEqual([]);
  });
});
