import { describe, expect, test } from 'vitest';
import { type DtmfDigit, dtmfFrequencies, dtmfTone, KEYPAD } from '../../../src/protocol/audio/dtmf.js';
import { DtmfDetector, type DtmfEvent } from '../../../src/protocol/audio/dtmf-detector.js';
import { G711 } from '../../../src/protocol/audio/g711.js';
import { levelDbov } from '../../../src/protocol/audio/pcm.js';
import { TONE_COUNTRIES, tonePlan } from '../../../src/protocol/audio/tone-plans.js';
import { ToneGenerator, type ToneSpec } from '../../../src/protocol/audio/tones.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { CORPORA_NEEDED, corporaPresent, corpusFile } from './corpus.js';
import { cut, joined, noise, sine, sum } from './signals.js';

const ms = (length: number): number => Math.round(length * 8);
const pause = (length: number): Int16Array => new Int16Array(ms(length));

interface Press {
  readonly ms?: number;
  /** Of the two tones, in dBov. */
  readonly rowDbov?: number;
  readonly columnDbov?: number;
  /** Factors of the two frequencies. */
  readonly rowTuning?: number;
  readonly columnTuning?: number;
}

/** The two tones of a digit, not made by our own generator. */
function press(digit: DtmfDigit, options: Press = {}): Int16Array {
  const { ms: length = 60, rowDbov = -15, columnDbov = -15, rowTuning = 1, columnTuning = 1 } = options;
  const { rowHz, columnHz } = dtmfFrequencies(digit);
  const peak = (dbov: number): number => 32_768 * Math.SQRT2 * 10 ** (dbov / 20);
  return sum(
    sine(rowHz * rowTuning, ms(length), { peak: peak(rowDbov), phase: 1 }),
    sine(columnHz * columnTuning, ms(length), { peak: peak(columnDbov), phase: 2 }),
  );
}

function eventsOf(stream: Int16Array): DtmfEvent[] {
  const detector = new DtmfDetector();
  return [...detector.process(joined(stream, pause(60))), ...detector.end()];
}

/** The digits that a stream holds; each must begin and end. */
function digitsOf(stream: Int16Array): string {
  const events = eventsOf(stream);
  const starts = events.filter(({ type }) => type === 'start').map(({ digit }) => digit);
  expect(events.map(({ type, digit }) => `${type} ${digit}`)).toEqual(
    starts.flatMap((digit) => [`start ${digit}`, `end ${digit}`]),
  );
  return starts.join('');
}

/** Where in the frames of the detector a stream begins must not matter. */
const OFFSETS = [0, 1, 9, 17, 20, 26, 33, 39];
const ALL = KEYPAD.join('');

describe('ITU-T Q.24: what is a digit', () => {
  test.each(OFFSETS)('all digits of 40 ms with pauses of 40 ms, from sample %i on', (offset) => {
    const keys = KEYPAD.flatMap((digit) => [press(digit, { ms: 40 }), pause(40)]);
    expect(digitsOf(joined(new Int16Array(offset), ...keys))).toBe(ALL);
  });

  test.each(OFFSETS)('tones of 23 ms are none, from sample %i on', (offset) => {
    const keys = KEYPAD.flatMap((digit) => [press(digit, { ms: 23 }), pause(60)]);
    expect(digitsOf(joined(new Int16Array(offset), ...keys))).toBe('');
  });

  test.each(KEYPAD)('%s: tones 1.5 % off are taken, 3.5 % off they are not', (digit) => {
    const { rowHz, columnHz } = dtmfFrequencies(digit);
    for (const sign of [-1, 1]) {
      const row = 1 + sign * 0.015 + (sign * 2) / rowHz;
      const column = 1 + sign * 0.015 + (sign * 2) / columnHz;
      for (const offset of OFFSETS) {
        for (const [rowTuning, columnTuning] of [
          [row, 1],
          [1, column],
          [row, column],
          [row, 2 - column],
        ] as const) {
          const stream = joined(new Int16Array(offset), press(digit, { ms: 40, rowTuning, columnTuning }));
          expect(digitsOf(stream), `${rowTuning} ${columnTuning} ${offset}`).toBe(digit);
        }
      }
      for (const length of [40, 100, 1_000]) {
        const off = 1 + sign * 0.035;
        expect(digitsOf(press(digit, { ms: length, rowTuning: off }))).toBe('');
        expect(digitsOf(press(digit, { ms: length, columnTuning: off }))).toBe('');
        expect(digitsOf(press(digit, { ms: length, rowTuning: off, columnTuning: off }))).toBe('');
      }
    }
  });

  test.each<[string, number, boolean]>([
    ['normal twist 8 dB', -8, true],
    ['normal twist 10 dB', -10, false],
    ['reverse twist 4 dB', 4, true],
    ['reverse twist 6 dB', 6, false],
  ])('%s', (_name, twist, taken) => {
    for (const digit of KEYPAD) {
      const stream = press(digit, { ms: 50, rowDbov: -18, columnDbov: -18 + twist });
      expect(digitsOf(stream)).toBe(taken ? digit : '');
    }
  });

  test.each<[number, boolean]>([
    [-6, true],
    [-10, true],
    [-30, true],
    [-37, true],
    [-42, false],
    [-60, false],
  ])('tones of %d dBov', (level, taken) => {
    const keys = KEYPAD.flatMap((digit) => [press(digit, { rowDbov: level, columnDbov: level }), pause(50)]);
    expect(digitsOf(joined(...keys))).toBe(taken ? ALL : '');
  });

  test('pauses of 40 ms part digits, gaps of 10 ms do not, whatever the phase after them, nor does a lost packet', () => {
    for (const offset of OFFSETS) {
      const start = new Int16Array(offset);
      expect(digitsOf(joined(start, press('5', { ms: 50 }), pause(40), press('5', { ms: 50 })))).toBe('55');
      const lost = press('5', { ms: 100 }).fill(0, ms(40), ms(60));
      expect(digitsOf(joined(start, lost))).toBe('5');
      for (const second of [30, 31, 32, 33, 34, 35]) {
        const tone = press('5', { ms: 100 });
        const dropped = joined(tone.subarray(0, ms(30)), pause(10), tone.subarray(ms(second)), pause(20));
        expect(digitsOf(joined(start, dropped)), `${offset} ${second}`).toBe('5');
      }
    }
  });

  test('noise 15 dB below the tones: no digit is lost, none comes twice', () => {
    const random = new SeededRandom(24);
    const digits = Array.from({ length: 200 }, () => KEYPAD[random.integer(16)] ?? '0');
    const keys = joined(...digits.flatMap((digit) => [press(digit, { ms: 50 }), pause(50)]));
    // the two tones of -15 dBov together have -12
    const rms = 32_768 * 10 ** (-27 / 20);
    expect(digitsOf(sum(keys, noise(keys.length, rms, 1)))).toBe(digits.join(''));
  });
});

describe('DtmfDetector', () => {
  test('says where a digit began and ended, to 5 ms', () => {
    for (const offset of OFFSETS) {
      for (const length of [40, 63, 100, 500]) {
        const from = ms(100) + offset;
        const events = eventsOf(joined(new Int16Array(from), press('7', { ms: length })));
        expect(events).toEqual([
          { type: 'start', digit: '7', atSample: expect.any(Number) },
          { type: 'end', digit: '7', atSample: expect.any(Number), durationSamples: expect.any(Number) },
        ]);
        const [start, end] = events;
        expect(Math.abs((start?.atSample ?? 0) - from)).toBeLessThanOrEqual(40);
        expect(Math.abs((end?.atSample ?? 0) - from - ms(length))).toBeLessThanOrEqual(40);
        expect(end).toMatchObject({ durationSamples: (end?.atSample ?? 0) - (start?.atSample ?? 0) });
      }
    }
  });

  test('tells of a digit within 50 ms, while it sounds', () => {
    const detector = new DtmfDetector();
    expect(detector.process(press('#', { ms: 50 }))).toMatchObject([{ type: 'start', digit: '#' }]);
    expect(detector.digit).toBe('#');
    expect(detector.process(pause(40))).toMatchObject([{ type: 'end', digit: '#' }]);
    expect(detector.digit).toBeUndefined();
  });

  test('the pieces may have any size', () => {
    const stream = joined(pause(13), ...KEYPAD.flatMap((digit) => [press(digit), pause(45)]));
    const whole = eventsOf(stream);
    expect(whole).toHaveLength(32);
    for (const most of [3, 160, 1_000]) {
      const detector = new DtmfDetector();
      const pieces = cut(joined(stream, pause(60)), new SeededRandom(most), most);
      expect(pieces.flatMap((piece) => [...detector.process(piece)])).toEqual(whole);
    }
  });

  test('one digit right after another: the first ends where the second begins', () => {
    expect(digitsOf(joined(press('1'), press('9'), press('2')))).toBe('192');
  });

  test('a digit with an echo is one digit, and the next one another', () => {
    const echo = press('4', { ms: 120, rowDbov: -33, columnDbov: -33 });
    expect(digitsOf(joined(press('4'), echo, pause(40), press('4')))).toBe('44');
    expect(digitsOf(joined(press('4'), echo.subarray(0, ms(45)), press('4')))).toBe('44');
  });

  test('a digit that never ends: the end of the stream ends it', () => {
    const detector = new DtmfDetector();
    detector.process(press('8', { ms: 200 }));
    expect(detector.end()).toEqual([
      { type: 'end', digit: '8', atSample: expect.any(Number), durationSamples: expect.any(Number) },
    ]);
    expect(detector.end()).toEqual([]);
  });

  test('digits of our own generator, through both laws of G.711', () => {
    const out = new Int16Array(1_600);
    for (const digit of KEYPAD) {
      new ToneGenerator(dtmfTone(digit)).fill(out);
      expect(digitsOf(G711.decodeUlaw(G711.encodeUlaw(out)))).toBe(digit);
      expect(digitsOf(G711.decodeAlaw(G711.encodeAlaw(out)))).toBe(digit);
    }
  });
});

describe('talk-off: what is no digit', () => {
  test('a minute of noise, soft and loud', () => {
    for (const rms of [100, 1_000, 8_000]) expect(digitsOf(noise(ms(20_000), rms, rms))).toBe('');
  });

  test('a minute of vowels: harmonics of a voice that goes up and down, shaped by formants', () => {
    expect(digitsOf(vowels(60, 1))).toBe('');
  });

  test('the tones of all countries, and one tone of a digit alone', () => {
    const out = new Int16Array(ms(6_000));
    const play = (spec: ToneSpec): Int16Array => {
      new ToneGenerator(spec).fill(out);
      return out;
    };
    for (const country of TONE_COUNTRIES) {
      for (const spec of Object.values(tonePlan(country))) expect(digitsOf(play(spec)), country).toBe('');
    }
    for (const hz of [697, 770, 852, 941, 1_209, 1_336, 1_477, 1_633]) {
      expect(digitsOf(sine(hz, ms(500)))).toBe('');
    }
  });

  test.skipIf(!corporaPresent)(`a recorded A-law stream ${CORPORA_NEEDED}`, () => {
    const speech = G711.decodeAlaw(Buffer.concat(payloadsOf(corpusFile('dtmf-rfc4733/g711a.pcap'))));
    expect(speech.length).toBeGreaterThan(ms(5_000));
    expect(levelDbov(speech)).toBeGreaterThan(-40);
    expect(digitsOf(speech)).toBe('');
  });

  test('two tones of one group, and a chord of three', () => {
    expect(digitsOf(sum(sine(697, ms(300)), sine(941, ms(300))))).toBe('');
    expect(digitsOf(sum(press('1', { ms: 300 }), sine(1_633, ms(300), { peak: 8_000 })))).toBe('');
    expect(digitsOf(sum(press('1', { ms: 300 }), sine(2_400, ms(300), { peak: 8_000 })))).toBe('');
  });
});

/** The RTP payloads of a capture of one stream over UDP, IPv4 and Ethernet, in the order of the file. */
function payloadsOf(capture: Uint8Array): Uint8Array[] {
  const view = new DataView(capture.buffer, capture.byteOffset, capture.byteLength);
  const payloads: Uint8Array[] = [];
  for (let at = 24; at < capture.length; ) {
    const [from, length] = [at + 16, view.getUint32(at + 8, true)];
    const headers = 14 + 20 + 8 + 12;
    if (length > headers) payloads.push(capture.subarray(from + headers, from + length));
    at = from + length;
  }
  return payloads;
}

/** Seconds of voice: a pitch of 80 to 300 Hz that wanders, three formants that jump from vowel to vowel. */
function vowels(seconds: number, seed: number): Int16Array {
  const random = new SeededRandom(seed);
  const out = new Int16Array(ms(seconds * 1_000));
  let phase = 0;
  let [pitch, drift, left] = [120, 0, 0];
  let formants: number[] = [];
  for (let i = 0; i < out.length; i++) {
    if (left-- <= 0) {
      left = ms(random.between(60, 300));
      drift = random.between(-0.004, 0.004);
      formants = [random.between(250, 900), random.between(800, 2_400), random.between(2_200, 3_200)];
    }
    pitch = Math.min(300, Math.max(80, pitch + drift));
    phase = (phase + pitch / 8_000) % 1;
    let value = 0;
    for (let harmonic = 1; harmonic * pitch < 3_600; harmonic++) {
      const hz = harmonic * pitch;
      const gain = formants.reduce((all, formant) => all + 1 / (1 + ((hz - formant) / 60) ** 2), 0.01);
      value += gain * Math.sin(2 * Math.PI * harmonic * phase);
    }
    out[i] = Math.max(-32_768, Math.min(32_767, Math.round(value * 6_000)));
  }
  return out;
}
