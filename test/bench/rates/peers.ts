import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BUNDLES, bundle } from './bundle.js';
import { kamailioConfiguration } from './kamailio-config.js';
import { findProgram, Program } from './program.js';
import type { ServerOptions } from './server-options.js';
import { RINGING_PORT, UAS_ADDRESS, UAS_PORT } from './sipp.js';

/** The processor of the peer under test. */
const PEER_CPU = 1;
const PORT = 5060;
export const DOMAIN = 'bench.test';
export const PASSWORD = 'secret';

/** A running server: calls to it go to the sipp that is called, and it takes registrations of `DOMAIN`, if it can. */
export interface Peer {
  readonly name: string;
  /** `address:port` */
  readonly address: string;
  readonly program: Program;
}

/** The servers that can be compared. */
export const PEERS = ['pbxkit', 'pbxkit-lmdb', 'kamailio', 'npm-sip'] as const;
export type PeerName = (typeof PEERS)[number];

export interface PeerOptions {
  /** Users 10000 … that may register. */
  readonly users?: number;
}

/** Starts a peer and waits until it listens. Each has an address of its own, so that all can run side by side. */
export async function startPeer(name: PeerName, options: PeerOptions = {}): Promise<Peer> {
  const host = `127.0.0.${11 + PEERS.indexOf(name)}`;
  if (udpBound(host, PORT)) throw new Error(`${host}:${PORT} is taken: another benchmark is under way`);
  await mkdir(BUNDLES, { recursive: true });
  const program = await launch(name, host, options.users ?? 0);
  for (let i = 0; !udpBound(host, PORT); i++) {
    if (program.gone || i > 150) throw new Error(`${name} does not listen on ${host}:${PORT}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { name, address: `${host}:${PORT}`, program };
}

async function launch(name: PeerName, host: string, users: number): Promise<Program> {
  switch (name) {
    case 'kamailio':
      return kamailio(host);
    case 'npm-sip': {
      const file = await bundle('npm-sip-proxy');
      const args = [file, host, String(PORT), UAS_ADDRESS, String(UAS_PORT)];
      return new Program({ command: process.execPath, args, cpu: PEER_CPU });
    }
    case 'pbxkit':
    case 'pbxkit-lmdb': {
      const file = await bundle('server');
      const folder = path.join(BUNDLES, 'lmdb');
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      const options: ServerOptions = {
        host,
        port: PORT,
        domain: DOMAIN,
        calledUri: `sip:bench@${UAS_ADDRESS}:${UAS_PORT}`,
        ringingUri: `sip:bench@${UAS_ADDRESS}:${RINGING_PORT}`,
        users,
        password: PASSWORD,
        ...(name === 'pbxkit-lmdb' ? { lmdb: path.join(folder, 'bench.db') } : {}),
      };
      const args = ['--expose-gc', file, JSON.stringify(options)];
      return new Program({ command: process.execPath, args, cpu: PEER_CPU, ipc: true });
    }
  }
}

async function kamailio(host: string): Promise<Program> {
  const command = findProgram('kamailio');
  if (command === undefined) throw new Error('kamailio is needed: apt-get install kamailio');
  const run = path.join(BUNDLES, 'kamailio');
  await mkdir(run, { recursive: true });
  const file = path.join(run, 'kamailio.cfg');
  const called = `sip:${UAS_ADDRESS}:${UAS_PORT}`;
  await writeFile(file, kamailioConfiguration({ host, port: PORT, domain: DOMAIN, password: PASSWORD, called }));
  return new Program({ command, args: ['-f', file, '-DD', '-E', '-m', '512', '-M', '16', '-Y', run], cpu: PEER_CPU });
}

function udpBound(host: string, port: number): boolean {
  const hex = host
    .split('.')
    .reverse()
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('');
  const wanted = `${hex}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
  return readFileSync('/proc/net/udp', 'utf8').includes(` ${wanted} `);
}
