import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Lab } from './lab.js';

/** Runs a program to its end, which must be a good one; what it wrote, by lines. */
export async function run(lab: Lab, command: string, ...args: readonly string[]): Promise<readonly string[]> {
  const child = lab.spawn({ name: command, command, args });
  const { code } = await child.ended;
  expect(code, child.tail()).toBe(0);
  return child.stdout;
}

/** What SoX reads from a file, by way of its effects: mono samples of 16 bits at the file's rate, without dither. */
export async function asHeardBySox(lab: Lab, file: string, ...effects: readonly string[]): Promise<Int16Array> {
  const raw = `${file}${effects.join('-')}.raw`;
  await run(lab, 'sox', '-D', file, '-t', 'raw', '-e', 'signed', '-b', '16', '-L', '-c', '1', raw, ...effects);
  const bytes = readFileSync(raw);
  return Int16Array.from({ length: bytes.length >> 1 }, (_none, i) => bytes.readInt16LE(2 * i));
}
