import * as v from 'valibot';
import { AddressSet } from './address-set.js';
import { MEDIA_MODES } from './media-mode.js';

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

/** How the media of a party goes. */
export const mediaMode = v.picklist(MEDIA_MODES, '"direct", "relay" or "auto"');

export const trueOrFalse = v.boolean('true or false');

/** Something with methods: an adapter. Checked by the names of its methods, because it may come from another copy of the package. */
export function having(what: string, methods: readonly string[]) {
  return v.custom<object>(
    (value) => typeof value === 'object' && value !== null && methods.every((name) => name in value),
    what,
  );
}

/** A list of IP addresses and networks. */
export const networkList = v.array(
  v.pipe(
    v.string(NETWORK),
    v.check((each) => AddressSet.accepts(each), NETWORK),
  ),
  'a list of IP addresses and networks',
);

/** The same, read as a set. */
export const addressSet = v.pipe(
  networkList,
  v.transform((addresses) => new AddressSet(addresses)),
);
