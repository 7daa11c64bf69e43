import { UsageError } from '../../base/errors.js';
import { type Events, TypedEmitter } from '../../base/events.js';
import type { TenantId } from '../../base/tenant.js';
import type { Sound } from '../../media/audio/audio-source.js';
import { wavFile } from '../../media/audio/sounds.js';
import { tone } from '../../media/audio/tone.js';
import { Recorder, type RecordOptions, type RecordResult } from '../../media/recording/recorder.js';
import type { RecordingSink } from '../../media/recording/recording-sink.js';
import type { CollectOptions, CollectResult } from '../../media/session/digit-collector.js';
import type { SendDigitsOptions } from '../../media/session/key-sender.js';
import type { MediaSession } from '../../media/session/media-session.js';
import type { MediaSessionEvents } from '../../media/session/media-session-options.js';
import type { Player, PlayOptions } from '../../media/session/player.js';
import { Playing, type PlayResult } from '../../media/session/playing.js';
import { type ToneCountry, tonePlan } from '../../protocol/audio/tone-plans.js';
import type { IncomingRequest } from '../../ua/incoming.js';
import type { HandledCall } from '../handled-call.js';
import { isMediaFault } from '../media-fault.js';
import type { Party } from '../party.js';
import type { OpenAudio } from '../server-audio.js';
import { refuseRefer } from '../transfer.js';
import { CallEndedError } from './call-ended-error.js';
import type { DialOutcome } from './dial-outcome.js';
import { infoDigit } from './info-digit.js';
import { ServedMedia } from './served-media.js';

/** Something to be heard: a path names a WAV file. */
export type Heard = string | Sound;

export interface CollectDigitsOptions extends Omit<CollectOptions, 'signal'> {
  /** Played first; the first digit stops it. */
  readonly prompt?: Heard | readonly Heard[];
}

export interface DialOptions {
  /** How long it may ring. Default: that of the extension, else of the PBX. */
  readonly noAnswerSeconds?: number;
  /** What the caller hears while it rings, until somebody is heard. Default: the ringback tone of the PBX's country. */
  readonly ringback?: Heard | false;
  /** Whether the caller hears what is sent before the answer. Default true. */
  readonly earlyMedia?: boolean;
}

/** What a call tells while it is served. */
export type CallControlEvents = MediaSessionEvents;

type State = 'new' | 'early' | 'answered' | 'ended';

/**
 * One call in plain code: a function is one call, its steps are awaited. When the caller hangs up, the step under way rejects with
 * `CallEndedError` (CALL_ENDED), which the function may simply let through; when the function returns, the call is hung up.
 */
export class CallControl {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly caller: Party;
  /** The number that was dialled. */
  readonly called: string;
  /** Fires when the call is over. */
  readonly signal: AbortSignal;
  readonly #handled: HandledCall;
  readonly #media: ServedMedia;
  readonly #country: ToneCountry;
  readonly #events: TypedEmitter<CallControlEvents>;
  #state: State = 'new';
  /** The answer is under way. */
  #answering: Promise<void> | undefined;
  #local: string | undefined;

  /** @internal `pbx.onCall` makes them */
  constructor(handled: HandledCall, signal: AbortSignal, openAudio: OpenAudio, country: ToneCountry) {
    const { host } = handled;
    this.#handled = handled;
    this.#country = country;
    this.id = handled.id;
    this.tenantId = handled.tenantId;
    this.caller = handled.caller;
    this.called = handled.called;
    this.signal = signal;
    this.#events = new TypedEmitter(host.logger);
    this.#media = new ServedMedia(openAudio, handled.party.peer, (session) => this.#onMedia(session));
    handled.handle({
      onModify: (modify) => this.#media.serve(modify),
      onRequest: (incoming) => this.#onRequest(incoming),
    });
    signal.addEventListener('abort', () => void this.release(), { once: true });
  }

  /** Keys that the caller presses, by whatever way they come: `call.events.on('digit', …)`. */
  get events(): Events<CallControlEvents> {
    return this.#events;
  }

  /** Whether the call has been answered, and is not over. */
  get answered(): boolean {
    return this.#state === 'answered' && !this.signal.aborted;
  }

  /** Tells the caller that it rings (180). */
  ring(): void {
    this.#require('ring()');
    if (this.#state === 'new') this.#handled.ring();
  }

  /**
   * Lets the caller hear the server before the answer (183): what is played then costs it nothing. A caller that has made no offer hears
   * nothing before the answer; a party that was transferred here is in a call already, and is answered.
   * @throws CallEndedError, MediaError (MEDIA_NO_PORT)
   */
  async early(): Promise<void> {
    this.#require('early()');
    if (this.#state !== 'new') return;
    const { sdp, party } = this.#handled;
    if (party.talks) return this.answer();
    if (sdp === undefined) return this.#handled.ring();
    this.#local = await this.#describe(sdp);
    this.#require('early()');
    this.#state = 'early';
    this.#handled.ring(this.#local);
  }

  /**
   * Answers; does nothing when the call is answered already. A caller with whom no codec can be agreed on is refused with 488.
   * @throws CallEndedError, MediaError (MEDIA_NO_PORT)
   */
  async answer(): Promise<void> {
    this.#require('answer()');
    if (this.#state === 'answered') return;
    this.#answering ??= this.#answer().finally(() => {
      this.#answering = undefined;
    });
    await this.#answering;
  }

  /**
   * Plays one sound after the other; strings are paths of WAV files. What is awaited resolves when they have been heard, or a digit has
   * stopped them; meanwhile what is returned pauses, seeks and stops them. Not awaiting it harms nobody: a sound that cannot be played is
   * logged.
   * @throws CallEndedError, UsageError (PBX_WRONG_STATE) before `early()` or `answer()`; both by rejecting
   */
  play(sounds: Heard | readonly Heard[], options: PlayOptions = {}): Playing {
    const playing = this.#play(sounds, options);
    const { logger, callId } = this.#handled.host;
    playing.catch((error: unknown) => {
      if (!(error instanceof CallEndedError)) logger.warn({ callId, err: error }, 'a sound could not be played');
    });
    return playing;
  }

  /**
   * Waits for digits, after a prompt that the first of them stops. Resolves to what was dialled, '' for nothing.
   * @throws CallEndedError, UsageError (PBX_WRONG_STATE) before `early()` or `answer()`
   */
  async collect(options: CollectDigitsOptions = {}): Promise<string> {
    return (await this.collectDigits(options)).digits;
  }

  /** As `collect`, and tells why it ended. */
  async collectDigits({ prompt, ...options }: CollectDigitsOptions = {}): Promise<CollectResult> {
    if (prompt !== undefined) await this.play(prompt, { interruptedBy: 'any' });
    const { session } = this.#heard('collect()');
    const result = await session.collect(options);
    this.#require('collect()');
    return result;
  }

  /**
   * Records what the caller says. Resolves when it has ended, for whatever reason.
   * @throws CallEndedError never: what was recorded until the caller hung up is kept, and told with `reason: 'closed'`
   */
  record(sink: RecordingSink, options: RecordOptions = {}): Promise<RecordResult> {
    const { session } = this.#heard('record()');
    return new Recorder(session).record(sink, options);
  }

  /** Presses keys for the caller's side to hear. @throws CallEndedError */
  async sendDigits(digits: string, options: SendDigitsOptions = {}): Promise<void> {
    await this.#heard('sendDigits()').session.sendDigits(digits, options);
    this.#require('sendDigits()');
  }

  /**
   * The server's own end of the audio, for what the other steps do not do: echo, mixing, listening in. Undefined before `early()` or
   * `answer()`, and while the caller talks to somebody else.
   */
  get audio(): MediaSession | undefined {
    return this.#media.current?.session;
  }

  /**
   * Calls somebody for the caller, by the caller's rights, and answers the call first if it is not answered yet. When somebody answers,
   * both talk as if the caller had called there itself: by default end to end, without the server. Resolves when they have hung up,
   * or when nobody has answered: then the caller hears the server again.
   * @throws CallEndedError when the caller hangs up before an answer
   */
  async dial(number: string, options: DialOptions = {}): Promise<DialOutcome> {
    await this.answer();
    const { session } = this.#handled;
    if (session === undefined) throw new CallEndedError('dial()');
    const { ringback = tone(tonePlan(this.#country).ringback), earlyMedia = true, noAnswerSeconds } = options;
    if (ringback !== false) void this.#media.current?.player.play(soundsOf(ringback), { loop: true });
    const result = await this.#handled.host.dial(session, {
      ...{ number, earlyMedia, signal: this.signal },
      ...(noAnswerSeconds === undefined ? {} : { noAnswerSeconds }),
      onHandOver: () => this.#media.close(),
    });
    if (result.kind === 'joined') return this.#talked(result.number);
    this.#media.current?.player.stop();
    this.#require('dial()');
    if (result.handedOver && !(await this.#media.takeBack(session, this.signal))) {
      this.hangUp();
      throw new CallEndedError('dial()');
    }
    return result.outcome;
  }

  /**
   * Refuses a call that has not been answered, with a status from 400 to 699. When `answer()` has sent the 200 already and waits for the
   * ACK, the call is hung up instead. Steps under way reject with `CallEndedError`.
   */
  reject(status: number, reason?: string): void {
    if (this.#answering !== undefined && this.#handled.session !== undefined) this.hangUp();
    else this.#handled.reject(status, reason);
  }

  /**
   * Ends the call: 480 before the answer, else BYE, which waits for the ACK of our 200 (RFC 3261 §15). Steps under way, `answer()` among
   * them, reject with `CallEndedError`.
   */
  hangUp(): void {
    this.#handled.end();
    void this.release();
  }

  /** Frees what the server holds of the call's media. @internal */
  async release(): Promise<void> {
    this.#state = 'ended';
    await this.#media.close();
  }

  /** Resolves when the two who talk have hung up. */
  #talked(number: string): Promise<DialOutcome> {
    const { log } = this.#handled.host;
    return new Promise((resolve) => {
      const done = (): void => resolve({ kind: 'answered', number, talkMs: log.record.talkMs });
      if (this.signal.aborted) done();
      else this.signal.addEventListener('abort', done, { once: true });
    });
  }

  async #answer(): Promise<void> {
    const { sdp } = this.#handled;
    const local = this.#local ?? (await this.#describe(sdp));
    this.#require('answer()');
    const answer = await this.#handled.accept(local);
    if (this.#handled.session === undefined) throw new CallEndedError('answer()');
    this.#require('answer()');
    this.#state = 'answered';
    if (sdp === undefined) this.#take(answer);
    this.#require('answer()');
  }

  #play(sounds: Heard | readonly Heard[], options: PlayOptions): Playing {
    let playing: Playing;
    try {
      playing = this.#heard('play()').player.play(soundsOf(sounds), options);
    } catch (error) {
      return new Playing(Promise.reject(error));
    }
    const played = playing.then((result: PlayResult) => {
      this.#require('play()');
      if (result.kind === 'failed') throw result.error;
      return result;
    });
    return new Playing(played, playing);
  }

  async #describe(offer: string | undefined): Promise<string> {
    try {
      return await this.#media.describe(offer, this.#handled.party.before);
    } catch (error) {
      if (isMediaFault(error)) this.reject(488);
      throw error;
    }
  }

  /** The caller's answer to our offer. */
  #take(answer: string | undefined): void {
    if (answer === undefined) return this.hangUp();
    try {
      this.#media.accept(answer);
    } catch (error) {
      this.hangUp();
      throw error;
    }
  }

  #onMedia(session: MediaSession): void {
    session.events.on('digit', (event) => this.#events.emit('digit', event));
  }

  #onRequest(incoming: IncomingRequest): boolean {
    if (incoming.request.method !== 'INFO') return refuseRefer(incoming);
    const info = infoDigit(incoming.request);
    switch (info.kind) {
      case 'digit':
        this.#media.current?.session.injectDigit(info.digit);
        incoming.respond(200);
        return true;
      case 'empty':
        incoming.respond(200);
        return true;
      case 'unknown-type':
        incoming.respond(415, { headers: { Accept: 'application/dtmf-relay, application/dtmf' } });
        return true;
      case 'malformed':
        incoming.respond(400, { reason: 'Bad Digit' });
        return true;
    }
  }

  #heard(step: string): { readonly session: MediaSession; readonly player: Player } {
    this.#require(step);
    const { current } = this.#media;
    if (current !== undefined && this.#state !== 'new') return current;
    throw new UsageError(
      'PBX_WRONG_STATE',
      `${step} came before the caller hears the server: await answer() or early() first`,
    );
  }

  #require(step: string): void {
    if (this.#state === 'ended' || this.signal.aborted) throw new CallEndedError(step);
  }
}

function soundsOf(sounds: Heard | readonly Heard[]): readonly Sound[] {
  const list: readonly Heard[] = typeof sounds === 'string' || 'open' in sounds ? [sounds] : sounds;
  return list.map((each) => (typeof each === 'string' ? wavFile(each) : each));
}
