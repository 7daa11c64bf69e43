/** The longest that is compared letter by letter; no device has a longer name. */
const LONGEST = 512;

/**
 * A +sip.instance value (RFC 5626 §4.1) as a key: two values have one key if they are the same URN. The angle brackets are
 * none of it; scheme and namespace are compared without regard to case (RFC 8141 §3.1), and of a UUID the rest too (RFC
 * 9562 §4).
 */
export function instanceKey(instanceId: string): string {
  const bare = instanceId.startsWith('<') && instanceId.endsWith('>') ? instanceId.slice(1, -1) : instanceId;
  if (bare.length > LONGEST || bare.slice(0, 4).toLowerCase() !== 'urn:') return bare;
  const end = bare.indexOf(':', 4);
  if (end < 0) return bare;
  const namespace = bare.slice(0, end).toLowerCase();
  return namespace === 'urn:uuid' ? bare.toLowerCase() : namespace + bare.slice(end);
}

/** Whether two contacts are of one phone; contacts without an instance are of nobody known. */
export function isSameInstance(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && instanceKey(a) === instanceKey(b);
}
