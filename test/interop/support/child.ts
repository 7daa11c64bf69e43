import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { PROGRAM_PATH } from './program-path.js';
import { Recorded } from './recorded.js';

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What to start. Output is kept line by line; input is a pipe that stays open until the end. */
export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Takes the lines of standard output in place of `lines` and `stdout`: for a program that paints a screen, or says too much. */
  readonly takeStdout?: (line: string) => void;
}

/** Programs under way, ended when this process ends, whatever the reason. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) killAll(child);
});

/** SIGKILL to a program and what it has started: the workers of a server outlive their parent, and hold its port. */
function killAll(child: ChildProcess): void {
  const workers = child.pid === undefined ? [] : workersOf(child.pid);
  child.kill('SIGKILL');
  for (const pid of workers) process.kill(pid, 'SIGKILL');
}

function workersOf(pid: number): readonly number[] {
  try {
    return (readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').match(/\d+/g) ?? []).map(Number);
  } catch {
    // it has just ended by itself
    return [];
  }
}

/** One foreign program under our control: its output as lines, its end as a promise. It is only ever ended by its own pid. */
export class Child {
  readonly name: string;
  /** Lines of both outputs, in the order of arrival. */
  readonly lines: Recorded<string>;
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;
  #gone = false;

  constructor(options: ChildOptions) {
    this.name = options.name;
    this.lines = new Recorded(options.name);
    const child = spawn(options.command, [...options.args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PATH: PROGRAM_PATH, TERM: 'dumb', ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.#process = child;
    alive.add(child);
    child.stdin.on('error', (error) => this.lines.push(`stdin: ${error.message}`));
    createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (text) => {
      if (options.takeStdout !== undefined) {
        options.takeStdout(text);
        return;
      }
      const line = stripVTControlCharacters(text);
      this.stdout.push(line);
      this.lines.push(line);
    });
    createInterface({ input: child.stderr, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (text) => {
      const line = stripVTControlCharacters(text);
      this.stderr.push(line);
      this.lines.push(line);
    });
    this.ended = new Promise((resolve) => {
      const finish = (ended: Ended, why: string): void => {
        this.#gone = true;
        alive.delete(child);
        this.lines.end(new Error(`${why}\n${this.tail()}`));
        resolve(ended);
      };
      child.once('error', (error) => finish({ code: null, signal: null }, `${this.name}: ${error.message}`));
      // 'close' rather than 'exit': by then all the output has been read
      child.once('close', (code, signal) => finish({ code, signal }, `${this.name} ended (${code ?? signal})`));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** The last lines of output, for the message of a failed test. */
  tail(count = 25): string {
    return this.lines.items
      .slice(-count)
      .map((line) => `  ${this.name}| ${line}`)
      .join('\n');
  }

  write(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#gone) return;
    if (signal === 'SIGKILL') killAll(this.#process);
    else this.#process.kill(signal);
  }

  /** Asks the program to end, and makes it end after `graceMs` milliseconds. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = 5_000): Promise<Ended> {
    this.signal(signal);
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs);
    const ended = await this.ended;
    clearTimeout(timer);
    return ended;
  }
}
