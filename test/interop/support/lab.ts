import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Child, type ChildOptions } from './child.js';

/** Something that must be ended after a test. */
export interface Stoppable {
  stop(): Promise<unknown>;
}

/**
 * One test's (or one file's) programs, sockets and files. `close()` ends every program by its pid and removes the folder;
 * with `PBXKIT_INTEROP_KEEP=1` the folder stays for a look.
 */
export class Lab {
  #dir: string | undefined;
  readonly #things: Stoppable[] = [];
  readonly #children: Child[] = [];

  /** Made when first asked for: a file whose tests are all skipped never closes its lab. */
  get dir(): string {
    this.#dir ??= mkdtempSync(path.join(tmpdir(), 'pbxkit-interop-'));
    return this.#dir;
  }

  /** A fresh folder of this lab. */
  folder(name: string): string {
    const dir = path.join(this.dir, name);
    mkdirSync(dir, { recursive: true });
    return dir;
  }

  own<T extends Stoppable>(thing: T): T {
    this.#things.push(thing);
    return thing;
  }

  spawn(options: ChildOptions): Child {
    const child = new Child(options);
    this.#children.push(child);
    this.#things.push(child);
    return child;
  }

  /** What the programs said last. */
  report(): string {
    return this.#children.map((child) => child.tail()).join('\n');
  }

  async close(): Promise<void> {
    for (const thing of this.#things.splice(0).reverse()) await thing.stop();
    if (this.#dir === undefined || process.env['PBXKIT_INTEROP_KEEP'] === '1') return;
    rmSync(this.#dir, { recursive: true, force: true });
    this.#dir = undefined;
  }
}

/** Runs a test with a lab of its own, closed in any case. */
export async function withLab(body: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = new Lab();
  try {
    await body(lab);
  } finally {
    await lab.close();
  }
}
