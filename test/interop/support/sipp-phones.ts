import type { Lab } from './lab.js';
import { registration } from './parties.js';
import { type Step, scenario } from './scenario.js';
import type { SipServer } from './server.js';
import { headerOf, runSipp, Sipp, type SippMessage, type SippOptions, type SippResult, sippPort } from './sipp.js';

type Address = Pick<SipServer, 'host' | 'port'>;
type RunOptions = Pick<SippOptions, 'host' | 'transport' | 'deafWhilePausing' | 'timeoutSeconds'>;

/** Registers a phone with digest; it then waits for its call at the same port. */
export async function phone(
  lab: Lab,
  server: Address,
  number: string,
  steps: readonly Step[],
  options: RunOptions = {},
): Promise<Sipp> {
  const port = await sippPort();
  await runSipp(lab, { name: `registration ${number}`, scenario: scenario(registration(number)), server, port });
  return Sipp.start(lab, { name: `phone ${number}:${port}`, scenario: scenario(steps), port, ...options });
}

/** Starts a phone that calls at once; it need not be registered. */
export async function caller(
  lab: Lab,
  server: Address,
  number: string,
  steps: readonly Step[],
  options: RunOptions = {},
): Promise<Sipp> {
  const port = await sippPort();
  return Sipp.start(lab, { name: `caller ${number}`, scenario: scenario(steps), server, port, ...options });
}

/** The messages received that start so: a method, or `SIP/2.0 180`. */
export function received(result: SippResult, start: string): SippMessage[] {
  return result.messages.filter(({ direction, text }) => direction === 'received' && text.startsWith(`${start} `));
}

/** The answers received to requests of a method. */
export function answers(result: SippResult, status: number, method: string): SippMessage[] {
  return received(result, `SIP/2.0 ${status}`).filter((message) => headerOf(message, 'CSeq')?.endsWith(method));
}

/** The ladder as the flows give it: 100 may or may not come. */
export function ladderOf(result: SippResult): readonly string[] {
  return result.ladder.filter((step) => step !== '<100');
}

/**
 * The ladder without repetitions, which a busy machine brings about: of messages that are equal in kind, CSeq and tags the first. What
 * is answered twice with another tag stays.
 */
export function flowOf({ messages, ladder }: SippResult): readonly string[] {
  const seen = new Set<string>();
  return ladder.filter((step, i) => {
    const message = messages[i];
    if (message === undefined || step === '<100') return false;
    const key = [step, ...['CSeq', 'From', 'To'].map((name) => headerOf(message, name))].join(' ');
    const isFirst = !seen.has(key);
    seen.add(key);
    return isFirst;
  });
}
