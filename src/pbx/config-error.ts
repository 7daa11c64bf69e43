import { UsageError } from '../base/errors.js';

/** One option that cannot be used. */
export interface ConfigProblem {
  /** Where: `extensions[2].password`; empty for the options as a whole. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
}

/** The options cannot be used; `problems` lists every fault, the message as well. */
export class PbxConfigError extends UsageError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super('PBX_CONFIG_INVALID', problems.map(describe).join('\n'));
    this.problems = problems;
  }
}

function describe({ path, found, expected }: ConfigProblem): string {
  return `${path === '' ? 'options' : path}: found ${found}, expected ${expected}`;
}

/** A value as a message shows it: short, and never a secret. */
export function show(path: string, value: unknown): string {
  if (value === undefined) return 'nothing';
  if (isSecret(path)) return typeof value === 'string' ? `a text of ${value.length} characters` : typeof value;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint' || typeof value === 'symbol') return typeof value;
  const text = asJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** What JSON cannot show (circles, big integers inside) is named by its type. */
function asJson(value: unknown): string {
  try {
    return JSON.stringify(value, (key, inner: unknown) => (isSecret(key) ? '…' : inner)) ?? typeof value;
  } catch {
    return `an ${typeof value}`;
  }
}

function isSecret(name: string): boolean {
  return /password|secret|(^|\.)key$/i.test(name);
}
