import type { FileHandle } from 'node:fs/promises';

/**
 * What follows a blob's bytes in its file, so that bytes and description are replaced by one rename. Audio players
 * ignore what follows the sound, so the file stays playable as it is.
 *
 * ```
 * | bytes of the blob | JSON {"contentType":…} | length of the JSON, u32 BE | "pbxb" |
 * ```
 */
export interface Trailer {
  readonly contentType?: string;
}

const MAGIC = Buffer.from('pbxb', 'latin1');
const FOOT = 4 + MAGIC.length;
const LONGEST_JSON = 4096;

export function printTrailer(trailer: Trailer): Uint8Array {
  const json = Buffer.from(JSON.stringify(trailer));
  const foot = Buffer.alloc(FOOT);
  foot.writeUInt32BE(json.length, 0);
  MAGIC.copy(foot, 4);
  return Buffer.concat([json, foot]);
}

/** The blob's own size in bytes and its description. Undefined when the file does not end as ours do. */
export async function readTrailer(
  file: FileHandle,
  fileSize: number,
): Promise<{ size: number; trailer: Trailer } | undefined> {
  if (fileSize < FOOT) return undefined;
  const foot = await readAt(file, fileSize - FOOT, FOOT);
  const length = foot.length === FOOT ? foot.readUInt32BE(0) : Number.POSITIVE_INFINITY;
  if (!foot.subarray(4).equals(MAGIC) || length > LONGEST_JSON || length > fileSize - FOOT) return undefined;
  const json = await readAt(file, fileSize - FOOT - length, length);
  const trailer = parse(json.toString());
  return trailer === undefined ? undefined : { size: fileSize - FOOT - length, trailer };
}

function parse(json: string): Trailer | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return undefined;
    return 'contentType' in value && typeof value.contentType === 'string' ? { contentType: value.contentType } : {};
  } catch {
    return undefined;
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
