import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, Program } from './program.js';

/** The processor of the load: the peer under test has the other one. */
const LOAD_CPU = 0;
const SCENARIOS = fileURLToPath(new URL('scenarios/', import.meta.url));
const UAC_ADDRESS = '127.0.0.2';
export const UAS_ADDRESS = '127.0.0.3';
export const UAS_PORT = 5090;
/** Where nobody answers. */
export const RINGING_PORT = 5092;
const UAC_PORT = 5080;

/** What a run of sipp did. */
export interface SippResult {
  readonly ok: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** From the first call to the end of the last. */
  readonly seconds: number;
  /** INVITE to 200, milliseconds, in order; empty unless `times`. */
  readonly times: readonly number[];
}

export interface SippLoad {
  /** A file of scenarios/, without `.xml`. */
  readonly scenario: string;
  /** `address:port` of the peer. */
  readonly peer: string;
  readonly rate: number;
  readonly count: number;
  readonly holdMs?: number;
  /** The user part of the Request-URI, or the domain of registrations. */
  readonly service?: string;
  /** A CSV of users. */
  readonly users?: string;
  /** Keep the time of each set-up. */
  readonly times?: boolean;
  /** The place in the port range, where several load generators run at once. Default 0. */
  readonly index?: number;
  /** How long a call may last beyond its hold time before sipp gives up as a whole, seconds. Default 40. */
  readonly patienceSeconds?: number;
}

/** sipp that makes calls; `done` resolves when the last one is over. */
export class SippClient {
  readonly program: Program;
  readonly #folder: string;
  readonly done: Promise<SippResult>;

  constructor(load: SippLoad) {
    const { scenario, peer, rate, count, holdMs = 0, service = '1000', users, times = false, index = 0 } = load;
    const folder = mkdtempSync(path.join(tmpdir(), 'pbxkit-bench-'));
    this.#folder = folder;
    const seconds = Math.ceil(count / rate + holdMs / 1000) + (load.patienceSeconds ?? 40);
    this.program = sipp(folder, [
      ...['-sf', `${SCENARIOS}${scenario}.xml`, '-i', UAC_ADDRESS, '-p', String(UAC_PORT + 2 * index)],
      ...['-s', service, '-r', String(rate), '-m', String(count), '-l', '60000', '-d', String(holdMs)],
      ...(users === undefined ? [] : ['-inf', users]),
      ...(times ? ['-trace_rtt', '-rtt_freq', '200'] : []),
      ...['-trace_stat', '-stf', 'stat.csv', '-fd', '1', '-timeout', String(seconds), peer],
    ]);
    const started = performance.now();
    this.done = this.program.ended.then(() => ({
      ...statistics(path.join(folder, 'stat.csv'), count),
      seconds: (performance.now() - started) / 1000,
      times: times ? setUpTimes(folder) : [],
    }));
  }

  /** How many calls have failed so far. */
  get failed(): number {
    return statistics(path.join(this.#folder, 'stat.csv'), 0).failed;
  }
}

/** sipp that is called. */
export class SippServer {
  readonly program: Program;

  constructor(scenario: string, port = UAS_PORT) {
    const folder = mkdtempSync(path.join(tmpdir(), 'pbxkit-bench-'));
    this.program = sipp(folder, ['-sf', `${SCENARIOS}${scenario}.xml`, '-i', UAS_ADDRESS, '-p', String(port)]);
  }

  stop(): Promise<void> {
    return this.program.stop();
  }
}

function sipp(cwd: string, args: readonly string[]): Program {
  const command = findProgram('sipp');
  if (command === undefined) throw new Error('sipp is needed: apt-get install sip-tester');
  return new Program({
    command,
    args: ['-nostdin', '-buff_size', '4194304', '-trace_err', ...args],
    cpu: LOAD_CPU,
    cwd,
    loud: false,
  });
}

function statistics(file: string, count: number): Pick<SippResult, 'ok' | 'failed' | 'retransmissions'> {
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const head = (lines[0] ?? '').split(';');
    const last = (lines.at(-1) ?? '').split(';');
    const field = (name: string): number => Number(last[head.indexOf(name)]);
    const ok = field('SuccessfulCall(C)');
    return { ok, failed: Math.max(field('FailedCall(C)'), count - ok), retransmissions: field('Retransmissions(C)') };
  } catch {
    return { ok: 0, failed: count, retransmissions: 0 };
  }
}

function setUpTimes(folder: string): readonly number[] {
  const file = readdirSync(folder).find((name) => name.endsWith('_rtt.csv'));
  if (file === undefined) return [];
  const rows = readFileSync(path.join(folder, file), 'utf8').trim().split('\n').slice(1);
  return rows.map((row) => Number(row.split(';')[1])).sort((a, b) => a - b);
}
