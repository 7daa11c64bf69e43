import * as v from 'valibot';
import { AddressSet } from './address-set.js';

const NETWORK = 'an IP address or a network such as "10.0.0.0/8"';
const LINE = 'a line of text';

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number) {
  const expected = `a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(expected),
    v.check((value) => Number.isInteger(value) && value >= min && value <= max, expected),
  );
}

/** Text without control characters that is not empty. */
export const lineOfText = v.pipe(v.string(LINE), v.regex(/^[^\p{Cc}]+$/u, LINE));

export const trueOrFalse = v.boolean('true or false');

/** A list of IP addresses and networks; read as a set. */
export const addressSet = v.pipe(
  v.array(
    v.pipe(
      v.string(NETWORK),
      v.check((each) => AddressSet.accepts(each), NETWORK),
    ),
    'a list of IP addresses and networks',
  ),
  v.transform((addresses) => new AddressSet(addresses)),
);
