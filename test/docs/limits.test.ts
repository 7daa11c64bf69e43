import { describe, expect, test } from 'vitest';
import { DEFAULT_MAX_CALLS } from '../../src/call/call-service.js';
import { DEFAULT_MAX_DIALOGS } from '../../src/dialog/dialog-layer.js';
import { DEFAULT_EARLY_DIALOG_LIMITS } from '../../src/dialog/early-limit.js';
import { createPbx } from '../../src/pbx/pbx.js';
import { DEFAULT_MAX_BINDINGS } from '../../src/registrar/registrar.js';
import { createWorld } from '../../src/testing/world.js';
import { DEFAULT_TRANSACTION_LIMITS } from '../../src/transaction/layer.js';
import { DEFAULT_TRANSPORT_LIMITS } from '../../src/transport/limits.js';
import { DEFAULT_MAX_NONCES } from '../../src/ua/digest-challenger.js';
import { DEFAULT_REQUEST_LIMITS } from '../../src/ua/request-chain.js';
import { readProjectFile } from '../architecture/sources.js';
import { readPage } from './pages.js';

const page = readPage('docs/limits.md');

interface Row {
  readonly option: string;
  readonly value: string;
  readonly counters: readonly string[];
  readonly test: string;
}

const rows: readonly Row[] = page.text
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [option = '', value = '', , counter = '', named = ''] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    return {
      option: option.replaceAll('`', ''),
      value,
      counters: [...counter.matchAll(/`([\w.]+)`/g)].map((match) => match[1] ?? ''),
      test: named,
    };
  });

function prefixed(prefix: string, values: object): [string, string][] {
  return Object.entries(values).map(([name, value]) => [`${prefix}.${name}`, String(value)]);
}

/** Every limit that the code has, with what holds when nothing is said. */
const inCode: Record<string, string> = Object.fromEntries([
  ...prefixed('limits.transport', DEFAULT_TRANSPORT_LIMITS),
  ...prefixed('limits.transactions', DEFAULT_TRANSACTION_LIMITS),
  ...prefixed('limits.requests', DEFAULT_REQUEST_LIMITS),
  ...prefixed('limits', DEFAULT_EARLY_DIALOG_LIMITS),
  ['limits.maxDialogs', String(DEFAULT_MAX_DIALOGS)],
  ['limits.maxBindings', String(DEFAULT_MAX_BINDINGS)],
  ['limits.maxNonces', String(DEFAULT_MAX_NONCES)],
  ['limits.rate', 'none'],
  ['calls.maxCalls', String(DEFAULT_MAX_CALLS)],
  ['calls.maxCallsPerExtension', 'none'],
  ['registration.maxContacts', '10'],
]);

describe('docs/limits.md', () => {
  test('has every limit of the code with its default, and no other', () => {
    expect(Object.fromEntries(rows.map(({ option, value }) => [option, value]))).toEqual(inCode);
  });

  test.each(rows.filter(({ value }) => value !== 'none').map(({ option, value }) => [option, value] as const))(
    'createPbx takes %s',
    (option, value) => {
      const given = option.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), Number(value));
      expect(() =>
        createPbx({ domain: 'office.test', ...createWorld({ seed: 1 }).ports, ...(given as object) }),
      ).not.toThrow();
    },
  );

  test('names counters that pbx.stats() has', () => {
    const pbx = createPbx({
      domain: 'office.test',
      ...createWorld({ seed: 1 }).ports,
      limits: { rate: { perSecond: 1 } },
    });
    const stats: unknown = pbx.stats();
    for (const { option, counters } of rows) {
      for (const counter of counters) {
        const value = counter.split('.').reduce((inner, name) => (inner as Record<string, unknown>)?.[name], stats);
        expect([option, counter, typeof value]).toEqual([option, counter, 'number']);
      }
    }
  });

  test('names tests that are there', () => {
    const scenarios = readProjectFile('test/scenarios/limits.test.ts');
    for (const { test: name } of rows) {
      if (name.startsWith('`')) expect(readProjectFile(name.replaceAll('`', ''))).not.toBe('');
      else expect(scenarios).toContain(`'${name}`);
    }
  });
});
