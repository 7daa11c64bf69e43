import { trim } from '../chars.js';
import { formatNameAddr, type NameAddr, parseNameAddr, parseNameAddrList } from '../name-addr.js';
import { SipParseError } from '../parse-error.js';
import { type HeaderCodec, lines, single, special } from './codec.js';

/** Contact (RFC 3261 §20.10): '*' stands for all bindings in a REGISTER (§10.2.2). */
export type ContactValue = '*' | readonly NameAddr[];

/** A header with one address, written with angle brackets. */
export function address(name: string, compact?: string): HeaderCodec<NameAddr> {
  return single(name, parseNameAddr, formatNameAddr, compact);
}

/** A header with a list of addresses, one line each. */
export function addresses(name: string): HeaderCodec<readonly NameAddr[]> {
  return lines(name, parseNameAddrList, formatNameAddr);
}

export const contactCodec = special<ContactValue>(
  'Contact',
  (text) => (trim(text) === '*' ? '*' : parseNameAddrList(text)),
  (earlier, later) => {
    if (earlier === '*' || later === '*') {
      throw new SipParseError('"*" stands beside another Contact (RFC 3261 §10.3 step 6)', { header: 'Contact' });
    }
    return [...earlier, ...later];
  },
  (element: '*' | NameAddr) => (element === '*' ? '*' : formatNameAddr(element)),
  'm',
);
