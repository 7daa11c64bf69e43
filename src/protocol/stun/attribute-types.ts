/** The attribute types that are read or written here (RFC 8489 §18.3, RFC 3489 §11.2). */
export const Attribute = {
  mappedAddress: 0x0001,
  changeRequest: 0x0003,
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  realm: 0x0014,
  nonce: 0x0015,
  messageIntegritySha256: 0x001c,
  passwordAlgorithm: 0x001d,
  userhash: 0x001e,
  xorMappedAddress: 0x0020,
  software: 0x8022,
  fingerprint: 0x8028,
} as const;

/** Types below must be understood (RFC 8489 §14). */
const FIRST_OPTIONAL = 0x8000;

/** Those of RFC 8489 §18.3. */
const KNOWN: ReadonlySet<number> = new Set(Object.values(Attribute).filter((type) => type !== Attribute.changeRequest));

/**
 * What RFC 3489 has besides (§11.2): RESPONSE-ADDRESS is not among them, for whoever obeys it lets others aim at third
 * parties.
 */
const KNOWN_OF_RFC_3489: ReadonlySet<number> = new Set([Attribute.changeRequest]);

/** What servers of RFC 3489 write and clients pass over (RFC 5389 §12.1): SOURCE-, CHANGED-ADDRESS, REFLECTED-FROM. */
const PASSED_OVER: ReadonlySet<number> = new Set([0x0002, 0x0004, 0x0005, 0x000b]);

/** The types that must be understood and are not, each once: what a 420 names (RFC 8489 §6.3.1). */
export function notUnderstood(types: Iterable<number>, by: 'server' | 'legacy server' | 'client'): readonly number[] {
  const found = new Set<number>();
  for (const type of types) {
    if (type >= FIRST_OPTIONAL || KNOWN.has(type)) continue;
    if (by === 'legacy server' ? KNOWN_OF_RFC_3489.has(type) : by === 'client' && PASSED_OVER.has(type)) continue;
    found.add(type);
  }
  return [...found];
}
