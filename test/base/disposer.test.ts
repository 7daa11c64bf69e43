import { describe, expect, test } from 'vitest';
import { Disposer } from '../../src/base/disposer.js';

describe('Disposer', () => {
  test('undoes the last first, one after the other', async () => {
    const disposer = new Disposer();
    const seen: string[] = [];
    disposer.add(() => {
      seen.push('first');
    });
    disposer.add(async () => {
      await Promise.resolve();
      seen.push('second');
    });
    disposer.add(() => {
      seen.push('third');
    });
    await disposer.dispose();
    expect(seen).toEqual(['third', 'second', 'first']);
  });

  test('one failure stops nobody; the first is thrown afterwards', async () => {
    const disposer = new Disposer();
    let undone = false;
    disposer.add(() => {
      undone = true;
    });
    disposer.add(() => {
      throw new Error('two');
    });
    disposer.add(() => Promise.reject(new Error('one')));
    await expect(disposer.dispose()).rejects.toThrow('one');
    expect(undone).toBe(true);
  });

  test('disposing twice undoes once', async () => {
    const disposer = new Disposer();
    let count = 0;
    disposer.add(() => {
      count++;
    });
    await Promise.all([disposer.dispose(), disposer.dispose()]);
    await disposer.dispose();
    expect(count).toBe(1);
  });
});
