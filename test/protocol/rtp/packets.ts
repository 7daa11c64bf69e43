import { type RtpHeader, writeRtp } from '../../../src/protocol/rtp/packet.js';

/** A packet with these fields and a payload; what is left out is 0. */
export function rtp(header: Partial<RtpHeader>, payload: Uint8Array = new Uint8Array(160)): Uint8Array {
  const packet = new Uint8Array(12 + payload.length);
  writeRtp(packet, { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 0, ...header }, payload);
  return packet;
}

/** `count` voice packets of 20 ms at 8 kHz, one after the other. */
export function voice(count: number, first: Partial<RtpHeader> = {}): Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    rtp({ ...first, sequence: (first.sequence ?? 0) + i, timestamp: (first.timestamp ?? 0) + 160 * i }),
  );
}
