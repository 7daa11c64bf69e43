import type { IncomingModify } from '../dialog/incoming-modify.js';
import type { InviteSession } from '../dialog/invite-session.js';
import type { AudioSource } from '../media/audio/audio-source.js';
import type { MediaSession } from '../media/session/media-session.js';
import { answerAgain } from '../protocol/sdp/answer.js';
import { parseSdp, sdpText } from '../protocol/sdp/lines.js';
import { isHold, isSecure } from '../protocol/sdp/media.js';
import type { CallMedia } from './call-media.js';
import { unlessFaulty } from './media-fault.js';
import { acceptAnswer, audioIn, type OpenAudio, remoteAddressOf } from './server-audio.js';

/** What held parties hear. */
export interface MusicOnHold {
  readonly open: OpenAudio;
  /** The music, for one more listener; closed by whoever listens. */
  listen(): AudioSource;
}

/** One of two who talk. */
interface Talker {
  readonly legId: string;
  readonly session: InviteSession;
}

interface Playing {
  readonly session: MediaSession;
  source?: AudioSource;
}

/**
 * The music that one party of a call hears while the other has put it on hold (RFC 5359 §2.3, flow H3): it is offered the server as its
 * partner, and the holder is answered for it. To the held party the hold is a re-INVITE like any other.
 */
export class HoldMusic {
  readonly #music: MusicOnHold;
  readonly #media: CallMedia;
  #playing: Playing | undefined;

  constructor(music: MusicOnHold, media: CallMedia) {
    this.#music = music;
    this.#media = media;
  }

  /**
   * `holder` asks for a hold: the other party gets the music, and the holder its answer. False when it is no hold, or the music cannot be
   * played to that party: then nothing has been answered.
   */
  async serve(modify: IncomingModify, holder: Talker, held: Talker): Promise<boolean> {
    const answer = holdAnswer(modify.sdp, holder.session.agreed?.local);
    if (answer === undefined) return false;
    if (this.#playing === undefined && !(await this.#play(held, modify.signal))) return false;
    void modify.accept(answer);
    return true;
  }

  /** The held party is told of its partner again, or is gone. */
  end(): void {
    const playing = this.#playing;
    this.#playing = undefined;
    playing?.source?.close();
    void playing?.session.close();
  }

  async #play(held: Talker, signal: AbortSignal): Promise<boolean> {
    const { agreed } = held.session;
    const audio = audioIn(agreed?.remote);
    // A secured stream is not made a clear one (RFC 3264 §8.3.4): that party is held without music.
    if (audio === undefined || isSecure(audio.protocol)) return false;
    const remoteAddress = remoteAddressOf(this.#media, held);
    if (remoteAddress === undefined) return false;
    const session = await this.#music.open({ remoteAddress, srtp: false });
    const playing: Playing = { session };
    this.#playing = playing;
    // Both directions: the held party may be behind a NAT, and is found by what it sends.
    const sdp = session.offer({ before: agreed?.local });
    const result = await held.session.modify({ sdp, signal });
    // The call may have ended meanwhile.
    if (this.#playing !== playing) return true;
    if (result.kind !== 'accepted' || result.sdp === undefined || !acceptAnswer(session, result.sdp)) {
      this.end();
      return false;
    }
    playing.source = this.#music.listen();
    session.send(playing.source);
    return true;
  }
}

/** The answer to a hold, on behalf of a party that has said `local` before; undefined when the offer is no hold, or cannot be answered so. */
function holdAnswer(offer: string | undefined, local: string | undefined): string | undefined {
  if (offer === undefined || local === undefined) return undefined;
  return unlessFaulty(() => {
    const asked = parseSdp(offer);
    const told = parseSdp(local);
    if (isHold(asked) === 'none' || asked.media.length < told.media.length) return undefined;
    // Whoever holds sends nothing to a port at which nobody listens to it now.
    return sdpText(answerAgain(asked, told, 'inactive'));
  });
}
