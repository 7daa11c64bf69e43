export { G711 } from './g711.js';
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
