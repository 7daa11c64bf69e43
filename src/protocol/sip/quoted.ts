/** The text as a quoted-string (RFC 3261 §25.1): quotes and backslashes are escaped. */
export function quote(text: string): string {
  if (!text.includes('"') && !text.includes('\\')) return `"${text}"`;
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** The text inside a quoted-string; a text without quotes comes back as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || text.charCodeAt(0) !== 0x22) return text;
  const inner = text.slice(1, text.charCodeAt(text.length - 1) === 0x22 ? -1 : undefined);
  if (!inner.includes('\\')) return inner;
  let out = '';
  let from = 0;
  for (let at = inner.indexOf('\\'); at >= 0; at = inner.indexOf('\\', at + 2)) {
    out += inner.slice(from, at);
    from = at + 1;
  }
  return out + inner.slice(from);
}
