import { UsageError } from '../../base/errors.js';
import { chord, type Sine, TONE_DBOV, type ToneSpec, type ToneStep } from './tones.js';

/** What a country's exchanges let a caller hear (ITU-T E.180). */
export interface TonePlan {
  /** The number may be dialled. */
  readonly dial: ToneSpec;
  /** The called party's phone rings. */
  readonly ringback: ToneSpec;
  readonly busy: ToneSpec;
  /** No way through: all lines or servers are taken. */
  readonly congestion: ToneSpec;
  /** Before an announcement: the call cannot be put through as dialled. */
  readonly specialInformation: ToneSpec;
  /** A second call waits. */
  readonly callWaiting: ToneSpec;
}

/** ITU-T E.180 §5: three tones, one higher than the other; the same in every country. */
const SPECIAL_INFORMATION: ToneSpec = {
  steps: [...[950, 1_400, 1_800].map((hz) => ({ sines: chord([hz]), ms: 330 })), { sines: [], ms: 1_000 }],
};

/** National values: ITU-T E.180 Supplement 2; gb: BT SIN 350. Cadences are in ms, sound and pause in turn. */
const PLANS = {
  at: plan(chord([420]), {
    ringback: [1_000, 5_000],
    busy: [400, 400],
    congestion: [200, 200],
    callWaiting: [40, 1_960],
  }),
  au: {
    ...plan(chord([425]), {
      ringback: [400, 200, 400, 2_000],
      busy: [375, 375],
      congestion: [375, 375],
      callWaiting: [200, 200, 200, 4_400],
    }),
    dial: steady(chord([413, 438])),
    ringback: cadence(chord([413, 438]), [400, 200, 400, 2_000]),
  },
  be: {
    ...plan(chord([425]), {
      ringback: [1_000, 3_000],
      busy: [500, 500],
      congestion: [167, 167],
      callWaiting: [175, 175, 175, 3_500],
    }),
    callWaiting: cadence(chord([1_400]), [175, 175, 175, 3_500]),
  },
  br: plan(chord([425]), {
    ringback: [1_000, 4_000],
    busy: [250, 250],
    congestion: [250, 250, 750, 250],
    callWaiting: [50, 1_000],
  }),
  ch: plan(chord([425]), {
    ringback: [1_000, 4_000],
    busy: [500, 500],
    congestion: [200, 200],
    callWaiting: [200, 200, 200, 4_000],
  }),
  cn: plan(chord([450]), {
    ringback: [1_000, 4_000],
    busy: [350, 350],
    congestion: [700, 700],
    callWaiting: [400, 4_000],
  }),
  de: plan(chord([425]), {
    ringback: [1_000, 4_000],
    busy: [480, 480],
    congestion: [240, 240],
    callWaiting: [200, 200, 200, 5_000],
  }),
  es: plan(chord([425]), {
    ringback: [1_500, 3_000],
    busy: [200, 200],
    congestion: [200, 200, 200, 200, 200, 600],
    callWaiting: [175, 175, 175, 3_500],
  }),
  fr: plan(chord([440]), {
    ringback: [1_500, 3_500],
    busy: [500, 500],
    congestion: [250, 250],
    callWaiting: [300, 10_000],
  }),
  gb: {
    ...plan(chord([400]), {
      ringback: [400, 200, 400, 2_000],
      busy: [375, 375],
      congestion: [400, 350, 225, 525],
      callWaiting: [100, 4_000],
    }),
    dial: steady(chord([350, 440])),
    ringback: cadence(chord([400, 450]), [400, 200, 400, 2_000]),
  },
  in: {
    ...plan(chord([400]), {
      ringback: [400, 200, 400, 2_000],
      busy: [750, 750],
      congestion: [250, 250],
      callWaiting: [200, 100, 200, 7_500],
    }),
    dial: steady(modulated(400, 25)),
    ringback: cadence(modulated(400, 25), [400, 200, 400, 2_000]),
  },
  it: {
    ...plan(chord([425]), {
      ringback: [1_000, 4_000],
      busy: [500, 500],
      congestion: [200, 200],
      callWaiting: [400, 100, 250, 100, 150, 14_000],
    }),
    dial: cadence(chord([425]), [200, 200, 600, 1_000]),
  },
  nl: plan(chord([425]), {
    ringback: [1_000, 4_000],
    busy: [500, 500],
    congestion: [250, 250],
    callWaiting: [500, 9_500],
  }),
  pl: plan(chord([425]), {
    ringback: [1_000, 4_000],
    busy: [500, 500],
    congestion: [500, 500],
    callWaiting: [150, 150, 150, 4_000],
  }),
  se: plan(chord([425]), {
    ringback: [1_000, 5_000],
    busy: [250, 250],
    congestion: [250, 750],
    callWaiting: [200, 500, 200, 9_100],
  }),
  us: {
    dial: steady(chord([350, 440])),
    ringback: cadence(chord([440, 480]), [2_000, 4_000]),
    busy: cadence(chord([480, 620]), [500, 500]),
    congestion: cadence(chord([480, 620]), [250, 250]),
    specialInformation: SPECIAL_INFORMATION,
    callWaiting: cadence(chord([440]), [300, 10_000]),
  },
} as const satisfies Readonly<Record<string, TonePlan>>;

/** The countries whose tones are known, by ISO 3166 code. */
export type ToneCountry = keyof typeof PLANS;

export const TONE_COUNTRIES: readonly ToneCountry[] = Object.freeze(Object.keys(PLANS).filter(isToneCountry));

/** For text from a configuration: whether `tonePlan` takes it. */
export function isToneCountry(country: string): country is ToneCountry {
  return Object.hasOwn(PLANS, country);
}

/**
 * The tones of a country.
 * @throws UsageError (PBX_INVALID_ARGUMENT) for one that is not known
 */
export function tonePlan(country: ToneCountry): TonePlan {
  if (isToneCountry(country)) return PLANS[country];
  const known = TONE_COUNTRIES.join(', ');
  throw new UsageError('PBX_INVALID_ARGUMENT', `country: found ${JSON.stringify(country)}, expected one of ${known}`);
}

type Cadence = readonly number[];

/** A country where all tones sound alike and differ in their cadence, as most do. */
function plan(
  sines: readonly Sine[],
  cadences: Readonly<Record<'ringback' | 'busy' | 'congestion' | 'callWaiting', Cadence>>,
): TonePlan {
  return {
    dial: steady(sines),
    ringback: cadence(sines, cadences.ringback),
    busy: cadence(sines, cadences.busy),
    congestion: cadence(sines, cadences.congestion),
    specialInformation: SPECIAL_INFORMATION,
    callWaiting: cadence(sines, cadences.callWaiting),
  };
}

function steady(sines: readonly Sine[]): ToneSpec {
  return { steps: [{ sines }] };
}

function cadence(sines: readonly Sine[], ms: Cadence): ToneSpec {
  return { steps: ms.map((length, i): ToneStep => ({ sines: i % 2 === 0 ? sines : [], ms: length })) };
}

/** A sine whose loudness goes up and down fully `by` times a second: three sines, the outer ones half as high. */
function modulated(hz: number, by: number): readonly Sine[] {
  const carrier = TONE_DBOV - 10 * Math.log10(1.5);
  const side = carrier - 20 * Math.log10(2);
  return [
    { hz, dbov: carrier },
    { hz: hz - by, dbov: side },
    { hz: hz + by, dbov: side },
  ];
}
