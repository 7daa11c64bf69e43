import { describe, expect, test } from 'vitest';
import { untilAborted } from '../../src/base/aborted.js';
import {
  AbortedError,
  assertNever,
  errorText,
  PbxkitError,
  throwIfAborted,
  UsageError,
} from '../../src/base/errors.js';

describe('errors', () => {
  test('code, kind, name, message and cause', () => {
    const cause = new Error('below');
    const error = new UsageError('PBX_CONFIG_INVALID', 'lines[0].server: found 42', { cause });
    expect(error).toMatchObject({ code: 'PBX_CONFIG_INVALID', kind: 'misuse', name: 'UsageError', cause });
    expect(String(error)).toBe('UsageError: lines[0].server: found 42');
    expect(error).toBeInstanceOf(PbxkitError);
  });

  test('throwIfAborted throws once the signal has fired, with its reason as the cause', () => {
    const abort = new AbortController();
    throwIfAborted(undefined, 'x');
    throwIfAborted(abort.signal, 'x');
    abort.abort('enough');
    expect(() => throwIfAborted(abort.signal, 'looking up "a"')).toThrow(AbortedError);
    expect(() => throwIfAborted(abort.signal, 'looking up "a"')).toThrow(/looking up "a" was aborted/);
  });

  test('errorText takes whatever was thrown', () => {
    expect([errorText(new Error('a')), errorText('b'), errorText(undefined)]).toEqual(['a', 'b', 'undefined']);
  });

  test('assertNever names the value that was not foreseen', () => {
    expect(() => assertNever('paused' as never)).toThrow(/"paused"/);
  });
});

describe('untilAborted', () => {
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test('settles as the work does while the signal is quiet', async () => {
    const { signal } = new AbortController();
    const late: unknown[] = [];
    await expect(untilAborted(Promise.resolve(1), signal, (error) => late.push(error))).resolves.toBe(1);
    await expect(untilAborted(Promise.reject(new Error('no')), signal, (error) => late.push(error))).rejects.toThrow(
      'no',
    );
    expect(late).toEqual([]);
  });

  test('resolves to undefined as soon as the signal fires; a later failure goes to onLate', async () => {
    const abort = new AbortController();
    const late: unknown[] = [];
    let fail: (error: Error) => void = () => {};
    const work = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const result = untilAborted(work, abort.signal, (error) => late.push(error));
    abort.abort();
    await expect(result).resolves.toBeUndefined();
    fail(new Error('late'));
    await settle();
    expect(late).toMatchObject([{ message: 'late' }]);
  });

  test('a signal that has fired already does not wait', async () => {
    const abort = new AbortController();
    abort.abort();
    await expect(untilAborted(new Promise(() => {}), abort.signal, () => {})).resolves.toBeUndefined();
  });
});
