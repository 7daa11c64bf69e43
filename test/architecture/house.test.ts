import { describe, expect, test } from 'vitest';
import * as rules from './rules.js';
import { readSources, type Source } from './sources.js';

const src = readSources('src');
const examples = readSources('examples');
const tests = readSources('test');

/** A rule that never fires proves nothing: each is also shown files that break it, and files that come close and do not. */
interface Case {
  readonly name: string;
  readonly rule: rules.Rule;
  readonly sources: readonly Source[];
  readonly broken: Readonly<Record<string, string>>;
  readonly fine: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = [
  {
    name: 'floors: a file imports its own folder and what the table allows (architecture, part 1)',
    rule: rules.floors,
    sources: src,
    broken: {
      'src/media/session.ts': "import type { Leg } from '../call/leg.js';",
      'src/transport/layer.ts': "export type { Uac } from '../ua/uac.js';",
      'src/protocol/sip/uri.ts': "type Clock = import('../../net/network.js').Network;",
      'src/dialog/dialog.ts': "import { SipRequest } from '../protocol/sip/index.js';",
      'src/pbx/pbx.ts': "import { world } from '../testing/world.js';",
      'src/extras/thing.ts': '',
    },
    fine: {
      'src/media/session.ts': "import type { Sdp } from '../protocol/sdp/lines.js';\nimport { x } from './x.js';",
      'src/ua/uac.ts': "import { errorText } from '../base/errors.js';\nconst fs = await import('node:fs');",
      'src/pbx/index.ts': "export { createPbx } from './pbx.js';",
      'src/testing/world.ts': "import { createPbx } from '../pbx/pbx.js';",
    },
  },
  {
    name: 'no import circles, type imports included',
    rule: rules.importCycles,
    sources: src,
    broken: {
      'src/ua/a.ts': "import type { B } from './b.js';",
      'src/ua/b.ts': "import { c } from './c.js';",
      'src/ua/c.ts': "export type { A } from './a.js';",
    },
    fine: {
      'src/ua/a.ts': "import type { B } from './b.js';\nimport { c } from './c.js';",
      'src/ua/b.ts': "import { c } from './c.js';",
      'src/ua/c.ts': '',
    },
  },
  {
    name: 'sockets and name look-ups live in src/net alone',
    rule: rules.networkHome,
    sources: src,
    broken: {
      'src/transport/udp.ts': "import { createSocket } from 'node:dgram';",
      'src/resolver/resolver.ts': "import type { Resolver } from 'dns/promises';",
      'src/base/ip.ts': "import { isIP } from 'node:net';",
    },
    fine: {
      'src/net/udp.ts': "import { createSocket } from 'node:dgram';",
      'src/storage/file/f.ts': "import 'node:fs';",
    },
  },
  {
    name: 'clocks and timers live in src/base alone',
    rule: rules.clockHome,
    sources: src,
    broken: {
      'src/transaction/a.ts': 'const at = Date.now();',
      'src/transaction/b.ts': 'setTimeout(() => undefined, 5);',
      'src/transaction/c.ts': 'export const later = globalThis.setInterval;',
      'src/transaction/d.ts': "import { setTimeout as sleep } from 'node:timers/promises';",
      'src/transaction/e.ts': 'const at = new Date();',
      'src/transaction/f.ts': 'const signal = AbortSignal.timeout(5);',
      'src/transaction/g.ts': 'run({ setImmediate });',
      'src/transaction/h.ts': 'const start = process.hrtime.bigint();',
    },
    fine: {
      'src/base/scheduler.ts': 'const at = Date.now(); setTimeout(fire, 5);',
      'src/testing/world.ts': 'setImmediate(resolve);',
      'src/call/record.ts': 'const text = new Date(record.at).toISOString(); socket.setTimeout(5);',
    },
  },
  {
    name: 'randomness lives in src/base alone',
    rule: rules.randomnessHome,
    sources: src,
    broken: {
      'src/dialog/a.ts': 'const tag = Math.random().toString(36);',
      'src/dialog/b.ts': "import { createHash, randomBytes as bytes } from 'node:crypto';",
      'src/dialog/c.ts': "import * as crypto from 'crypto';",
      'src/dialog/d.ts': 'const id = globalThis.crypto.randomUUID(); const other = crypto.randomUUID();',
    },
    fine: {
      'src/base/random.ts': "import { randomBytes } from 'node:crypto';",
      'src/protocol/digest/compute.ts':
        "import { createHash, timingSafeEqual } from 'node:crypto';\nconst m = Math.floor(2.5);",
    },
  },
  {
    name: 'no file over 400 lines',
    rule: rules.fileLength,
    sources: [...src, ...examples],
    broken: { 'src/call/call.ts': '// a line\n'.repeat(401) },
    fine: { 'src/call/call.ts': '// a line\n'.repeat(400) },
  },
  {
    name: 'index files re-export by name and hold no logic',
    rule: rules.indexFiles,
    sources: src,
    broken: {
      'src/ua/index.ts': "export * from './uac.js';",
      'src/call/index.ts': "import { Call } from './call.js';",
      'src/media/index.ts': "export * as media from './engine.js';",
      'src/net/index.ts': 'export const version = 1;',
    },
    fine: {
      'src/ua/index.ts': "export { Uac } from './uac.js';\nexport type { Target } from './target.js';",
      'src/ua/uac.ts': 'export const version = 1;',
    },
  },
  {
    name: 'examples import the package, not its sources',
    rule: rules.exampleImports,
    sources: examples,
    broken: {
      'examples/small-office/main.ts': "import { createPbx } from '../../src/index.js';",
      'examples/tiny/main.ts': "import { config } from '../small-office/config.js';",
      'examples/other/main.ts': "import * as v from 'valibot';",
    },
    fine: {
      'examples/small-office/main.ts':
        "import { readFile } from 'node:fs/promises';\nimport { createPbx } from 'pbxkit';\nimport { lmdb } from 'pbxkit/storage/lmdb';\nimport { config } from './config.js';",
    },
  },
  {
    name: 'no check is switched off in place',
    rule: rules.suppressions,
    sources: [...src, ...examples, ...tests.filter(({ path }) => !path.startsWith('test/architecture/'))],
    broken: {
      'src/ua/a.ts': '// @ts-ignore\nconst a: number = "";',
      'test/ua/b.test.ts': '// @ts-expect-error\nconst a: number = "";',
      'src/ua/c.ts': '// biome-ignore lint: because',
    },
    fine: { 'test/types/uri.test-d.ts': '// @ts-expect-error the host is required\nsipUri({});' },
  },
];

const planted = (files: Readonly<Record<string, string>>): Source[] =>
  Object.entries(files).map(([path, text]) => ({ path, text }));

describe('the house', () => {
  test('there is something to check', () => {
    expect(src.length).toBeGreaterThan(50);
    expect(tests.length).toBeGreaterThan(50);
  });

  for (const { name, rule, sources, broken, fine } of cases) {
    test(name, () => {
      expect(rule(sources)).toEqual([]);
    });

    test(`${name}: a planted violation is found`, () => {
      const files = planted(broken);
      if (rule === rules.importCycles)
        expect(rule(files)).toEqual(['src/ua/a.ts -> src/ua/b.ts -> src/ua/c.ts -> src/ua/a.ts']);
      else for (const file of files) expect(rule([file]), file.path).not.toEqual([]);
      expect(rule(planted(fine))).toEqual([]);
    });
  }
});
