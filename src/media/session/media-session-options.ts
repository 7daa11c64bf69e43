import type { AddressAdvisor } from '../../base/address-advisor.js';
import type { SocketAddress } from '../../base/ip.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { Scheduler } from '../../base/scheduler.js';
import type { Network } from '../../net/network.js';
import type { DtmfDigit } from '../../protocol/audio/dtmf.js';
import type { G711Codec } from '../audio/audio-source.js';
import type { PortPool } from '../port-pool.js';
import type { SrtpUse } from './audio-negotiation.js';
import type { ReceivedCount } from './audio-receiver.js';
import type { SentCount } from './audio-sender.js';
import type { DigitWay } from './digit-gate.js';
import type { MediaClock } from './media-clock.js';

export interface MediaSessionOptions {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** One for all sessions of the process. */
  readonly clock: MediaClock;
  readonly ports: PortPool;
  /** Of ours: where RTP is received. */
  readonly address: string;
  /** Default: peers are told the very address of the socket. */
  readonly advisor?: AddressAdvisor;
  /** The IP address that the peer's signalling is seen to come from: its media may come from there too (RFC 7362 §4). */
  readonly remoteAddress?: string;
  /** In order of preference. Default PCMA, PCMU. */
  readonly codecs?: readonly G711Codec[];
  /** Whether digits are taken and sent as RTP events (RFC 4733). Default true. */
  readonly events?: boolean;
  /** Whether tones in the audio count as digits. Default `auto`: only while the peer sends no RTP events. */
  readonly inbandDigits?: 'auto' | 'always' | 'never';
  /**
   * SRTP with keys in the description (RFC 4568): taken where it is offered (`accept`, the default), also offered by us (`offer`: only where
   * signalling goes over TLS), or neither.
   */
  readonly srtp?: SrtpUse;
}

/** What a session tells of its own accord. */
export interface MediaSessionEvents {
  /** A key was pressed: once for each, by whatever way it came first. */
  digit: { readonly digit: DtmfDigit; readonly way: DigitWay };
}

export interface MediaSessionStats {
  readonly received: ReceivedCount;
  readonly sent: SentCount;
  /** Packets from others than the peer. */
  readonly strangers: number;
  /** Packets that came before anything was agreed on, while nothing was to be received, or too few of one source to tell whether it is the peer. */
  readonly ignored: number;
  readonly badRtcp: number;
  /** Packets that were to be SRTP and are not genuine, or came a second time. */
  readonly rejected: number;
  /** As the peer's last RTCP report shows it. */
  readonly roundTripMs?: number;
  /** Where packets go. */
  readonly remote?: SocketAddress;
}

/** Takes what is heard: 8 kHz mono; the samples are valid during the call only. */
export type AudioListener = (pcm: Int16Array) => void;
/** As `AudioListener`, with what was sent at the same time. */
export type AudioTap = (received: Int16Array, sent: Int16Array) => void;
