const SUFFIX = '.blob';

/**
 * The name of a blob's file: one flat name, so no id can lead out of the directory; capitals are spelled out, so two ids
 * never meet on a file system that ignores case. `!` stands before a capital, `~` for the slash. At most 245 characters.
 * The id has passed `checkBlobId`.
 */
export function fileNameOf(id: string): string {
  let name = '';
  for (const char of id) {
    if (char === '/') name += '~';
    else if (char >= 'A' && char <= 'Z') name += `!${char.toLowerCase()}`;
    else name += char;
  }
  return name + SUFFIX;
}

/** The id whose file has this name, undefined for a file that is none of ours. */
export function idOf(fileName: string): string | undefined {
  if (!fileName.endsWith(SUFFIX)) return undefined;
  let id = '';
  let capital = false;
  for (const char of fileName.slice(0, -SUFFIX.length)) {
    if (char === '!') capital = true;
    else {
      id += capital ? char.toUpperCase() : char === '~' ? '/' : char;
      capital = false;
    }
  }
  return id !== '' && fileNameOf(id) === fileName ? id : undefined;
}

/** The name of a file being written by process `pid`. */
export function partialName(pid: number, token: string): string {
  return `.${pid}-${token}.part`;
}

/** The process that was writing this file, undefined for any other file. */
export function writerOf(fileName: string): number | undefined {
  if (!fileName.startsWith('.') || !fileName.endsWith('.part')) return undefined;
  const pid = Number(fileName.slice(1, fileName.indexOf('-')));
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}
