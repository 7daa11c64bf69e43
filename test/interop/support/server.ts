import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
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
  /** Also listens on [::1], same port, UDP. */
  readonly ipv6?: boolean;
}

/** Extensions `first` … `first + count - 1`, each with a password of its own. */
export function extensions(first: number, count: number): ExtensionConfig[] {
  return Array.from({ length: count }, (_, i) => ({ number: String(first + i), password: passwordOf(first + i) }));
}

/** The password that `extensions()` gives to a number. */
export function passwordOf(number: number | string): string {
  return `pw-${number}-secret`;
}

/** The reference server, `examples/small-office`, as a child process with a configuration file of its own. */
export class OfficeServer implements SipServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly configFile: string;
  readonly #lab: Lab;
  #child: Child | undefined;

  /** Writes the configuration; starts nothing. `port` makes two servers want the same one. */
  static async create(lab: Lab, options: OfficeOptions, port?: number): Promise<OfficeServer> {
    const own = port ?? (await freeSipPort());
    const listen = [`udp://127.0.0.1:${own}`, `tcp://127.0.0.1:${own}`];
    if (options.ipv6 === true) listen.push(`udp://[::1]:${own}`);
    const dir = lab.folder(`server-${own}-${counter++}`);
    return new OfficeServer(lab, own, path.join(dir, 'config.json'), {
      domain: options.domain ?? DOMAIN,
      listen,
      storage: options.onDisk === true ? { kind: 'lmdb', path: path.join(dir, 'office.db') } : { kind: 'memory' },
      extensions: options.extensions,
      digest: options.digest ?? ['MD5'],
    });
  }

  private constructor(lab: Lab, port: number, configFile: string, config: object) {
    this.#lab = lab;
    this.port = port;
    this.configFile = configFile;
    this.writeConfig(config);
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
