import type { IncomingModify } from '../../dialog/incoming-modify.js';
import type { InviteSession } from '../../dialog/invite-session.js';
import type { MediaSession } from '../../media/session/media-session.js';
import { Player } from '../../media/session/player.js';
import { unlessFaulty } from '../media-fault.js';
import { type AudioPeer, acceptAnswer, type OpenAudio } from '../server-audio.js';
import { CallEndedError } from './call-ended-error.js';

interface Open {
  readonly session: MediaSession;
  readonly player: Player;
}

/**
 * The server's own end of a caller's audio while the server serves the call: made when it is needed for the first time, closed when the
 * caller's media goes to somebody else, made anew when it comes back.
 */
export class ServedMedia {
  readonly #open: OpenAudio;
  /** As last seen: a phone may change its network. */
  #peer: AudioPeer;
  readonly #onOpen: (session: MediaSession) => void;
  #current: Open | undefined;
  /** How often: what was being opened meanwhile is not wanted any more. */
  #closed = 0;

  /** `onOpen`: told of each session, so that its digits are heard. */
  constructor(open: OpenAudio, peer: AudioPeer, onOpen: (session: MediaSession) => void) {
    this.#open = open;
    this.#peer = peer;
    this.#onOpen = onOpen;
  }

  /** What plays and hears now; undefined while nothing does. */
  get current(): Open | undefined {
    return this.#current;
  }

  /** Our answer to the caller's offer, or our offer when it made none; `before`: what it was told until now in its dialog. @throws CallEndedError when it is closed meanwhile */
  async describe(offer: string | undefined, before?: string): Promise<string> {
    const { session } = await this.#opened();
    return offer === undefined ? session.offer({ before }) : session.answer(offer);
  }

  /** The caller's answer to our offer. */
  accept(answer: string): void {
    this.#current?.session.accept(answer);
  }

  /** A re-INVITE of the caller: hold, resume, another address or codec. */
  serve(modify: IncomingModify): void {
    const remoteAddress = modify.source.remote.address;
    this.#peer = { ...this.#peer, remoteAddress };
    const session = this.#current?.session;
    if (session === undefined) return modify.reject(491);
    session.peerAt(remoteAddress);
    if (modify.sdp !== undefined) {
      const { sdp } = modify;
      const answer = unlessFaulty(() => session.answer(sdp));
      if (answer === undefined) modify.reject(488);
      else void modify.accept(answer);
      return;
    }
    modify
      .accept(session.offer())
      .then((answer) => {
        // The media may have gone to somebody else before the ACK came: its answer is no longer ours.
        if (!this.#serves(session)) return;
        if (answer === undefined || !acceptAnswer(session, answer)) session.rollback();
      })
      // Nobody waits for it; what held before the offer holds on.
      .catch(() => session.rollback());
  }

  /** The caller's media comes back to the server by a re-INVITE of ours; false when the caller refuses. */
  async takeBack(caller: InviteSession, signal: AbortSignal): Promise<boolean> {
    const { session } = await this.#opened();
    const sdp = session.offer({ before: caller.agreed?.local });
    const result = await caller.modify({ sdp, signal, retry: true });
    if (!this.#serves(session)) return false;
    if (result.kind !== 'accepted' || result.sdp === undefined) {
      session.rollback();
      return false;
    }
    return acceptAnswer(session, result.sdp);
  }

  /** Nothing is played or heard any more; the ports are free. */
  async close(): Promise<void> {
    const current = this.#current;
    this.#closed++;
    this.#current = undefined;
    current?.player.stop();
    await current?.session.close();
  }

  /** False when it was closed meanwhile. */
  #serves(session: MediaSession): boolean {
    return this.#current?.session === session;
  }

  async #opened(): Promise<Open> {
    if (this.#current !== undefined) return this.#current;
    const closed = this.#closed;
    const session = await this.#open(this.#peer);
    if (closed !== this.#closed) {
      await session.close();
      throw new CallEndedError('the media of this call');
    }
    this.#current = { session, player: new Player(session) };
    this.#onOpen(session);
    return this.#current;
  }
}
