import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { median } from '../harness.js';

/** Several values of one figure. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly n: number;
}

/** The middle and the ends of several values. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), n: values.length };
}

/** Collects figures, prints each as it comes, and writes all of them as JSON at the end. */
export class Report {
  readonly #figures: { readonly what: string; readonly value: unknown; readonly aim: string | undefined }[] = [];

  /** One line of the table: what, the figure as text, and the aim if there is one. `value` goes into the JSON. */
  add(what: string, text: string, value: unknown, aim?: string): void {
    this.#figures.push({ what, value, aim });
    console.log(`${what.padEnd(58)} ${text.padEnd(44)} ${aim === undefined ? '' : `aim: ${aim}`}`);
  }

  /** A remark while a run goes on; not part of the figures. */
  note(text: string): void {
    console.log(`  # ${text}`);
  }

  write(file: string): void {
    const head = { date: new Date().toISOString(), node: process.version, cpu: cpus()[0]?.model ?? 'unknown' };
    writeFileSync(file, `${JSON.stringify({ ...head, figures: this.#figures }, undefined, 2)}\n`);
  }
}

/** `0.412 (0.406–0.425)` */
export function show({ median: middle, min, max }: Spread, digits = 3): string {
  return `${middle.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}
