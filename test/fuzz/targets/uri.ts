import { isDeepStrictEqual } from 'node:util';
import { formatNameAddr, parseNameAddr } from '../../../src/protocol/sip/name-addr.js';
import { SipParseError } from '../../../src/protocol/sip/parse-error.js';
import { aorOf, digitsOf, equalUris, formatUri, parseUri } from '../../../src/protocol/sip/uri.js';
import { unescapeUriText } from '../../../src/protocol/sip/uri-escape.js';
import { dictionary } from '../input/corpora.js';
import { sipWords } from '../input/sip-seeds.js';
import { type FuzzTarget, hold, isOneLine, refusedAs, textsOf } from './target.js';

const SEEDS = [
  'sip:alice@atlanta.example.com',
  'sip:alice:secretword@atlanta.example.com;transport=tcp',
  'sips:alice@atlanta.example.com?subject=project%20x&priority=urgent',
  'sip:+1-212-555-1212:1234@gateway.example.com;user=phone',
  'sip:alice;day=tuesday@atlanta.example.com:5060;maddr=239.255.255.1;ttl=15;lr',
  'sip:%61lice@atlanta.example.com;method=REGISTER?to=alice%40atlanta.example.com',
  'sip:[2001:db8::9:1]:6050;transport=tcp;comp=sigcomp',
  'sip:user@[::ffff:192.0.2.10]',
  "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
  'tel:+1-201-555-0123',
  'tel:7042;phone-context=example.com;ext=12;isub=3',
  'urn:service:sos.police',
  'http://user@example.com/path?query#fragment',
  'mailto:a@b.c',
  '"J Rosenberg \\\\\\"" <sip:jdrosen@example.com;lr>;tag = 98asjd8;x="y;z"',
  'caller<sip:caller@example.com>;q=0.5;+sip.instance="<urn:uuid:0>"',
  '<sip:c@d?Replaces=1%40x%3Bto-tag%3D7>',
  'sip:a@b;tag=1',
].map((text) => Buffer.from(text));

/** URIs and addresses: read, written and read again they stay what they are (RFC 3261 §19.1, §20.10; RFC 3966). */
export const uriTarget: FuzzTarget = {
  name: 'uri',
  share: 90,
  material: { seeds: SEEDS, words: [...dictionary('url.dict'), ...sipWords], lines: false },
  check(input) {
    for (const text of textsOf(input)) {
      checkUri(text);
      checkNameAddr(text);
      unescapeUriText(text);
    }
  },
};

function checkUri(text: string): void {
  const uri = refusedAs(SipParseError, () => parseUri(text));
  if (uri === undefined) return;
  const printed = formatUri(uri);
  hold(isOneLine(printed), 'a URI is printed as one line');
  const again = parseUri(printed);
  hold(isDeepStrictEqual(again, uri), 'a URI that was printed is read as it was');
  hold(formatUri(again) === printed, 'a URI is printed the same again');
  hold(equalUris(uri, again) && equalUris(again, uri), 'a URI equals itself (RFC 3261 §19.1.4)');
  if (uri.kind === 'sip') aorOf(uri);
  if (uri.kind === 'tel') digitsOf(uri);
}

function checkNameAddr(text: string): void {
  const address = refusedAs(SipParseError, () => parseNameAddr(text));
  // NUL is left out when it is written, and a line break cannot be.
  if (address === undefined || !isOneLine(text)) return;
  const printed = formatNameAddr(address);
  hold(isOneLine(printed), 'an address is printed as one line');
  hold(isDeepStrictEqual(parseNameAddr(printed), address), 'an address that was printed is read as it was');
}
