import { UsageError } from '../../base/errors.js';
import { isToken } from '../sip/chars.js';
import { getParam, type Params, quote, unquote } from '../sip/params.js';

/** A parameter's text without quotes, whether it had them or not: phones quote `algorithm`, `qop` and `nc`, or forget to quote others. */
export function field(params: Params, name: string): string | undefined {
  const raw = getParam(params, name);
  return raw === undefined ? undefined : unquote(raw.trim());
}

/** @throws UsageError (PBX_INVALID_ARGUMENT) for a text that would break out of its header */
export function quotedField(name: string, text: string): string {
  return `${name}=${quote(checked(name, text))}`;
}

/** A token stands without quotes. @throws UsageError (PBX_INVALID_ARGUMENT) for a text that is none */
export function tokenField(name: string, text: string): string {
  if (!isToken(text)) {
    throw new UsageError('PBX_INVALID_ARGUMENT', `digest ${name}: found ${JSON.stringify(text)}, expected a token`);
  }
  return `${name}=${text}`;
}

function checked(name: string, text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) {
      throw new UsageError('PBX_INVALID_ARGUMENT', `digest ${name}: a control character at ${i}`);
    }
  }
  return text;
}
