import { isDeepStrictEqual } from 'node:util';
import { createPbx, type Pbx, silentLogger } from 'pbxkit';
import { type ConfigFile, optionsOf } from './config.js';

/** What `reconfigure` takes. */
const CHANGEABLE = ['extensions', 'lines', 'trunks', 'dialPlan', 'calls', 'tls'];
/** What holds when the file names them no more; a certificate that is gone waits for a restart. */
const GONE: ConfigFile = { extensions: [], lines: [], trunks: [], calls: {}, dialPlan: {} };
/** Where there is no way out, no number leads there: what `createPbx` does when it is given no plan. */
const INSIDE = { outPrefix: '' };

/** What came of reading the file again. */
export interface Reloaded {
  /** What holds now: for the next time. */
  readonly running: ConfigFile;
  /** Options that have changed in the file and are not taken until a restart. */
  readonly later: readonly string[];
}

/**
 * Takes what has changed in the file and may change while the PBX runs. Lines that are suspended try again, for somebody has seen to them.
 * @throws PbxConfigError, CertificateError for a file with which the server could not start either; nothing has changed then
 */
export async function reload(pbx: Pbx, running: ConfigFile, file: ConfigFile): Promise<Reloaded> {
  await createPbx({ ...(await optionsOf(file)), logger: silentLogger }).close();
  const hasWayOut = [file['lines'], file['trunks']].some((list) => Array.isArray(list) && list.length > 0);
  const next: ConfigFile = { ...running, ...GONE, ...(hasWayOut ? {} : { dialPlan: INSIDE }), ...file };
  const changes = Object.fromEntries(CHANGEABLE.flatMap((name) => (name in next ? [[name, next[name]]] : [])));
  pbx.reconfigure(await optionsOf(changes));
  const lines = (changes['lines'] as readonly { readonly name: string }[]).map(({ name }) => name);
  const suspended = pbx.lines.filter(({ name, state }) => state.kind === 'suspended' && lines.includes(name));
  for (const { name } of suspended) await pbx.resumeLine(name);

  const held = { ...running, ...changes };
  const names = [...new Set([...Object.keys(held), ...Object.keys(file)])].filter((name) => !(name in GONE));
  return { running: held, later: names.filter((name) => !isDeepStrictEqual(held[name], file[name])).sort() };
}
