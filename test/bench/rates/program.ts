import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Programs under way, ended when this process ends, whatever the reason. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The processor that it is pinned to. */
  readonly cpu: number;
  readonly cwd?: string;
  /** Its standard error is shown. Default true. */
  readonly loud?: boolean;
  /** With a channel for `ask`. */
  readonly ipc?: boolean;
}

/** One program that we started, pinned to a processor; it is only ever ended by its own pid. */
export class Program {
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  #asked = 0;
  #gone = false;

  constructor(options: ProgramOptions) {
    const { command, args, cpu, cwd, loud = true, ipc = false } = options;
    const nice = ['nice', '-n', process.env['BENCH_NICE'] ?? '0'];
    this.#child = spawn('taskset', ['-c', String(cpu), ...nice, command, ...args], {
      stdio: ['ignore', 'ignore', loud ? 'inherit' : 'ignore', ...(ipc ? (['ipc'] as const) : [])],
      env: { ...process.env, TERM: 'dumb' },
      ...(cwd === undefined ? {} : { cwd }),
    });
    const child = this.#child;
    alive.add(child);
    this.ended = new Promise((resolve) => {
      const finish = (code: number | null): void => {
        this.#gone = true;
        alive.delete(child);
        resolve(code);
      };
      child.once('error', (error) => {
        console.error(`${command}: ${error.message}`);
        finish(null);
      });
      child.once('exit', finish);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Sends a question over the channel; resolves to the answer, rejects when the program ends before. */
  ask<T>(question: string, detail?: unknown): Promise<T> {
    const child = this.#child;
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      const onMessage = (message: { readonly id: number; readonly answer: T }): void => {
        if (message.id !== id) return;
        stop();
        resolve(message.answer);
      };
      const onExit = (): void => {
        stop();
        reject(new Error(`the program ended before it answered "${question}"`));
      };
      const stop = (): void => {
        child.off('message', onMessage);
        child.off('exit', onExit);
      };
      child.on('message', onMessage);
      child.once('exit', onExit);
      child.send({ id, question, detail });
    });
  }

  async stop(): Promise<void> {
    if (this.#gone) return;
    this.#child.kill('SIGTERM');
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await this.ended;
    clearTimeout(hard);
  }
}

/** What a process and its children have used so far. */
export interface Usage {
  readonly userSeconds: number;
  readonly sysSeconds: number;
}

/** Clock ticks of /proc in a second. */
const TICKS = 100;

/** CPU time of `pid` and of all its living children, by /proc. */
export function usageOf(pid: number): Usage {
  let userSeconds = 0;
  let sysSeconds = 0;
  for (const each of familyOf(pid)) {
    const fields = statOf(each);
    userSeconds += Number(fields[11] ?? 0) / TICKS;
    sysSeconds += Number(fields[12] ?? 0) / TICKS;
  }
  return { userSeconds, sysSeconds };
}

/** Busy CPU seconds of the whole machine so far. */
export function machineBusySeconds(): number {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) / TICKS;
}

/** Where a program is in PATH; undefined when it is not. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

function familyOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...(children === '' ? [] : children.split(' ').flatMap((each) => familyOf(Number(each))))];
  } catch {
    return [pid]; // it has ended meanwhile
  }
}

function statOf(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return []; // it has ended meanwhile
  }
}
