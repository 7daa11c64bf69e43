/** The overload point of 16-bit samples: 0 dBov. */
export const FULL_SCALE = 32_768;
const HIGHEST = FULL_SCALE - 1;

/** What digital silence measures, and the least that `levelDbov` says (RFC 6464 §3). */
export const SILENCE_DBOV = -127;

/** A sample held within 16 bits: what is too loud is cut off, and never wraps round. */
export function saturate(value: number): number {
  return Math.min(HIGHEST, Math.max(-FULL_SCALE, value));
}

/** The factor of an amplitude for a gain in dB: 6 dB is about twice, -20 dB a tenth. */
export function gainFactor(db: number): number {
  return 10 ** (db / 20);
}

/** Multiplies samples by a factor (see `gainFactor`), in place; rounded, and saturated. */
export function applyGain(pcm: Int16Array, factor: number): void {
  for (let i = 0; i < pcm.length; i++) pcm[i] = saturate(Math.round((pcm[i] ?? 0) * factor));
}

/** Adds samples to others, in place and saturated; what `target` has no room for is left out. */
export function mixInto(target: Int16Array, source: Int16Array): void {
  const count = Math.min(target.length, source.length);
  for (let i = 0; i < count; i++) target[i] = saturate((target[i] ?? 0) + (source[i] ?? 0));
}

/**
 * Adds samples to a sum that is wider than 16 bits, for a mix of many: it holds 65,536 full-scale parties. What `sum`
 * has no room for is left out.
 */
export function addToSum(sum: Int32Array, pcm: Int16Array): void {
  const count = Math.min(sum.length, pcm.length);
  for (let i = 0; i < count; i++) sum[i] = (sum[i] ?? 0) + (pcm[i] ?? 0);
}

/**
 * What one party of a mix hears: the sum of all without itself, saturated. `own`: what it added to the sum; absent for
 * one that only listens. Fills `out`, as far as there is a sum.
 */
export function sumWithout(sum: Int32Array, own: Int16Array | undefined, out: Int16Array): void {
  const count = Math.min(sum.length, out.length);
  for (let i = 0; i < count; i++) out[i] = saturate((sum[i] ?? 0) - (own?.[i] ?? 0));
}

/**
 * The level of samples in dBov: 0 for a square wave of full scale, -3.01 for a sine of full scale, -127 for silence
 * (RFC 6464 §3) and for no samples at all.
 */
export function levelDbov(pcm: Int16Array): number {
  let energy = 0;
  for (let i = 0; i < pcm.length; i++) energy += (pcm[i] ?? 0) ** 2;
  if (energy === 0) return SILENCE_DBOV;
  return Math.max(SILENCE_DBOV, 10 * Math.log10(energy / pcm.length / FULL_SCALE ** 2));
}
