/** The methods that pbxkit knows (RFC 3261, 3262, 3311, 6086, 3515, 6665, 3428, 3903). */
export const METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'REGISTER',
  'PRACK',
  'UPDATE',
  'INFO',
  'REFER',
  'SUBSCRIBE',
  'NOTIFY',
  'MESSAGE',
  'PUBLISH',
] as const;

/** A method that pbxkit knows. On the wire any token may stand: `request.method` is a `string`. Methods are case-sensitive. */
export type Method = (typeof METHODS)[number];

const KNOWN: ReadonlySet<string> = new Set(METHODS);

/** True for a method that pbxkit knows. */
export function isMethod(text: string): text is Method {
  return KNOWN.has(text);
}
