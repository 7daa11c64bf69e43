/** The number that nobody answers. */
export const RINGING = '2000';

/** What the server under test is told on its command line, as JSON. */
export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly domain: string;
  /** Where calls go. */
  readonly calledUri: string;
  /** Where calls to `RINGING` go. */
  readonly ringingUri: string;
  /** How many users there are, from 10000 on. */
  readonly users: number;
  readonly password: string;
  /** The folder of an LMDB store; without it the store is in memory. */
  readonly lmdb?: string;
}

/** What the server has in its hands. */
export interface Holdings {
  readonly calls: number;
  readonly dialogs: number;
  readonly transactions: number;
  readonly bindings: number;
  readonly timers: number;
  /** Sockets, timers and files that keep the process alive. */
  readonly handles: number;
  readonly records: number;
}

/** `heapUsed + external` after a collection, and the resident set, bytes. */
export interface Memory {
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** How late the event loop was, milliseconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}
