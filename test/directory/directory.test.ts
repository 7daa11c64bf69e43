import { expect, test } from 'vitest';
import type { Directory } from '../../src/directory/directory.js';
import { type Extension, type ExtensionOptions, extensionFrom } from '../../src/directory/extension.js';
import { MemoryDirectory } from '../../src/directory/memory-directory.js';
import { StoredDirectory } from '../../src/directory/stored-directory.js';
import { ha1 } from '../../src/protocol/digest/compute.js';
import { MemoryRecords } from '../../src/storage/memory-records.js';

const REALM = 'office.example';

function extension(number: string, more: Partial<ExtensionOptions> = {}): Extension {
  return extensionFrom({ number, password: `secret-${number}`, ...more }, REALM);
}

test('extensionFrom keeps HA1 values for every algorithm and no password', () => {
  const made = extension('100', { name: 'Alice', maxContacts: 3 });
  expect(made).toEqual({
    number: '100',
    name: 'Alice',
    maxContacts: 3,
    secret: {
      username: '100',
      realm: REALM,
      ha1: {
        MD5: ha1('MD5', '100', REALM, 'secret-100'),
        'SHA-256': ha1('SHA-256', '100', REALM, 'secret-100'),
        'SHA-512-256': ha1('SHA-512-256', '100', REALM, 'secret-100'),
      },
    },
  });
  expect(JSON.stringify(made)).not.toContain('secret-100');
});

test('numbers: what was found and what is expected', () => {
  for (const number of ['100', '*90', '#1', '+4930123', 'alice', 'a.b-c_d'])
    expect(extension(number).number).toBe(number);
  for (const number of ['', 'a b', 'a@b', 'a:b', 'a/b', 'ä', 'a\0', '"', '<', '%31', 'x'.repeat(65), 100, undefined]) {
    expect(() => extensionFrom({ number: number as string, password: 'x' }, REALM), String(number)).toThrow(
      expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }),
    );
  }
  expect(() => extension('a b')).toThrow('extension number: found "a b", expected 1–64 letters');
});

test('other fields: what was found and what is expected, and no secret in the message', () => {
  expect(() => extension('1', { maxContacts: 0 })).toThrow(
    'extension 1: maxContacts: found 0, expected a whole number from 1',
  );
  expect(() => extension('1', { noAnswerSeconds: 1.5 })).toThrow('noAnswerSeconds: found 1.5');
  expect(() => extension('1', { name: 'a\r\nb' })).toThrow('extension 1: name');
  expect(() => extension('1', { email: 'a@b, c@d' })).toThrow('extension 1: email: found "a@b, c@d"');
  expect(() => extension('1', { password: '' })).toThrow('extension 1: password: found ""');
  expect(() => extension('1', { digest: ['SHA-1' as 'MD5'] })).toThrow('digest: found "SHA-1"');
  expect(() => extensionFrom({ number: '1', password: 'x' }, '')).toThrow('realm');
  const foreign = { number: '2', secret: extension('1').secret };
  expect(() => new MemoryDirectory([foreign])).toThrow('one made for "2"');
});

test('MemoryDirectory: by tenant, ordered, swapped at once', async () => {
  const directory = new MemoryDirectory([extension('101'), extension('100')]);
  directory.replaceAll('other', [extension('100', { name: 'Other' })]);
  expect((await directory.list('default')).map(({ number }) => number)).toEqual(['100', '101']);
  expect((await directory.find('other', '100'))?.name).toBe('Other');
  expect(await directory.find('other', '101')).toBeUndefined();
  expect(await directory.find('none', '100')).toBeUndefined();
  expect(() => directory.replaceAll('default', [extension('5'), extension('5')])).toThrow(
    expect.objectContaining({ code: 'DIRECTORY_DUPLICATE' }),
  );
  expect((await directory.list('default')).length).toBe(2);
  directory.replaceAll('default', []);
  expect(await directory.list('default')).toEqual([]);
});

test('StoredDirectory: add, replace, remove, find, list', async () => {
  const records = new MemoryRecords();
  const directory = new StoredDirectory({ records });
  await directory.add('t', extension('101'));
  await directory.add(
    't',
    extension('100', { name: 'Alice', email: 'alice@office.example', enabled: false, digest: ['SHA-256'] }),
  );
  await directory.add('u', extension('100'));
  await expect(directory.add('t', extension('100'))).rejects.toMatchObject({ code: 'DIRECTORY_DUPLICATE' });
  const asDirectory: Directory = directory;
  expect((await asDirectory.list('t')).map(({ number }) => number)).toEqual(['100', '101']);
  expect(await directory.find('t', '100')).toEqual(
    extension('100', { name: 'Alice', email: 'alice@office.example', enabled: false, digest: ['SHA-256'] }),
  );
  await directory.replace('t', extension('100', { name: 'Alicia' }));
  expect((await directory.find('t', '100'))?.name).toBe('Alicia');
  expect((await directory.find('u', '100'))?.name).toBeUndefined();
  await expect(directory.replace('t', extension('7'))).rejects.toMatchObject({ code: 'DIRECTORY_NOT_FOUND' });
  await directory.remove('t', '100');
  expect(await directory.find('t', '100')).toBeUndefined();
  await expect(directory.remove('t', '100')).rejects.toMatchObject({ code: 'DIRECTORY_NOT_FOUND' });
});

test('StoredDirectory: what comes off the wire as a number is found or not, never an error', async () => {
  const directory = new StoredDirectory({ records: new MemoryRecords() });
  for (const number of ['', '\0', '../x', 'x'.repeat(5000), '\ud800', 'sip:a@b']) {
    expect(await directory.find('t', number)).toBeUndefined();
  }
});

test('StoredDirectory: a password left on the object does not reach the store', async () => {
  const records = new MemoryRecords();
  const careless = { ...extension('100'), password: 'plain' };
  await new StoredDirectory({ records }).add('t', careless);
  expect(JSON.stringify(await records.scan('t/extensions'))).not.toContain('plain');
});

test('StoredDirectory: lists more than one page', async () => {
  const records = new MemoryRecords();
  const directory = new StoredDirectory({ records });
  const { secret } = extension('x');
  const all = Array.from({ length: 1_203 }, (_, i) => String(10_000 + i));
  for (const number of all) {
    await records.put('t/extensions', number, {
      number,
      secret: { ...secret, ha1: { ...secret.ha1 }, username: number },
    });
  }
  expect((await directory.list('t')).map(({ number }) => number)).toEqual(all);
});

test('StoredDirectory: two that replace at once both end well', async () => {
  const directory = new StoredDirectory({ records: new MemoryRecords() });
  await directory.add('t', extension('100'));
  await Promise.all(['A', 'B', 'C'].map((name) => directory.replace('t', extension('100', { name }))));
  expect(['A', 'B', 'C']).toContain((await directory.find('t', '100'))?.name);
});
