import type { EpochMillis } from '../../base/clock.js';

/**
 * Keys are bytes, so that their order is the order of ids and every character is allowed:
 *
 * ```
 * 0x01 collection 0x00 id              a record
 * 0x02 time(u64 BE, ms) record key     it ends at that time
 * 0x03                                 the highest version given so far
 * ```
 */
const RECORD = 0x01;
const EXPIRY = 0x02;

/** Where the last version stands. */
export const VERSION_KEY: Uint8Array = Uint8Array.of(0x03);

export function recordKey(collection: string, id: string): Buffer {
  return Buffer.from(`${String.fromCharCode(RECORD)}${collection}\0${id}`);
}

/** From the first id that begins with `prefix` and comes after `after`, to the last. */
export function recordRange(
  collection: string,
  prefix: string,
  after: string | undefined,
): { start: Buffer; end: Buffer } {
  const first = recordKey(collection, prefix);
  // 0xff occurs in no UTF-8 text, so it comes after every continuation.
  const end = Buffer.concat([first, Uint8Array.of(0xff)]);
  if (after === undefined) return { start: first, end };
  const next = Buffer.concat([recordKey(collection, after), Uint8Array.of(0x00)]);
  return { start: Buffer.compare(next, first) > 0 ? next : first, end };
}

/** The id within a record's key. */
export function idOfKey(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return bytes.toString('utf8', bytes.indexOf(0, 1) + 1);
}

export function expiryKey(expiresAt: EpochMillis, key: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head[0] = EXPIRY;
  head.writeBigUInt64BE(BigInt(Math.ceil(expiresAt)), 1);
  return Buffer.concat([head, key]);
}

/** The records that have ended by `now`. */
export function dueRange(now: EpochMillis): { start: Buffer; end: Buffer } {
  return { start: Buffer.of(EXPIRY), end: expiryKey(now + 1, new Uint8Array(0)) };
}

/** The record's key within an expiry key. */
export function dueRecordKey(key: Uint8Array): Buffer {
  return Buffer.from(key.subarray(9));
}
