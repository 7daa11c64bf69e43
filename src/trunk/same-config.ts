/** Whether two pieces of a configuration are the same. */
export function sameConfig(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
