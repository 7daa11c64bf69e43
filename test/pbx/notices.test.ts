import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extensionFrom } from '../../src/directory/extension.js';
import { MemoryDirectory } from '../../src/directory/memory-directory.js';
import { checkMail, type Mail } from '../../src/mailer/mail.js';
import { MemoryMailer } from '../../src/mailer/memory-mailer.js';
import { Outbox } from '../../src/mailer/outbox.js';
import { lineSuspendedMail, Notices, type NoticesOptions } from '../../src/pbx/notices.js';
import { MemoryBlobs } from '../../src/storage/memory-blobs.js';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { RecordingLogger } from '../../src/testing/recording-logger.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import type { LineFault } from '../../src/trunk/fault.js';

const TENANT = 'default';
const ABOUT = { line: '1234', pbx: 'office.example', server: 'sip.carrier.example', username: '4930123' };
const FORBIDDEN: LineFault = { kind: 'forbidden', status: 403, text: '403 Account Closed' };
const SUSPENDED = { tenantId: TENANT, line: '1234', reason: FORBIDDEN };
const REGISTERED = { tenantId: TENANT, line: '1234', expiresSeconds: 3600 };

const extension = (number: string, email?: string) =>
  extensionFrom({ number, password: 'x', ...(email === undefined ? {} : { email }) }, 'office.example');

/** Notices over an outbox, as a PBX joins them. */
async function office(options: Partial<NoticesOptions> = {}) {
  const clock = new ManualClock();
  const records = new MemoryRecords({ clock });
  const mailer = new MemoryMailer();
  const logger = new RecordingLogger(() => clock.now());
  const random = new SeededRandom(1);
  const outbox = new Outbox({ records, blobs: new MemoryBlobs({ clock }), mailer, scheduler: clock, random });
  await outbox.start();
  const directory = new MemoryDirectory([extension('100', 'alice@office.example'), extension('101')]);
  const { line: _, ...account } = ABOUT;
  const parts: NoticesOptions = {
    outbox,
    directory,
    records,
    clock,
    logger,
    lineOf: () => ({ ...account, owner: '100' }),
    ...options,
  };
  return { clock, records, mailer, logger, outbox, notices: new Notices(parts), again: () => new Notices(parts) };
}

describe('lineSuspendedMail', () => {
  test('says what happened, since when, what the carrier said and what to do', () => {
    const mail = lineSuspendedMail('alice@office.example', ABOUT, FORBIDDEN, Date.UTC(2026, 0, 1, 9, 30));
    expect(mail).toMatchObject({ to: ['alice@office.example'], subject: 'Line 1234 is suspended' });
    expect(mail.text).toBe(
      [
        'The external line 1234 of office.example is suspended.',
        'Calls neither leave nor arrive by it.',
        '',
        'Since: 2026-01-01 09:30 UTC',
        'Carrier: sip.carrier.example',
        'Account: 4930123',
        'What the carrier said: "403 Account Closed"',
        '',
        'What to do: ask the carrier whether the account is active and paid; then resume the line.',
        'The line does not try by itself until then, so that the carrier does not bar us. You get another mail when it is back.',
        '',
      ].join('\n'),
    );
  });

  test.each<[LineFault, string, string]>([
    [{ kind: 'wrong-password', status: 401, text: '401 Unauthorized' }, '"401 Unauthorized"', 'user name and password'],
    [{ kind: 'stranger', status: 401, text: '401 No' }, '"401 No"', 'for which realm'],
    [{ kind: 'refused', status: 404, text: '404 Not Found' }, '"404 Not Found"', 'active and paid'],
    [{ kind: 'busy', status: 503, text: '503 Later' }, '"503 Later"', 'has trouble'],
    [{ kind: 'timeout', text: 'no answer' }, 'nothing: it did not answer', 'has trouble'],
    [{ kind: 'unreachable', text: 'no route' }, 'nothing: it could not be reached (no route)', 'this network'],
  ])('$kind: the answer, and the remedy that fits', (fault, said, remedy) => {
    const { text } = lineSuspendedMail('a@b.example', ABOUT, fault, 0);
    expect(text).toContain(`What the carrier said: ${said}\n`);
    expect(/What to do: (.*)/.exec(text)?.[1]).toContain(remedy);
  });

  test('nothing that a carrier writes begins a header or a line of ours (checklist 55)', () => {
    const nasty = fc.constantFrom(
      '\r\n',
      '\n',
      '\u2028',
      '\u0085',
      '\0',
      '\u202e',
      'Bcc: a@b',
      '.',
      'x',
      'What to do: pay',
      '"',
    );
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 40 }), fc.string({ unit: 'binary' }), (parts, noise) => {
        const text = `403 ${parts.join('')}${noise}`;
        const about = { ...ABOUT, server: text, username: text };
        const mail = lineSuspendedMail('a@b.example', about, { kind: 'forbidden', status: 403, text }, 0);
        checkMail(mail);
        expect(mail.subject).toBe('Line 1234 is suspended');
        expect(mail.text.split(/\r\n|[\n\r\u0085\u2028\u2029]/)).toHaveLength(11);
        expect(mail.text.length).toBeLessThan(1_500);
      }),
    );
  });
});

describe('Notices', () => {
  test('the owner hears of the suspension, and when the line is back', async () => {
    const { clock, mailer, notices, records } = await office();
    await notices.onLineSuspended(SUSPENDED);
    await clock.advance(3_600_000);
    await notices.onLineRegistered(REGISTERED);
    await clock.settle();
    expect(mailer.sent.map(({ to, subject }) => [to[0], subject])).toEqual([
      ['alice@office.example', 'Line 1234 is suspended'],
      ['alice@office.example', 'Line 1234 is back'],
    ]);
    expect(mailer.sent[1]?.text).toContain('Suspended: 2026-01-01 00:00 UTC\nBack: 2026-01-01 01:00 UTC\n');
    expect(await records.scan(`${TENANT}/notices`)).toEqual([]);
  });

  test('also when the PBX was restarted in between; a line that was never suspended tells nothing', async () => {
    const { clock, mailer, notices, again } = await office();
    await notices.onLineRegistered(REGISTERED);
    await notices.onLineSuspended(SUSPENDED);
    await again().onLineRegistered(REGISTERED);
    await again().onLineRegistered(REGISTERED);
    await clock.settle();
    expect(mailer.sent.map(({ subject }) => subject)).toEqual(['Line 1234 is suspended', 'Line 1234 is back']);
  });

  test('a line that goes and comes at once is told in that order', async () => {
    const { clock, mailer, notices } = await office();
    void notices.onLineSuspended(SUSPENDED);
    void notices.onLineRegistered(REGISTERED);
    await notices.idle();
    await clock.settle();
    expect(mailer.sent.map(({ subject }) => subject)).toEqual(['Line 1234 is suspended', 'Line 1234 is back']);
  });

  test.each(['101', '999', undefined])('owner %s, who has no address: the administrator, or nobody', async (owner) => {
    const lineOf = () => ({ pbx: 'office.example', owner });
    const alone = await office({ lineOf });
    await alone.notices.onLineSuspended(SUSPENDED);
    await alone.clock.settle();
    expect(alone.mailer.sent).toEqual([]);
    expect(alone.logger.lines('info')).toHaveLength(1);
    const helped = await office({ lineOf, administrator: 'admin@office.example' });
    await helped.notices.onLineSuspended(SUSPENDED);
    await helped.clock.settle();
    expect(helped.mailer.sent.map(({ to }) => to)).toEqual([['admin@office.example']]);
  });

  test('a line that is configured no more tells nobody', async () => {
    const { clock, mailer, notices } = await office({ lineOf: () => undefined });
    await notices.onLineSuspended(SUSPENDED);
    await clock.settle();
    expect(mailer.sent).toEqual([]);
  });

  test('a full outbox, or a directory that fails, is logged and harms nobody', async () => {
    const full = { add: (_: string, mail: Mail) => Promise.reject(new Error(`no room for ${mail.subject}`)) };
    const { logger, notices } = await office({ outbox: full });
    await notices.onLineSuspended(SUSPENDED);
    expect(logger.lines('error').map(({ text }) => text)).toEqual([
      'a notice could not be sent: no room for Line 1234 is suspended',
    ]);
    const broken = await office({ directory: { find: () => Promise.reject(new Error('LDAP is away')) } });
    await broken.notices.onLineSuspended(SUSPENDED);
    expect(broken.logger.lines('error')).toHaveLength(1);
  });
});
