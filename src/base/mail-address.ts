/** RFC 5321 §4.5.3.1. */
const LONGEST_LOCAL_PART = 64;
const LONGEST_DOMAIN = 255;
const LONGEST = 254;

/** RFC 5322 §3.2.3 `atext` and dots, or letters of any script (RFC 6531). */
const LOCAL_PART = /^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~.-]+$/u;
const DOMAIN = /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?|\[[0-9A-Fa-f:.]+\])$/u;

/**
 * Whether this is one bare e-mail address, such as `alice@office.example`, and nothing besides: no name, no second address, no
 * control character. Deviates: quoted local parts (RFC 5321 §4.1.2, `"a b"@office.example`) are not taken; hardly any server does.
 */
export function isMailAddress(text: unknown): boolean {
  if (typeof text !== 'string' || text.length > LONGEST) return false;
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(0, at));
  const domain = text.slice(at + 1);
  if (local.length > LONGEST_LOCAL_PART || domain.length > LONGEST_DOMAIN) return false;
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..') || domain.includes('..')) return false;
  return LOCAL_PART.test(local) && DOMAIN.test(domain);
}
