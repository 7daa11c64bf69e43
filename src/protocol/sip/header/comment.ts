import type { Scanner } from '../scanner.js';

/** The position behind the bracket that closes the comment at the scanner (RFC 3261 §25.1: comments nest), -1 when it is missing. */
export function endOfComment(scanner: Scanner): number {
  let depth = 0;
  for (let pos = scanner.pos; pos < scanner.end; pos++) {
    const code = scanner.bytes[pos];
    if (code === 0x0d) return -1;
    if (code === 0x5c) pos++;
    else if (code === 0x28) depth++;
    else if (code === 0x29 && --depth === 0) return pos + 1;
  }
  return -1;
}
