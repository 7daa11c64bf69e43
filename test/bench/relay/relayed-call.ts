/** A call that is set up in a relay: where its legs send to, and where they are. All ports are even. */
export interface RelayedCall {
  /** Where the one leg is, and where it sends to. */
  readonly ownA: number;
  readonly relayA: number;
  readonly ownB: number;
  readonly relayB: number;
}

const FIRST_OWN_PORT = 10_000;

/** Where the legs of call number `index` are. */
export function ownPorts(index: number): { readonly ownA: number; readonly ownB: number } {
  const ownA = FIRST_OWN_PORT + 4 * index;
  return { ownA, ownB: ownA + 2 };
}

/** What a relay process answers when it is asked for its memory. */
export interface RelayMemory {
  /** Of JavaScript and what it holds outside of it, after a collection. */
  readonly heapBytes: number;
  readonly residentBytes: number;
}
