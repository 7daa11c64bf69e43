import type { Lab } from './lab.js';

/** What sipsak got. */
export interface SipsakResult {
  /** 0: a 2xx came; its own numbers otherwise. */
  readonly exitCode: number | null;
  /** Status codes of the answers in the order of arrival. */
  readonly statuses: readonly number[];
  /** Everything it printed, messages included. */
  readonly output: string;
}

/** Runs sipsak 0.9.8.1 to its end. The port in a URI must have four digits: it reads no more. */
export async function sipsak(lab: Lab, args: readonly string[]): Promise<SipsakResult> {
  const child = lab.spawn({ name: 'sipsak', command: 'sipsak', args: ['-vvv', ...args] });
  const timer = setTimeout(() => child.signal('SIGKILL'), 20_000);
  const { code } = await child.ended;
  clearTimeout(timer);
  const output = child.lines.items.join('\n');
  const statuses = [...output.matchAll(/^SIP\/2\.0 (\d{3})/gm)].map(([, status]) => Number(status));
  return { exitCode: code, statuses, output };
}
