import { quote, unquote } from '../params.js';
import { putText } from '../put.js';
import { commaList, list } from './codec.js';

/** One Warning (RFC 3261 §20.43). */
export interface Warning {
  /** 300 to 399 in SIP. */
  readonly code: number;
  /** Host, host and port, or a pseudonym. */
  readonly agent: string;
  /** Without quotes. */
  readonly text: string;
}

export const warningCodec = list<Warning>(
  'Warning',
  commaList((scanner) => {
    const code = scanner.number('a warning code', 999);
    scanner.skipSpace();
    const start = scanner.pos;
    while (scanner.peek() > 0x20 && scanner.peek() !== 0x22) scanner.pos++;
    if (scanner.pos === start) scanner.fail('a warning agent');
    const agent = scanner.text.slice(start, scanner.pos);
    scanner.skipSpace();
    if (scanner.peek() !== 0x22) scanner.fail('a quoted text');
    return { code, agent, text: unquote(scanner.quoted()) };
  }),
  (pos, value) => putText(pos, `${value.code} ${value.agent} ${quote(value.text)}`),
);
