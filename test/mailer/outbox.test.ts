import { describe, expect, test } from 'vitest';
import type { Mail } from '../../src/mailer/mail.js';
import { MailError, type Mailer } from '../../src/mailer/mailer.js';
import { MemoryMailer } from '../../src/mailer/memory-mailer.js';
import { Outbox } from '../../src/mailer/outbox.js';
import type { OutboxEvents } from '../../src/mailer/outbox-events.js';
import type { OutboxOptions } from '../../src/mailer/outbox-options.js';
import { MemoryBlobs } from '../../src/storage/memory-blobs.js';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { RecordingLogger } from '../../src/testing/recording-logger.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';

const TENANT = 'default';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function mail(subject: string, change: Partial<Mail> = {}): Mail {
  return { to: ['alice@office.example'], subject, text: 'what happened', ...change };
}

const busy = (): never => {
  throw new MailError('MAIL_FAILED', '451 try later');
};
const noSuchUser = (): never => {
  throw new MailError('MAIL_REFUSED', '550 no such user');
};
const away = (): never => {
  throw new MailError('MAIL_FAILED', 'connection refused', { scope: 'server' });
};

/** A machine whose stores outlive its outboxes. */
class Office {
  readonly clock = new ManualClock();
  readonly records = new MemoryRecords({ clock: this.clock });
  readonly blobs = new MemoryBlobs({ clock: this.clock });
  readonly logger = new RecordingLogger(() => this.clock.now());
  readonly told: string[] = [];
  readonly delays: number[] = [];
  /** What the server says to a mail. */
  server: (mail: Mail) => void = () => {};
  readonly mailer = new MemoryMailer({ onSend: (sent) => this.server(sent) });

  outbox(options: Partial<OutboxOptions> = {}): Outbox {
    const { clock: scheduler, records, blobs, mailer, logger } = this;
    const random = new SeededRandom(7);
    const outbox = new Outbox({ scheduler, records, blobs, mailer, logger, random, ...options });
    for (const name of ['mail.sent', 'mail.delayed', 'mail.dropped', 'outbox.paused'] as const) {
      outbox.on(name, (event: OutboxEvents[typeof name]) => {
        const cause = 'cause' in event ? ` ${event.cause}` : '';
        this.told.push(`${name}${'subject' in event ? ` ${event.subject}` : ''}${cause}`);
        if ('retryInMs' in event) this.delays.push(event.retryInMs);
      });
    }
    return outbox;
  }

  async started(options: Partial<OutboxOptions> = {}): Promise<Outbox> {
    const outbox = this.outbox(options);
    await outbox.start();
    return outbox;
  }

  get subjects(): readonly string[] {
    return this.mailer.sent.map(({ subject }) => subject);
  }

  async left(): Promise<{ readonly records: number; readonly blobs: number }> {
    const records = await this.records.scan(`${TENANT}/outbox`);
    return { records: records.length, blobs: (await this.blobs.list('')).length };
  }
}

describe('mail that a server takes', () => {
  test('is sent at once, told, and nothing of it is left', async () => {
    const office = new Office();
    const outbox = await office.started();
    const id = await outbox.add(TENANT, mail('one'));
    await office.clock.settle();
    expect(office.mailer.sent).toEqual([{ ...mail('one'), id, date: office.clock.wallTime(), attachments: [] }]);
    expect(office.told).toEqual(['mail.sent one']);
    expect(await office.left()).toEqual({ records: 0, blobs: 0 });
    expect(outbox.size).toBe(0);
    await outbox.close();
    expect(office.clock.pending).toBe(0);
  });

  test('small attachments lie in the record, large ones in the blob store; both arrive as they were', async () => {
    const office = new Office();
    office.server = away;
    const outbox = await office.started();
    const attachments = [
      { fileName: 'a.wav', contentType: 'audio/wav', content: Uint8Array.from({ length: 8192 }, (_, at) => at) },
      { fileName: 'b.wav', contentType: 'audio/wav', content: Uint8Array.from({ length: 300_000 }, (_, at) => at * 7) },
    ];
    await outbox.add(TENANT, mail('message', { attachments }));
    await office.clock.settle();
    expect(await office.left()).toEqual({ records: 1, blobs: 1 });
    office.server = () => {};
    await office.clock.advance(MINUTE);
    const sent = office.mailer.sent[0]?.attachments ?? [];
    expect(sent.map(({ fileName }) => fileName)).toEqual(['a.wav', 'b.wav']);
    for (const [at, { content }] of sent.entries())
      expect(Buffer.compare(content, attachments[at]?.content ?? content)).toBe(0);
    expect(sent).toHaveLength(2);
    expect(await office.left()).toEqual({ records: 0, blobs: 0 });
  });

  test('a mail to several is one for each of them: who is refused harms nobody else', async () => {
    const office = new Office();
    office.server = ({ to }) => (to.includes('gone@office.example') ? noSuchUser() : undefined);
    const outbox = await office.started();
    const id = await outbox.add(
      TENANT,
      mail('all', { to: ['alice@office.example', 'gone@office.example', 'bob@office.example'] }),
    );
    await office.clock.settle();
    expect(office.mailer.sent.map(({ to, id: sentId }) => [to, sentId])).toEqual([
      [['alice@office.example'], id],
      [['bob@office.example'], id],
    ]);
    expect(office.told.toSorted()).toEqual(['mail.dropped all refused', 'mail.sent all', 'mail.sent all']);
  });
});

describe('mail that is not taken', () => {
  test('refused for good (RFC 5321 §4.2.1, 5yz): dropped at once, an event says so', async () => {
    const office = new Office();
    office.server = noSuchUser;
    const outbox = await office.started();
    const dropped: unknown[] = [];
    outbox.on('mail.dropped', (event) => dropped.push(event));
    const id = await outbox.add(TENANT, mail('one'));
    await office.clock.settle();
    const reason = '550 no such user';
    expect(dropped).toEqual([
      { tenantId: TENANT, id, to: 'alice@office.example', subject: 'one', cause: 'refused', reason },
    ]);
    expect(await office.left()).toEqual({ records: 0, blobs: 0 });
  });

  test('4yz: tried again after waits that double up to the longest, until the last deadline', async () => {
    const office = new Office();
    office.server = busy;
    const outbox = await office.started({ retry: { firstSeconds: 60, mostSeconds: 600, giveUpSeconds: 7200 } });
    await outbox.add(TENANT, mail('one'));
    await office.clock.advance(2 * HOUR - 1);
    expect(office.told.every((each) => each === 'mail.delayed one')).toBe(true);
    await office.clock.advance(1);
    expect(office.told.at(-1)).toBe('mail.dropped one expired');
    for (const [at, delay] of office.delays.slice(0, -1).entries()) {
      const upper = Math.min(600, 60 * 2 ** at) * 1000;
      expect(delay).toBeGreaterThanOrEqual(upper / 2);
      expect(delay).toBeLessThanOrEqual(upper);
    }
    expect(office.delays.length).toBeGreaterThan(12);
    expect(office.delays.reduce((sum, each) => sum + each, 0)).toBe(2 * HOUR);
    expect(await office.left()).toEqual({ records: 0, blobs: 0 });
    expect(office.clock.pending).toBe(0);
  });

  test('two mails to one recipient keep their order; others do not wait for them', async () => {
    const office = new Office();
    let refusals = 3;
    office.server = ({ subject }) => (subject === 'first' && refusals-- > 0 ? busy() : undefined);
    const outbox = await office.started();
    await outbox.add(TENANT, mail('first'));
    await outbox.add(TENANT, mail('second', { to: ['Alice <ALICE@office.example>'] }));
    await outbox.add(TENANT, mail('other', { to: ['bob@office.example'] }));
    await office.clock.settle();
    expect(office.subjects).toEqual(['other']);
    await office.clock.advance(HOUR);
    expect(office.subjects).toEqual(['other', 'first', 'second']);
  });

  test('a mail that waited behind another past its own deadline is tried once all the same', async () => {
    const office = new Office();
    office.server = ({ subject }) => (subject === 'first' ? busy() : undefined);
    const outbox = await office.started({ retry: { giveUpSeconds: 3600 } });
    await outbox.add(TENANT, mail('first'));
    await outbox.add(TENANT, mail('second'));
    await office.clock.advance(HOUR);
    expect(office.told.filter((each) => !each.startsWith('mail.delayed'))).toEqual([
      'mail.dropped first expired',
      'mail.sent second',
    ]);
  });

  test('a mailer that never ends is cut off, and holds up nobody else', async () => {
    const office = new Office();
    const stuck: Mailer = {
      send: (sent, options) => (sent.subject === 'stuck' ? new Promise(() => {}) : office.mailer.send(sent, options)),
      close: () => Promise.resolve(),
    };
    const outbox = await office.started({ mailer: stuck });
    await outbox.add(TENANT, mail('stuck'));
    await outbox.add(TENANT, mail('other', { to: ['bob@office.example'] }));
    await office.clock.advance(30 * MINUTE);
    expect(office.told).toEqual(['mail.sent other', 'mail.delayed stuck']);
    await outbox.close();
  });
});

describe('a server that takes no mail from anybody (RFC 5321 §4.5.4.1)', () => {
  test('one mail asks for all, at intervals that grow; then everything leaves', async () => {
    const office = new Office();
    let asked = 0;
    office.server = () => {
      asked++;
      away();
    };
    const outbox = await office.started();
    for (let at = 0; at < 50; at++) await outbox.add(TENANT, mail(`m${at}`, { to: [`u${at}@office.example`] }));
    await office.clock.advance(6 * HOUR);
    expect(asked).toBeGreaterThan(8);
    expect(asked).toBeLessThan(25);
    expect(new Set(office.told)).toEqual(new Set(['outbox.paused']));
    office.server = () => {};
    await office.clock.advance(HOUR);
    expect(office.subjects.toSorted()).toEqual(Array.from({ length: 50 }, (_, at) => `m${at}`).toSorted());
    expect(outbox.size).toBe(0);
  });

  test('one mail that the server chokes on keeps nobody else’s waiting for long', async () => {
    const office = new Office();
    office.server = ({ subject }) => {
      if (subject === 'poison') away();
    };
    const outbox = await office.started();
    for (const subject of ['poison', 'one', 'two'])
      await outbox.add(TENANT, mail(subject, { to: [`${subject}@office.example`] }));
    await office.clock.advance(HOUR);
    expect(office.subjects.toSorted()).toEqual(['one', 'two']);
    await office.clock.advance(5 * DAY);
    expect(office.told.filter((each) => each.startsWith('mail.dropped'))).toEqual(['mail.dropped poison expired']);
  });

  test('away for longer than the last deadline: dropped with an event, none silently', async () => {
    const office = new Office();
    office.server = away;
    const outbox = await office.started({ retry: { giveUpSeconds: 86_400 } });
    await outbox.add(TENANT, mail('one'));
    await outbox.add(TENANT, mail('two'));
    await outbox.add(TENANT, mail('three', { to: ['bob@office.example'] }));
    await office.clock.advance(DAY + HOUR);
    expect(office.told.filter((each) => each !== 'outbox.paused').toSorted()).toEqual([
      'mail.dropped one expired',
      'mail.dropped three expired',
      'mail.dropped two expired',
    ]);
    expect(await office.left()).toEqual({ records: 0, blobs: 0 });
    expect(outbox.size).toBe(0);
  });

  test('a wrong password is the account’s fault, not the mail’s: it is kept until the password is mended', async () => {
    const office = new Office();
    office.server = () => {
      throw new MailError('MAIL_REFUSED', '535 wrong password', { scope: 'server' });
    };
    const outbox = await office.started();
    await outbox.add(TENANT, mail('one'));
    await office.clock.advance(DAY);
    expect(outbox.size).toBe(1);
    office.server = () => {};
    await office.clock.advance(HOUR);
    expect(office.told.at(-1)).toBe('mail.sent one');
  });
});

describe('a restart', () => {
  test('goes on where it was: the waits, the order and the attachments', async () => {
    const office = new Office();
    office.server = ({ subject }) => (subject === 'first' ? busy() : undefined);
    const before = await office.started({ retry: { firstSeconds: 3600, mostSeconds: 3600 } });
    const content = Uint8Array.from({ length: 20_000 }, (_, at) => at);
    const id = await before.add(
      TENANT,
      mail('first', { attachments: [{ fileName: 'a', contentType: 'a/b', content }] }),
    );
    await before.add(TENANT, mail('second'));
    await office.clock.advance(10 * MINUTE);
    await before.close();
    expect(office.clock.pending).toBe(0);
    await office.clock.advance(10 * MINUTE);

    const wait = (office.delays[0] ?? 0) - 20 * MINUTE;
    office.server = () => {};
    const after = await office.started();
    await after.add(TENANT, mail('third'));
    expect(after.size).toBe(3);
    await office.clock.advance(wait - 1);
    expect(office.subjects).toEqual([]);
    await office.clock.advance(1);
    expect(office.subjects).toEqual(['first', 'second', 'third']);
    expect(office.mailer.sent[0]?.id).toBe(id);
    expect(Buffer.compare(office.mailer.sent[0]?.attachments?.[0]?.content ?? Buffer.of(), content)).toBe(0);
    expect(await office.left()).toEqual({ records: 0, blobs: 0 });
  });

  test('after days without power, at a moment without network: nothing is given up at once', async () => {
    const office = new Office();
    office.server = away;
    const before = await office.started();
    await before.add(TENANT, mail('one'));
    await office.clock.settle();
    await before.close();
    await office.clock.advance(10 * DAY);
    const after = await office.started();
    await office.clock.advance(10 * MINUTE);
    expect(after.size).toBe(1);
    office.server = () => {};
    await office.clock.advance(HOUR);
    expect(office.told.at(-1)).toBe('mail.sent one');
  });

  test('a wall clock that was set back in between holds nothing up for longer than the longest wait', async () => {
    const office = new Office();
    office.server = busy;
    const before = await office.started();
    await before.add(TENANT, mail('one'));
    await office.clock.settle();
    await before.close();
    office.clock.jumpWallTime(-30 * DAY);
    office.server = () => {};
    await office.started();
    await office.clock.advance(HOUR);
    expect(office.told.at(-1)).toBe('mail.sent one');
  });

  test('close lets what is being sent end: it is not sent twice', async () => {
    const office = new Office();
    const takes: (() => void)[] = [];
    const slow: Mailer = {
      send: (sent, options) =>
        new Promise<void>((resolve) => takes.push(resolve)).then(() => office.mailer.send(sent, options)),
      close: () => Promise.resolve(),
    };
    const outbox = await office.started({ mailer: slow });
    await outbox.add(TENANT, mail('one'));
    await office.clock.settle();
    const closing = outbox.close();
    takes[0]?.();
    await closing;
    expect(office.told).toEqual(['mail.sent one']);
    expect(await office.left()).toEqual({ records: 0, blobs: 0 });
    await expect(outbox.add(TENANT, mail('two'))).rejects.toMatchObject({ code: 'PBX_WRONG_STATE' });
  });

  test('close waits five seconds for a server; the mail stays for the next start', async () => {
    const office = new Office();
    const never: Mailer = { send: () => new Promise(() => {}), close: () => Promise.resolve() };
    const outbox = await office.started({ mailer: never });
    await outbox.add(TENANT, mail('one'));
    await office.clock.settle();
    const closing = outbox.close();
    await office.clock.advance(5_000);
    await closing;
    expect(await office.left()).toEqual({ records: 1, blobs: 0 });
    expect(office.clock.pending).toBe(0);
    await office.started();
    await office.clock.settle();
    expect(office.subjects).toEqual(['one']);
  });

  test('blobs without a mail, and records that are none, are removed', async () => {
    const office = new Office();
    await office.blobs.put(`${TENANT}/outbox/node/9-0-0`, Uint8Array.of(1));
    await office.blobs.put(`${TENANT}/outbox/other/9-0-0`, Uint8Array.of(1));
    await office.records.put(`${TENANT}/outbox`, 'node/0000000000000009', { id: 'x', attachments: [{}] });
    const outbox = await office.started();
    expect(outbox.size).toBe(0);
    expect(await office.left()).toEqual({ records: 0, blobs: 1 });
    expect(office.logger.lines('error')).toHaveLength(1);
  });

  test('each node sends its own mail', async () => {
    const office = new Office();
    office.server = away;
    const first = await office.started({ nodeId: 'a' });
    await first.add(TENANT, mail('one'));
    await office.clock.settle();
    expect((await office.started({ nodeId: 'b' })).size).toBe(0);
    await first.close();
    expect((await office.started({ nodeId: 'a' })).size).toBe(1);
  });
});

describe('bounds and misuse', () => {
  test('so many mails, so many bytes, so many bytes in one', async () => {
    const office = new Office();
    office.server = away;
    const outbox = await office.started({ limits: { maxMails: 3, maxMailBytes: 2_000, maxBytes: 3_000 } });
    const large = mail('x', { text: 'x'.repeat(1_999) });
    await expect(outbox.add(TENANT, { ...large, text: 'x'.repeat(2_000) })).rejects.toMatchObject({
      code: 'MAIL_REFUSED',
      message: expect.stringContaining('limits.maxMailBytes'),
    });
    await outbox.add(TENANT, large);
    await expect(outbox.add(TENANT, large)).rejects.toMatchObject({ code: 'MAIL_FAILED' });
    await outbox.add(TENANT, mail('two'));
    await outbox.add(TENANT, mail('three'));
    await expect(outbox.add(TENANT, mail('four'))).rejects.toThrow('it is full: 3 mails');
    office.server = () => {};
    await office.clock.advance(HOUR);
    await outbox.add(TENANT, mail('four'));
    await office.clock.settle();
    expect(office.subjects).toEqual(['x', 'two', 'three', 'four']);
  });

  test('a mail that cannot be written, a stranger’s tenant, the wrong moment', async () => {
    const office = new Office();
    const outbox = office.outbox();
    await expect(outbox.add(TENANT, mail('early'))).rejects.toThrow('call start() first');
    await outbox.start();
    await expect(outbox.start()).rejects.toMatchObject({ code: 'PBX_WRONG_STATE' });
    await expect(outbox.add('other', mail('one'))).rejects.toThrow('the tenant other');
    await expect(outbox.add(TENANT, mail('a\r\nBcc: b@c.example'))).rejects.toMatchObject({
      code: 'PBX_INVALID_ARGUMENT',
    });
    expect(outbox.size).toBe(0);
    expect(() => office.outbox({ limits: { maxMails: 0 } })).toThrow('outbox limits.maxMails: found 0');
    expect(() => office.outbox({ retry: { firstSeconds: 0.5 } })).toThrow('outbox retry.firstSeconds: found 0.5');
  });

  test('a store that fails: the caller hears of it, and no blob is left', async () => {
    const office = new Office();
    const outbox = await office.started();
    await office.records.close();
    const content = new Uint8Array(10_000);
    const adding = outbox.add(TENANT, mail('one', { attachments: [{ fileName: 'a', contentType: 'a/b', content }] }));
    await expect(adding).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    expect(await office.blobs.list('')).toEqual([]);
    expect(outbox.size).toBe(0);
  });

  test('somebody who removes a record, or an attachment, takes the mail back, or loses it', async () => {
    const office = new Office();
    office.server = away;
    const outbox = await office.started();
    await outbox.add(TENANT, mail('withdrawn'));
    const content = new Uint8Array(10_000);
    await outbox.add(TENANT, mail('damaged', { attachments: [{ fileName: 'a', contentType: 'a/b', content }] }));
    await office.clock.settle();
    const [first] = await office.records.scan(`${TENANT}/outbox`);
    await office.records.delete(`${TENANT}/outbox`, first?.id ?? '');
    for (const { id } of await office.blobs.list('')) await office.blobs.delete(id);
    office.server = () => {};
    await office.clock.advance(MINUTE);
    expect(office.subjects).toEqual([]);
    expect(office.told.filter((each) => each !== 'outbox.paused')).toEqual(['mail.dropped damaged lost']);
    expect(await office.left()).toEqual({ records: 0, blobs: 0 });
  });
});
