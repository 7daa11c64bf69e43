/** The position behind the bracket that closes the comment opened at `open` (RFC 3261 §25.1: comments nest), -1 when it is missing. */
export function endOfComment(text: string, open: number): number {
  let depth = 0;
  for (let pos = open; pos < text.length; pos++) {
    const code = text.charCodeAt(pos);
    if (code === 0x5c) pos++;
    else if (code === 0x28) depth++;
    else if (code === 0x29 && --depth === 0) return pos + 1;
  }
  return -1;
}
