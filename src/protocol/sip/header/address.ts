import { type NameAddr, putNameAddr, readNameAddrs, readOneNameAddr } from '../name-addr.js';
import { SipParseError } from '../parse-error.js';
import { plainAddresses, plainNameAddr } from '../plain.js';
import { putCode } from '../put.js';
import { type HeaderCodec, lines, single, special } from './codec.js';

/** Contact (RFC 3261 §20.10): '*' stands for all bindings in a REGISTER (§10.2.2). */
export type ContactValue = '*' | readonly NameAddr[];

/** A header with one address, written with angle brackets. */
export function address(name: string, compact?: string): HeaderCodec<NameAddr> {
  return single(name, readOneNameAddr, putNameAddr, compact, plainNameAddr);
}

/** A header with a list of addresses, one line each. */
export function addresses(name: string): HeaderCodec<readonly NameAddr[]> {
  return lines(name, readNameAddrs, putNameAddr, undefined, plainAddresses);
}

export const contactCodec = special<ContactValue>(
  'Contact',
  (scanner) => {
    scanner.skipSpace();
    if (scanner.peek() !== 0x2a) return readNameAddrs(scanner);
    scanner.pos++;
    scanner.finish();
    return '*';
  },
  (earlier, later) => {
    if (earlier === '*' || later === '*') {
      throw new SipParseError('"*" stands beside another Contact (RFC 3261 §10.3 step 6)', { header: 'Contact' });
    }
    return [...earlier, ...later];
  },
  (start, element: '*' | NameAddr) => {
    let pos = start;
    if (element === '*') pos = putCode(pos, 0x2a);
    else pos = putNameAddr(pos, element);
    return pos;
  },
  'm',
  plainAddresses,
);
