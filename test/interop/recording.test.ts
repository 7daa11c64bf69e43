/** What a program records of calls with real phones, as SoX reads it: also when the program is killed under them. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { toneDbov } from '../../src/protocol/audio/goertzel.js';
import type { Lab } from './support/lab.js';
import { freeSipPort } from './support/ports.js';
import { interopTest } from './support/programs.js';
import { REPOSITORY } from './support/server.js';
import { heardMore, PATIENCE, phone } from './support/serving.js';
import { asHeardBySox, run } from './support/sox.js';

const OFFICE = fileURLToPath(new URL('./support/recording-office.ts', import.meta.url));
const PHONE_HZ = 440;
const SERVER_HZ = 1_000;
/** By number: whether the tone of the phone and that of the server are heard in each of its channels. */
const EXPECTED = {
  mixed: [{ phone: true, server: true }],
  stereo: [
    { phone: true, server: false },
    { phone: false, server: true },
  ],
} as const;

/** The last second of a recording has in each channel what it should. Resolves to its length in seconds, as SoX says it. */
async function judged(lab: Lab, file: string, kind: keyof typeof EXPECTED): Promise<number> {
  const channels = EXPECTED[kind];
  expect(await run(lab, 'soxi', '-c', file)).toEqual([String(channels.length)]);
  for (const [i, heard] of channels.entries()) {
    const all = await asHeardBySox(lab, file, 'remix', String(i + 1));
    const last = all.subarray(-8_000);
    expect(last, 'the last second').toHaveLength(8_000);
    expect(toneDbov(last, PHONE_HZ) > -20, `the phone in channel ${i + 1}`).toBe(heard.phone);
    expect(toneDbov(last, SERVER_HZ) > -20, `the server in channel ${i + 1}`).toBe(heard.server);
  }
  const seconds = Number((await run(lab, 'soxi', '-D', file))[0]);
  // The header knows of all that is there: what is more is the header itself.
  const header = statSync(file).size - seconds * 16_000 * channels.length;
  expect([header >= 44, header < 100], `${header} bytes beside the sound`).toEqual([true, true]);
  return seconds;
}

describe('recorded calls', () => {
  interopTest(
    'both directions, mixed and in stereo: complete after the call; kill -9 under calls leaves files of the right sizes',
    { needs: ['baresip', 'sox', 'soxi'], timeoutMs: 120_000 },
    async (own) => {
      const [host, port, folder] = ['127.0.0.36', await freeSipPort(), own.folder('recordings')];
      const office = own.spawn({
        name: 'office',
        command: process.execPath,
        args: ['--import', 'tsx', OFFICE, host, String(port), folder],
        cwd: REPOSITORY,
      });
      await office.lines.wait((line) => line === 'ready', { timeoutMs: 40_000, what: 'the office' });
      const phones = await Promise.all(
        ['100', '101', '102', '103'].map((number) => phone(own, number, { server: { host, port }, toneHz: PHONE_HZ })),
      );
      await Promise.all(phones.map((each, i) => each.dial(`70${i}`)));
      await Promise.all(phones.map((each) => each.event('CALL_ESTABLISHED', PATIENCE)));
      await Promise.all(phones.map((each) => heardMore(each, 2.5)));
      for (const [i, kind] of (['mixed', 'stereo'] as const).entries()) {
        await phones[i]?.command('hangup');
        const start = `recorded 70${i} closed `;
        const told = await office.lines.wait((line) => line.startsWith(start), { ...PATIENCE, what: start });
        const seconds = await judged(own, path.join(folder, `70${i}.wav`), kind);
        expect(seconds).toBeCloseTo(Number(told.slice(start.length)) / 1_000, 3);
        expect(seconds).toBeGreaterThan(2);
      }
      expect(await office.stop('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
      // Asked kindly, each would wait for a server that is no more.
      await Promise.all(phones.map(({ child }) => child.stop('SIGKILL')));
      // Of the seconds since they began the last one may be lost.
      expect(await judged(own, path.join(folder, '702.wav'), 'mixed')).toBeGreaterThanOrEqual(1);
      expect(await judged(own, path.join(folder, '703.wav'), 'stereo')).toBeGreaterThanOrEqual(1);
    },
  );
});
