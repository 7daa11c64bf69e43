import type { Datagram } from './tshark.js';
import type { Sound } from './wav.js';

/** Payload type of G.711 µ-law (RFC 3551 §6). */
const PCMU = 0;

/** The G.711 µ-law sound in the RTP packets among the datagrams, in the order of arrival. */
export function soundOf(datagrams: readonly Datagram[]): Sound {
  const samples: number[] = [];
  for (const { payload } of datagrams) {
    if (!isPcmu(payload)) continue;
    for (const code of payload.subarray(12)) samples.push(expand(code));
  }
  return { rateHz: 8_000, samples: Int16Array.from(samples) };
}

/** Version 2, no padding, extension or contributors (the phones here send none), payload type 0. */
export function isPcmu(payload: Buffer): boolean {
  return payload.length > 12 && payload[0] === 0x80 && ((payload[1] ?? 0) & 0x7f) === PCMU;
}

/** ITU-T G.711 table 2b, as arithmetic. */
function expand(code: number): number {
  const inverted = ~code & 0xff;
  const magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 0x07)) - 0x84;
  return inverted & 0x80 ? -magnitude : magnitude;
}
