import { WORD } from '../chars.js';
import { getParam, type Params, putParams, readParams, withoutParam } from '../params.js';
import { SipParseError } from '../parse-error.js';
import { putText, written } from '../put.js';
import { Scanner } from '../scanner.js';
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
  return scanner.run(WORD, 'a Call-ID');
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
export function parseReplaces(text: string): Replaces {
  return readReplaces(Scanner.of(text));
}

const readReplaces = whole((scanner): Replaces => {
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

/** The value of a Replaces header as text. @throws UsageError PBX_INVALID_ARGUMENT for CR or LF in a part. */
export function formatReplaces(value: Replaces): string {
  return written(putReplaces, value);
}

function putReplaces(start: number, value: Replaces): number {
  let pos = start;
  const early = value.earlyOnly ? ';early-only' : '';
  pos = putText(pos, `${value.callId};to-tag=${value.toTag};from-tag=${value.fromTag}${early}`);
  pos = putParams(pos, value.params);
  return pos;
}

/** Replaces or Join. */
export function replaces(name: string): HeaderCodec<Replaces> {
  return single(name, readReplaces, putReplaces);
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
  (start, value) => {
    let pos = start;
    pos = putText(pos, `${value.callId};local-tag=${value.localTag};remote-tag=${value.remoteTag}`);
    pos = putParams(pos, value.params);
    return pos;
  },
);
