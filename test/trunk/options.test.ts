import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/base/config-error.js';
import { silentLogger } from '../../src/base/logger.js';
import { accept } from '../../src/base/schema-problems.js';
import { rulesSchema } from '../../src/dialplan/rules-schema.js';
import { AUDIO_FORMAT_NAMES } from '../../src/protocol/sdp/audio-formats.js';
import { MemoryRecords } from '../../src/storage/memory-records.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { lineSchema } from '../../src/trunk/line-options.js';
import { linesAndTrunksEntries, namesOnce } from '../../src/trunk/lines-and-trunks.js';
import type { TrunkManagerOptions } from '../../src/trunk/manager-options.js';
import { TrunkManager } from '../../src/trunk/trunk-manager.js';
import { trunkSchema } from '../../src/trunk/trunk-options.js';

const SECRET = 'correct-horse-battery';
const LINE = { name: '1234', server: 'sip.carrier.example', username: '1234', password: SECRET };
const TRUNK = { name: 'gateway', server: '192.0.2.9:5080' };

function manager(changes: object = {}): TrunkManager {
  const clock = new ManualClock();
  return new TrunkManager({
    uac: { request: () => Promise.reject(new Error('nothing is sent here')), digestFor: () => undefined },
    resolver: { resolve: async () => [] },
    records: new MemoryRecords({ clock }),
    scheduler: clock,
    random: new SeededRandom(7),
    logger: silentLogger,
    ...changes,
  } as TrunkManagerOptions);
}

/** What is refused, as `path: found / expected`. */
async function problems(act: () => unknown): Promise<string[]> {
  try {
    await act();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).not.toContain(SECRET);
    expect(error.message.split('\n')).toHaveLength(error.problems.length);
    expect(error).toMatchObject({ code: 'TRUNK_CONFIG_INVALID', kind: 'misuse', name: 'TrunkConfigError' });
    return error.problems.map(({ path, found, expected }) => `${path}: ${found} / ${expected}`);
  }
}

const configured = (wanted: unknown): Promise<string[]> =>
  problems(() => manager().configure('default', wanted as object));
const unknown = (path: string, hint: string): string => `${path}: an option that does not exist / ${hint}`;

const SERVER = 'a host name, address or SIP URI such as "sip.carrier.example"';
const TEXT = 'a line of text';
const FLAG = 'true or false';
const CODECS = 'a list of codecs such as ["PCMA", "PCMU", "telephone-event"], one of which carries speech';

describe('every option of a line wrong once: where, what was found, what was expected', () => {
  test.each<[object, string]>([
    [{ name: 'a b' }, 'name: "a b" / 1–64 letters, digits, "-", "_", "." or "+"'],
    [{ name: 5 }, 'name: 5 / 1–64 letters, digits, "-", "_", "." or "+"'],
    [{ server: 'two words' }, `server: "two words" / ${SERVER}`],
    [{ server: 7 }, `server: 7 / ${SERVER}`],
    [{ server: `sip:bob:${SECRET}@host` }, `server: "sip:bob:…@host" / ${SERVER}`],
    [{ server: 'sip:host;transport=ws' }, 'server: "sip:host;transport=ws" / transport=udp, tcp or tls'],
    [{ domain: '' }, `domain: "" / ${SERVER}`],
    [{ proxy: 'a@b' }, `proxy: "a@b" / ${SERVER}`],
    [{ username: '1@host' }, 'username: "1@host" / the user part of the account, without a domain'],
    [{ username: '' }, 'username: "" / the user part of the account, without a domain'],
    [{ password: '' }, 'password: a text of 0 characters / a password that is not empty'],
    [{ password: 42 }, 'password: number / a password'],
    [{ authorizationId: 'a\r\nb' }, `authorizationId: "a\\r\\nb" / ${TEXT}`],
    [{ realm: '' }, `realm: "" / ${TEXT}`],
    [{ realm: ['carrier', 1] }, `realm[1]: 1 / ${TEXT}`],
    [{ displayName: '' }, `displayName: "" / ${TEXT}`],
    [{ expiresSeconds: 59 }, 'expiresSeconds: 59 / a whole number from 60 to 86400'],
    [{ callId: 'none' }, 'callId: "none" / "same" or "new"'],
    [{ rewriteContact: 'no' }, `rewriteContact: "no" / ${FLAG}`],
    [{ userPhone: 1 }, `userPhone: 1 / ${FLAG}`],
    [{ group: '' }, `group: "" / ${TEXT}`],
    [{ priority: -1 }, 'priority: -1 / a whole number from 0 to 1000000'],
    [{ weight: 0 }, 'weight: 0 / a whole number from 1 to 1000'],
    [{ maxCalls: 1.5 }, 'maxCalls: 1.5 / a whole number from 0 to 1000000'],
    [{ maxInboundCalls: '3' }, 'maxInboundCalls: "3" / a whole number from 0 to 1000000'],
    [{ maxCallsPerSecond: 0 }, 'maxCallsPerSecond: 0 / a whole number from 1 to 1000000'],
    [{ owner: '\n' }, `owner: "\\n" / ${TEXT}`],
    [{ timeCondition: 8 }, `timeCondition: 8 / ${TEXT}`],
    [{ noAnswerSeconds: 3601 }, 'noAnswerSeconds: 3601 / a whole number from 1 to 3600'],
    [{ inbound: '' }, `inbound: "" / ${TEXT}`],
    [
      { addresses: ['10.0.0.0/8', '10.0.0.0/33'] },
      'addresses[1]: "10.0.0.0/33" / an IP address or a network such as "10.0.0.0/8"',
    ],
    [{ codecs: ['PCMA', 'PCNU'] }, `codecs[1]: "PCNU" / one of ${AUDIO_FORMAT_NAMES.join(', ')}`],
    [{ codecs: [] }, `codecs: [] / ${CODECS}`],
    [{ codecs: ['telephone-event', 'CN'] }, `codecs: ["telephone-event","CN"] / ${CODECS}`],
    [{ codecs: 'PCMA' }, `codecs: "PCMA" / ${CODECS}`],
    [{ addresses: '10.0.0.1' }, 'addresses: "10.0.0.1" / a list of IP addresses and networks'],
  ])('%o', async (wrong, expected) => {
    expect(await problems(() => manager().setLine('default', { ...LINE, ...wrong }))).toEqual([expected]);
    expect(await configured({ lines: [LINE, { ...LINE, name: '2', ...wrong }] })).toEqual([`lines[1].${expected}`]);
  });
});

describe('every option that trunks alone have wrong once', () => {
  const together = 'user name and password together, or neither';
  test.each<[object, string]>([
    [{ username: 'x' }, `password: nothing / ${together}`],
    [{ password: SECRET }, `username: nothing / ${together}`],
    [{ username: 'x', password: '' }, 'password: a text of 0 characters / a password that is not empty'],
    [{ callerNumber: '' }, `callerNumber: "" / ${TEXT}`],
    [{ uriParams: 'a?b=c' }, 'uriParams: "a?b=c" / parameters such as "tgrp=office"'],
    [{ format: 'h323' }, 'format: "h323" / "sip" or "tel"'],
    [{ transit: 'yes' }, `transit: "yes" / ${FLAG}`],
    [{ qualifySeconds: 9 }, 'qualifySeconds: 9 / 0 for never, or a whole number from 10 to 86400'],
    [{ qualifySeconds: 10.5 }, 'qualifySeconds: 10.5 / 0 for never, or a whole number from 10 to 86400'],
  ])('%o', async (wrong, expected) => {
    expect(await problems(() => manager().setTrunk('default', { ...TRUNK, ...wrong }))).toEqual([expected]);
    expect(await configured({ trunks: [{ ...TRUNK, ...wrong }] })).toEqual([`trunks[0].${expected}`]);
  });
});

describe('a misspelled option is named, with the nearest that exists', () => {
  test.each<[string, unknown, string[]]>([
    ['of a line', { lines: [{ ...LINE, maxCals: 3 }] }, [unknown('lines[0].maxCals', '"maxCalls"')]],
    [
      'of a line, in place of one that it must have',
      { lines: [{ name: '1', server: 'a', username: '1', pasword: SECRET }] },
      ['lines[0].password: nothing / a value', unknown('lines[0].pasword', '"password"')],
    ],
    [
      'of a line, that a trunk has',
      { lines: [{ ...LINE, uriParams: 'a=b' }] },
      [expect.stringMatching(/^lines\[0\]\.uriParams: an option that does not exist \/ one of group, /) as never],
    ],
    [
      'of a trunk',
      { trunks: [TRUNK, { ...TRUNK, name: 'b', qualify: 0 }] },
      [expect.stringMatching(/^trunks\[1\]\.qualify: an option that does not exist \//) as never],
    ],
    [
      'of a trunk, several',
      { trunks: [{ ...TRUNK, Transit: true, realms: 'x' }] },
      [unknown('trunks[0].Transit', '"transit"'), unknown('trunks[0].realms', '"realm"')],
    ],
    ['of the whole', { line: [LINE] }, [unknown('line', '"lines"')]],
  ])('%s', async (_, wanted, expected) => {
    expect(await configured(wanted)).toEqual(expected);
  });

  test('of the manager: TRUNK_CONFIG_INVALID as well', async () => {
    expect(await problems(() => manager({ registerPerSecond: 5 }))).toEqual([
      unknown('registerPerSecond', '"registersPerSecond"'),
    ]);
    expect(await problems(() => manager({ suspendAfter: { refusal: 5 } }))).toEqual([
      unknown('suspendAfter.refusal', '"refusals"'),
    ]);
  });
});

test('all faults of all lines and trunks are told at once', async () => {
  expect(
    await configured({
      lines: [LINE, { ...LINE, name: 'a b', server: '' }, { ...LINE, password: undefined }],
      trunks: [{ ...TRUNK, name: '1234', username: 'x', transit: 1 }, 'gateway'],
    }),
  ).toEqual([
    'lines[1].name: "a b" / 1–64 letters, digits, "-", "_", "." or "+"',
    `lines[1].server: "" / ${SERVER}`,
    'lines[2].password: nothing / a password',
    `trunks[0].transit: 1 / ${FLAG}`,
    'trunks[0].password: nothing / user name and password together, or neither',
    'trunks[1]: "gateway" / a trunk such as { "name": "gateway", "server": "192.0.2.9:5080" }',
    'lines[2].name: "1234" / a name of its own: lines[0] has it already',
    'trunks[0].name: "1234" / a name of its own: lines[0] has it already',
  ]);
});

test('what is no list, no options or nothing at all', async () => {
  expect(await configured({ lines: LINE })).toEqual([expect.stringMatching(/^lines: \{.*… \/ a list of lines$/)]);
  expect(await configured(undefined)).toEqual([': nothing / lines and trunks such as { lines: […], trunks: […] }']);
  expect(await configured({})).toEqual([]);
  expect(await problems(() => manager().setLine('default', undefined as never))).toEqual([
    expect.stringMatching(/^: nothing \/ a line such as /),
  ]);
});

test('a name that a line has is refused to a trunk that is added, and the other way round', async () => {
  const trunks = manager();
  await trunks.setTrunk('default', TRUNK);
  expect(await problems(() => trunks.setLine('default', { ...LINE, name: 'gateway' }))).toEqual([
    'name: "gateway" / a name that no other line or trunk has',
  ]);
  await trunks.close();
});

test('numbers of the manager out of range, and a part that is missing', async () => {
  const wrong = { registersPerSecond: 0, goodbyeMs: -1, suspendAfter: { refusals: 0, failures: 1.5 }, isOpen: 1 };
  expect(await problems(() => manager({ ...wrong, uac: undefined }))).toEqual([
    'uac: nothing / an object with methods',
    'registersPerSecond: 0 / a number above 0',
    'suspendAfter.refusals: 0 / a whole number from 1 to 9007199254740991',
    'suspendAfter.failures: 1.5 / a whole number from 1 to 9007199254740991',
    'goodbyeMs: -1 / milliseconds, 0 or more',
    'isOpen: 1 / a function',
  ]);
});

describe('options that are right', () => {
  const read = <T>(schema: v.GenericSchema<unknown, T>, value: unknown): T =>
    accept(schema, value, (all) => new Error(JSON.stringify(all)));

  test('a line alone: its defaults', () => {
    expect(read(lineSchema, { ...LINE, group: undefined })).toMatchObject({
      name: '1234',
      fixed: {
        server: { host: 'sip.carrier.example' },
        proxy: undefined,
        domain: 'sip.carrier.example',
        username: '1234',
        authorizationId: '1234',
        password: SECRET,
        realms: [],
        expiresSeconds: 3600,
        callId: 'same',
        rewriteContact: true,
      },
      userPhone: false,
      calls: { priority: 0, weight: 1, addresses: { size: 0 } },
    });
  });

  test('a line with everything', () => {
    const line = read(lineSchema, {
      ...LINE,
      server: '2001:db8::1',
      domain: 'IMS.example',
      proxy: 'sip:edge.example;transport=tcp',
      authorizationId: '1234@ims.example',
      realm: ['a', 'b'],
      displayName: 'Office',
      expiresSeconds: 60,
      callId: 'new',
      rewriteContact: false,
      userPhone: true,
      addresses: ['203.0.113.0/24'],
      maxCalls: 0,
    });
    expect(line.fixed).toMatchObject({
      server: { host: '2001:db8::1' },
      proxy: { host: 'edge.example', params: [{ name: 'transport', value: 'tcp' }, { name: 'lr' }] },
      domain: 'ims.example',
      realms: ['a', 'b'],
    });
    expect(line.calls.addresses.has('203.0.113.7')).toBe(true);
    expect(line.calls.maxCalls).toBe(0);
  });

  test('a trunk alone, and one with an account', () => {
    expect(read(trunkSchema, TRUNK)).toMatchObject({
      fixed: { server: { host: '192.0.2.9', port: 5080 }, domain: '192.0.2.9', realms: [], qualifySeconds: 60 },
      uriParams: [],
      format: 'sip',
      transit: false,
    });
    const account = { username: 'x', password: SECRET, realm: 'carrier', uriParams: 'tgrp=office', qualifySeconds: 0 };
    expect(read(trunkSchema, { ...TRUNK, ...account })).toMatchObject({
      fixed: { username: 'x', password: SECRET, realms: ['carrier'], qualifySeconds: 0 },
      uriParams: [{ name: 'tgrp', value: 'office' }],
    });
  });
});

test('beside other options the paths are whole: lines[2].password, dialPlan.called[3].prefix', () => {
  const schema = v.pipe(
    v.strictObject({ domain: v.string(), ...linesAndTrunksEntries, dialPlan: v.optional(rulesSchema) }),
    namesOnce(),
  );
  const rule = (prefix: string): object => ({ prefix, route: { kind: 'line' } });
  const paths = (options: object): string[] => {
    try {
      accept(schema, { domain: 'office.example', ...options }, (all) => new ConfigError('PBX_CONFIG_INVALID', '', all));
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map(({ path, expected }) => `${path}: ${expected}`);
    }
  };
  const line = (name: string): object => ({ ...LINE, name });
  expect(
    paths({
      lines: [line('1'), line('2'), { ...LINE, password: '' }],
      trunks: [TRUNK, TRUNK],
      dialPlan: { called: [rule('1'), rule('2'), rule('3'), { ...rule('4'), prefix: '', tranform: 1 }] },
    }),
  ).toEqual([
    'lines[2].password: a password that is not empty',
    'dialPlan.called[3].prefix: a prefix, or "*" for any number: letters, digits or + * # . _ ~ ! -, at most 64',
    'dialPlan.called[3].tranform: "transform"',
    'trunks[1].name: a name of its own: trunks[0] has it already',
  ]);
  expect(paths({ dialPlan: { called: [rule('1'), rule('1')] } })).toEqual(['dialPlan.called[1]: each once']);
});
