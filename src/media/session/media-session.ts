import { NOBODY_WAITS } from '../../base/aborted.js';
import { localAddressAdvisor } from '../../base/address-advisor.js';
import { UsageError } from '../../base/errors.js';
import { type Events, TypedEmitter } from '../../base/events.js';
import type { SocketAddress } from '../../base/ip.js';
import type { Cancel } from '../../base/scheduler.js';
import type { DtmfDigit } from '../../protocol/audio/dtmf.js';
import { DtmfDetector } from '../../protocol/audio/dtmf-detector.js';
import type { SdpDirection } from '../../protocol/sdp/direction.js';
import { type AudioSource, isEncoded, SAMPLES_A_MS } from '../audio/audio-source.js';
import { unspecifiedLike } from '../relay/local-address.js';
import { RtcpLatch } from '../relay/rtcp-latch.js';
import { type LearningRule, SourceLatch } from '../relay/source-latch.js';
import { RtpPorts } from '../rtp-ports.js';
import type { AgreedAudio } from './agreed-audio.js';
import { AudioNegotiation } from './audio-negotiation.js';
import { AudioReceiver } from './audio-receiver.js';
import { AudioSender } from './audio-sender.js';
import { type CollectOptions, type CollectResult, DigitCollector } from './digit-collector.js';
import { DigitGate, type DigitWay, isDigit } from './digit-gate.js';
import { KeySender, type SendDigitsOptions } from './key-sender.js';
import { MediaCipher } from './media-cipher.js';
import { BEAT_MS } from './media-clock.js';
import type {
  AudioListener,
  AudioTap,
  MediaSessionEvents,
  MediaSessionOptions,
  MediaSessionStats,
} from './media-session-options.js';
import { PacketIntake } from './packet-intake.js';
import { RtcpReporter } from './rtcp-reporter.js';

/** As strict as the relay's: no other place is learned while the peer is heard (RFC 7362 §4). */
const LEARNING: LearningRule = { packets: 4, silentMs: 1000, fromAnywhere: false };

interface Inbox {
  rtp: (data: Uint8Array, from: SocketAddress) => void;
  rtcp: (data: Uint8Array, from: SocketAddress) => void;
}

/**
 * The server's own end of one leg's audio: what a phone is to its user. Takes and makes offers and answers, sends what it is given to
 * play (silence otherwise), hears, and tells digits. From the first agreement on it sends a packet at every packet time, unless one of
 * both is on hold.
 */
export class MediaSession {
  readonly #options: MediaSessionOptions;
  readonly #ports: RtpPorts;
  readonly #negotiation: AudioNegotiation;
  readonly #latch = new SourceLatch(LEARNING);
  readonly #rtcpLatch = new RtcpLatch(this.#latch);
  readonly #cipher = new MediaCipher();
  readonly #sender: AudioSender;
  readonly #receiver: AudioReceiver;
  readonly #reporter: RtcpReporter;
  readonly #intake: PacketIntake;
  readonly #events: TypedEmitter<MediaSessionEvents>;
  readonly #gate = new DigitGate();
  readonly #digits: DigitCollector;
  readonly #keys: KeySender;
  readonly #tones = new DtmfDetector();
  readonly #closing = new AbortController();
  readonly #listeners = new Set<AudioListener>();
  readonly #taps = new Set<AudioTap>();
  /** Where the peer's signalling comes from. */
  #remoteAddress: string | undefined;
  /** The last one is heard. */
  #sources: AudioSource[] = [];
  #received = new Int16Array(0);
  #sent = new Int16Array(0);
  #lastBeat: number | undefined;
  #stopBeat: Cancel | undefined;

  private constructor(options: MediaSessionOptions, ports: RtpPorts, inbox: Inbox) {
    const { scheduler, random, logger } = options;
    this.#options = options;
    this.#remoteAddress = options.remoteAddress;
    this.#ports = ports;
    this.#negotiation = new AudioNegotiation({
      address: (peer) => this.#advertised(peer),
      sessionId: String(random.integer(0x7fffffff)),
      codecs: options.codecs ?? ['PCMA', 'PCMU'],
      events: options.events ?? true,
      srtp: options.srtp ?? 'accept',
      random,
    });
    this.#sender = new AudioSender(random, (packet) => this.#sendRtp(packet));
    this.#receiver = new AudioReceiver({
      ownSsrc: this.#sender.ssrc,
      onDigit: (digit) => this.#onDigit(digit, 'rfc4733'),
    });
    this.#reporter = new RtcpReporter({
      scheduler,
      random,
      sender: this.#sender,
      receiver: this.#receiver,
      cname: random.token(),
      send: (packet) => this.#sendRtcp(packet),
    });
    this.#events = new TypedEmitter(logger);
    this.#digits = new DigitCollector(scheduler);
    this.#keys = new KeySender(this.#sender, (source) => this.send(source));
    this.#intake = new PacketIntake({
      agreed: () => this.#negotiation.agreed,
      latch: this.#latch,
      rtcpLatch: this.#rtcpLatch,
      cipher: this.#cipher,
      receiver: this.#receiver,
      reporter: this.#reporter,
      clock: scheduler,
    });
    inbox.rtp = (data, from) => this.#intake.rtp(data, from);
    inbox.rtcp = (data, from) => this.#intake.rtcp(data, from);
  }

  /**
   * Takes two ports of the pool and binds them.
   * @throws MediaError (MEDIA_NO_PORT), ListenError
   */
  static async open(options: MediaSessionOptions): Promise<MediaSession> {
    // Packets may come before there is a session for them.
    const inbox: Inbox = { rtp: () => {}, rtcp: () => {} };
    const ports = await RtpPorts.open({
      network: options.network,
      address: options.address,
      pool: options.ports,
      onRtp: (data, from) => inbox.rtp(data, from),
      onRtcp: (data, from) => inbox.rtcp(data, from),
    });
    return new MediaSession(options, ports, inbox);
  }

  get events(): Events<MediaSessionEvents> {
    return this.#events;
  }

  /** Fires when the session is closed. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** What was agreed on; undefined before. */
  get agreed(): AgreedAudio | undefined {
    return this.#negotiation.agreed;
  }

  /** Our description as last agreed. */
  get localDescription(): string | undefined {
    return this.#negotiation.local;
  }

  get stats(): MediaSessionStats {
    const { roundTripMs, badPackets } = this.#reporter;
    const { target } = this.#latch;
    return {
      received: this.#receiver.count,
      sent: this.#sender.count,
      strangers: this.#intake.strangers,
      ignored: this.#intake.ignored,
      badRtcp: badPackets,
      rejected: this.#cipher.rejected,
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
      ...(target === undefined ? {} : { remote: target }),
    };
  }

  /**
   * The peer's signalling is now seen to come from this IP address, and its media may (RFC 7362 §4). Counts from the next agreement on.
   * @internal
   */
  peerAt(remoteAddress: string): void {
    this.#remoteAddress = remoteAddress;
  }

  /**
   * An offer to be sent, the first or a later one. `direction`: what we want from now on; default as before, sendrecv at first.
   * `before`, of a first offer: what the peer was told in the same dialog until now, by whomever. Its streams stay in number and place,
   * and all but the audio are refused (RFC 3264 §8).
   * @throws UsageError (SDP_NEGOTIATION) while another offer is under way
   */
  offer(options: { readonly direction?: SdpDirection; readonly before?: string | undefined } = {}): string {
    this.#requireOpen();
    return this.#negotiation.offer(this.#remoteAddress, options.direction, options.before);
  }

  /**
   * The answer to an offer, the first or a later one.
   * @throws SdpParseError, SdpNegotiationError (each with the SIP `status` that fits); all is then as it was before
   */
  answer(offer: string): string {
    this.#requireOpen();
    const answer = this.#negotiation.answer(offer);
    this.#apply();
    return answer;
  }

  /** Takes the answer to our offer. @throws SdpParseError, SdpNegotiationError */
  accept(answer: string): void {
    this.#requireOpen();
    this.#negotiation.accept(answer);
    this.#apply();
  }

  /** Our offer was refused, or its transaction failed. */
  rollback(): void {
    this.#negotiation.rollback();
  }

  /** Hands over what is heard, one packet time after the other, until the returned function is called. */
  listen(listener: AudioListener): Cancel {
    const own: AudioListener = (pcm) => listener(pcm);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** As `listen`, for both directions. */
  tap(tap: AudioTap): Cancel {
    const own: AudioTap = (received, sent) => tap(received, sent);
    this.#taps.add(own);
    return () => void this.#taps.delete(own);
  }

  /**
   * Sends what `source` gives until the returned function is called. Of several the one that came last is heard; those below it stand
   * still. Nothing is taken from a source while nothing may be sent. Closing the source is the caller's affair.
   */
  send(source: AudioSource): Cancel {
    this.#sources.push(source);
    return () => {
      const place = this.#sources.lastIndexOf(source);
      if (place >= 0) this.#sources.splice(place, 1);
    };
  }

  /** A digit that came by SIP INFO; what is no digit is left out. */
  injectDigit(digit: string): void {
    if (isDigit(digit)) this.#onDigit(digit, 'info');
  }

  /** Collects digits, those dialled before and not asked for included. Never rejects. */
  collect(options?: CollectOptions): Promise<CollectResult> {
    return this.#digits.collect(options);
  }

  /** Forgets the digits that nobody has asked for. */
  clearDigits(): void {
    this.#digits.clear();
  }

  /**
   * Presses keys. Resolves when the last one is up, the signal has fired or the session is closed.
   * @throws UsageError (PBX_INVALID_ARGUMENT) for what is no digit
   */
  sendDigits(digits: string, options: SendDigitsOptions = {}): Promise<void> {
    return this.#keys.press(digits, options);
  }

  /** Says goodbye, frees the ports and ends whatever is under way. */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#stopBeat?.();
      this.#reporter.close();
      this.#closing.abort(NOBODY_WAITS);
      this.#digits.close();
      this.#keys.close();
      this.#sources = [];
      this.#listeners.clear();
      this.#taps.clear();
    }
    await this.#ports.close();
    this.#events.removeAll();
  }

  #advertised(peer: string | undefined): SocketAddress {
    const { local } = this.#ports;
    // Of whom nothing is known is outside: our own address would make it one of our network.
    const address = this.#remoteAddress ?? peer ?? unspecifiedLike(local.address);
    const advisor = this.#options.advisor ?? localAddressAdvisor;
    return advisor.advertise({ purpose: 'media', protocol: 'udp', local, remote: { address, port: local.port } });
  }

  /** What was just agreed on takes effect. */
  #apply(): void {
    const { agreed } = this.#negotiation;
    this.#latch.describe(agreed?.remote, this.#remoteAddress);
    this.#rtcpLatch.describe(agreed?.remoteRtcp);
    if (agreed === undefined) {
      this.#stopBeat?.();
      this.#stopBeat = undefined;
      return;
    }
    this.#cipher.agree(agreed.crypto);
    this.#sender.agree(agreed);
    this.#receiver.agree(agreed);
    const samples = agreed.ptimeMs * SAMPLES_A_MS;
    if (this.#stopBeat !== undefined && this.#sent.length === samples) return;
    this.#received = new Int16Array(samples);
    this.#sent = new Int16Array(samples);
    this.#stopBeat?.();
    this.#stopBeat = this.#options.clock.every(agreed.ptimeMs, (beat) => this.#beat(beat));
    this.#reporter.start();
  }

  #beat(beat: number): void {
    const { agreed } = this.#negotiation;
    if (agreed === undefined) return;
    const period = agreed.ptimeMs / BEAT_MS;
    const missed = this.#lastBeat === undefined ? 0 : beat - this.#lastBeat - period;
    if (missed > 0) this.#sender.skip(missed * BEAT_MS * SAMPLES_A_MS);
    this.#lastBeat = beat;
    this.#receiver.read(this.#received, this.#options.scheduler.now());
    if (this.#hearsTones(agreed)) this.#detect();
    for (const listener of this.#listeners) listener(this.#received);
    this.#transmit(agreed);
    for (const tap of this.#taps) tap(this.#received, this.#sent);
    this.#keys.beat();
  }

  #hearsTones({ eventPayloadType }: AgreedAudio): boolean {
    const { inbandDigits = 'auto' } = this.#options;
    return inbandDigits === 'always' || (inbandDigits === 'auto' && eventPayloadType === undefined);
  }

  #detect(): void {
    for (const event of this.#tones.process(this.#received)) {
      if (event.type === 'start') this.#onDigit(event.digit, 'inband');
    }
  }

  #transmit(agreed: AgreedAudio): void {
    const source = this.#sources.at(-1);
    if (!agreed.sending || this.#latch.target === undefined) {
      this.#sender.skip(this.#sent.length);
      this.#sent.fill(0);
    } else if (this.#sender.sendEvent()) this.#sent.fill(0);
    else if (source !== undefined && this.#taps.size === 0 && isEncoded(source)) this.#sender.sendEncoded(source);
    else {
      const count = source?.read(this.#sent) ?? 0;
      this.#sent.fill(0, count);
      if (count === 0) this.#sender.sendSilence();
      else this.#sender.sendPcm(this.#sent);
    }
  }

  #sendRtp(packet: Uint8Array): void {
    const { target } = this.#latch;
    const data = this.#cipher.protect(packet, 'rtp');
    if (target !== undefined && data !== undefined) this.#ports.sendRtp(data, target);
  }

  #sendRtcp(packet: Uint8Array): void {
    const muxed = this.agreed?.rtcpMux === true;
    const { target } = muxed ? this.#latch : this.#rtcpLatch;
    const data = this.#cipher.protect(packet, 'rtcp');
    if (target === undefined || data === undefined) return;
    if (muxed) this.#ports.sendRtp(data, target);
    else this.#ports.sendRtcp(data, target);
  }

  #onDigit(digit: DtmfDigit, way: DigitWay): void {
    if (!this.#gate.admit(digit, way, this.#options.scheduler.now())) return;
    this.#digits.push(digit);
    this.#events.emit('digit', { digit, way });
  }

  #requireOpen(): void {
    if (this.#closing.signal.aborted) throw new UsageError('PBX_WRONG_STATE', 'this media session is closed');
  }
}
