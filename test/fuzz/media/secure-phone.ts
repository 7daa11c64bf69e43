import type { SocketAddress } from '../../../src/base/ip.js';
import type { MediaSession } from '../../../src/media/session/media-session.js';
import { isRejected, SrtpSender } from '../../../src/protocol/srtp/context.js';
import { type CryptoAttribute, formatCryptoAttribute } from '../../../src/protocol/srtp/crypto-attribute.js';
import { audioPort, type RtpPhone, type Studio } from '../../media/session/studio.js';
import { voicePacket } from '../input/media-seeds.js';

const ATTRIBUTE: CryptoAttribute = {
  tag: 1,
  suite: 'AES_CM_128_HMAC_SHA1_80',
  masterKey: { key: new Uint8Array(16).fill(0x11), salt: new Uint8Array(14).fill(0x22) },
};

/** A phone under SRTP with keys in the description (RFC 4568), and the session that serves it. */
export class SecurePhone {
  readonly session: MediaSession;
  readonly phone: RtpPhone;
  /** Where the session receives. */
  readonly server: SocketAddress;
  readonly #sender = new SrtpSender(ATTRIBUTE);
  #sequence = 1;
  #last: Uint8Array = new Uint8Array(0);

  private constructor(session: MediaSession, phone: RtpPhone) {
    this.session = session;
    this.phone = phone;
    this.server = audioPort(session.answer(this.#offer()));
    this.say();
  }

  static async call(studio: Studio): Promise<SecurePhone> {
    const phone = await studio.phone({ address: '10.0.0.10' });
    return new SecurePhone(await studio.session(), phone);
  }

  /** The offer once more, under the same key. `after`: further streams. */
  describe(after: string): void {
    this.session.answer(this.#offer(after));
  }

  /** One genuine packet. */
  say(): void {
    this.#last = this.#seal();
    this.phone.raw(this.#last, this.server);
  }

  /** What was said last: a replay, unless it is changed. */
  sealed(): Uint8Array {
    return this.#last;
  }

  #seal(): Uint8Array {
    const sealed = this.#sender.protect(voicePacket(this.#sequence++));
    if (isRejected(sealed)) throw new Error(`cannot be sealed: ${sealed.why}`);
    return sealed;
  }

  #offer(after = ''): string {
    const attributes = [`crypto:${formatCryptoAttribute(ATTRIBUTE)}`];
    return this.phone.offer({ protocol: 'RTP/SAVP', attributes, after });
  }
}
