import { describe, expect, test } from 'vitest';
import { dtmfFrequencies, dtmfTone, KEYPAD } from '../../../src/protocol/audio/dtmf.js';
import { toneDbov } from '../../../src/protocol/audio/goertzel.js';
import { levelDbov, SILENCE_DBOV } from '../../../src/protocol/audio/pcm.js';
import { isToneCountry, TONE_COUNTRIES, type TonePlan, tonePlan } from '../../../src/protocol/audio/tone-plans.js';
import { beep, chord, TONE_DBOV, ToneGenerator, type ToneSpec } from '../../../src/protocol/audio/tones.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';

function played(spec: ToneSpec, ms: number, rate = 8_000): Int16Array {
  const out = new Int16Array((ms * rate) / 1_000);
  new ToneGenerator(spec, rate).fill(out);
  return out;
}

/** How a tone sounds in turn: [ms of sound, ms of pause, …], to 1 ms. */
function cadenceOf(spec: ToneSpec, ms: number): number[] {
  const out = played(spec, ms);
  const lengths: number[] = [];
  let sounding = true;
  let from = 0;
  for (let at = 0; at < out.length; at += 8) {
    const sounds = out.subarray(at, at + 16).some((sample) => sample !== 0);
    if (sounds === sounding) continue;
    lengths.push((at - from) / 8);
    [sounding, from] = [sounds, at];
  }
  return lengths;
}

describe('ToneGenerator', () => {
  test('each sine has its frequency and its level in dBov', () => {
    const sines = [
      { hz: 440, dbov: -20 },
      { hz: 1_336, dbov: -26 },
    ];
    const out = played({ steps: [{ sines }] }, 1_000);
    expect(toneDbov(out, 440)).toBeCloseTo(-20, 1);
    expect(toneDbov(out, 1_336)).toBeCloseTo(-26, 1);
    expect(toneDbov(out, 700)).toBeLessThan(-75);
  });

  test('however the stream is cut into frames, the samples are the same', () => {
    const spec = tonePlan('gb').ringback;
    const whole = played(spec, 5_000);
    const random = new SeededRandom(1);
    const generator = new ToneGenerator(spec);
    const out = new Int16Array(whole.length);
    for (let at = 0; at < out.length; ) {
      const frame = out.subarray(at, at + random.integer(400));
      expect(generator.fill(frame)).toBe(frame.length);
      at += frame.length;
    }
    expect(out).toEqual(whole);
  });

  test('a tone that lasts does not drift: after five minutes it has its phase', () => {
    const generator = new ToneGenerator({ steps: [{ sines: chord([425]) }] });
    const second = new Int16Array(8_000);
    generator.fill(second);
    const first = second.slice();
    for (let seconds = 1; seconds < 300; seconds++) generator.fill(second);
    expect(Math.max(...second.map((sample, i) => Math.abs(sample - (first[i] ?? 0))))).toBeLessThanOrEqual(1);
  });

  test('repeat: what is left of the last frame is silence, and it has ended', () => {
    const generator = new ToneGenerator({ steps: [{ sines: chord([1_000]), ms: 15 }], repeat: 2 });
    const frame = new Int16Array(160).fill(7);
    expect(generator.fill(frame)).toBe(160);
    expect(generator.ended).toBe(false);
    expect(generator.fill(frame)).toBe(80);
    expect(generator.ended).toBe(true);
    expect([...frame.subarray(80)].every((sample) => sample === 0)).toBe(true);
    expect(generator.fill(frame)).toBe(0);
    expect(levelDbov(frame)).toBe(SILENCE_DBOV);
  });

  test('other rates, and a sum that is too loud is cut off', () => {
    const loud = played({ steps: [{ sines: [700, 900].map((hz) => ({ hz, dbov: -3 })) }] }, 100, 16_000);
    expect(Math.max(...loud)).toBe(32_767);
    expect(toneDbov(played(beep({ ms: 1_000 }), 1_000, 16_000), 1_000, 16_000)).toBeCloseTo(TONE_DBOV, 1);
  });

  test.each([
    ['steps', { steps: [] }],
    [
      'steps[1].ms',
      {
        steps: [
          { sines: [], ms: 5 },
          { sines: [], ms: 0 },
        ],
      },
    ],
    ['steps[0].ms', { steps: [{ sines: [], ms: Number.NaN }] }],
    ['steps[0].sines', { steps: [{ sines: [{ hz: 4_000, dbov: -10 }] }] }],
    ['steps[0].sines', { steps: [{ sines: [{ hz: 400, dbov: 3 }] }] }],
    ['repeat', { steps: [{ sines: [] }], repeat: Number.NaN }],
  ] satisfies [string, ToneSpec][])('a wrong %s is a misuse', (path, spec) => {
    expect(() => new ToneGenerator(spec)).toThrow(
      expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT', message: expect.stringContaining(path) }),
    );
  });
});

describe('tones', () => {
  test('a beep: 0.3 s of 1,000 Hz at -10 dBm0, once', () => {
    const out = played(beep(), 1_000);
    expect(toneDbov(out.subarray(0, 2_400), 1_000)).toBeCloseTo(-16, 1);
    expect(levelDbov(out.subarray(2_400))).toBe(SILENCE_DBOV);
  });

  test.each(KEYPAD)('ITU-T Q.23: DTMF %s, the high tone 2 dB louder', (digit) => {
    const { rowHz, columnHz } = dtmfFrequencies(digit);
    const out = played(dtmfTone(digit, { ms: 500 }), 1_000);
    expect(toneDbov(out.subarray(0, 4_000), rowHz)).toBeCloseTo(-15, 1);
    expect(toneDbov(out.subarray(0, 4_000), columnHz)).toBeCloseTo(-13, 1);
    expect(levelDbov(out.subarray(4_000))).toBe(SILENCE_DBOV);
  });

  test('ITU-T Q.23: where the digits lie', () => {
    expect(dtmfFrequencies('1')).toEqual({ rowHz: 697, columnHz: 1_209 });
    expect(dtmfFrequencies('0')).toEqual({ rowHz: 941, columnHz: 1_336 });
    expect(dtmfFrequencies('#')).toEqual({ rowHz: 941, columnHz: 1_477 });
    expect(dtmfFrequencies('D')).toEqual({ rowHz: 941, columnHz: 1_633 });
    expect(new ToneGenerator(dtmfTone('5', { pauseMs: 0 })).fill(new Int16Array(8_000))).toBe(800);
  });
});

describe('ITU-T E.180: national tones', () => {
  const kinds = ['dial', 'ringback', 'busy', 'congestion', 'specialInformation', 'callWaiting'] as const;

  test.each(TONE_COUNTRIES)('%s: every tone can be played, at about -10 dBm0 while it sounds', (country) => {
    const plan: TonePlan = tonePlan(country);
    for (const kind of kinds) {
      const [first] = plan[kind].steps;
      const out = played({ steps: [{ sines: first?.sines ?? [] }] }, 1_000);
      expect(levelDbov(out)).toBeCloseTo(TONE_DBOV, 0);
    }
  });

  test.each([
    ['us', 'ringback', [440, 480], [2_000, 4_000]],
    ['us', 'busy', [480, 620], [500, 500]],
    ['us', 'congestion', [480, 620], [250, 250]],
    ['gb', 'ringback', [400, 450], [400, 200, 400, 2_000]],
    ['gb', 'busy', [400], [375, 375]],
    ['de', 'ringback', [425], [1_000, 4_000]],
    ['de', 'busy', [425], [480, 480]],
    ['fr', 'ringback', [440], [1_500, 3_500]],
    ['it', 'dial', [425], [200, 200, 600, 1_000]],
    ['se', 'ringback', [425], [1_000, 5_000]],
    ['cn', 'busy', [450], [350, 350]],
  ] as const)('%s %s: %j Hz, %j ms', (country, kind, hz, ms) => {
    const spec = tonePlan(country)[kind];
    const total = ms.reduce((all: number, one) => all + one, 0);
    const found = cadenceOf(spec, 2 * total + 200);
    expect(found.length).toBeGreaterThanOrEqual(2 * ms.length - 1);
    for (const [i, length] of [...ms, ...ms].slice(0, -1).entries()) {
      expect(Math.abs((found[i] ?? 0) - length)).toBeLessThanOrEqual(2);
    }
    const sound = played(spec, ms[0]);
    for (const one of hz) expect(toneDbov(sound, one)).toBeGreaterThan(TONE_DBOV - 4);
  });

  test('the special information tone is 950, 1,400 and 1,800 Hz in turn, then a second of silence', () => {
    const out = played(tonePlan('de').specialInformation, 1_990);
    for (const [i, hz] of [950, 1_400, 1_800].entries()) {
      expect(toneDbov(out.subarray(i * 2_640, (i + 1) * 2_640), hz)).toBeCloseTo(TONE_DBOV, 0);
    }
    expect(levelDbov(out.subarray(7_920))).toBe(SILENCE_DBOV);
  });

  test('a country that is not known is a misuse, and can be asked for', () => {
    expect(isToneCountry('de')).toBe(true);
    expect(isToneCountry('toString')).toBe(false);
    const unknown: string = 'xx';
    expect(() => tonePlan(unknown as 'us')).toThrow(expect.objectContaining({ code: 'PBX_INVALID_ARGUMENT' }));
    expect(TONE_COUNTRIES.length).toBeGreaterThanOrEqual(12);
  });
});
