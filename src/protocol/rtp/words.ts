/** Reads a word of 32 bits in network byte order: 0 to 2³² − 1. */
export function word(data: Uint8Array, at: number): number {
  const high = ((data[at] as number) << 24) | ((data[at + 1] as number) << 16);
  return (high | ((data[at + 2] as number) << 8) | (data[at + 3] as number)) >>> 0;
}

/** Writes a word modulo 2³² in network byte order. */
export function setWord(data: Uint8Array, at: number, value: number): void {
  data[at] = value >>> 24;
  data[at + 1] = value >>> 16;
  data[at + 2] = value >>> 8;
  data[at + 3] = value;
}
