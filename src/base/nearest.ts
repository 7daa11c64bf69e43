/** The one of the words that `word` is a slip of the pen for, if there is one: a few edits away at most, whatever the case. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, word.length / 3);
  for (const each of words) {
    // As far apart as they are in length, at least.
    if (Math.abs(each.length - word.length) > least) continue;
    const edits = distance(word.toLowerCase(), each.toLowerCase());
    if (edits > least || (best !== undefined && edits === least)) continue;
    best = each;
    least = edits;
  }
  return best;
}

/** Edits from one word to the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] as number;
}
