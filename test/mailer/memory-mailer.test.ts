import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkMail, type Mail } from '../../src/mailer/mail.js';
import { MailError } from '../../src/mailer/mailer.js';
import { MemoryMailer } from '../../src/mailer/memory-mailer.js';

const MAIL: Mail = { to: ['alice@example.net'], subject: 'Line 1234 is suspended', text: '403 Account Closed' };

describe('MemoryMailer', () => {
  test('keeps what it takes, in order', async () => {
    const mailer = new MemoryMailer();
    await mailer.send(MAIL);
    await mailer.send({ ...MAIL, subject: 'again' });
    expect(mailer.sent.map(({ subject }) => subject)).toEqual(['Line 1234 is suspended', 'again']);
  });

  test('a server that refuses, or is away, as the test says', async () => {
    const mailer = new MemoryMailer({
      onSend: ({ to }) => {
        if (to.includes('nobody@example.net')) throw new MailError('MAIL_REFUSED', '550 no such user');
        throw new MailError('MAIL_FAILED', '451 try later');
      },
    });
    await expect(mailer.send({ ...MAIL, to: ['nobody@example.net'] })).rejects.toMatchObject({
      code: 'MAIL_REFUSED',
      kind: 'remote',
    });
    await expect(mailer.send(MAIL)).rejects.toMatchObject({ code: 'MAIL_FAILED', kind: 'transport' });
    expect(mailer.sent).toEqual([]);
  });

  test('takes nothing once closed, nor by a signal that has fired', async () => {
    const mailer = new MemoryMailer();
    await expect(mailer.send(MAIL, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'PBX_ABORTED' });
    await mailer.close();
    await mailer.close();
    await expect(mailer.send(MAIL)).rejects.toMatchObject({ code: 'MAIL_FAILED' });
    expect(mailer.sent).toEqual([]);
  });
});

describe('checkMail (checklist 55: header injection)', () => {
  test.each<[string, Partial<Mail>]>([
    ['no recipient', { to: [] }],
    ['an address without @', { to: ['alice'] }],
    ['an address that ends in @', { from: 'alice@' }],
    ['a subject with a header in it', { subject: 'x\r\nBcc: all@example.net' }],
    ['a recipient with a header in it', { to: ['a@b\nCc: c@d'] }],
    [
      'a path for a file name',
      { attachments: [{ fileName: '../x.wav', contentType: 'audio/wav', content: new Uint8Array(1) }] },
    ],
    [
      'a content type with more in it',
      { attachments: [{ fileName: 'x.wav', contentType: 'audio/wav; a=b', content: new Uint8Array(1) }] },
    ],
  ])('%s', (_, change) => {
    expect(() => checkMail({ ...MAIL, ...change })).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
  });

  test('what it lets pass has no control character where a header stands', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (subject, name) => {
        try {
          checkMail({ ...MAIL, subject, to: [`${name}@example.net`] });
        } catch {
          return;
        }
        for (const char of subject + name) expect(char.charCodeAt(0)).toBeGreaterThanOrEqual(0x20);
      }),
    );
  });
});
