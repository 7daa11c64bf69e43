/**
 * Writes the public surface of every entry to docs/api/*.api.md: `npm run build && npm run api`. The reports are in git, so that a
 * change of the surface is seen in review; test/package/api-report.test.ts keeps them current.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel, type ExtractorResult } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The entries by name: `index`, `sip`, `storage/lmdb`, … */
export const entryNames: readonly string[] = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: Record<string, unknown> }).exports,
)
  .filter((subpath) => subpath !== './package.json')
  .map((subpath) => (subpath === '.' ? 'index' : subpath.slice(2)));

/**
 * Extracts one entry from dist/. With `write` the report in docs/api is replaced, else it is compared: `apiReportChanged`.
 */
export function extractApi(entry: string, { write }: { readonly write: boolean }): ExtractorResult {
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(root, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, 'dist', `${entry}.d.ts`),
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2022',
            lib: ['ES2023'],
            module: 'NodeNext',
            strict: true,
            types: ['node'],
            skipLibCheck: true,
          },
          files: [join(root, 'dist', `${entry}.d.ts`)],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${entry.replace('/', '-')}.api.md`,
        reportFolder: join(root, 'docs/api'),
        reportTempFolder: join(root, 'temp'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
    },
  });
  return Extractor.invoke(config, {
    localBuild: write,
    messageCallback: (message) => {
      message.logLevel = ExtractorLogLevel.None;
      message.handled = true;
    },
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  rmSync(join(root, 'docs/api'), { recursive: true, force: true });
  mkdirSync(join(root, 'docs/api'), { recursive: true });
  for (const entry of entryNames) extractApi(entry, { write: true });
  console.log(`docs/api: ${entryNames.length} reports`);
}
