import { formatParams, getParam, type Params, readParams, withoutParam } from '../params.js';
import { SipParseError } from '../parse-error.js';
import type { Scanner } from '../scanner.js';
import { type HeaderCodec, single, whole } from './codec.js';

/** Replaces (RFC 3891 §6.1) and Join (RFC 3911). */
export interface Replaces {
  readonly callId: string;
  readonly toTag: string;
  readonly fromTag: string;
  /** `early-only`; always false in Join. */
  readonly earlyOnly: boolean;
  /** The other parameters. */
  readonly params: Params;
}

/** Target-Dialog (RFC 4538 §7). */
export interface TargetDialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly params: Params;
}

function readCallId(scanner: Scanner): string {
  const start = scanner.pos;
  const semicolon = scanner.text.indexOf(';', start);
  let end = semicolon < 0 ? scanner.text.length : semicolon;
  while (end > start && scanner.text.charCodeAt(end - 1) <= 0x20) end--;
  if (end === start) scanner.fail('a Call-ID');
  scanner.pos = end;
  return scanner.text.slice(start, end);
}

function need(params: Params, name: string): string {
  const value = getParam(params, name);
  if (value === undefined || value === '') throw new SipParseError(`${name} is missing`);
  return value;
}

function without(params: Params, ...names: string[]): Params {
  return names.reduce(withoutParam, params);
}

/** Parses the value of a Replaces header, also one that stood escaped in a Refer-To. @throws SipParseError */
export const parseReplaces: (text: string) => Replaces = whole((scanner) => {
  const callId = readCallId(scanner);
  const all = readParams(scanner);
  return {
    callId,
    toTag: need(all, 'to-tag'),
    fromTag: need(all, 'from-tag'),
    earlyOnly: getParam(all, 'early-only') !== undefined,
    params: without(all, 'to-tag', 'from-tag', 'early-only'),
  };
});

/** The value of a Replaces header as text. */
export function formatReplaces(value: Replaces): string {
  const early = value.earlyOnly ? ';early-only' : '';
  return `${value.callId};to-tag=${value.toTag};from-tag=${value.fromTag}${early}${formatParams(value.params)}`;
}

/** Replaces or Join. */
export function replaces(name: string): HeaderCodec<Replaces> {
  return single(name, parseReplaces, formatReplaces);
}

export const targetDialogCodec = single<TargetDialog>(
  'Target-Dialog',
  whole((scanner) => {
    const callId = readCallId(scanner);
    const all = readParams(scanner);
    return {
      callId,
      localTag: need(all, 'local-tag'),
      remoteTag: need(all, 'remote-tag'),
      params: without(all, 'local-tag', 'remote-tag'),
    };
  }),
  (value) => `${value.callId};local-tag=${value.localTag};remote-tag=${value.remoteTag}${formatParams(value.params)}`,
);
