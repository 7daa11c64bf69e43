import { answerAgain, answerTo } from '../protocol/sdp/answer.js';
import { BASIC_AUDIO, createSdp, type OfferedCodec } from '../protocol/sdp/create.js';
import { holdOffer, resumeOffer } from '../protocol/sdp/hold.js';
import { parseSdp, type Sdp, sdpText } from '../protocol/sdp/lines.js';

export interface PhoneMediaOptions {
  /** Where the phone would receive RTP. */
  readonly address: string;
  readonly port: number;
  readonly sessionId: number;
  /** Default PCMU, PCMA, telephone-event. */
  readonly codecs?: readonly OfferedCodec[];
}

/** A phone's side of offer and answer (RFC 3264): text in, text out. No RTP flows in the virtual world. */
export class PhoneMedia {
  readonly #options: PhoneMediaOptions;
  #local: Sdp | undefined;
  #remote: Sdp | undefined;

  constructor(options: PhoneMediaOptions) {
    this.#options = options;
  }

  /** What this phone said last. */
  get local(): string | undefined {
    return this.#local === undefined ? undefined : sdpText(this.#local);
  }

  /** What this phone was told last. */
  get remote(): string | undefined {
    return this.#remote === undefined ? undefined : sdpText(this.#remote);
  }

  /** The first offer, or the present description again. */
  offer(): string {
    this.#local ??= createSdp({
      origin: this.#origin,
      media: [{ port: this.#options.port, codecs: this.#codecs }],
    });
    return sdpText(this.#local);
  }

  hold(): string {
    this.#local = holdOffer(this.#current());
    return sdpText(this.#local);
  }

  resume(): string {
    this.#local = resumeOffer(this.#current());
    return sdpText(this.#local);
  }

  /** Uses `sdp`, whatever it says, as this phone's own description. */
  say(sdp: string): string {
    this.#local = parseSdp(sdp);
    return sdp;
  }

  answer(offer: string): string {
    const remote = parseSdp(offer);
    this.#remote = remote;
    this.#local =
      this.#local === undefined
        ? answerTo(remote, { origin: this.#origin, media: [{ port: this.#options.port, codecs: this.#codecs }] })
        : answerAgain(remote, this.#local);
    return sdpText(this.#local);
  }

  heard(answer: string | undefined): void {
    if (answer !== undefined) this.#remote = parseSdp(answer);
  }

  #current(): Sdp {
    this.offer();
    return this.#local as Sdp;
  }

  get #origin(): { sessionId: number; address: string } {
    return { sessionId: this.#options.sessionId, address: this.#options.address };
  }

  get #codecs(): readonly OfferedCodec[] {
    return this.#options.codecs ?? BASIC_AUDIO;
  }
}
