/** What a telephone-event packet says (RFC 4733 §2.3). */
export interface TelephoneEvent {
  /** 0 to 255; `digitOf` knows 0 to 16. */
  readonly code: number;
  /** The event, not only this packet, is over. */
  readonly end: boolean;
  /** The power of the tone without its sign: 0 is loud, 63 is −63 dBm0. */
  readonly volume: number;
  /** Since the packet's timestamp, in timestamp units: 1 to 65535. */
  readonly duration: number;
}

/** The length of one event in a payload, in bytes. */
export const EVENT_BYTES = 4;
/** The longest duration that one report can tell. */
export const LONGEST_DURATION = 0xffff;

/** By code: the keys of DTMF (RFC 4733 §3.2), and the hook flash as `!` (code 16). */
const DIGITS = '0123456789*#ABCD!';

/** `0` to `9`, `*`, `#`, `A` to `D`, and `!` for a hook flash; undefined for other events. */
export function digitOf(code: number): string | undefined {
  return DIGITS[code];
}

/** The code of a digit, in either case; undefined for what is none. */
export function codeOf(digit: string): number | undefined {
  const code = digit.length === 1 ? DIGITS.indexOf(digit.toUpperCase()) : -1;
  return code < 0 ? undefined : code;
}

/*
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     event     |E|R| volume    |          duration             |
 */

/** Reads the event at an offset of the payload; undefined where none is left. What is not a multiple of four bytes has a rest that says nothing. */
export function readTelephoneEvent(data: Uint8Array, at = 0, end = data.length): TelephoneEvent | undefined {
  if (at + EVENT_BYTES > end) return undefined;
  const flags = data[at + 1] as number;
  return {
    code: data[at] as number,
    end: (flags & 0x80) !== 0,
    volume: flags & 0x3f,
    duration: ((data[at + 2] as number) << 8) | (data[at + 3] as number),
  };
}

/** Writes the four bytes to the start of `out`. */
export function writeTelephoneEvent(out: Uint8Array, event: TelephoneEvent): void {
  out[0] = event.code;
  out[1] = (event.end ? 0x80 : 0) | (event.volume & 0x3f);
  out[2] = event.duration >>> 8;
  out[3] = event.duration;
}
