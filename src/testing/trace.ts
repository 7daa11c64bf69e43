import type { Millis } from '../base/clock.js';
import { formatAddress, type SocketAddress } from '../base/ip.js';
import type { Segment } from './packet.js';

/**
 * What became of a packet. `partitioned`: the hosts were cut off from each other. `blocked`: a NAT box had no mapping or
 * its filter dropped it. `nobody`: no such host, or none that is alive; for UDP also no such socket.
 */
export type Fate = 'in flight' | 'delivered' | 'lost' | 'partitioned' | 'blocked' | 'nobody';

/** One copy of one packet. */
export interface TraceEntry {
  /** Counts from 1. */
  readonly number: number;
  readonly sentAt: Millis;
  readonly protocol: 'udp' | 'tcp';
  /** TCP only. */
  readonly segment: Segment | undefined;
  /** True for the second copy of a duplicated datagram. */
  readonly duplicate: boolean;
  readonly fromHost: string;
  /** Undefined when the destination belongs to no host. */
  readonly toHost: string | undefined;
  /** The sender's own socket. */
  readonly from: SocketAddress;
  /** The sender as the receiver sees it: after address translation. */
  readonly source: SocketAddress;
  /** The destination as the sender wrote it. */
  readonly to: SocketAddress;
  readonly data: Uint8Array;
  readonly fate: Fate;
  /** When its fate was settled. */
  readonly settledAt: Millis | undefined;
}

/** A trace entry while it is being written. */
export type OpenTraceEntry = { -readonly [Key in keyof TraceEntry]: TraceEntry[Key] };

export interface TraceOptions {
  /** Beyond this many entries the oldest go. Default 200,000. */
  readonly maxEntries?: number;
}

/** Everything that was sent on a virtual network, in order of sending. */
export class Trace {
  readonly #maxEntries: number;
  #entries: OpenTraceEntry[] = [];
  #count = 0;

  constructor(options: TraceOptions = {}) {
    this.#maxEntries = options.maxEntries ?? 200_000;
  }

  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }

  /** How many packets were recorded, forgotten ones included. */
  get count(): number {
    return this.#count;
  }

  /** `entry` becomes the trace's own, to be completed in place: no copy for each packet. */
  record(entry: OpenTraceEntry): OpenTraceEntry {
    entry.number = ++this.#count;
    this.#entries.push(entry);
    // Forgetting in blocks keeps the price of one entry constant.
    if (this.#entries.length > this.#maxEntries * 1.25) this.#entries = this.#entries.slice(-this.#maxEntries);
    return entry;
  }

  clear(): void {
    this.#entries = [];
  }

  /** One line for each entry, its bytes included: equal texts mean equal runs. */
  toString(): string {
    return this.#entries.map(formatEntry).join('\n');
  }
}

function formatEntry(entry: TraceEntry): string {
  const { segment } = entry;
  const kind = segment === undefined ? '' : ` ${segment.kind} ${segment.sequence}.${segment.attempt}`;
  const seen = entry.source === entry.from ? '' : ` seen as ${formatAddress(entry.source)}`;
  const fate = `${entry.duplicate ? 'duplicate ' : ''}${entry.fate}`;
  const settled = entry.settledAt === undefined ? '' : ` ${entry.settledAt.toFixed(3)}`;
  const head = `#${entry.number} ${entry.sentAt.toFixed(3)} ${entry.protocol}${kind} ${formatAddress(entry.from)}${seen} > ${formatAddress(entry.to)}`;
  return `${head} ${fate}${settled} ${entry.data.length} bytes ${printable(entry.data)}`;
}

/** ASCII as it is, everything else as \xHH. */
function printable(data: Uint8Array): string {
  let text = '';
  for (const byte of data) {
    text +=
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}
