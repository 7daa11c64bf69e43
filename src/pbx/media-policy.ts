import { AddressSet } from '../base/address-set.js';
import type { MediaMode } from '../base/media-mode.js';
import type { MediaPolicy } from '../call/call-media.js';
import type { MediaEngine } from '../media/media-engine.js';
import type { PbxOptions } from './options.js';

/** The options that say how media goes. */
type Wishes = Pick<PbxOptions, 'media' | 'extensions' | 'directory' | 'lines' | 'trunks'>;

/** How the media of calls goes, as it is configured now. */
export class ConfiguredMedia implements MediaPolicy {
  readonly engine: MediaEngine;
  readonly mode: MediaMode;
  readonly localNetworks: AddressSet;
  #wishes: Wishes;
  #watches: boolean;

  constructor(wishes: Wishes, engine: MediaEngine) {
    this.engine = engine;
    this.mode = wishes.media?.path ?? 'direct';
    this.localNetworks = new AddressSet([]);
    this.#wishes = wishes;
    this.#watches = watches(wishes);
  }

  get watches(): boolean {
    return this.#watches;
  }

  /** Calls under way are not touched. */
  reconfigure(changes: Partial<Wishes>): void {
    this.#wishes = { ...this.#wishes, ...changes };
    this.#watches = watches(this.#wishes);
  }
}

/** Whether the media of any call may go otherwise than end to end. The wishes of an own directory's extensions are not known before. */
function watches({ media, extensions = [], directory, lines = [], trunks = [] }: Wishes): boolean {
  if ((media?.path ?? 'direct') !== 'direct' || directory !== undefined) return true;
  return [...extensions, ...lines, ...trunks].some(({ media: own = 'direct' }) => own !== 'direct');
}
