import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { repository } from './packed.js';

const { consumer } = inject('packed');

/** `pbxkit`, `pbxkit/sip`, … */
const entries = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json')
  .map((subpath) => `pbxkit${subpath.slice(1)}`);

function write(name: string, lines: readonly string[]): string {
  const file = join(consumer, name);
  writeFileSync(file, lines.join('\n'));
  return file;
}

/** Runs a script in the consumer's project; its stdout as JSON. */
function run(name: string, lines: readonly string[]): unknown {
  return JSON.parse(execFileSync(process.execPath, [write(name, lines)], { cwd: consumer, encoding: 'utf8' }));
}

const list = entries.map((entry) => `'${entry}'`).join(', ');

/** The smallest whole use: a PBX opens a socket on loopback, says where, and leaves nothing behind. */
const startAndClose = [
  "const pbx = createPbx({ domain: 'consumer.example', listen: ['udp://127.0.0.1:0'] });",
  'await pbx.start();',
  'await pbx.close();',
];

describe('the installed package', () => {
  test('every entry loads by import and by require, with the same names', () => {
    const imported = run('entries.mjs', [
      `const names = {};`,
      `for (const entry of [${list}]) names[entry] = Object.keys(await import(entry)).filter((name) => name !== 'default').sort();`,
      `console.log(JSON.stringify(names));`,
    ]) as Record<string, string[]>;
    const required = run('entries.cjs', [
      `const names = {};`,
      `for (const entry of [${list}]) names[entry] = Object.keys(require(entry)).sort();`,
      `console.log(JSON.stringify(names));`,
    ]);
    expect(required).toEqual(imported);
    for (const entry of entries) expect(imported[entry], entry).not.toEqual([]);
  });

  test('every class is called what it is exported as: people read it in errors', () => {
    const lines = [
      `const isClass = (value) => typeof value === 'function' && /^class\\b/.test(Function.prototype.toString.call(value));`,
      `console.log(JSON.stringify(Object.keys(all).filter((name) => isClass(all[name]) && all[name].name !== name)));`,
    ];
    expect(run('names.mjs', ["import * as all from 'pbxkit';", ...lines])).toEqual([]);
  });

  test('entries share their classes: chunks, not copies', () => {
    const lines = [
      'console.log(JSON.stringify([all.SipRequest === sip.SipRequest, all.TransportLayer === transport.TransportLayer]));',
    ];
    const imports = [
      "import * as all from 'pbxkit';",
      "import * as sip from 'pbxkit/sip';",
      "import * as transport from 'pbxkit/transport';",
    ];
    const requires =
      "const all = require('pbxkit'), sip = require('pbxkit/sip'), transport = require('pbxkit/transport');";
    expect(run('shared.mjs', [...imports, ...lines])).toEqual([true, true]);
    expect(run('shared.cjs', [requires, ...lines])).toEqual([true, true]);
  });

  test('import: a PBX starts and closes, and the program ends by itself', () => {
    expect(run('start.mjs', ["import { createPbx } from 'pbxkit';", ...startAndClose, 'console.log("true");'])).toBe(
      true,
    );
  });

  test('require: a PBX starts and closes, and the program ends by itself', () => {
    const body = ['(async () => {', ...startAndClose, 'console.log("true"); })();'];
    expect(run('start.cjs', ["const { createPbx } = require('pbxkit');", ...body])).toBe(true);
  });

  test('an optional package that is absent is named when it is needed, not before', () => {
    const seen = run('optional.mjs', [
      "import { lmdb } from 'pbxkit/storage/lmdb';",
      "const storage = lmdb({ path: './data' });",
      "try { await storage.records.get('a', 'b'); } catch (error) { console.log(JSON.stringify([error.code, error.message])); }",
    ]) as string[];
    expect(seen[0]).toBe('PBX_MISSING_PACKAGE');
    expect(seen[1]).toContain('npm install lmdb');
  });

  test.each([
    ['import', 'mail.mjs', "import { smtp } from 'pbxkit/mailer/smtp';", ''],
    ['require', 'mail.cjs', "const { smtp } = require('pbxkit/mailer/smtp'); (async () => {", '})();'],
  ])('%s: mail without nodemailer says at the first send what to install', (_, file, head, tail) => {
    const seen = run(file, [
      head,
      "const mailer = smtp({ host: '127.0.0.1', user: 'pbx@consumer.example', password: 'x' });",
      "const mail = { to: ['alice@consumer.example'], subject: 'x', text: 'x' };",
      'try { await mailer.send(mail); } catch (error) { console.log(JSON.stringify([error.code, error.message])); }',
      'await mailer.close();',
      tail,
    ]) as string[];
    expect(seen[0]).toBe('PBX_MISSING_PACKAGE');
    expect(seen[1]).toContain('npm install nodemailer@^10');
  });

  const everyEntry = entries.map((entry, at) => `import * as e${at} from '${entry}';`);
  const typedUse = [
    ...everyEntry,
    `export const all = [${entries.map((_, at) => `e${at}`).join(', ')}];`,
    "import { createPbx, type PbxOptions } from 'pbxkit';",
    "const options: PbxOptions = { domain: 'consumer.example', listen: ['udp://127.0.0.1:0'] };",
    "export const off: () => void = createPbx(options).on('call.ended', ({ record }) => void record.legs.length);",
  ];

  test.each([
    { from: 'ESM', file: 'types.mts', module: 'node16', moduleResolution: 'node16' },
    { from: 'CommonJS', file: 'types.cts', module: 'node16', moduleResolution: 'node16' },
    { from: 'a bundler', file: 'types.ts', module: 'esnext', moduleResolution: 'bundler' },
  ])('types resolve from $from, the declarations themselves included', ({ file, module, moduleResolution }) => {
    write(file, typedUse);
    const options = {
      target: 'es2022',
      lib: ['es2023'],
      module,
      moduleResolution,
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
    };
    const project = write('tsconfig.json', [JSON.stringify({ compilerOptions: options, files: [file] })]);
    const compile = (): string =>
      execFileSync(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '-p', project], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
    let complaints = '';
    try {
      compile();
    } catch (error) {
      complaints = String((error as { stdout?: string }).stdout ?? error);
    }
    expect(complaints).toBe('');
  });
});
