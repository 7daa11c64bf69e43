import type { AddressAdvisor } from '../base/address-advisor.js';
import { AddressSet } from '../base/address-set.js';
import { ipVersion, isWildcardAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import type { MediaMode } from '../base/media-mode.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { MediaPolicy } from '../call/call-media.js';
import type { MusicOnHold } from '../call/hold-music.js';
import type { AudioPeer } from '../call/server-audio.js';
import type { Sound } from '../media/audio/audio-source.js';
import { Broadcast } from '../media/audio/broadcast.js';
import { wavFile } from '../media/audio/sounds.js';
import type { MediaEngine } from '../media/media-engine.js';
import { PortPool, type PortPoolStats } from '../media/port-pool.js';
import { localAddressFor, type OwnAddresses } from '../media/relay/local-address.js';
import { MediaRelay, type MediaRelayStats } from '../media/relay/media-relay.js';
import { MediaClock } from '../media/session/media-clock.js';
import { MediaSession } from '../media/session/media-session.js';
import type { Network } from '../net/network.js';
import { SourceAddresses } from '../net/source-addresses.js';
import type { ListenPoint } from '../transport/hop.js';
import type { PbxOptions } from './options.js';

/** The options that say how media goes. */
type Wishes = Pick<PbxOptions, 'media' | 'extensions' | 'directory' | 'lines' | 'trunks' | 'localNetworks'>;

export interface PbxMediaParts {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly advisor: AddressAdvisor;
  /** Where SIP is listened for: there media is received too, unless told otherwise. */
  readonly listen: readonly ListenPoint[];
}

/** The server's own media. */
export interface PbxMediaStats {
  readonly ports: PortPoolStats;
  /** Absent when another engine relays. */
  readonly relay?: Omit<MediaRelayStats, 'ports'>;
}

/** The media of a PBX, as it is configured now: by which path it goes, what relays it, and the server's own end of calls. */
export class PbxMedia implements MediaPolicy {
  readonly engine: MediaEngine;
  readonly mode: MediaMode;
  readonly localNetworks: AddressSet;
  readonly ports: PortPool;
  /** What held parties hear; absent: what the holder sends. */
  readonly music: MusicOnHold | undefined;
  readonly #parts: PbxMediaParts;
  readonly #clock: MediaClock;
  readonly #relay: MediaRelay | undefined;
  readonly #addresses: OwnAddresses;
  readonly #sources: SourceAddresses;
  readonly #broadcasts = new Set<Broadcast>();
  #wishes: Wishes;
  #watches: boolean;

  /** @throws UsageError (PBX_INVALID_ARGUMENT) for a range of ports that holds no pair */
  constructor(wishes: Wishes, parts: PbxMediaParts) {
    const { network, scheduler, random, logger, advisor, listen } = parts;
    const { path = 'direct', engine, ports = {}, addresses, timeouts } = wishes.media ?? {};
    this.mode = path;
    this.localNetworks = new AddressSet(wishes.localNetworks ?? []);
    this.ports = new PortPool({ ...ports, scheduler, random });
    this.#parts = parts;
    this.#clock = new MediaClock({ scheduler, logger });
    this.#sources = new SourceAddresses({ network, clock: scheduler });
    this.#addresses = ownAddresses(addresses, listen, network);
    this.#relay =
      engine === undefined
        ? new MediaRelay({
            ...{ network, scheduler, random, logger, advisor, ports: this.ports, addresses: this.#addresses },
            ...(timeouts === undefined ? {} : { timeouts }),
          })
        : undefined;
    this.engine = engine ?? (this.#relay as MediaEngine);
    this.music = this.#musicOf(wishes.media?.holdMusic);
    this.#wishes = wishes;
    this.#watches = watches(wishes);
  }

  get watches(): boolean {
    return this.#watches;
  }

  /** The server's own end of a call's audio. @throws MediaError (MEDIA_NO_PORT) */
  open({ remoteAddress, srtp }: AudioPeer): Promise<MediaSession> {
    const { network, scheduler, random, logger, advisor } = this.#parts;
    return MediaSession.open({
      ...{ network, scheduler, random, logger, advisor, remoteAddress },
      clock: this.#clock,
      ports: this.ports,
      address: localAddressFor(this.#addresses, remoteAddress, this.#sources.for),
      srtp: srtp ? 'offer' : 'accept',
    });
  }

  /** One sound for any number of calls, read and encoded once for all of them. A string is the path of a WAV file. */
  broadcast(sound: string | Sound): Broadcast {
    const broadcast: Broadcast = new Broadcast({
      clock: this.#clock,
      sound: typeof sound === 'string' ? wavFile(sound) : sound,
      onClosed: () => this.#broadcasts.delete(broadcast),
    });
    this.#broadcasts.add(broadcast);
    return broadcast;
  }

  #musicOf(sound: string | Sound | undefined): MusicOnHold | undefined {
    if (sound === undefined) return undefined;
    const broadcast = this.broadcast(sound);
    return { open: (peer) => this.open(peer), listen: () => broadcast.listen() };
  }

  stats(): PbxMediaStats {
    const { ports } = this;
    if (this.#relay === undefined) return { ports: ports.stats };
    const { calls, streams, packets } = this.#relay.totals;
    return { ports: ports.stats, relay: { calls, streams, packets } };
  }

  /** Calls under way are not touched. */
  reconfigure(changes: Partial<Wishes>): void {
    this.#wishes = { ...this.#wishes, ...changes };
    this.#watches = watches(this.#wishes);
  }

  /** No socket of the relay is left, and nothing is broadcast any more. */
  async close(): Promise<void> {
    for (const broadcast of [...this.#broadcasts]) broadcast.close();
    await this.#relay?.close();
  }
}

/** Whether the media of any call may go otherwise than end to end. The wishes of an own directory's extensions are not known before. */
function watches({ media, extensions = [], directory, lines = [], trunks = [] }: Wishes): boolean {
  if ((media?.path ?? 'direct') !== 'direct' || directory !== undefined) return true;
  return [...extensions, ...lines, ...trunks].some(({ media: own = 'direct' }) => own !== 'direct');
}

function ownAddresses(
  given: readonly string[] | undefined,
  listen: readonly ListenPoint[],
  network: Network,
): OwnAddresses {
  const hosts = [...new Set(given ?? listen.map(({ host }) => host))];
  const known = hosts.every((host) => ipVersion(host) !== 0 && !isWildcardAddress(host));
  const [first = '127.0.0.1', ...others] = known ? hosts : network.localAddresses();
  return [first, ...others];
}
