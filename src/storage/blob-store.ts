import type { EpochMillis } from '../base/clock.js';
import { UsageError } from '../base/errors.js';

/** What is known of a blob without reading it. */
export interface BlobInfo {
  readonly id: string;
  /** In bytes. */
  readonly size: number;
  readonly contentType?: string;
  /** When it was last put. */
  readonly storedAt: EpochMillis;
}

/** A blob being read. Leave the loop over `stream` early and it is closed. */
export interface BlobContent {
  readonly info: BlobInfo;
  readonly stream: AsyncIterable<Uint8Array>;
}

/**
 * Recordings, greetings, prompts: bytes by id, written whole or not at all. Ids are 1–120 characters of
 * `A–Z a–z 0–9 . _ @ + = / -`, for example `tenant/voicemail/100/2f7c.wav`; the slash is a letter like any other.
 */
export interface BlobStore {
  /**
   * Replaces what was there once the last byte is in and as durable as the store makes it; until then, and if `data`
   * fails, readers see the old one. @throws StorageError, UsageError, and whatever `data` throws.
   */
  put(
    id: string,
    data: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { readonly contentType?: string },
  ): Promise<BlobInfo>;
  /** Whoever has begun to read the stream sees the blob to its end as it was then. @throws BlobNotFoundError */
  get(id: string): Promise<BlobContent>;
  stat(id: string): Promise<BlobInfo | undefined>;
  /** Whether there was something to delete. */
  delete(id: string): Promise<boolean>;
  /** In the order of ids. */
  list(prefix: string): Promise<readonly BlobInfo[]>;
  /** Running operations end as they may; later ones reject with STORAGE_CLOSED. */
  close(): Promise<void>;
}

const LONGEST_ID = 120;
const LONGEST_CONTENT_TYPE = 200;

/** @throws UsageError for an id that some adapter could not keep. */
export function checkBlobId(id: string): void {
  if (typeof id === 'string' && id.length > 0 && id.length <= LONGEST_ID && /^[A-Za-z0-9._@+=/-]+$/.test(id)) return;
  throw new UsageError(
    'PBX_INVALID_ARGUMENT',
    `blob id: found ${JSON.stringify(id)}, expected 1–${LONGEST_ID} characters of A–Z a–z 0–9 . _ @ + = / -`,
  );
}

/** @throws UsageError unless it is printable ASCII of sensible length. */
export function checkContentType(contentType: string): void {
  if (contentType.length > 0 && contentType.length <= LONGEST_CONTENT_TYPE && /^[\x20-\x7e]+$/.test(contentType))
    return;
  throw new UsageError(
    'PBX_INVALID_ARGUMENT',
    `contentType: found ${JSON.stringify(contentType)}, expected a media type such as "audio/wav"`,
  );
}
