import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { REPOSITORY } from './server.js';
import { readTorture, viasOf } from './sip-text.js';

const CORPORA = path.resolve(REPOSITORY, process.env['PBXKIT_CORPORA'] ?? '../shared/corpora');
const EXPECTATIONS = path.join(CORPORA, 'rfc4475-rfc5118-expected.json');

/** True when the RFC 4475 and RFC 5118 messages are on this machine. */
export const corpusPresent = existsSync(EXPECTATIONS);

/** One message of RFC 4475 or RFC 5118 and what a server owes it. */
export interface TortureMessage {
  readonly rfc: number;
  readonly section: string;
  readonly file: string;
  readonly via_transport: 'UDP' | 'TCP' | 'TLS';
  readonly kind: 'request' | 'response';
  readonly outcome: string;
}

/** The messages, in the RFC's order. */
export function tortureMessages(): TortureMessage[] {
  return JSON.parse(readFileSync(EXPECTATIONS, 'utf8')) as TortureMessage[];
}

export function bytesOf(file: string): Buffer {
  return readFileSync(path.join(CORPORA, file));
}

/**
 * What a registrar and B2BUA that asks for credentials first may say to a request that is in order, but comes from a stranger
 * and means nobody here.
 */
const ORDINARY = [200, 401, 403, 404, 407, 480];
const ORDINARY_WORDS =
  /\b2(xx|00)\b|normal|by policy|tolerate|infer|ignore|matching|may route|any REGISTER|endpoint processes|to the REGISTER/;

/**
 * The statuses that fit an outcome in words. Codes count as written; words such as "normal processing", "or tolerate" or
 * "by policy" add what an ordinary request of a stranger gets. No status: silence is owed.
 */
export function allowedStatuses(message: TortureMessage): readonly number[] {
  if (message.kind === 'response') return [];
  const words = message.outcome.replace(/\(400 is tolerated by nobody[^)]*\)/, '');
  const codes = [...words.matchAll(/\b([2-6]\d\d)\b/g)].map(([, code]) => Number(code));
  const more: number[] = ORDINARY_WORDS.test(words) ? ORDINARY : [];
  // 406 is owed by who would answer the call; a server that asks for credentials does so first (RFC 3261 §8.2, §22)
  if (message.file.endsWith('sdp01.dat')) more.push(407);
  return [...new Set([...codes, ...more])];
}

/** Silence is as good as the answer: too little is left of the request to answer it with certainty. */
export function mayBeSilent(message: TortureMessage): boolean {
  return message.kind === 'response' || message.outcome.includes('ideally');
}

/** Where the answer to a datagram goes when it has no rport: the source address, the port of the topmost Via, else 5060 (RFC 3261 §18.2.2). */
export function answerPort(bytes: Buffer, sourcePort: number): number {
  const [via] = viasOf(readTorture(bytes));
  if (via === undefined) return 5060;
  const [sentBy = '', ...parameters] = via.replace(/\s*\/\s*/g, '/').split(';');
  if (parameters.some((parameter) => parameter.trim() === 'rport')) return sourcePort;
  const host = sentBy.trim().split(/\s+/).at(-1) ?? '';
  const port = /^(?:\[[^\]]*\]|[^:[\]]+)\s*:\s*(\d+)$/.exec(host)?.[1];
  return port === undefined ? 5060 : Number(port);
}

/** What a server takes for a transaction (RFC 3261 §17.2.3): two messages with the same key must not meet one server. */
export function transactionKey(bytes: Buffer): string {
  const message = readTorture(bytes);
  const [via = ''] = viasOf(message);
  return `${message.startLine.split(' ')[0]} ${via.split(';')[0]} ${/branch\s*=\s*([^;\s]*)/.exec(via)?.[1]}`;
}
