import { saturate } from '../../../src/protocol/audio/pcm.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';

/** A sine of that peak, of so many samples. */
export function sine(hz: number, count: number, { rate = 8_000, peak = 10_000, phase = 0 } = {}): Int16Array {
  return Int16Array.from({ length: count }, (_none, i) =>
    Math.round(peak * Math.sin((2 * Math.PI * hz * i) / rate + phase)),
  );
}

/** Evenly spread noise of that RMS. */
export function noise(count: number, rms: number, seed: string | number): Int16Array {
  const random = new SeededRandom(seed);
  const most = rms * Math.sqrt(3);
  return Int16Array.from({ length: count }, () => Math.round(random.between(-most, most)));
}

export function joined(...parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Saturated where it is too loud. */
export function sum(...parts: readonly Int16Array[]): Int16Array {
  const length = Math.max(...parts.map((part) => part.length));
  return Int16Array.from({ length }, (_none, i) => saturate(parts.reduce((all, part) => all + (part[i] ?? 0), 0)));
}

/** The pieces of a stream that is cut at random, pieces of no length among them. */
export function cut<T extends Int16Array | Uint8Array>(whole: T, random: SeededRandom, most: number): T[] {
  const pieces: T[] = [];
  for (let at = 0; at < whole.length; ) {
    const end = Math.min(whole.length, at + random.integer(most + 1));
    pieces.push(whole.subarray(at, end) as T);
    at = end;
  }
  return pieces;
}
