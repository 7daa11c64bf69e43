import type { ToneSpec } from './tones.js';

/** The digits of a keypad; A to D are its fourth column, which few phones have. */
export type DtmfDigit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '*' | '#' | 'A' | 'B' | 'C' | 'D';

/** Row by row: ITU-T Q.23 §5. */
export const KEYPAD: readonly DtmfDigit[] = [
  ...(['1', '2', '3', 'A'] as const),
  ...(['4', '5', '6', 'B'] as const),
  ...(['7', '8', '9', 'C'] as const),
  ...(['*', '0', '#', 'D'] as const),
];

/** The low group, in Hz: one for each row of the keypad. */
export const ROW_HZ = [697, 770, 852, 941] as const;
/** The high group, in Hz: one for each column. */
export const COLUMN_HZ = [1_209, 1_336, 1_477, 1_633] as const;

/** The low group, -9 dBm0; the high one is sent 2 dB louder, because lines weaken it more. */
const ROW_DBOV = -15;
const COLUMN_DBOV = -13;

/** The two tones of a digit (ITU-T Q.23), once: by default 100 ms of sound and as much pause. */
export function dtmfTone(
  digit: DtmfDigit,
  options: { readonly ms?: number; readonly pauseMs?: number } = {},
): ToneSpec {
  const { ms = 100, pauseMs = 100 } = options;
  const { rowHz, columnHz } = dtmfFrequencies(digit);
  const sines = [
    { hz: rowHz, dbov: ROW_DBOV },
    { hz: columnHz, dbov: COLUMN_DBOV },
  ];
  return { steps: [{ sines, ms }, ...(pauseMs > 0 ? [{ sines: [], ms: pauseMs }] : [])], repeat: 1 };
}

/** The two frequencies of a digit (ITU-T Q.23), in Hz. */
export function dtmfFrequencies(digit: DtmfDigit): { readonly rowHz: number; readonly columnHz: number } {
  const key = KEYPAD.indexOf(digit);
  return { rowHz: ROW_HZ[(key >> 2) & 3] ?? 0, columnHz: COLUMN_HZ[key & 3] ?? 0 };
}
