import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { BUNDLES } from '../rates/bundle.js';
import type { RelayedCall } from './relayed-call.js';

/** Where the pump's legs are. */
export const PUMP_ADDRESS = '127.0.0.31';
/** The processor of the load; the relay under test has the other. */
const PUMP_CPU = 0;
/** G.711, 20 ms. */
const PAYLOAD_BYTES = 160;

/** What the pump has seen; delays in microseconds. */
export interface Pumped {
  readonly legs: number;
  readonly sent: number;
  readonly received: number;
  /** Came out at a leg where it does not belong, or changed. */
  readonly wrong: number;
  readonly reordered: number;
  /** Sent more than 20 ms behind time: the pump itself was kept waiting. */
  readonly late: number;
  readonly silentLegs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  readonly cpuSeconds: number;
}

/** Compiles the pump with the system's C compiler. Returns the program. */
export function buildPump(): string {
  mkdirSync(BUNDLES, { recursive: true });
  const program = path.join(BUNDLES, 'pump');
  execFileSync('cc', ['-O2', '-Wall', '-o', program, path.resolve('test/bench/relay/pump.c')], { stdio: 'inherit' });
  return program;
}

/** Sends RTP through all calls for so long. */
export function pump(
  program: string,
  relayAddress: string,
  calls: readonly RelayedCall[],
  seconds: number,
): Promise<Pumped> {
  // As urgent as the relay (`Program`): a pump that is kept waiting sends in bursts, which are cheaper to relay.
  const nice = ['nice', '-n', process.env['BENCH_NICE'] ?? '0'];
  const args = [program, PUMP_ADDRESS, relayAddress, String(seconds), String(PAYLOAD_BYTES)];
  const child = spawn('taskset', ['-c', String(PUMP_CPU), ...nice, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  child.stdin.end(calls.map((call) => `${call.ownA} ${call.relayA} ${call.ownB} ${call.relayB}\n`).join(''));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(text) as Pumped);
      else reject(new Error(`the pump ended with ${code}`));
    });
  });
}
