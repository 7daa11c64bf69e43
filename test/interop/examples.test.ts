/** The examples as a newcomer starts them, with his mistakes: one line says what, where and what to do, and the exit code is 1. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Child } from './support/child.js';
import { type Lab, withLab } from './support/lab.js';
import { UdpPeer } from './support/peers.js';
import { REPOSITORY } from './support/server.js';

const NAMES = readdirSync(path.join(REPOSITORY, 'examples'));
/** Those that open sockets: all on port 5060. */
const SERVING = ['echo-test', 'music-line', 'talking-clock', 'small-office'];

/** `npm run example -- …`, in a folder of the lab. */
function example(lab: Lab, ...args: string[]): Child {
  return lab.spawn({
    name: args.join(' '),
    command: process.execPath,
    args: [path.join(REPOSITORY, 'scripts/example.mjs'), ...args],
    cwd: lab.dir,
  });
}

/** What it says before it ends with 1: a single line on standard error. */
async function complaintOf(child: Child): Promise<string> {
  const ended = await child.ended;
  expect([ended, child.stdout, child.stderr.length], child.tail()).toEqual([{ code: 1, signal: null }, [], 1]);
  return child.stderr[0] ?? '';
}

describe('mistakes of a newcomer', () => {
  test('the port is taken: which, and what to do', () =>
    withLab(async (lab) => {
      const taken = await UdpPeer.bind('127.0.0.1', 5060).catch((error: NodeJS.ErrnoException) => {
        // Another program of this machine has it: taken it is.
        if (error.code !== 'EADDRINUSE') throw error;
      });
      if (taken !== undefined) lab.own(taken);
      const complaints = SERVING.map((name) => complaintOf(example(lab, name)));
      for (const [i, complaint] of (await Promise.all(complaints)).entries()) {
        expect(complaint).toContain('ListenError [PBX_PORT_IN_USE] udp://127.0.0.1:5060 is taken by another program');
        expect(complaint).toContain('choose another port in `listen` or stop that program');
        if (SERVING[i] !== 'small-office') expect(complaint).toMatch(`examples/${SERVING[i]}/main.ts: `);
      }
    }));

  test('a misspelled option: what was found and what was expected, before anything begins', () =>
    withLab(async (lab) => {
      const complaints = NAMES.map((name) => complaintOf(example(lab, name, '--sed')));
      for (const complaint of await Promise.all(complaints)) {
        expect(complaint).toMatch(/found --sed, expected (nothing|a whole number|a file|a folder|--config FILE)/);
        expect(complaint).toMatch(/ --help\)$/);
      }
    }));

  test('a file that is no WAV file', () =>
    withLab(async (lab) => {
      const file = path.join(lab.dir, 'song.mp3');
      writeFileSync(file, 'ID3 and so on');
      const complaint = await complaintOf(example(lab, 'music-line', file));
      expect(complaint).toBe(
        'examples/music-line/main.ts: WavError [WAV_PARSE] WAV offset 0: found "ID3 ", expected RIFF, RIFX or RF64',
      );
    }));

  test('a name that is none: the names are told', () =>
    withLab(async (lab) => {
      const child = example(lab, 'nat-cur');
      expect(await child.ended).toEqual({ code: 2, signal: null });
      expect(child.stderr).toEqual([
        `usage: npm run example -- NAME, where NAME is one of: ${[...NAMES].sort().join(', ')}`,
      ]);
    }));
});

describe('--help', () => {
  test('each tells what it is and how it is called', () =>
    withLab(async (lab) => {
      const told = await Promise.all(
        NAMES.map(async (name) => {
          const child = example(lab, name, '--help');
          expect(await child.ended, child.tail()).toEqual({ code: 0, signal: null });
          return [name, child.stdout.join('\n')] as const;
        }),
      );
      for (const [name, text] of told) {
        expect(text).toContain(name === 'small-office' ? 'npm start -- --config FILE' : `npm run example -- ${name}`);
      }
    }));

  test('a head names no argument that the runner cannot look at', () => {
    const runner = readFileSync(path.join(REPOSITORY, 'scripts/example.mjs'), 'utf8');
    for (const name of NAMES) {
      const main = readFileSync(path.join(REPOSITORY, 'examples', name, 'main.ts'), 'utf8');
      const [, words = ''] = new RegExp(`npm run example -- ${name}(.*)`).exec(main) ?? [];
      for (const [, word = ''] of words.matchAll(/\[([^\]]+)\]/g)) expect(runner).toMatch(`${word}`);
    }
  });
});
