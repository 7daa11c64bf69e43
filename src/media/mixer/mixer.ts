import type { Cancel } from '../../base/scheduler.js';
import { addToSum } from '../../protocol/audio/pcm.js';
import { AudioPipe } from '../audio/audio-pipe.js';
import { type AudioSource, SAMPLES_A_MS } from '../audio/audio-source.js';
import type { MediaClock } from '../session/media-clock.js';
import { MixLimiter } from './mix-limiter.js';

const BLOCK_MS = 20;
const BLOCK_SAMPLES = BLOCK_MS * SAMPLES_A_MS;

/** What a conference needs of one who takes part: a media session fits. */
export interface MixerParty {
  /** Hands over what is heard from the party, block by block, until the returned function is called. */
  listen(sink: (pcm: Int16Array) => void): Cancel;
  /** Sends what `source` gives to the party, until the returned function is called. */
  send(source: AudioSource): Cancel;
}

/** A place in a conference. */
export interface MixerSeat {
  /** While true, the others do not hear this party. */
  muted: boolean;
  /** While true, this party does not hear the others. */
  deaf: boolean;
  /** The loudest sample of the last 20 ms that this party said, 0 to 32767; 0 while muted. */
  readonly level: number;
  leave(): void;
}

/**
 * A conference: everybody hears all but themselves, added up in linear samples and held within bounds by a limiter. Parties come and
 * go at any time. Nothing is on the beat while nobody is there.
 */
export class Mixer {
  readonly #clock: Pick<MediaClock, 'every'>;
  readonly #seats = new Set<Seat>();
  readonly #sum = new Int32Array(BLOCK_SAMPLES);
  readonly #out = new Int16Array(BLOCK_SAMPLES);
  readonly #limiter = new MixLimiter();
  #stop: Cancel | undefined;

  constructor(options: { readonly clock: Pick<MediaClock, 'every'> }) {
    this.#clock = options.clock;
  }

  /** How many take part. */
  get size(): number {
    return this.#seats.size;
  }

  join(party: MixerParty): MixerSeat {
    const seat = new Seat(party, () => this.#leave(seat));
    this.#seats.add(seat);
    this.#stop ??= this.#clock.every(BLOCK_MS, () => this.#mix());
    return seat;
  }

  /** Everybody leaves. */
  close(): void {
    for (const seat of [...this.#seats]) seat.leave();
  }

  #leave(seat: Seat): void {
    this.#seats.delete(seat);
    if (this.#seats.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #mix(): void {
    this.#sum.fill(0);
    for (const seat of this.#seats) if (seat.hear()) addToSum(this.#sum, seat.said);
    this.#limiter.follow(this.#sum);
    for (const seat of this.#seats) {
      if (seat.deaf) continue;
      this.#limiter.limit(this.#sum, seat.spoke ? seat.said : undefined, this.#out);
      seat.tell(this.#out);
    }
  }
}

class Seat implements MixerSeat {
  /** The last block that this party said; meaningful while `spoke`. */
  readonly said = new Int16Array(BLOCK_SAMPLES);
  muted = false;
  deaf = false;
  spoke = false;
  readonly #in = new AudioPipe();
  readonly #out = new AudioPipe();
  readonly #undo: readonly Cancel[];
  readonly #onLeave: () => void;

  constructor(party: MixerParty, onLeave: () => void) {
    this.#onLeave = onLeave;
    this.#undo = [party.listen((pcm) => this.#in.write(pcm)), party.send(this.#out)];
  }

  get level(): number {
    if (!this.spoke) return 0;
    let peak = 0;
    for (const sample of this.said) peak = Math.max(peak, Math.abs(sample));
    return Math.min(peak, 32_767);
  }

  /** Takes the next block of this party; false if it says nothing to the others. */
  hear(): boolean {
    this.spoke = this.#in.read(this.said) > 0 && !this.muted;
    return this.spoke;
  }

  tell(pcm: Int16Array): void {
    this.#out.write(pcm);
  }

  leave(): void {
    for (const undo of this.#undo) undo();
    this.#in.close();
    this.#out.close();
    this.#onLeave();
  }
}
