import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.js';
import { PbxConfigError } from '../../src/pbx/config-error.js';
import { checkChanges, checkOptions } from '../../src/pbx/options-schema.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import { MarkingEngine } from '../call/ports.js';

const SECRET = 'correct-horse-battery';

/** What `check` complains about, one line for each fault: as the message shows it. */
function problems(options: unknown, check: (value: unknown) => void = checkOptions): string[] {
  try {
    check(options);
    return [];
  } catch (error) {
    if (!(error instanceof PbxConfigError)) throw error;
    expect(error.message.split('\n')).toHaveLength(error.problems.length);
    return error.problems.map(({ path, found, expected }) => `${path}: ${found} / ${expected}`);
  }
}

const office = (changes: Record<string, unknown>): Record<string, unknown> => ({
  domain: 'office.example',
  ...changes,
});
const extension = (changes: Record<string, unknown>): Record<string, unknown> =>
  office({ extensions: [{ number: '100', password: SECRET, ...changes }] });

const WHOLE = {
  domain: 'office.example',
  aliases: ['pbx.example', '[2001:db8::1]'],
  listen: ['udp://0.0.0.0:5060'],
  extensions: [
    {
      number: '100',
      password: SECRET,
      name: 'Alice Ω',
      email: 'alice@office.example',
      digest: ['SHA-256'],
      enabled: true,
      maxContacts: 3,
      noAnswerSeconds: 20,
      media: 'relay',
    },
    { number: '*9', password: 'x' },
  ],
  digest: ['MD5', 'SHA-256', 'SHA-512-256'],
  nonceSecret: new Uint8Array(32),
  storage: memoryStorage(),
  registration: { minSeconds: 60, maxSeconds: 3600, defaultSeconds: 3600, maxContacts: 10 },
  calls: { noAnswerSeconds: 60, maxCalls: 10 },
  media: { path: 'auto', engine: new MarkingEngine() },
  router: (own: unknown) => own,
  nodeId: 'node-1',
  limits: { transport: {}, transactions: {}, maxDialogs: 10 },
  admit: () => true,
  serverName: 'pbxkit',
  logger: silentLogger,
};

describe('options that are right', () => {
  test('every option at once', () => {
    expect(problems(WHOLE)).toEqual([]);
  });

  test('the domain alone', () => {
    expect(problems({ domain: 'office.example' })).toEqual([]);
  });

  test('an option that is undefined is one that is left out', () => {
    expect(problems({ domain: 'office.example', listen: undefined, calls: { maxCalls: undefined } })).toEqual([]);
  });
});

const NUMBER = '1–64 letters, digits or + * # . _ ~ ! -, such as "100"';
const HOST = 'a host name such as "office.example"';

describe('every option wrong once: where, what was found, what was expected', () => {
  for (const [options, expected] of [
    [undefined, ': nothing / options such as'],
    [42, ': 42 / options such as'],
    [{}, 'domain: nothing / '],
    [office({ domain: 7 }), `domain: 7 / ${HOST}`],
    [office({ domain: '' }), `domain: "" / ${HOST}`],
    [office({ domain: 'sip:office' }), `domain: "sip:office" / ${HOST}`],
    [office({ domain: 'a'.repeat(254) }), 'domain: "aaa'],
    [office({ aliases: 'x' }), 'aliases: "x" / a list of host names'],
    [office({ aliases: ['ok', 'not ok'] }), `aliases[1]: "not ok" / ${HOST}`],
    [office({ listen: 'udp://0.0.0.0' }), 'listen: "udp://0.0.0.0" / a list of addresses'],
    [office({ listen: [] }), 'listen: [] / at least one address'],
    [office({ listen: ['udp://0.0.0.0', 5060] }), 'listen[1]: 5060 / an address such as'],
    [office({ listen: ['sips://0.0.0.0'] }), 'listen[0]: "sips://0.0.0.0" / an address such as'],
    [office({ extensions: {} }), 'extensions: {} / a list of extensions'],
    [office({ extensions: ['100'] }), 'extensions[0]: "100" / an extension such as'],
    [extension({ number: 100 }), `extensions[0].number: 100 / ${NUMBER}`],
    [extension({ number: 'a b' }), `extensions[0].number: "a b" / ${NUMBER}`],
    [extension({ number: '1'.repeat(65) }), 'extensions[0].number: "111'],
    [extension({ password: undefined }), 'extensions[0].password: nothing / a password'],
    [extension({ password: 42 }), 'extensions[0].password: number / a password'],
    [extension({ password: '' }), 'extensions[0].password: a text of 0 characters / a password that is not empty'],
    [
      extension({ password: 'x'.repeat(257) }),
      'extensions[0].password: a text of 257 characters / at most 256 characters',
    ],
    [extension({ name: 5 }), 'extensions[0].name: 5 / a text'],
    [extension({ name: 'x'.repeat(129) }), 'extensions[0].name: "xxx'],
    [extension({ name: 'a\r\nVia: b' }), 'extensions[0].name: "a\\r\\nVia: b" / a text without control characters'],
    [extension({ digest: [] }), 'extensions[0].digest: [] / at least one algorithm'],
    [extension({ digest: ['SHA-1'] }), 'extensions[0].digest[0]: "SHA-1" / "MD5", "SHA-256" or "SHA-512-256"'],
    [extension({ digest: ['MD5', 'MD5'] }), 'extensions[0].digest: ["MD5","MD5"] / each algorithm once'],
    [extension({ enabled: 'yes' }), 'extensions[0].enabled: "yes" / true or false'],
    [extension({ maxContacts: 0 }), 'extensions[0].maxContacts: 0 / a whole number from 1 to 1000'],
    [extension({ email: 'alice' }), 'extensions[0].email: "alice" / an address such as "alice@office.example"'],
    [
      extension({ email: 'a@b.example\r\nBcc: c@d.example' }),
      'extensions[0].email: "a@b.example\\r\\nBcc: c@d.example" / an address such as "alice@office.example"',
    ],
    [extension({ noAnswerSeconds: 1.5 }), 'extensions[0].noAnswerSeconds: 1.5 / a whole number from 1 to 3600'],
    [office({ directory: { find: () => 1 } }), 'directory: '],
    [office({ digest: 'MD5' }), 'digest: "MD5" / a list of algorithms'],
    [office({ nonceSecret: 'short' }), 'nonceSecret: a text of 5 characters / bytes'],
    [office({ nonceSecret: new Uint8Array(31) }), 'nonceSecret: object / 32 bytes or more'],
    [office({ storage: {} }), 'storage: {} / a storage such as memoryStorage()'],
    [office({ registration: { minSeconds: 0 } }), 'registration.minSeconds: 0 / a whole number from 1 to 86400'],
    [
      office({ registration: { maxSeconds: 30 } }),
      'registration: {"maxSeconds":30} / minSeconds ≤ defaultSeconds ≤ maxSeconds',
    ],
    [office({ registration: 60 }), 'registration: 60 / options such as'],
    [office({ calls: { noAnswerSeconds: '60' } }), 'calls.noAnswerSeconds: "60" / a whole number from 1 to 3600'],
    [office({ calls: { maxCalls: -1 } }), 'calls.maxCalls: -1 / a whole number from 1 to 1000000'],
    [office({ media: { engine: { offer: () => 1 } } }), 'media.engine: {} / a media engine'],
    [office({ media: { path: 'sideways' } }), 'media.path: "sideways" / "direct", "relay" or "auto"'],
    [office({ router: {} }), 'router: {} / a function that is given the own router'],
    [office({ journal: 1 }), 'journal: 1 / a call journal'],
    [office({ nodeId: 'a/b' }), 'nodeId: "a/b" / letters, digits'],
    [office({ limits: { maxDialogs: 0 } }), 'limits.maxDialogs: 0 / a whole number from 1 to 10000000'],
    [office({ limits: 7 }), 'limits: 7 / limits by module'],
    [office({ admit: true }), 'admit: true / a function'],
    [office({ addressAdvisor: {} }), 'addressAdvisor: {} / an address advisor'],
    [office({ serverName: 'a\nb' }), 'serverName: "a\\nb" / a text without control characters'],
    [office({ logger: console.log }), 'logger: a function / a logger such as pino()'],
    [office({ network: {} }), 'network: {} / a network'],
    [office({ scheduler: {} }), 'scheduler: {} / a scheduler'],
    [office({ random: Math.random }), 'random: a function / a source of randomness'],
  ] as const) {
    test(expected, () => {
      const found = problems(options);
      expect(found).toHaveLength(1);
      expect(found[0]?.slice(0, expected.length)).toBe(expected);
    });
  }

  test('limits of a module that are no numbers', () => {
    expect(problems(office({ limits: { transport: { maxHeaderBytes: 'many' } } }))[0]).toMatch(
      /^limits\.transport\.maxHeaderBytes: "many" \/ /,
    );
  });

  test('a number that two extensions have names both', () => {
    const extensions = [
      { number: '100', password: SECRET },
      { number: '101', password: SECRET },
      { number: '100', password: SECRET },
    ];
    expect(problems(office({ extensions }))).toEqual([
      'extensions[2].number: "100" / a number of its own: extensions[0] has it already',
    ]);
  });

  test('extensions and a directory exclude each other', () => {
    const directory = { find: async () => undefined, list: async () => [] };
    const [only, ...more] = problems(office({ extensions: [{ number: '100', password: SECRET }], directory }));
    expect(only).toContain('extensions or directory, not both');
    expect(more).toEqual([]);
  });

  test('every fault is named, not only the first', () => {
    const found = problems({ domain: '', listen: ['x'], calls: { maxCalls: 0 }, extensions: [{ number: '' }] });
    expect(found.map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining([
        'domain',
        'listen[0]',
        'calls.maxCalls',
        'extensions[0].number',
        'extensions[0].password',
      ]),
    );
  });
});

describe('an option that does not exist', () => {
  for (const [options, path, hint] of [
    [office({ extentions: [] }), 'extentions', '"extensions"'],
    [office({ Domain: 'x' }), 'Domain', '"domain"'],
    [extension({ pasword: 'x' }), 'extensions[0].pasword', '"password"'],
    [office({ calls: { noAnswerSecond: 5 } }), 'calls.noAnswerSecond', '"noAnswerSeconds"'],
    [office({ calls: { colour: 5 } }), 'calls.colour', 'one of noAnswerSeconds, maxCalls'],
  ] as const) {
    test(`${path}: the closest is named`, () => {
      const [only] = problems(options);
      expect(only).toContain(`${path}: an option that does not exist / `);
      expect(only).toContain(hint);
    });
  }
});

describe('secrets', () => {
  test('never stand in a message, whatever is wrong around them', () => {
    const wrong: unknown[] = [
      extension({ password: SECRET.repeat(20) }),
      extension({ pasword: SECRET }),
      extension({ number: '' }),
      office({ extensions: [{ number: '100', password: SECRET }], directory: { find: 1, list: 1 } }),
      office({
        extensions: [
          { number: '1', password: SECRET },
          { number: '1', password: SECRET },
        ],
      }),
      office({ extensions: { number: '100', password: SECRET } }),
      [{ number: '100', password: SECRET }],
      office({ calls: { password: SECRET } }),
      office({ storage: { password: SECRET } }),
      office({ nonceSecret: SECRET }),
    ];
    for (const options of wrong) {
      expect(problems(options).length).toBeGreaterThan(0);
      expect(problems(options).join('\n')).not.toContain(SECRET);
    }
  });
});

describe('changes', () => {
  test('extensions and calls, both or none', () => {
    expect(problems({}, checkChanges)).toEqual([]);
    expect(problems({ extensions: [{ number: '1', password: 'x' }], calls: { maxCalls: 1 } }, checkChanges)).toEqual(
      [],
    );
  });

  test('nothing else', () => {
    expect(problems({ domain: 'x' }, checkChanges)[0]).toMatch(/^domain: an option that cannot be changed/);
    expect(problems({ dommain: 'x' }, checkChanges)[0]).toMatch(/^dommain: an option that does not exist/);
    expect(problems({ calls: { maxCalls: 0 } }, checkChanges)[0]).toMatch(/^calls\.maxCalls: 0/);
  });
});

test('reconfigure: an option that exists but stands for the life of a PBX says so', () => {
  expect(() => checkChanges({ domain: 'other.example' })).toThrow(
    'domain: found an option that cannot be changed while the PBX runs, expected one of extensions, lines, trunks, dialPlan, calls, tls; for the rest make a new PBX',
  );
});
