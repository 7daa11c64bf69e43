/**
 * Where a recording goes, byte by byte. Calls come one after the other, each once the one before is done; `close` is the last, also
 * after one that failed.
 */
export interface RecordingSink {
  /** Appends. */
  write(bytes: Uint8Array): void | Promise<void>;
  /** Writes over what stands at `offset`: the sizes in the header, which are not known before. */
  patch(offset: number, bytes: Uint8Array): void | Promise<void>;
  /** Everything is in; resolves when it is as safe as the sink makes it. */
  close(): void | Promise<void>;
}
