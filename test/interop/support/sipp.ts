import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Child } from './child.js';
import type { Lab } from './lab.js';
import { freeRtpPorts, freeSipPort, tcpListening, udpBound } from './ports.js';
import { until } from './recorded.js';

/** One run of sipp with one scenario and one call, or many. */
export interface SippOptions {
  /** For messages: "caller", "phone 3". */
  readonly name: string;
  /** The scenario, XML. */
  readonly scenario: string;
  /** Where it calls; absent for a scenario that waits to be called. */
  readonly server?: { readonly host: string; readonly port: number };
  readonly transport?: 'udp' | 'tcp';
  /** Its own address, of the loopback network; default 127.0.0.1. */
  readonly host?: string;
  /** Its own port there; the same for the registration and the calls of one phone. */
  readonly port: number;
  /** After so many calls it ends; default 1. */
  readonly calls?: number;
  /** Calls that begin in a second, by a scenario that calls; default 10. */
  readonly callsPerSecond?: number;
  /** Calls at a time, by a scenario that calls; it waits before it begins more. */
  readonly atOnce?: number;
  /** The whole run, in seconds; default 20. */
  readonly timeoutSeconds?: number;
  /** Messages that arrive during a pause are thrown away, as if the network had lost them. */
  readonly deafWhilePausing?: boolean;
}

/** One message on the wire as sipp saw it. */
export interface SippMessage {
  readonly direction: 'sent' | 'received';
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a run of sipp came to. */
export interface SippResult {
  readonly exitCode: number | null;
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  readonly messages: readonly SippMessage[];
  /** What sipp complained about; empty when all went by the scenario. */
  readonly errors: string;
  /** The messages in the notation of the flows: `>INVITE`, `<180`. Retransmissions are in it. */
  readonly ladder: readonly string[];
}

/** Where a run writes to. */
interface SippFiles {
  readonly messages: string;
  readonly errors: string;
  readonly stats: string;
}

/** A running sipp. */
export class Sipp {
  readonly port: number;
  readonly #name: string;
  readonly #child: Child;
  readonly #files: SippFiles;

  /** Resolves when its socket is open: from then on it can be called. */
  static async start(lab: Lab, options: SippOptions): Promise<Sipp> {
    const dir = lab.folder(`sipp-${options.port}-${counter++}`);
    const scenario = path.join(dir, 'scenario.xml');
    writeFileSync(scenario, options.scenario);
    const files = {
      messages: path.join(dir, 'messages.log'),
      errors: path.join(dir, 'errors.log'),
      stats: path.join(dir, 'stats.csv'),
    };
    const { host = '127.0.0.1', calls = 1 } = options;
    const seconds = options.timeoutSeconds ?? 20;
    // -nostdin: else it stops as soon as it looks for keys; -timeout_error: else running out of time looks like success
    const args = ['-sf', scenario, '-i', host, '-p', String(options.port), '-m', String(calls), '-nostdin'];
    args.push('-t', options.transport === 'tcp' ? 't1' : 'u1', '-mp', String(await freeRtpPorts(4)));
    args.push('-timeout', `${seconds}s`, '-timeout_error', '-trace_msg', '-message_file', files.messages);
    args.push('-trace_err', '-error_file', files.errors, '-trace_stat', '-stf', files.stats, '-fd', '1');
    if (options.callsPerSecond !== undefined) args.push('-r', String(options.callsPerSecond));
    if (options.atOnce !== undefined) args.push('-l', String(options.atOnce));
    if (options.deafWhilePausing === true) args.push('-pause_msg_ign');
    if (options.server !== undefined) args.push(`${options.server.host}:${options.server.port}`);
    const child = lab.spawn({
      name: `sipp ${options.name}`,
      command: 'sipp',
      args,
      cwd: dir,
      takeStdout: () => undefined,
    });
    const sipp = new Sipp(child, options, files);
    // a caller on TCP listens nowhere: it connects; and it is at work at once
    if (options.server === undefined) await sipp.#opened(host, options.transport ?? 'udp');
    return sipp;
  }

  private constructor(child: Child, options: SippOptions, files: SippFiles) {
    this.#child = child;
    this.#name = options.name;
    this.#files = files;
    this.port = options.port;
  }

  async #opened(host: string, transport: 'udp' | 'tcp'): Promise<void> {
    const bound = transport === 'udp' ? udpBound : tcpListening;
    await until(() => {
      if (this.#child.gone)
        throw new Error(`sipp ${this.#name} ended: ${this.#read(this.#files.errors)}\n${this.#child.tail()}`);
      return bound(host, this.port);
    }, `sipp ${this.#name} on port ${this.port}`);
  }

  /** Ends it now, whatever it was doing; `done` tells what it has seen. */
  stop(): Promise<unknown> {
    return this.#child.stop('SIGTERM');
  }

  /** Waits for its end (bounded by its own time limit), whatever the outcome. */
  async done(): Promise<SippResult> {
    const ended = await this.#child.ended;
    const messages = parseTrace(this.#read(this.#files.messages));
    const stats = lastLine(this.#read(this.#files.stats));
    return {
      exitCode: ended.code,
      successful: stats('SuccessfulCall(C)'),
      failed: stats('FailedCall(C)'),
      retransmissions: stats('Retransmissions(C)'),
      messages,
      errors: this.#read(this.#files.errors),
      ladder: messages.map(({ direction, text }) => (direction === 'sent' ? '>' : '<') + startOf(text)),
    };
  }

  /** Waits for its end and insists that everything went by the scenario. */
  async succeeded(): Promise<SippResult> {
    const result = await this.done();
    if (result.exitCode !== 0 || result.failed > 0) {
      const seen = result.messages.map(({ direction, text }) => `${direction}:\n${text}`).join('\n');
      throw new Error(
        `sipp ${this.#name}: exit code ${result.exitCode}, ${result.failed} failed; ${result.ladder.join(' ')}\n${result.errors}\n${seen}`,
      );
    }
    return result;
  }

  #read(file: string): string {
    return existsSync(file) ? readFileSync(file, 'latin1') : '';
  }
}

let counter = 0;

/** A free port for a sipp phone. */
export const sippPort = freeSipPort;

/** Runs a scenario to its end and insists on success. */
export async function runSipp(lab: Lab, options: SippOptions): Promise<SippResult> {
  return (await Sipp.start(lab, options)).succeeded();
}

/** `-trace_msg`: a ruler of dashes with the time, a line `UDP message sent (N bytes):` or `UDP message received [N] bytes :`, the message. */
function parseTrace(trace: string): SippMessage[] {
  return trace
    .split(/^-{20,} /m)
    .slice(1)
    .map((entry) => {
      const head = /^(\S+ \S+)\r?\n(?:UDP|TCP) message (sent|received)[^\n]*\n\r?\n/.exec(entry);
      if (head === null) throw new Error(`sipp's trace has an entry of a new kind: ${entry.slice(0, 200)}`);
      const [whole, time, direction] = head;
      return {
        direction: direction === 'sent' ? ('sent' as const) : ('received' as const),
        at: Date.parse(`${(time ?? '').replace(' ', 'T').slice(0, 23)}Z`),
        text: entry.slice(whole.length),
      };
    });
}

function startOf(text: string): string {
  const [first, second] = text.split(' ', 2);
  return (first === 'SIP/2.0' ? second : first) ?? '';
}

/** The statistics file: a line of names, then one line a second; the last one counts. */
function lastLine(csv: string): (column: string) => number {
  const lines = csv.trim().split('\n');
  const [names, values] = [lines[0]?.split(';') ?? [], lines.at(-1)?.split(';') ?? []];
  return (column) => Number(values[names.indexOf(column)] ?? Number.NaN);
}

/** The body of a message, as text. */
export function bodyOf(message: SippMessage): string {
  return message.text
    .split(/\r?\n\r?\n/)
    .slice(1)
    .join('\n\n')
    .trim();
}

/** The first value of a header, by its long name. */
export function headerOf(message: SippMessage, name: string): string | undefined {
  const head = message.text.split(/\r?\n\r?\n/)[0] ?? '';
  const line = head.split(/\r?\n/).find((text) => text.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return line?.slice(name.length + 1).trim();
}
