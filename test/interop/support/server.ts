import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { realAuthority } from '../../support/certificates.js';
import type { Child, Ended } from './child.js';
import { Kamailio } from './kamailio.js';
import type { Lab } from './lab.js';
import { freeSipPort } from './ports.js';

/** The repository's root: the reference server is started from there. */
export const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = 'examples/small-office/main.ts';

/** The domain and digest realm of every test. */
export const DOMAIN = 'office.test';

/** What the tests need of a SIP server. */
export interface SipServer {
  /** 127.0.0.1, UDP and TCP. */
  readonly host: string;
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<Ended>;
  /** kill -9. */
  kill(): Promise<Ended>;
}

/** One line of the configuration's `extensions`. */
export interface ExtensionConfig {
  readonly number: string;
  readonly password: string;
  readonly name?: string;
  /** How long its phones ring; the server's default is a minute. */
  readonly noAnswerSeconds?: number;
}

/** What a test may choose; the rest is the same for all. */
export interface OfficeOptions {
  readonly extensions: readonly ExtensionConfig[];
  readonly domain?: string;
  /** On disk (lmdb), so that registrations survive a restart. */
  readonly onDisk?: boolean;
  readonly digest?: readonly string[];
  /** The section `calls`. */
  readonly calls?: object;
  /** Also listens on [::1], same port, UDP. */
  readonly ipv6?: boolean;
  /** Also listens for TLS, on the next port, with certificates for these names, the first for those who name nobody. */
  readonly tls?: readonly string[];
}

/** Extensions `first` … `first + count - 1`, each with a password of its own. */
export function extensions(first: number, count: number): ExtensionConfig[] {
  return Array.from({ length: count }, (_, i) => ({ number: String(first + i), password: passwordOf(first + i) }));
}

/** The password that `extensions()` gives to a number. */
export function passwordOf(number: number | string): string {
  return `pw-${number}-secret`;
}

/** What a client of the TLS port needs. */
export interface TlsAccess {
  readonly port: number;
  /** The file with the certificate of the authority. */
  readonly ca: string;
  /** Makes another certificate and key in the place of those of `tls[0]`. */
  renew(): Promise<void>;
}

/** The reference server, `examples/small-office`, as a child process with a configuration file of its own. */
export class OfficeServer implements SipServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly configFile: string;
  readonly #lab: Lab;
  readonly #tls: TlsAccess | undefined;
  #child: Child | undefined;

  /** Writes the configuration; starts nothing. `port` makes two servers want the same one. */
  static async create(lab: Lab, options: OfficeOptions, port?: number): Promise<OfficeServer> {
    const own = port ?? (await freeSipPort());
    const listen = [`udp://127.0.0.1:${own}`, `tcp://127.0.0.1:${own}`];
    if (options.ipv6 === true) listen.push(`udp://[::1]:${own}`);
    const dir = lab.folder(`server-${own}-${counter++}`);
    const tls = options.tls === undefined ? undefined : await certificates(dir, own + 1, options.tls);
    if (tls !== undefined) listen.push(`tls://127.0.0.1:${own + 1}`);
    return new OfficeServer(lab, own, path.join(dir, 'config.json'), tls?.access, {
      ...(tls === undefined ? {} : { tls: { certificate: tls.files } }),
      domain: options.domain ?? DOMAIN,
      listen,
      storage: options.onDisk === true ? { kind: 'lmdb', path: path.join(dir, 'office.db') } : { kind: 'memory' },
      extensions: options.extensions,
      ...(options.calls === undefined ? {} : { calls: options.calls }),
      digest: options.digest ?? ['MD5'],
    });
  }

  private constructor(lab: Lab, port: number, configFile: string, tls: TlsAccess | undefined, config: object) {
    this.#tls = tls;
    this.#lab = lab;
    this.port = port;
    this.configFile = configFile;
    this.writeConfig(config);
  }

  get tls(): TlsAccess {
    if (this.#tls === undefined) throw new Error('this server speaks no TLS');
    return this.#tls;
  }

  /** Replaces the configuration file: for the tests of mistakes in it. */
  writeConfig(config: object): void {
    writeFileSync(this.configFile, JSON.stringify(config, undefined, 2));
  }

  /** Starts the program without waiting for anything. */
  launch(): Child {
    if (!existsSync(path.join(REPOSITORY, MAIN))) throw new Error(`${MAIN} is missing: there is no server to test`);
    this.#child = this.#lab.spawn({
      name: `server:${this.port}`,
      command: process.execPath,
      args: ['--import', 'tsx', MAIN, '--config', this.configFile],
      cwd: REPOSITORY,
    });
    return this.#child;
  }

  async start(): Promise<void> {
    await this.launch().lines.wait((line) => line.startsWith('ready'), { timeoutMs: 30_000, what: 'the line "ready"' });
  }

  get child(): Child {
    if (this.#child === undefined) throw new Error('the server has not been started');
    return this.#child;
  }

  /** SIGTERM: the server drains and exits by itself; only after 40 s it is made to. */
  stop(): Promise<Ended> {
    return this.child.stop('SIGTERM', 40_000);
  }

  kill(): Promise<Ended> {
    return this.child.stop('SIGKILL');
  }
}

let counter = 0;

/** An authority and a certificate for each name, as files. */
async function certificates(dir: string, port: number, names: readonly string[]) {
  const authority = await realAuthority('The lab');
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(dir, name), text);
    return path.join(dir, name);
  };
  const issue = async (name: string, index: number) => {
    const { cert, key } = await authority.issue({ names: [name, '127.0.0.1'] });
    return { cert: file(`cert-${index}.pem`, cert), key: file(`key-${index}.pem`, key) };
  };
  const access: TlsAccess = {
    port,
    ca: file('ca.pem', authority.cert),
    renew: async () => {
      await issue(names[0] ?? DOMAIN, 0);
    },
  };
  return { access, files: await Promise.all(names.map(issue)) };
}

/**
 * A started server. `PBXKIT_INTEROP_SERVER=kamailio` puts Debian's Kamailio in its place: a proxy, not a B2BUA, but enough to
 * prove that the drivers and the scenarios of these tests are right.
 */
export async function startServer(lab: Lab, options: OfficeOptions): Promise<SipServer> {
  const server =
    process.env['PBXKIT_INTEROP_SERVER'] === 'kamailio'
      ? await Kamailio.create(lab, { ...options, domain: options.domain ?? DOMAIN })
      : await OfficeServer.create(lab, options);
  await server.start();
  return server;
}

/** True when the stand-in serves: what only a B2BUA does cannot be seen then. */
export const standIn = process.env['PBXKIT_INTEROP_SERVER'] === 'kamailio';
