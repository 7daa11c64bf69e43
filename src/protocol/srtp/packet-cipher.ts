/** What a suite does to packets under one master key. Says nothing about order: indices come from the context. */
export interface PacketCipher {
  /**
   * Protects an RTP packet.
   * @param clear how many bytes stay readable: the header with its extension
   * @param index the packet index of RFC 3711 §3.3.1, below 2⁴⁸
   */
  sealRtp(packet: Uint8Array, clear: number, ssrc: number, index: number): Uint8Array;
  /** The packet as it was; undefined when it is not genuine. `clear` and what `sealRtp` adds fit in. */
  openRtp(packet: Uint8Array, clear: number, ssrc: number, index: number): Uint8Array | undefined;
  /** Protects and encrypts a compound RTCP packet under an index below 2³¹. */
  sealRtcp(packet: Uint8Array, ssrc: number, index: number): Uint8Array;
  /** The packet as it was; undefined when it is not genuine. */
  openRtcp(packet: Uint8Array, ssrc: number): Uint8Array | undefined;
  /** Where the word with the E flag and the index stands in a protected RTCP packet; negative where it is too short. */
  indexAt(length: number): number;
  /** Where the master key identifier stands in a protected packet, from its end; only where there is one. */
  readonly mkiFromEnd: { readonly rtp: number; readonly rtcp: number };
  /** What protection adds, in bytes. */
  readonly overhead: { readonly rtp: number; readonly rtcp: number };
}

/** What stays readable of a compound RTCP packet: the first word and the sender's SSRC (RFC 3711 §3.4). */
export const RTCP_CLEAR = 8;

/** The E flag, in the word of the SRTCP index: the packet is encrypted. */
export const ENCRYPTED = 0x80000000;
