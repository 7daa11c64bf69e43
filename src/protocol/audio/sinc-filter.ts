/** Zero crossings of the sinc on either side of its centre, counted at the lower of the two rates. */
const CROSSINGS = 32;
/** Of the window: 72 dB from the passband to the stopband (J. F. Kaiser, 1974: 0.1102 · (72 − 8.7)). */
const KAISER_BETA = 6.98;
/**
 * The middle of the slope, as a share of half the lower rate. The slope reaches from 0.86 (3,440 Hz at 8 kHz) to 1:
 * the telephone's band passes, and nothing folds back.
 */
const CUTOFF = 0.93;
/** A table that would be larger (of rates with little in common) is replaced by one to interpolate in. */
const MOST_COEFFICIENTS = 65_536;
/** Rows between two samples of the lower rate in such a table: the error of the interpolation is below -90 dB. */
const INTERPOLATED_ROWS = 256;

/** A windowed sinc, tabled for the places between two input samples that are asked for. */
export interface SincFilter {
  /** Taps of one phase: a multiple of 4. Half of them lie before the place that is computed, or on it. */
  readonly taps: number;
  /** How many places between two samples are tabled. */
  readonly phases: number;
  /** `phases` + 1 rows of `taps` coefficients, each of sum 1. The last row is the first, a sample further on. */
  readonly rows: readonly Float64Array[];
}

/**
 * The low-pass filter for a change of rate by `up`/`down`, in lowest terms: input samples pass below half the lower
 * rate. It has all the `up` phases, or where these are too many a table to interpolate in.
 */
export function sincFilter(up: number, down: number): SincFilter {
  const scale = Math.min(1, up / down);
  const half = 2 * Math.ceil(CROSSINGS / scale / 2);
  const phases = up * 2 * half <= MOST_COEFFICIENTS ? up : Math.ceil(INTERPOLATED_ROWS * scale);
  const rows: Float64Array[] = [];
  // the sinc is even: a place as far after the middle as another before it has the same row, the other way round
  for (let phase = 0; phase <= phases; phase++) {
    rows.push(rows[phases - phase]?.slice().reverse() ?? sincRow(phase / phases, half, scale * CUTOFF));
  }
  return { taps: 2 * half, phases, rows };
}

/** The coefficients for the place that is a share of the way from one sample to the next. */
function sincRow(share: number, half: number, cutoff: number): Float64Array {
  const row = Float64Array.from({ length: 2 * half }, (_none, tap) => {
    const distance = share + half - 1 - tap;
    return sinc(distance * cutoff) * kaiser(distance / half);
  });
  const sum = row.reduce((all, one) => all + one, 0);
  return row.map((one) => one / sum);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The Kaiser window over -1…1; its height does not matter here. */
function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel0(KAISER_BETA * Math.sqrt(1 - x * x));
}

/** The modified Bessel function of order 0, by its series. */
function bessel0(x: number): number {
  const quarter = (x * x) / 4;
  let sum = 1;
  for (let term = 1, k = 1; term > sum * 1e-9; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}
