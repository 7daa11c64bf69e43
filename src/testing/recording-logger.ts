import type { Millis } from '../base/clock.js';
import { errorText } from '../base/errors.js';
import type { Logger, LogMethod } from '../base/logger.js';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface LogLine {
  readonly at: Millis;
  readonly level: LogLevel;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** A logger that keeps its lines, with their virtual time, for a test to look at. */
export class RecordingLogger implements Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  readonly #now: () => Millis;
  readonly #bindings: Readonly<Record<string, unknown>>;
  readonly #lines: LogLine[];

  constructor(now: () => Millis, bindings: Readonly<Record<string, unknown>> = {}, lines: LogLine[] = []) {
    this.#now = now;
    this.#bindings = bindings;
    this.#lines = lines;
    const at =
      (level: LogLevel): LogMethod =>
      (fields, text = '') => {
        lines.push({ at: now(), level, fields: { ...bindings, ...fields }, text });
      };
    this.trace = at('trace');
    this.debug = at('debug');
    this.info = at('info');
    this.warn = at('warn');
    this.error = at('error');
    this.fatal = at('fatal');
  }

  child(bindings: Readonly<Record<string, unknown>>): Logger {
    return new RecordingLogger(this.#now, { ...this.#bindings, ...bindings }, this.#lines);
  }

  /** The lines of `level` and above, those of child loggers included. */
  lines(level: LogLevel = 'trace'): readonly LogLine[] {
    const lowest = LEVELS.indexOf(level);
    return this.#lines.filter((line) => LEVELS.indexOf(line.level) >= lowest);
  }

  /** One line of text for each. */
  format(level: LogLevel = 'trace'): string {
    return this.lines(level)
      .map((line) => `${(line.at / 1000).toFixed(3)} ${line.level} ${line.text} ${formatFields(line.fields)}`.trimEnd())
      .join('\n');
  }
}

function formatFields(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value instanceof Error ? errorText(value) : asText(value)}`)
    .join(' ');
}

function asText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
