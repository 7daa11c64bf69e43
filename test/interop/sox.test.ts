import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { type DtmfDigit, dtmfFrequencies, KEYPAD } from '../../src/protocol/audio/dtmf.js';
import { DtmfDetector } from '../../src/protocol/audio/dtmf-detector.js';
import { G711 } from '../../src/protocol/audio/g711.js';
import { toneDbov } from '../../src/protocol/audio/goertzel.js';
import { levelDbov } from '../../src/protocol/audio/pcm.js';
import { Resampler } from '../../src/protocol/audio/resampler.js';
import { readWav } from '../../src/protocol/audio/wav-reader.js';
import { completeWav, type WavWriterOptions, wavHeader } from '../../src/protocol/audio/wav-writer.js';
import { interopTest } from './support/programs.js';
import { asHeardBySox, run } from './support/sox.js';

function farthest(a: Int16Array, b: Int16Array): number {
  expect(a).toHaveLength(b.length);
  return a.reduce((most, sample, i) => Math.max(most, Math.abs(sample - (b[i] ?? 0))), 0);
}

function digitsOf(pcm: Int16Array): string {
  const events = new DtmfDetector().process(pcm);
  return events.flatMap(({ type, digit }) => (type === 'start' ? [digit] : [])).join('');
}

/** A sweep over the whole band and all levels, of an odd number of samples. */
const SWEEP = Int16Array.from({ length: 8_001 }, (_none, i) => Math.round(4 * i * Math.sin(0.0002 * i * i)));

describe('SoX reads our WAV files', () => {
  const encode = (encoding: WavWriterOptions['encoding'], pcm: Int16Array): Uint8Array => {
    if (encoding === 'alaw') return G711.encodeAlaw(pcm);
    if (encoding === 'ulaw') return G711.encodeUlaw(pcm);
    return new Uint8Array(pcm.buffer);
  };

  for (const [encoding, name] of [
    ['pcm', 'Signed Integer PCM'],
    ['alaw', 'A-law'],
    ['ulaw', 'u-law'],
  ] as const) {
    interopTest(
      `${encoding}: complete, and as a killed recorder leaves it`,
      { needs: ['sox', 'soxi'] },
      async (lab) => {
        const options = { encoding, rate: 8_000 };
        const data = encode(encoding, SWEEP);
        const cut = Buffer.concat([wavHeader(options), data]);
        const { bytes, offset, padding } = completeWav(options, data.length);
        const complete = Buffer.concat([cut, padding]);
        complete.set(bytes, offset);
        for (const [state, content] of Object.entries({ cut, complete })) {
          const file = path.join(lab.dir, `${state}.wav`);
          writeFileSync(file, content);
          expect(await run(lab, 'soxi', '-r', file)).toEqual(['8000']);
          expect(await run(lab, 'soxi', '-e', file)).toEqual([name]);
          expect(await asHeardBySox(lab, file)).toEqual(readWav(content).samples);
        }
        expect(await run(lab, 'soxi', '-s', path.join(lab.dir, 'complete.wav'))).toEqual(['8001']);
        expect(await run(lab, 'soxi', '-D', path.join(lab.dir, 'complete.wav'))).toEqual(['1.000125']);
      },
    );
  }

  interopTest('stereo at 16 kHz', { needs: ['sox', 'soxi'] }, async (lab) => {
    const file = path.join(lab.dir, 'stereo.wav');
    const data = encode('pcm', SWEEP.subarray(0, 8_000).slice());
    const header = Buffer.from(wavHeader({ encoding: 'pcm', rate: 16_000, channels: 2 }));
    const { bytes, offset } = completeWav({ encoding: 'pcm', rate: 16_000, channels: 2 }, data.length);
    header.set(bytes, offset);
    writeFileSync(file, Buffer.concat([header, data]));
    expect(await run(lab, 'soxi', '-r', file)).toEqual(['16000']);
    expect(await run(lab, 'soxi', '-c', file)).toEqual(['2']);
    expect(await run(lab, 'soxi', '-s', file)).toEqual(['4000']);
  });
});

describe('we read the WAV files of SoX', () => {
  for (const { name, args, format, within } of [
    { name: '8 bits', args: ['-b', '8', '-e', 'unsigned'], format: 'pcm 8', within: 0 },
    { name: '16 bits', args: ['-b', '16', '-e', 'signed'], format: 'pcm 16', within: 0 },
    { name: '24 bits', args: ['-b', '24', '-e', 'signed'], format: 'pcm 24', within: 0 },
    { name: '32 bits', args: ['-b', '32', '-e', 'signed'], format: 'pcm 32', within: 0 },
    { name: 'float, 32 bits', args: ['-b', '32', '-e', 'float'], format: 'float 32', within: 0 },
    { name: 'float, 64 bits', args: ['-b', '64', '-e', 'float'], format: 'float 64', within: 0 },
    { name: 'A-law', args: ['-e', 'a-law'], format: 'alaw 8', within: 0 },
    { name: 'µ-law', args: ['-e', 'u-law'], format: 'ulaw 8', within: 0 },
    // SoX mixes before it rounds, we do so after
    { name: '24 bits, stereo', args: ['-b', '24', '-c', '2'], format: 'pcm 24', within: 1 },
    { name: 'float, 6 channels', args: ['-b', '32', '-e', 'float', '-c', '6'], format: 'float 32', within: 1 },
  ]) {
    interopTest(`${name}: the same samples`, { needs: ['sox'] }, async (lab) => {
      const file = path.join(lab.dir, 'synth.wav');
      // white noise tries every value; 3 dB down so that rounding does not clip
      await run(lab, 'sox', '-D', '-R', '-n', '-r', '11025', ...args, file, 'synth', '0.5', 'whitenoise', 'gain', '-3');
      const { format: found, samples } = readWav(readFileSync(file));
      expect(`${found.encoding} ${found.bits}`).toBe(format);
      expect(found.rate).toBe(11_025);
      expect(levelDbov(samples)).toBeGreaterThan(-20);
      expect(farthest(samples, await asHeardBySox(lab, file))).toBeLessThanOrEqual(within);
    });
  }

  interopTest('written to a pipe, whose length it cannot know', { needs: ['sox'] }, async (lab) => {
    const file = path.join(lab.dir, 'piped.wav');
    await run(lab, 'sh', '-c', `sox -n -r 8000 -b 16 -t wav - synth 0.25 sine 440 | cat > '${file}'`);
    const { samples } = readWav(readFileSync(file));
    expect(samples).toHaveLength(2_000);
    expect(toneDbov(samples, 440)).toBeGreaterThan(-7);
  });

  interopTest('44.1 kHz through our resampler is what SoX resamples', { needs: ['sox'] }, async (lab) => {
    const [high, low] = [path.join(lab.dir, 'high.wav'), path.join(lab.dir, 'low.wav')];
    const synth = ['synth', '1', 'pinknoise', 'sinc', '-2800', 'gain', '-6'];
    await run(lab, 'sox', '-D', '-R', '-n', '-r', '44100', '-b', '16', high, ...synth);
    await run(lab, 'sox', '-D', high, '-r', '8000', low, 'rate', '-h');
    const resampler = new Resampler({ from: 44_100, to: 8_000 });
    const source = readWav(readFileSync(high)).samples;
    const ours = Int16Array.from([...resampler.process(source), ...resampler.flush()]);
    const theirs = readWav(readFileSync(low)).samples;
    expect(Math.abs(ours.length - theirs.length)).toBeLessThanOrEqual(1);
    const [from, to] = [100, ours.length - 100];
    const difference = ours.map((sample, i) => sample - (theirs[i] ?? 0)).subarray(from, to);
    expect(levelDbov(difference)).toBeLessThan(levelDbov(ours.subarray(from, to)) - 50);
  });
});

describe('in-band DTMF', () => {
  interopTest('the digits that SoX makes are heard, each once', { needs: ['sox'] }, async (lab) => {
    const files: string[] = [];
    const tone = async (digit: DtmfDigit): Promise<void> => {
      const { rowHz, columnHz } = dtmfFrequencies(digit);
      const file = path.join(lab.dir, `key-${files.length}.wav`);
      files.push(file);
      const sines = ['sine', `${rowHz}`, 'sine', `${columnHz}`];
      const shape = ['remix', '1,2', 'gain', '-10', 'pad', '0', '0.05'];
      await run(lab, 'sox', '-n', '-r', '8000', '-b', '16', file, 'synth', '0.05', ...sines, ...shape);
    };
    for (const digit of KEYPAD) await tone(digit);
    for (const encoding of ['signed', 'a-law', 'u-law']) {
      const all = path.join(lab.dir, `${encoding}.wav`);
      await run(lab, 'sox', ...files, '-e', encoding, all);
      expect(digitsOf(readWav(readFileSync(all)).samples)).toBe(KEYPAD.join(''));
    }
  });

  for (const voice of ['en-gb', 'en-us+f3', 'de+m3', 'fr+f2']) {
    interopTest(
      `talk-off: a minute of espeak-ng's voice ${voice} holds no digit`,
      { needs: ['espeak-ng'] },
      async (lab) => {
        const file = path.join(lab.dir, 'speech.wav');
        await run(lab, 'espeak-ng', '-v', voice, '-s', '150', '-w', file, SPEECH);
        const { rate, samples } = readWav(readFileSync(file));
        const speech = new Resampler({ from: rate, to: 8_000 }).process(samples);
        expect(speech.length / 8_000).toBeGreaterThan(60);
        expect(levelDbov(speech)).toBeGreaterThan(-35);
        expect(digitsOf(speech)).toBe('');
      },
    );
  }
});

/** About 170 words, so that even the fastest voice needs a minute. */
const SPEECH = `Good morning, you have reached the office. All our colleagues are speaking to other callers at the moment.
Please stay on the line, and somebody will be with you in a few minutes. If you know the extension of the person whom you
want to reach, you may dial it at any time. For questions about an order that you have placed with us, press one. For
repairs and returns, press two. For invoices, reminders and payments, press three, and have the number of your customer
account at hand. To leave a message after the tone, press four; when you have finished, hang up or press the hash key to
hear it again. Our office is open from Monday to Friday between eight in the morning and half past five in the afternoon,
and on Saturdays until noon. In urgent cases outside these hours you can always write to us, and we shall call you back on
the next working day. Seven seagulls were swooping over the quiet blue bay, while one old whale blew water high into the
warm evening air. Whoever you are, wherever you may be, we wish you a wonderful and a peaceful week. Thank you for calling,
and goodbye.`;
