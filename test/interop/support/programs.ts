import { accessSync, constants } from 'node:fs';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { test } from 'vitest';
import { Lab } from './lab.js';
import { PROGRAM_PATH } from './program-path.js';

/** The foreign programs of Debian 12 that the interop tests drive, and its package for each. */
const PACKAGES = {
  baresip: 'baresip',
  sox: 'sox',
  soxi: 'sox',
  'espeak-ng': 'espeak-ng',
  sipp: 'sip-tester',
  sipsak: 'sipsak',
  'linphone-daemon': 'linphone-cli',
  linphonec: 'linphone-cli',
  kamailio: 'kamailio',
  tshark: 'tshark',
  openssl: 'openssl',
  turnserver: 'coturn',
  turnutils_stunclient: 'coturn',
  turnutils_natdiscovery: 'coturn',
  stun: 'stun-client',
  rtpengine: 'rtpengine-daemon',
  ip: 'iproute2',
  iptables: 'iptables',
} as const;

/** What a test cannot do without: a program, or the machine's IPv6 loopback address. */
export type Need = keyof typeof PACKAGES | 'ipv6';

/** With `PBXKIT_REQUIRE_INTEROP=1` nothing may be left out: a missing program fails its tests. */
const required = process.env['PBXKIT_REQUIRE_INTEROP'] === '1';

/** The path of a program, or undefined when the machine has none. Debian keeps servers in /usr/sbin, not on everyone's PATH. */
export function findProgram(name: string): string | undefined {
  for (const dir of PROGRAM_PATH.split(path.delimiter)) {
    const file = path.join(dir, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not here: the next folder
    }
  }
  return undefined;
}

function missing(needs: readonly Need[]): string | undefined {
  for (const need of needs) {
    if (need === 'ipv6') {
      const has = Object.values(networkInterfaces()).some((list) => list?.some((entry) => entry.address === '::1'));
      if (!has) return 'the address ::1';
    } else if (findProgram(need) === undefined) {
      return `${need} (Debian package ${PACKAGES[need]})`;
    }
  }
  return undefined;
}

/** What one interop test is. */
export interface InteropTest {
  readonly needs: readonly Need[];
  /** Runs at the same time as its concurrent neighbours in the file; for tests that mostly wait. */
  readonly concurrent?: boolean;
  /** Milliseconds; default 60 000. */
  readonly timeoutMs?: number;
}

/**
 * A test that gets a lab of its own, closed afterwards in any case. When something that it needs is absent it is skipped and
 * its name says why; a failure shows what the programs said last.
 */
export function interopTest(name: string, options: InteropTest, body: (lab: Lab) => Promise<void>): void {
  const absent = missing(options.needs);
  if (absent !== undefined && !required) {
    test.skip(`${name} (left out: this machine lacks ${absent})`, () => undefined);
    return;
  }
  const run = options.concurrent === true ? test.concurrent : test;
  run(name, { timeout: options.timeoutMs ?? 60_000 }, async () => {
    if (absent !== undefined) throw new Error(`this machine lacks ${absent}`);
    const lab = new Lab();
    try {
      await body(lab);
    } catch (error) {
      const report = lab.report();
      if (error instanceof Error && report !== '') error.message += `\n${report}`;
      throw error;
    } finally {
      await lab.close();
    }
  });
}

/** Whether a file's shared server is worth starting: some test of the file can run. */
export function anyPossible(...needs: readonly (readonly Need[])[]): boolean {
  return required || needs.some((list) => missing(list) === undefined);
}
