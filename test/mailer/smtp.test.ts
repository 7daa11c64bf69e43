import { describe, expect, test } from 'vitest';
import { openTransport } from '../../src/mailer/smtp/driver.js';
import { mailFailure } from '../../src/mailer/smtp/failure.js';
import { type SmtpOptions, smtpSettings } from '../../src/mailer/smtp/options.js';
import { smtp } from '../../src/mailer/smtp/smtp-mailer.js';

const PASSWORD = 'correct-horse-battery';
const OPTIONS: SmtpOptions = { host: 'smtp.example', user: 'pbx@office.example', password: PASSWORD };

describe('smtp() options', () => {
  test.each<[string, Partial<SmtpOptions>, object]>([
    ['STARTTLS on 587 by default (RFC 6409)', {}, { port: 587, security: 'starttls', pooled: 0 }],
    ['TLS on 465 by default (RFC 8314)', { security: 'tls' }, { port: 465, security: 'tls' }],
    ['port 465 means TLS', { port: 465 }, { port: 465, security: 'tls' }],
    ['a port of its own', { port: 2525 }, { port: 2525, security: 'starttls' }],
    ['an address of IPv6', { host: '[2001:db8::1]' }, { host: '2001:db8::1' }],
    ['mail comes from the user where that is an address', {}, { from: { address: 'pbx@office.example' } }],
    ['or from somebody else', { from: 'PBX <pbx@x.example>' }, { from: { name: 'PBX', address: 'pbx@x.example' } }],
    ['a pool', { pool: {} }, { pooled: 1 }],
    ['a larger pool', { pool: { connections: 5 } }, { pooled: 5 }],
  ])('%s', (_, change, settings) => {
    expect(smtpSettings({ ...OPTIONS, ...change })).toMatchObject(settings);
  });

  test.each<[object, string]>([
    [{ host: '' }, 'smtp() host: found "", expected a host name'],
    [{ host: 'smtp.example:587' }, 'smtp() host: found "smtp.example:587"'],
    [{ port: 0 }, 'smtp() port: found 0, expected a whole number from 1 to 65535'],
    [{ security: 'ssl' }, 'smtp() security: found "ssl", expected "starttls", "tls" or "plain"'],
    [{ passwrod: PASSWORD }, 'smtp() passwrod: found an option that does not exist, expected one of host, port'],
    [{ user: undefined }, 'smtp() user: found nothing usable'],
    [{ password: undefined }, 'smtp() password: found nothing usable'],
    [{ password: '' }, 'smtp() password: found nothing usable'],
    [{ user: 'pbx' }, 'smtp() from: found nothing usable, expected the address that mail comes from'],
    [{ from: 'a@b.example, c@d.example' }, 'smtp() from: found "a@b.example, c@d.example"'],
    [{ tls: { trust: './ca.pem' } }, 'smtp() tls.trust: found "a text that is none", expected certificates in PEM'],
    [{ tls: { ca: 'x' } }, 'smtp() tls.ca: found an option that does not exist, expected one of trust'],
    [{ tls: { verify: 'no' } }, 'smtp() tls.verify: found "no", expected true or false'],
    [{ pool: { connections: 0 } }, 'smtp() pool.connections: found 0'],
    [{ pool: true }, 'smtp() pool: found true, expected options'],
    [{ timeouts: { answerSeconds: -1 } }, 'smtp() timeouts.answerSeconds: found -1'],
    [{ clientName: 'a b' }, 'smtp() clientName: found "a b"'],
  ])('%j is refused', (change, said) => {
    const make = () => smtp({ ...OPTIONS, ...change } as SmtpOptions);
    expect(make).toThrow(said);
    expect(make).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
    expect(make).not.toThrow(PASSWORD);
  });
});

describe('the optional package', () => {
  const settings = smtpSettings(OPTIONS);

  test('absent: named, and how to get it', async () => {
    const absent = openTransport(settings, () => Promise.reject(new Error("Cannot find package 'nodemailer'")));
    await expect(absent).rejects.toMatchObject({ code: 'PBX_MISSING_PACKAGE' });
    await expect(absent).rejects.toThrow('npm install nodemailer@^10');
  });

  test.each(['6.9.16[client:6.9.16]', '9.1.1', undefined])('too old (%s): which one is needed', async (version) => {
    let closed = false;
    const old = {
      createTransport: () => ({
        transporter: version === undefined ? {} : { version },
        close: () => {
          closed = true;
        },
      }),
    };
    const opening = openTransport(settings, () => Promise.resolve({ default: old }));
    await expect(opening).rejects.toMatchObject({ code: 'PBX_MISSING_PACKAGE' });
    await expect(opening).rejects.toThrow(`from version 10 on, found ${version?.split('[')[0] ?? 'unknown'}`);
    expect(closed).toBe(true);
  });
});

describe('what nodemailer’s errors mean', () => {
  const settings = smtpSettings(OPTIONS);

  test.each<[string, object, boolean, string, string, string]>([
    [
      '421 in the middle',
      { responseCode: 421, response: '421 going down', command: 'DATA' },
      true,
      'MAIL_FAILED',
      'server',
      'later',
    ],
    [
      '503 is no word about the mail',
      { responseCode: 503, response: '503 bad sequence', command: 'DATA' },
      true,
      'MAIL_FAILED',
      'mail',
      'later',
    ],
    [
      '530 to the sender',
      { responseCode: 530, response: '530 log in', command: 'MAIL FROM' },
      false,
      'MAIL_REFUSED',
      'server',
      'from',
    ],
    [
      '552 to the sender',
      { responseCode: 552, response: '552 too large', command: 'MAIL FROM' },
      true,
      'MAIL_REFUSED',
      'mail',
      'from',
    ],
    [
      '554 as greeting',
      { responseCode: 554, response: '554 no service', command: 'CONN' },
      true,
      'MAIL_REFUSED',
      'server',
      'ask who runs it',
    ],
    ['no TLS at all', { code: 'ETLS', command: 'STARTTLS', message: 'no' }, true, 'MAIL_FAILED', 'server', 'port 465'],
    [
      'TLS on the wrong port',
      { code: 'ESOCKET', originalCode: 'ERR_SSL_WRONG_VERSION_NUMBER' },
      true,
      'MAIL_FAILED',
      'server',
      "'starttls'",
    ],
    ['too large, as announced', { code: 'EMESSAGE' }, true, 'MAIL_REFUSED', 'mail', 'correct the mail'],
    ['no name', { code: 'EDNS' }, true, 'MAIL_FAILED', 'server', 'correct host'],
    ['cut off', { code: 'ECONNECTION' }, true, 'MAIL_FAILED', 'server', 'try again later'],
  ])('%s', (_, fields, ownSender, code, scope, advice) => {
    const error = mailFailure(Object.assign(new Error('x'), fields), settings, ownSender);
    expect(error).toMatchObject({ code, scope });
    expect(error.message).toContain(advice);
  });

  test('a long answer of many lines is one short line, without the password in any form', () => {
    const plain = Buffer.from(`\0pbx@office.example\0${PASSWORD}`).toString('base64');
    const response = `550-${PASSWORD}\r\n550-${plain}\r\n550 ${Buffer.from(PASSWORD).toString('base64')}\r\n${'x'.repeat(5000)}`;
    const { message } = mailFailure({ responseCode: 550, response, command: 'DATA' }, settings, true);
    expect(message).toContain('"550-… 550-… 550 … xxx');
    expect(message.length).toBeLessThan(500);
    expect(message).not.toMatch(/[\r\n]/);
  });

  test('whatever else is thrown can be tried again', () => {
    for (const each of [undefined, null, 'x', 5, new TypeError('x')])
      expect(mailFailure(each, settings, true)).toMatchObject({ code: 'MAIL_FAILED' });
  });
});
