import { nameHash } from './codec.js';
import { type AnyCodec, CODECS, type HeaderName } from './registry.js';

const BY_NAME = new Map<string, AnyCodec>();

// Open addressing, so that the usual look-up is one load and one comparison.
const TABLE_MASK = 1_023;
const BY_HASH: (AnyCodec | undefined)[] = new Array<AnyCodec | undefined>(TABLE_MASK + 1).fill(undefined);

for (const codec of Object.values(CODECS) as AnyCodec[]) {
  for (const name of [codec.name, codec.compact]) {
    if (name === undefined) continue;
    BY_NAME.set(name, codec).set(name.toLowerCase(), codec);
    let slot = nameHash(name) & TABLE_MASK;
    while (BY_HASH[slot] !== undefined) slot = (slot + 1) & TABLE_MASK;
    BY_HASH[slot] = codec;
  }
}

/** The codec for a name in any spelling or compact form; undefined for a header that pbxkit does not know. */
export function codecOf(name: string): AnyCodec | undefined {
  return usualCodec(name) ?? BY_NAME.get(name) ?? BY_NAME.get(name.toLowerCase());
}

/** `CODECS[name]`. */
export function codecFor(name: HeaderName): AnyCodec {
  return usualCodec(name) ?? (CODECS[name] as AnyCodec);
}

/** The codec whose name or compact form has that hash, if any; the caller still compares the name. */
export function codecByHash(hash: number): AnyCodec | undefined {
  let slot = hash & TABLE_MASK;
  for (;;) {
    const codec = BY_HASH[slot];
    if (codec === undefined || codec.hash === hash || codec.compactHash === hash) return codec;
    slot = (slot + 1) & TABLE_MASK;
  }
}

/** Canonical spelling: `call-id` and `i` become `Call-ID`; an unknown name stays as it is. */
export function canonicalName(name: string): string {
  return codecOf(name)?.name ?? name;
}

const VIA = CODECS.Via as AnyCodec;
const MAX_FORWARDS = CODECS['Max-Forwards'] as AnyCodec;
const FROM = CODECS.From as AnyCodec;
const TO = CODECS.To as AnyCodec;
const CALL_ID = CODECS['Call-ID'] as AnyCodec;
const CSEQ = CODECS.CSeq as AnyCodec;
const CONTACT = CODECS.Contact as AnyCodec;
const ALLOW = CODECS.Allow as AnyCodec;
const SUPPORTED = CODECS.Supported as AnyCodec;
const USER_AGENT = CODECS['User-Agent'] as AnyCodec;
const CONTENT_TYPE = CODECS['Content-Type'] as AnyCodec;

/** The headers that nearly every message has: comparing eleven names, which is comparing addresses, is cheaper than a look-up. */
function usualCodec(name: string): AnyCodec | undefined {
  switch (name) {
    case 'Via':
      return VIA;
    case 'From':
      return FROM;
    case 'To':
      return TO;
    case 'Call-ID':
      return CALL_ID;
    case 'CSeq':
      return CSEQ;
    case 'Contact':
      return CONTACT;
    case 'Max-Forwards':
      return MAX_FORWARDS;
    case 'Content-Type':
      return CONTENT_TYPE;
    case 'Allow':
      return ALLOW;
    case 'Supported':
      return SUPPORTED;
    case 'User-Agent':
      return USER_AGENT;
    default:
      return undefined;
  }
}
