import type { SocketAddress } from '../../base/ip.js';
import type { Random } from '../../base/random.js';
import { answerTo, type CodecCapability } from '../../protocol/sdp/answer.js';
import { createMedia, createSdp, type OfferedCodec, type SdpMediaOptions } from '../../protocol/sdp/create.js';
import type { SdpDirection } from '../../protocol/sdp/direction.js';
import { closeLines, padMedia, rejectMedia } from '../../protocol/sdp/edit.js';
import { parseSdp, type Sdp, sdpText } from '../../protocol/sdp/lines.js';
import { isSecure, mediaSummary, originOf, type SdpStream } from '../../protocol/sdp/media.js';
import { OfferAnswer, SdpNegotiationError } from '../../protocol/sdp/offer-answer.js';
import { SdpParseError } from '../../protocol/sdp/parse-error.js';
import type { CryptoAttribute } from '../../protocol/srtp/crypto-attribute.js';
import { answerCrypto, offerCrypto } from '../../protocol/srtp/crypto-negotiation.js';
import type { G711Codec } from '../audio/audio-source.js';
import { type AgreedAudio, agreeOn, g711Of, isEvent, packetTime, USUAL_PTIME_MS } from './agreed-audio.js';
import { type PlacedAudio, placeAudio } from './placed-audio.js';
import { acceptableCrypto, cryptoLines, cryptoValues } from './session-crypto.js';

export interface AudioNegotiationOptions {
  /** Tells where we receive to a peer at this address; undefined before anything is known of the peer. */
  readonly address: (peer: string | undefined) => SocketAddress;
  readonly sessionId: string;
  /** In order of preference. */
  readonly codecs: readonly G711Codec[];
  /** Whether we take and send digits as RTP events. */
  readonly events: boolean;
  /** Whether SRTP is taken where it is offered, and whether we offer it. */
  readonly srtp: SrtpUse;
  readonly random: Random;
}

/**
 * What is done about SRTP with keys in the description (RFC 4568). `offer` is for signalling over TLS alone: whoever reads the description
 * has the keys.
 */
export type SrtpUse = 'never' | 'accept' | 'offer';

const STATIC: Readonly<Record<G711Codec, number>> = { PCMU: 0, PCMA: 8 };
const EVENT_PAYLOAD_TYPE = 101;
/** What a keypad has, RFC 4733 §3.2. */
const EVENT_FMTP = '0-15';
const PROFILES: readonly string[] = ['RTP/AVP', 'RTP/AVPF'];
const SECURE_PROFILES: readonly string[] = ['RTP/SAVP', 'RTP/SAVPF'];

/**
 * The offers and answers of one audio session (RFC 3264): text in, text out, and what has been agreed. Other streams that a peer
 * offers are refused, each in its place.
 */
export class AudioNegotiation {
  readonly #options: AudioNegotiationOptions;
  readonly #exchange = new OfferAnswer();
  /** Which m= line is ours. */
  #index = 0;
  #agreed: AgreedAudio | undefined;
  #direction: SdpDirection = 'sendrecv';

  constructor(options: AudioNegotiationOptions) {
    this.#options = options;
  }

  /** What the last exchange has come to; undefined before the first and after one that came to nothing. */
  get agreed(): AgreedAudio | undefined {
    return this.#agreed;
  }

  /** Our description as it was last agreed. */
  get local(): string | undefined {
    return this.#exchange.local === undefined ? undefined : sdpText(this.#exchange.local);
  }

  /**
   * An offer, first or later. `direction`: what we want from now on, also in answers; default as before, sendrecv at first. `before`: what
   * somebody else has told the peer in the same dialog; only a first offer needs it.
   * @throws UsageError (SDP_NEGOTIATION) while another offer is under way
   */
  offer(peer: string | undefined, direction: SdpDirection = this.#direction, before?: string): string {
    const previous = this.#exchange.local;
    const address = this.#options.address(peer);
    const media = this.#media(address.port, direction);
    const next =
      previous === undefined
        ? this.#first(address, media, before)
        : { sdp: this.#later(previous, media), index: this.#index };
    const offer = this.#exchange.sendOffer(next.sdp);
    this.#index = next.index;
    this.#direction = direction;
    return sdpText(offer);
  }

  /**
   * Takes the answer to our offer.
   * @throws SdpParseError, SdpNegotiationError; the offer is then still open
   */
  accept(text: string): AgreedAudio | undefined {
    const answer = parseSdp(text);
    this.#exchange.receiveAnswer(answer);
    this.#agreed = this.#agree('remote');
    return this.#agreed;
  }

  /** Our offer was refused or its transaction failed: all is as it was. */
  rollback(): void {
    this.#exchange.rollback();
  }

  /**
   * Answers an offer, first or later.
   * @throws SdpParseError (status 400), SdpNegotiationError (status 488: no codec or profile that we know); nothing has changed then
   */
  answer(text: string): string {
    const offer = parseSdp(text);
    this.#exchange.receiveOffer(offer);
    try {
      const stream = mediaSummary(offer).find((each) => this.#isUsable(each));
      if (stream === undefined)
        throw new SdpNegotiationError(`no audio stream over RTP with ${this.#names()} is offered`);
      const answer = this.#exchange.sendAnswer(this.#answerTo(offer, stream));
      this.#index = stream.index;
      this.#agreed = this.#agree('local');
      return sdpText(answer);
    } catch (error) {
      this.#exchange.rollback();
      throw error;
    }
  }

  #agree(answer: 'local' | 'remote'): AgreedAudio | undefined {
    const { local, remote } = this.#exchange;
    return local === undefined || remote === undefined ? undefined : agreeOn(local, remote, this.#index, answer);
  }

  #names(): string {
    return this.#options.codecs.join(' or ');
  }

  #isUsable(stream: SdpStream): boolean {
    return (
      stream.active &&
      stream.type.toLowerCase() === 'audio' &&
      this.#isUsableProfile(stream) &&
      stream.codecs.some((codec) => this.#options.codecs.some((known) => known === g711Of(codec)))
    );
  }

  #isUsableProfile(stream: SdpStream): boolean {
    const protocol = stream.protocol.toUpperCase();
    if (PROFILES.includes(protocol)) return true;
    return (
      this.#options.srtp !== 'never' &&
      SECURE_PROFILES.includes(protocol) &&
      acceptableCrypto(stream.section).length > 0
    );
  }

  #answerTo(offer: Sdp, stream: SdpStream): Sdp {
    const address = this.#options.address(stream.address);
    return answerTo(onlyStream(offer, stream.index), {
      origin: this.#origin(address),
      media: [
        {
          port: address.port,
          protocols: [stream.protocol],
          codecs: this.#capabilities(),
          direction: this.#direction,
          ptimeMs: packetTime(stream),
          oneCodec: true,
          attributes: [...(stream.rtcpMux ? [{ name: 'rtcp-mux' }] : []), ...cryptoLines(this.#answeredKey(stream))],
        },
      ],
    });
  }

  /** Our key for the line of the offer that comes first (RFC 4568 §5.1.2). A key that serves already stays, and its counters with it. */
  #answeredKey(stream: SdpStream): readonly CryptoAttribute[] {
    if (!isSecure(stream.protocol)) return [];
    const fresh = answerCrypto(cryptoValues(stream.section), this.#options.random)?.ours;
    const known = this.#agreed?.crypto?.ours;
    if (fresh === undefined) return [];
    return [known?.suite === fresh.suite ? { ...known, tag: fresh.tag } : fresh];
  }

  /** A stream stays what it was in the first offer. */
  #profile(): string {
    const { local } = this.#exchange;
    const known = local === undefined ? undefined : mediaSummary(local)[this.#index]?.protocol;
    return known ?? (this.#options.srtp === 'offer' ? 'RTP/SAVP' : 'RTP/AVP');
  }

  /** The keys of an offer: the one that serves already, or new ones. */
  #offeredKeys(protocol: string): readonly CryptoAttribute[] {
    if (!isSecure(protocol)) return [];
    const known = this.#agreed?.crypto?.ours;
    return known === undefined ? offerCrypto(this.#options.random) : [known];
  }

  #first(address: SocketAddress, media: SdpMediaOptions, before: string | undefined): PlacedAudio {
    const sdp = createSdp({ origin: this.#origin(address), media: [media] });
    const told = before === undefined ? undefined : readable(before);
    return told === undefined ? { sdp, index: 0 } : placeAudio(sdp, told);
  }

  /** The same streams in the same places: ours anew, those that were refused still refused (RFC 3264 §8). */
  #later(previous: Sdp, media: SdpMediaOptions): Sdp {
    const sections = previous.media.map((section, i) => (i === this.#index ? createMedia(media) : section));
    return padMedia(closeLines({ ...previous, media: sections }), previous);
  }

  #origin(address: SocketAddress): { sessionId: string; address: string } {
    const { local } = this.#exchange;
    const sessionId = local === undefined ? this.#options.sessionId : originOf(local).sessionId;
    return { sessionId, address: address.address };
  }

  #media(port: number, direction: SdpDirection): SdpMediaOptions {
    const protocol = this.#profile();
    return {
      port,
      protocol,
      codecs: this.#offered(),
      direction,
      ptimeMs: USUAL_PTIME_MS,
      attributes: [{ name: 'rtcp-mux' }, ...cryptoLines(this.#offeredKeys(protocol))],
    };
  }

  /** A payload type that stands for telephone-event keeps doing so (RFC 3264 §8.3.2). */
  #offered(): OfferedCodec[] {
    const codecs: OfferedCodec[] = this.#options.codecs.map((name) => ({
      payloadType: STATIC[name],
      name,
      clockRate: 8000,
    }));
    if (!this.#options.events) return codecs;
    const { local } = this.#exchange;
    const known = local === undefined ? undefined : mediaSummary(local)[this.#index]?.codecs.find(isEvent);
    const payloadType = known?.payloadType ?? EVENT_PAYLOAD_TYPE;
    return [...codecs, { payloadType, name: 'telephone-event', clockRate: 8000, fmtp: EVENT_FMTP }];
  }

  #capabilities(): CodecCapability[] {
    const codecs: CodecCapability[] = this.#options.codecs.map((name) => ({ name, clockRate: 8000 }));
    if (this.#options.events) codecs.push({ name: 'telephone-event', clockRate: 8000, fmtp: EVENT_FMTP });
    return codecs;
  }
}

/** Undefined for what is no description: it may be somebody else's, and passed on as it came. */
function readable(text: string): Sdp | undefined {
  try {
    return parseSdp(text);
  } catch (error) {
    if (error instanceof SdpParseError) return undefined;
    throw error;
  }
}

/** The offer as if it offered this stream alone: a session has one. */
function onlyStream(offer: Sdp, index: number): Sdp {
  return offer.media.reduce((only, _section, i) => (i === index ? only : rejectMedia(only, i)), offer);
}
