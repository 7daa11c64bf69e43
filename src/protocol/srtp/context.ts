import { UsageError } from '../../base/errors.js';
import { isRtcp } from '../rtp/demultiplex.js';
import { isRtpHeader, payloadOffset, sequenceOf, ssrcOf } from '../rtp/packet.js';
import { word } from '../rtp/words.js';
import { CounterCipher } from './counter-cipher.js';
import type { SrtpMasterKey } from './crypto-attribute.js';
import { GcmCipher } from './gcm-cipher.js';
import { sessionKeys } from './key-derivation.js';
import { ENCRYPTED, type PacketCipher } from './packet-cipher.js';
import { ReplayWindow } from './replay-window.js';
import { MOST_RTCP_PACKETS, MOST_RTP_PACKETS, type SrtpSuiteName, srtpSuite } from './suite.js';

/**
 * Why a packet was not taken. `malformed`: no RTP or RTCP, or too short; `key`: under another master key identifier; `replayed`: its index has
 * been used, or is too old to tell; `authentication`: forged or damaged; `sources`: one source more than the context keeps;
 * `exhausted`: the master key has protected as much as it may (RFC 3711 §9.2), a new one has to be agreed upon.
 */
export type SrtpFault = 'malformed' | 'key' | 'replayed' | 'authentication' | 'sources' | 'exhausted';

export interface SrtpRejection {
  readonly kind: 'rejected';
  readonly why: SrtpFault;
}

export interface SrtpContextOptions {
  readonly suite: SrtpSuiteName;
  /** Of one direction: each side has its own. */
  readonly masterKey: SrtpMasterKey;
  /** How many sources (SSRCs) are kept; default 64. None is ever forgotten: its packets could be replayed. */
  readonly maxSources?: number;
}

/** What is kept of a source: which of its packets have been, the newest index with its rollover counter among them. */
interface Source {
  readonly rtp: ReplayWindow;
  readonly rtcp: ReplayWindow;
}

const SEQUENCES = 0x10000;
const HALF = 0x8000;
const MAX_SOURCES = 64;

const REJECTED: Readonly<Record<SrtpFault, SrtpRejection>> = {
  malformed: { kind: 'rejected', why: 'malformed' },
  key: { kind: 'rejected', why: 'key' },
  replayed: { kind: 'rejected', why: 'replayed' },
  authentication: { kind: 'rejected', why: 'authentication' },
  sources: { kind: 'rejected', why: 'sources' },
  exhausted: { kind: 'rejected', why: 'exhausted' },
};

/** Tells a rejection from a packet. */
export function isRejected(result: Uint8Array | SrtpRejection): result is SrtpRejection {
  return 'kind' in result;
}

/**
 * The index of a packet by its sequence number and the newest index of its source (RFC 3711 §3.3.1, Appendix A): the rollover counter is that of
 * the newest one, or one more or less. Negative for what is older than the first turn of the counter.
 * @param newest −1 before the first packet, whose counter is 0
 */
export function packetIndex(newest: number, sequence: number): number {
  if (newest < 0) return sequence;
  const last = newest % SEQUENCES;
  const turn = newest - last;
  if (last < HALF) return sequence - last > HALF ? turn - SEQUENCES + sequence : turn + sequence;
  return last - HALF > sequence ? turn + SEQUENCES + sequence : turn + sequence;
}

/** What both directions have: a cipher, sources, and the limits of the master key. */
class Context {
  readonly cipher: PacketCipher;
  readonly mki: Uint8Array | undefined;
  readonly #sources = new Map<number, Source>();
  readonly #maxSources: number;
  readonly #rtpLeft: number;
  readonly #rtcpLeft: number;
  #rtp = 0;
  #rtcp = 0;

  constructor({ suite: name, masterKey, maxSources = MAX_SOURCES }: SrtpContextOptions) {
    const suite = srtpSuite(name);
    const { key, salt, lifetime = MOST_RTP_PACKETS, mki } = masterKey;
    if (key.length !== suite.keyBytes || salt.length !== suite.saltBytes) {
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `SRTP ${name}: found a key of ${key.length} and a salt of ${salt.length} bytes, expected ${suite.keyBytes} and ${suite.saltBytes}`,
      );
    }
    const keys = sessionKeys(suite, masterKey);
    this.cipher = suite.cipher === 'gcm' ? new GcmCipher(keys, mki) : new CounterCipher(suite, keys, mki);
    this.mki = mki;
    this.#maxSources = maxSources;
    this.#rtpLeft = Math.min(lifetime, MOST_RTP_PACKETS);
    this.#rtcpLeft = Math.min(lifetime, MOST_RTCP_PACKETS);
  }

  get rtpExhausted(): boolean {
    return this.#rtp >= this.#rtpLeft;
  }

  get rtcpExhausted(): boolean {
    return this.#rtcp >= this.#rtcpLeft;
  }

  /** The source of that number, or a new one that is kept once a packet of it is; undefined when there is no room for it. */
  sourceOf(ssrc: number): Source | undefined {
    const known = this.#sources.get(ssrc);
    if (known !== undefined) return known;
    if (this.#sources.size >= this.#maxSources) return undefined;
    return { rtp: new ReplayWindow(), rtcp: new ReplayWindow() };
  }

  takeRtp(ssrc: number, source: Source, index: number): void {
    source.rtp.mark(index);
    this.#sources.set(ssrc, source);
    this.#rtp++;
  }

  takeRtcp(ssrc: number, source: Source, index: number): void {
    source.rtcp.mark(index);
    this.#sources.set(ssrc, source);
    this.#rtcp++;
  }
}

/**
 * Protects what one side sends (RFC 3711 §3.3, §3.4) under one master key. A sequence number is protected once: a second packet under the same
 * index would give the key stream away (§9.1).
 */
export class SrtpSender {
  readonly #context: Context;

  /** @throws UsageError (PBX_INVALID_ARGUMENT) for a key or salt of the wrong length */
  constructor(options: SrtpContextOptions) {
    this.#context = new Context(options);
  }

  /** The SRTP packet, in memory of its own. */
  protect(packet: Uint8Array): Uint8Array | SrtpRejection {
    if (!isRtpHeader(packet)) return REJECTED.malformed;
    const ssrc = ssrcOf(packet);
    const source = this.#context.sourceOf(ssrc);
    if (source === undefined) return REJECTED.sources;
    const index = packetIndex(source.rtp.highest, sequenceOf(packet));
    if (index < 0 || !source.rtp.isNew(index)) return REJECTED.replayed;
    if (this.#context.rtpExhausted || index >= MOST_RTP_PACKETS) return REJECTED.exhausted;
    this.#context.takeRtp(ssrc, source, index);
    return this.#context.cipher.sealRtp(packet, payloadOffset(packet), ssrc, index);
  }

  /** The SRTCP packet of a compound RTCP packet, encrypted, in memory of its own. */
  protectRtcp(packet: Uint8Array): Uint8Array | SrtpRejection {
    if (!isRtcp(packet)) return REJECTED.malformed;
    const ssrc = word(packet, 4);
    const source = this.#context.sourceOf(ssrc);
    if (source === undefined) return REJECTED.sources;
    const index = source.rtcp.highest + 1;
    if (this.#context.rtcpExhausted || index >= MOST_RTCP_PACKETS) return REJECTED.exhausted;
    this.#context.takeRtcp(ssrc, source, index);
    return this.#context.cipher.sealRtcp(packet, ssrc, index);
  }
}

/** Takes what the other side has protected under its master key. What is not genuine changes nothing. */
export class SrtpReceiver {
  readonly #context: Context;

  /** @throws UsageError (PBX_INVALID_ARGUMENT) for a key or salt of the wrong length */
  constructor(options: SrtpContextOptions) {
    this.#context = new Context(options);
  }

  /** The RTP packet, in memory of its own. Its padding has not been looked at: see `isRtp`. */
  unprotect(packet: Uint8Array): Uint8Array | SrtpRejection {
    const { cipher } = this.#context;
    if (!isRtpHeader(packet)) return REJECTED.malformed;
    const clear = payloadOffset(packet);
    if (clear + cipher.overhead.rtp > packet.length) return REJECTED.malformed;
    if (!this.#isOurKey(packet, cipher.mkiFromEnd.rtp)) return REJECTED.key;
    const ssrc = ssrcOf(packet);
    const source = this.#context.sourceOf(ssrc);
    if (source === undefined) return REJECTED.sources;
    const index = packetIndex(source.rtp.highest, sequenceOf(packet));
    if (index < 0 || !source.rtp.isNew(index)) return REJECTED.replayed;
    if (this.#context.rtpExhausted || index >= MOST_RTP_PACKETS) return REJECTED.exhausted;
    const opened = cipher.openRtp(packet, clear, ssrc, index);
    if (opened === undefined) return REJECTED.authentication;
    this.#context.takeRtp(ssrc, source, index);
    return opened;
  }

  /** The compound RTCP packet, in memory of its own; whether it was encrypted or only authenticated. */
  unprotectRtcp(packet: Uint8Array): Uint8Array | SrtpRejection {
    const { cipher } = this.#context;
    if (!isRtcp(packet) || packet.length < 8 + cipher.overhead.rtcp) return REJECTED.malformed;
    if (!this.#isOurKey(packet, cipher.mkiFromEnd.rtcp)) return REJECTED.key;
    const ssrc = word(packet, 4);
    const source = this.#context.sourceOf(ssrc);
    if (source === undefined) return REJECTED.sources;
    const index = word(packet, cipher.indexAt(packet.length)) % ENCRYPTED;
    if (!source.rtcp.isNew(index)) return REJECTED.replayed;
    if (this.#context.rtcpExhausted) return REJECTED.exhausted;
    const opened = cipher.openRtcp(packet, ssrc);
    if (opened === undefined) return REJECTED.authentication;
    this.#context.takeRtcp(ssrc, source, index);
    return opened;
  }

  #isOurKey(packet: Uint8Array, fromEnd: number): boolean {
    const { mki } = this.#context;
    if (mki === undefined) return true;
    const at = packet.length - fromEnd;
    return mki.every((byte, i) => packet[at + i] === byte);
  }
}
