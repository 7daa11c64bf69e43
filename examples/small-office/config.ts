import { readFile } from 'node:fs/promises';
import { loadCertificate, memoryStorage, PbxConfigError, type PbxOptions, type Storage } from 'pbxkit';
import { lmdb } from 'pbxkit/storage/lmdb';

/** A configuration file as it stands there. */
export type ConfigFile = Readonly<Record<string, unknown>>;

/** The options of the configuration file that the arguments name. @throws PbxConfigError, CertificateError */
export async function readConfig(args: readonly string[]): Promise<PbxOptions> {
  return optionsOf(await readConfigFile(args));
}

/** What `--config FILE` names. @throws PbxConfigError when it cannot be read */
export async function readConfigFile(args: readonly string[]): Promise<ConfigFile> {
  const [, file, ...rest] = args;
  if (file === undefined || rest.length > 0) throw wrong('arguments', args.join(' '), '--config FILE');
  return parse(file, await read(file));
}

/**
 * The options of a configuration file: those of `createPbx` as JSON, but for `storage`, which is named by its kind, and
 * certificates and keys, which are paths. Most faults are left for `createPbx` to find.
 * @throws PbxConfigError, CertificateError
 */
export async function optionsOf({ storage, tls, ...options }: ConfigFile): Promise<PbxOptions> {
  return {
    ...options,
    ...(tls === undefined ? {} : { tls: await tlsOf(tls) }),
    ...(storage === undefined ? {} : { storage: storageOf(storage) }),
  } as PbxOptions;
}

/** Puts the files in the place of their paths; what is no path is left for createPbx to refuse. */
async function tlsOf(value: unknown): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value;
  const { certificate, trust, ...others } = value as Record<string, unknown>;
  const pair = async (files: unknown): Promise<unknown> => {
    const { cert, key } = (files ?? {}) as Record<string, unknown>;
    return typeof cert === 'string' && typeof key === 'string' ? loadCertificate({ cert, key }) : files;
  };
  const text = async (path: unknown): Promise<unknown> => (typeof path === 'string' ? read(path, 'a PEM file') : path);
  return {
    ...others,
    ...(certificate === undefined ? {} : { certificate: await eachOf(certificate, pair) }),
    ...(trust === undefined ? {} : { trust: await eachOf(trust, text) }),
  };
}

function eachOf(value: unknown, map: (item: unknown) => Promise<unknown>): Promise<unknown> {
  return Array.isArray(value) ? Promise.all(value.map(map)) : map(value);
}

async function read(file: string, expected = 'a JSON file'): Promise<string> {
  try {
    // Some editors begin a file with a byte order mark.
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    throw wrong(file, `a file that cannot be read (${(error as NodeJS.ErrnoException).code})`, expected);
  }
}

function parse(file: string, text: string): ConfigFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong(file, `text that is not JSON (${(error as Error).message})`, 'a JSON object');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as ConfigFile;
  throw wrong(
    file,
    Array.isArray(value) ? 'a list' : String(value),
    'a JSON object such as {"domain": "office.example"}',
  );
}

function storageOf(value: unknown): Storage {
  const { kind, path, ...others } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw wrong(`storage.${unknown}`, 'an option that does not exist', '"kind" or "path"');
  if (kind === 'memory') {
    if (path !== undefined) throw wrong('storage.path', JSON.stringify(path), 'nothing: memory keeps no file');
    return memoryStorage();
  }
  if (kind !== 'lmdb') throw wrong('storage.kind', JSON.stringify(kind) ?? 'nothing', '"memory" or "lmdb"');
  if (typeof path !== 'string' || path === '')
    throw wrong('storage.path', JSON.stringify(path) ?? 'nothing', 'a path such as "./office.db"');
  return lmdb({ path });
}

function wrong(path: string, found: string, expected: string): PbxConfigError {
  return new PbxConfigError([{ path, found, expected }]);
}
