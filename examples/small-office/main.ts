/**
 * The reference server: an office with a few extensions.
 *
 *   npm start                        extensions 100–102; their passwords are made at the first start and shown once
 *   npm start -- --new-passwords     makes new ones
 *   npm start -- --config FILE       an office from a file, see docs/guides/reference-server.md
 */
import { pathToFileURL } from 'node:url';
import { createPbx, type Pbx, type PbxOptions } from 'pbxkit';
import { type ConfigFile, optionsOf, readConfigFile } from './config.js';
import { demoOffice, type Office } from './demo-office.js';
import { describeOffice, follow, stderrLogger, suspendedLines } from './messages.js';
import { reload } from './reload.js';

const USAGE = `npm start                        an office with extensions 100–102, kept in ./data
npm start -- --new-passwords     the same, with new passwords
npm start -- --config FILE       an office from a JSON file, see docs/guides/reference-server.md`;

/** How long calls under way may go on after SIGTERM. A second signal ends them at once. */
const DRAIN_SECONDS = 10;

/** Starts an office; resolves when it serves. Without `numbers` the extensions of the options are told. */
export async function main(
  options: PbxOptions,
  { numbers = (options.extensions ?? []).map(({ number }) => number), afterStart }: Partial<Office> = {},
): Promise<Pbx> {
  const pbx = createPbx({ logger: stderrLogger, ...options });
  follow(pbx, console.log);
  await pbx.start();
  for (const line of (await afterStart?.()) ?? []) console.log(line);
  for (const line of describeOffice(pbx, options.domain, numbers)) console.log(line);
  for (const line of suspendedLines(pbx)) console.log(line);
  return pbx;
}

/** Reads the file again; resolves to what holds then. */
async function readAgain(pbx: Pbx, running: ConfigFile, args: readonly string[]): Promise<ConfigFile> {
  try {
    const reloaded = await reload(pbx, running, await readConfigFile(args));
    console.log('the configuration was read again');
    if (reloaded.later.length > 0) console.log(`not taken until a restart: ${reloaded.later.join(', ')}`);
    return reloaded.running;
  } catch (error) {
    const { name, code, message } = error as { name?: string; code?: string; message?: string };
    console.error(`the file was refused, the server goes on as before: ${name} [${code}] ${message}`);
    return running;
  }
}

async function run(args: readonly string[]): Promise<void> {
  if (args[0] === '--help') return console.log(USAGE);
  const file = args[0] === '--config' ? await readConfigFile(args) : undefined;
  const demo = file === undefined ? demoOffice(args) : undefined;
  const pbx = await main(demo?.options ?? (await optionsOf(file ?? {})), demo);
  const hurry = new AbortController();
  let stoppedAt: number | undefined;
  const stop = async (): Promise<void> => {
    // npm passes on a signal that the whole process group has had already: the same one comes twice.
    if (stoppedAt !== undefined) return performance.now() - stoppedAt > 1000 ? hurry.abort() : undefined;
    stoppedAt = performance.now();
    const calls = pbx.calls.length;
    console.log(
      calls === 0 ? 'stopping' : `stopping when ${calls} call(s) have ended, in ${DRAIN_SECONDS} s at the latest`,
    );
    // Not AbortSignal.any with a timeout: Node.js 20 may collect a signal that nobody else holds, and then it never fires.
    setTimeout(() => hurry.abort(), DRAIN_SECONDS * 1000);
    await pbx.drain({ signal: hurry.signal });
    await pbx.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop()).on('SIGINT', () => void stop());
  if (file === undefined) return;
  let running = Promise.resolve(file);
  process.on('SIGHUP', () => {
    running = running.then((held) => readAgain(pbx, held, args));
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  run(process.argv.slice(2)).catch((error: unknown) => {
    const { name, code, message } = error as { name?: string; code?: string; message?: string };
    console.error(code === undefined ? error : `${name} [${code}] ${message}`);
    process.exitCode = 1;
  });
}
