const MOST_CHARACTERS = 60;

/** A value as a message shows it: short, and never a secret. `path` says where it stands, for that tells what is secret. */
export function show(path: string, value: unknown): string {
  if (value === undefined) return 'nothing';
  if (isSecret(path)) return typeof value === 'string' ? `a text of ${value.length} characters` : typeof value;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint' || typeof value === 'symbol') return typeof value;
  const text = withoutUserPassword(asJson(value));
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 3)}…` : text;
}

/** What JSON cannot show (circles, big integers inside) is named by its type. */
function asJson(value: unknown): string {
  try {
    return JSON.stringify(value, (key, inner: unknown) => (isSecret(key) ? '…' : inner)) ?? typeof value;
  } catch {
    return `an ${typeof value}`;
  }
}

/** `sip:user:password@host`: RFC 3261 §19.1.1 allows it, and says not to. */
function withoutUserPassword(text: string): string {
  return text.replace(/(sips?:[^\s:@"]{1,256}:)[^\s@"]{1,256}@/gi, '$1…@');
}

/** By its name; a slip of the pen in it does not make it less of a secret. */
function isSecret(name: string): boolean {
  return /pas+(w|or|phrase)|secret|(^|\.)(key|pass)$/i.test(name);
}
