import type { DtmfDigit } from '../../protocol/audio/dtmf.js';
import type { SipRequest } from '../../protocol/sip/message.js';
import { readable } from '../../protocol/sip/parse-error.js';

/** Digits as vendors write them in `Signal=`: by name or by RFC 4733 event. */
const BY_EVENT = '0123456789*#ABCD';
/** More than any digit needs. */
const MAX_BODY_BYTES = 256;

/** What an INFO is: a digit, one that only asks whether the call lives (`empty`), or something that is not taken. */
export type InfoDigit =
  | { readonly kind: 'digit'; readonly digit: DtmfDigit }
  | { readonly kind: 'empty' }
  | { readonly kind: 'unknown-type' }
  | { readonly kind: 'malformed' };

/**
 * The digit of an INFO in the two forms that vendors made before RFC 6086: `application/dtmf-relay` (`Signal=5`, `Duration=160`) and
 * `application/dtmf` (`5`).
 */
export function infoDigit(request: SipRequest): InfoDigit {
  if (request.body.length === 0) return { kind: 'empty' };
  const type = readable(() => request.headers.get('Content-Type'));
  const name = type === undefined ? '' : `${type.type}/${type.subtype}`.toLowerCase();
  if (name !== 'application/dtmf-relay' && name !== 'application/dtmf') return { kind: 'unknown-type' };
  if (request.body.length > MAX_BODY_BYTES) return { kind: 'malformed' };
  const text = new TextDecoder('latin1').decode(request.body);
  const digit = digitOf(name === 'application/dtmf' ? text : signalOf(text));
  return digit === undefined ? { kind: 'malformed' } : { kind: 'digit', digit };
}

function signalOf(text: string): string {
  for (const line of text.split('\n')) {
    const [name = '', value = ''] = line.split('=', 2);
    if (name.trim().toLowerCase() === 'signal') return value;
  }
  return '';
}

function digitOf(text: string): DtmfDigit | undefined {
  const said = text.trim().toUpperCase();
  const digit = said.length === 2 && /^1[0-5]$/.test(said) ? BY_EVENT[Number(said)] : said;
  return digit?.length === 1 && BY_EVENT.includes(digit) ? (digit as DtmfDigit) : undefined;
}
