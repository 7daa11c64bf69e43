import { readFileSync, writeFileSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { keepConst } from './scripts/keep-const.js';

/** One entry for each subpath of `exports` in package.json, under the same name in dist/. */
const entry = {
  index: 'src/index.ts',
  sip: 'src/protocol/sip/index.ts',
  sdp: 'src/protocol/sdp/index.ts',
  digest: 'src/protocol/digest/index.ts',
  net: 'src/net/index.ts',
  transport: 'src/transport/index.ts',
  transaction: 'src/transaction/index.ts',
  ua: 'src/ua/index.ts',
  dialog: 'src/dialog/index.ts',
  call: 'src/call/index.ts',
  registrar: 'src/registrar/index.ts',
  trunk: 'src/trunk/index.ts',
  directory: 'src/directory/index.ts',
  dialplan: 'src/dialplan/index.ts',
  storage: 'src/storage/index.ts',
  'storage/lmdb': 'src/storage/lmdb/index.ts',
  'storage/file': 'src/storage/file/index.ts',
  media: 'src/media/index.ts',
  audio: 'src/protocol/audio/index.ts',
  rtp: 'src/protocol/rtp/index.ts',
  srtp: 'src/protocol/srtp/index.ts',
  stun: 'src/protocol/stun/index.ts',
  nat: 'src/nat/index.ts',
  mailer: 'src/mailer/index.ts',
  'mailer/smtp': 'src/mailer/smtp/index.ts',
  testing: 'src/testing/index.ts',
};

/**
 * tsc writes the declarations of all sources (scripts/tsconfig.declarations.json); here they are only bundled by entry, which takes a
 * second where compiling each through the bundler takes a minute.
 */
const declarations = Object.fromEntries(
  Object.entries(entry).map(([name, file]) => [name, file.replace('src/', 'temp/types/').replace('.ts', '.d.ts')]),
);

export default defineConfig({
  entry,
  format: ['esm', 'cjs'],
  // Code that entries share lies in chunks, so that a program that uses two entries holds each class once.
  splitting: true,
  dts: { entry: declarations },
  clean: true,
  target: 'node20',
  noExternal: ['valibot'],
  plugins: [{ name: 'keep-const', renderChunk: (code) => ({ code: keepConst(code) }) }],
  onSuccess: async () => {
    const notice = 'valibot is bundled into this package. Its licence:\n\n';
    writeFileSync('dist/THIRD-PARTY-LICENSES.txt', notice + readFileSync('node_modules/valibot/LICENSE.md', 'utf8'));
  },
});
