import type { Datagram } from './tshark.js';
import type { Sound } from './wav.js';

/** Payload types of G.711 (RFC 3551 §6). */
const PAYLOAD_TYPE = { PCMU: 0, PCMA: 8 } as const;

/** The G.711 sound in the RTP packets among the datagrams, in the order of arrival. */
export function soundOf(datagrams: readonly Datagram[], codec: 'PCMA' | 'PCMU' = 'PCMU'): Sound {
  const expand = codec === 'PCMU' ? expandUlaw : expandAlaw;
  const samples: number[] = [];
  for (const { payload } of datagrams) {
    if (!isSound(payload, codec)) continue;
    for (const code of payload.subarray(12)) samples.push(expand(code));
  }
  return { rateHz: 8_000, samples: Int16Array.from(samples) };
}

export function isPcmu(payload: Buffer): boolean {
  return isSound(payload, 'PCMU');
}

/** Version 2, no padding, extension or contributors (the phones here send none), the payload type of the codec. */
export function isSound(payload: Buffer, codec: 'PCMA' | 'PCMU'): boolean {
  return payload.length > 12 && payload[0] === 0x80 && ((payload[1] ?? 0) & 0x7f) === PAYLOAD_TYPE[codec];
}

/** ITU-T G.711 table 2b, as arithmetic. */
function expandUlaw(code: number): number {
  const inverted = ~code & 0xff;
  const magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 0x07)) - 0x84;
  return inverted & 0x80 ? -magnitude : magnitude;
}

/** ITU-T G.711 table 1b, as arithmetic. */
function expandAlaw(code: number): number {
  const toggled = code ^ 0x55;
  const segment = (toggled >> 4) & 0x07;
  const step = ((toggled & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return toggled & 0x80 ? magnitude : -magnitude;
}
