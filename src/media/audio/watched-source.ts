import type { AudioSource } from './audio-source.js';

/** The same source, telling once when it has ended: after the last of its samples has been taken. */
export function watchedSource(source: AudioSource, onEnd: () => void): AudioSource {
  let told = false;
  return {
    get ended() {
      return source.ended;
    },
    get failure() {
      return source.failure;
    },
    read(out) {
      const count = source.read(out);
      if (source.ended && !told) {
        told = true;
        onEnd();
      }
      return count;
    },
    close: () => source.close(),
  };
}
