export { type DtmfDigit, dtmfFrequencies, dtmfTone } from './dtmf.js';
export { DtmfDetector, type DtmfEvent } from './dtmf-detector.js';
export { G711 } from './g711.js';
export { toneDbov } from './goertzel.js';
export {
  addToSum,
  applyGain,
  gainFactor,
  levelDbov,
  mixInto,
  SILENCE_DBOV,
  saturate,
  sumWithout,
} from './pcm.js';
export { HIGHEST_RATE, LOWEST_RATE, Resampler, type ResamplerOptions } from './resampler.js';
export { SilenceDetector, type SilenceOptions, type SilenceState } from './silence.js';
export { isToneCountry, TONE_COUNTRIES, type ToneCountry, type TonePlan, tonePlan } from './tone-plans.js';
export { beep, chord, type Sine, TONE_DBOV, ToneGenerator, type ToneSpec, type ToneStep } from './tones.js';
export { WavError } from './wav-error.js';
export type { WavFormat } from './wav-format.js';
export { readWav, WavReader, type WavSound } from './wav-reader.js';
export { completeWav, type WavCompletion, type WavWriterOptions, wavHeader } from './wav-writer.js';
