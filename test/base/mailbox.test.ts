import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Mailbox } from '../../src/base/mailbox.js';

const pause = (turns: number): Promise<void> =>
  turns === 0 ? Promise.resolve() : Promise.resolve().then(() => pause(turns - 1));

describe('Mailbox', () => {
  test('tasks never overlap and keep their order, however long each takes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 20 }), async (lengths) => {
        const mailbox = new Mailbox();
        const seen: string[] = [];
        lengths.forEach((turns, i) => {
          void mailbox.run(async () => {
            seen.push(`start ${i}`);
            await pause(turns);
            seen.push(`end ${i}`);
          });
        });
        expect(mailbox.size).toBe(lengths.length);
        await mailbox.idle();
        expect(seen).toEqual(lengths.flatMap((_, i) => [`start ${i}`, `end ${i}`]));
        expect(mailbox.size).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  test('a task never runs within the call that posts it', async () => {
    const mailbox = new Mailbox();
    let ran = false;
    const done = mailbox.run(() => {
      ran = true;
    });
    expect(ran).toBe(false);
    await done;
    expect(ran).toBe(true);
  });

  test('run settles as its task does; a failing task does not stop the next', async () => {
    const mailbox = new Mailbox();
    const failing = mailbox.run(() => {
      throw new Error('sync');
    });
    const rejecting = mailbox.run(async () => {
      throw new Error('async');
    });
    const fine = mailbox.run(() => 42);
    await expect(failing).rejects.toThrow('sync');
    await expect(rejecting).rejects.toThrow('async');
    await expect(fine).resolves.toBe(42);
    expect(mailbox.size).toBe(0);
  });

  test('idle waits for what was posted until then, failures included', async () => {
    const mailbox = new Mailbox();
    const seen: string[] = [];
    void mailbox.run(() => pause(10).then(() => seen.push('one')));
    mailbox.run(() => Promise.reject(new Error('no'))).catch(() => seen.push('caught'));
    await mailbox.idle();
    expect(seen).toContain('one');
    await mailbox.idle();
    expect(seen).toEqual(['one', 'caught']);
  });
});
