import { isRejected, SrtpReceiver, SrtpSender } from '../../protocol/srtp/context.js';
import type { AgreedCrypto } from '../../protocol/srtp/crypto-negotiation.js';
import { sameKey } from './session-crypto.js';

/**
 * SRTP of one session (RFC 3711), or none: then packets pass as they are. A key that stays in a later agreement keeps its context, with its
 * rollover counter and replay window.
 */
export class MediaCipher {
  #crypto: AgreedCrypto | undefined;
  #sender: SrtpSender | undefined;
  #receiver: SrtpReceiver | undefined;
  #rejected = 0;

  /** Packets that were not genuine, or came a second time. */
  get rejected(): number {
    return this.#rejected;
  }

  agree(crypto: AgreedCrypto | undefined): void {
    if (!sameKey(crypto?.ours, this.#crypto?.ours)) this.#sender = crypto && new SrtpSender(crypto.ours);
    if (!sameKey(crypto?.theirs, this.#crypto?.theirs)) this.#receiver = crypto && new SrtpReceiver(crypto.theirs);
    this.#crypto = crypto;
  }

  /** What leaves; undefined when the key may protect no more. */
  protect(packet: Uint8Array, kind: 'rtp' | 'rtcp'): Uint8Array | undefined {
    if (this.#sender === undefined) return packet;
    const result = kind === 'rtp' ? this.#sender.protect(packet) : this.#sender.protectRtcp(packet);
    return isRejected(result) ? undefined : result;
  }

  /** What came, if it is genuine. */
  unprotect(packet: Uint8Array, kind: 'rtp' | 'rtcp'): Uint8Array | undefined {
    if (this.#receiver === undefined) return packet;
    const result = kind === 'rtp' ? this.#receiver.unprotect(packet) : this.#receiver.unprotectRtcp(packet);
    if (!isRejected(result)) return result;
    this.#rejected++;
    return undefined;
  }
}
