import type { SocketAddress } from '../base/ip.js';

/** What a TCP segment does. Acknowledgements are not modelled: a sender simply learns whether a segment arrived. */
export type SegmentKind = 'syn' | 'syn-ack' | 'data' | 'fin' | 'rst';

export interface Segment {
  readonly kind: SegmentKind;
  /** Counts the segments of one direction of a connection from 0; −1 for a reset, which stands outside the order. */
  readonly sequence: number;
  /** 0 for the first transmission. */
  readonly attempt: number;
}

/** What crosses the virtual network. `data` must not be changed any more. */
export interface Packet {
  readonly protocol: 'udp' | 'tcp';
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly data: Uint8Array;
  /** TCP only. */
  readonly segment?: Segment;
}

/** Puts a packet on the wire; `settled` (TCP) is told, now or later, whether it reached a living host. */
export type Transmit = (packet: Packet, settled?: (arrived: boolean) => void) => void;

/** An error as Node.js gives it for a failed system call. */
export function systemError(code: string, text: string): Error {
  return Object.assign(new Error(`${text} (${code})`), { code });
}
