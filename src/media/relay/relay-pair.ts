import type { AddressAdvisor } from '../../base/address-advisor.js';
import type { Millis } from '../../base/clock.js';
import { ipVersion, normalizeHost, type SocketAddress } from '../../base/ip.js';
import type { SourceFor } from '../../net/source-addresses.js';
import { rejectMedia } from '../../protocol/sdp/edit.js';
import { parseSdp, type Sdp } from '../../protocol/sdp/lines.js';
import { mediaSummary, type SdpStream } from '../../protocol/sdp/media.js';
import { localAddressFor, type OwnAddresses, unspecifiedLike } from './local-address.js';
import { PairWatch } from './pair-watch.js';
import type { RelayLeg } from './relay-leg.js';
import type { RelaySide, SideContext } from './relay-side.js';
import { RelayStream, type StreamEnd } from './relay-stream.js';
import { relayedSdp, type StreamPlace } from './relayed-sdp.js';
import { type StreamDescription, streamDescription } from './stream-description.js';

/** What all pairs of a relay share. */
export interface PairContext extends SideContext {
  /** Ours, in order of preference. */
  readonly addresses: OwnAddresses;
  /** Which of them the system's routes lead from. */
  readonly sourceFor: SourceFor;
  readonly advisor: AddressAdvisor;
  /** A stream is about to close: its numbers are wanted. */
  readonly onClosing: (stream: RelayStream) => void;
}

/** A description, read once. */
interface Said {
  readonly sdp: Sdp;
  readonly streams: readonly SdpStream[];
  readonly descriptions: readonly StreamDescription[];
}

/**
 * Of one description so many streams are relayed, four ports each; those behind them are refused (RFC 3264 §6). A conference has a dozen, and one
 * INVITE must not take the ports of a hundred calls.
 */
const MOST_STREAMS = 16;

/** @throws SdpParseError */
function read(text: string): Said {
  let sdp = parseSdp(text);
  for (let index = MOST_STREAMS; index < sdp.media.length; index++) sdp = rejectMedia(sdp, index);
  const streams = mediaSummary(sdp);
  return { sdp, streams, descriptions: streams.map(streamDescription) };
}

/** Two legs that exchange descriptions, and the streams between them. */
export class RelayPair {
  readonly legs: readonly [RelayLeg, RelayLeg];
  readonly watch = new PairWatch();
  readonly #context: PairContext;
  #streams: (RelayStream | undefined)[] = [];
  /** What a leg has offered last; it counts when it is answered, for it may be refused, and for each answer: a 183 and a 200 may differ. */
  #offered: { readonly by: RelayLeg; readonly descriptions: readonly StreamDescription[] } | undefined;
  #establishedAt: Millis | undefined;

  constructor(legs: readonly [RelayLeg, RelayLeg], context: PairContext) {
    this.legs = legs;
    this.#context = context;
  }

  get streams(): readonly RelayStream[] {
    return this.#streams.filter((stream) => stream !== undefined);
  }

  /** When an offer was first answered. */
  get establishedAt(): Millis | undefined {
    return this.#establishedAt;
  }

  /** What `to` is told of the offer of `from`. @throws SdpParseError, MediaError, ListenError; nothing more is open then */
  async offer(from: RelayLeg, to: RelayLeg, text: string): Promise<string> {
    const said = read(text);
    await this.#open(from, said.descriptions);
    // What `from` has said of a stream before holds until the answer (RFC 3264 §8.3.1).
    this.#describe(from, said.descriptions, (side) => side.described === undefined);
    this.#offered = { by: from, descriptions: said.descriptions };
    return this.#tell(to, said);
  }

  /** What `to`, who has offered, is told of the answer of `from`. @throws as `offer` */
  async answer(from: RelayLeg, to: RelayLeg, text: string): Promise<string> {
    const said = read(text);
    const { descriptions } = said;
    const offered = this.#offered?.by === to ? this.#offered.descriptions : undefined;
    await this.#open(from, descriptions, offered);
    if (offered !== undefined) this.#describe(to, offered, () => true);
    this.#describe(from, descriptions, () => true);
    const told = this.#tell(to, said);
    await this.#closeUnused(descriptions, offered ?? descriptions);
    this.#establishedAt ??= this.#context.clock.now();
    return told;
  }

  /** Closes all streams. */
  async close(): Promise<void> {
    const closing = this.streams;
    this.#streams = [];
    await Promise.all(closing.map((stream) => this.#close(stream)));
  }

  /**
   * Gives ports to every stream that is to be relayed and has none: to all of them or, if that fails, to none. An answer can open nothing that
   * was not `offered` (RFC 3264 §6).
   */
  async #open(
    from: RelayLeg,
    descriptions: readonly StreamDescription[],
    offered: readonly StreamDescription[] = descriptions,
  ): Promise<void> {
    const opened: RelayStream[] = [];
    try {
      for (const [index, { kind, rtp }] of descriptions.entries()) {
        const isWanted = kind !== 'none' && (offered[index]?.kind ?? 'none') !== 'none';
        if (!isWanted || this.#streams[index] !== undefined) continue;
        const end = (leg: RelayLeg): StreamEnd => ({ legId: leg.id, address: this.#addressFor(leg, from, rtp) });
        opened.push(await RelayStream.open(index, [end(this.legs[0]), end(this.legs[1])], this.#context));
      }
    } catch (error) {
      await Promise.all(opened.map((stream) => stream.close(true)));
      throw error;
    }
    for (const stream of opened) this.#streams[stream.index] = stream;
  }

  /**
   * Of ours, to face a leg: nearest to where its signalling is; else where the media of the one who speaks is. Whose signalling is
   * IPv4 and media IPv6, or the other way round, is faced by the IP of its media.
   */
  #addressFor(leg: RelayLeg, from: RelayLeg, described: SocketAddress | undefined): string {
    const said = leg === from ? described?.address : undefined;
    const { addresses, sourceFor } = this.#context;
    if (said !== undefined && inOtherFamily(said, leg.host)) return localAddressFor(addresses, said, sourceFor);
    const peer = leg.host ?? said ?? from.host ?? described?.address;
    return localAddressFor(addresses, peer, sourceFor);
  }

  #describe(leg: RelayLeg, descriptions: readonly StreamDescription[], which: (side: RelaySide) => boolean): void {
    for (const stream of this.streams) {
      const description = descriptions[stream.index];
      const side = stream.facing(leg.id);
      if (description !== undefined && description.kind !== 'none' && which(side))
        side.describe(description, leg.signalling);
    }
  }

  #tell(to: RelayLeg, { sdp, streams, descriptions }: Said): string {
    const places = descriptions.map(({ kind }, index) => {
      const stream = kind === 'none' ? undefined : this.#streams[index];
      return stream === undefined ? undefined : this.#place(stream.facing(to.id), to);
    });
    return to.tell(relayedSdp(sdp, places, streams));
  }

  #place(side: RelaySide, to: RelayLeg): StreamPlace {
    const { rtp, rtcp } = side.ports;
    // Of whom nothing is known, such as a carrier called by its name, is outside: our own address would make it one of our network.
    const remote = {
      address: to.host ?? side.described?.rtp?.address ?? unspecifiedLike(rtp.local.address),
      port: side.described?.rtp?.port ?? 0,
    };
    const advertise = (local: SocketAddress): SocketAddress =>
      this.#context.advisor.advertise({ purpose: 'media', protocol: 'udp', local, remote });
    return { rtp: advertise(rtp.local), rtcp: advertise(rtcp.local) };
  }

  /** An answer decides: what it or the offer refuses, or does not name, needs no ports any more (RFC 3264 §6, §8.2). */
  async #closeUnused(...said: readonly (readonly StreamDescription[])[]): Promise<void> {
    const isRefused = (index: number): boolean => said.some((each) => (each[index]?.kind ?? 'none') === 'none');
    const unused = this.streams.filter(({ index }) => isRefused(index));
    for (const { index } of unused) this.#streams[index] = undefined;
    await Promise.all(unused.map((stream) => this.#close(stream)));
  }

  #close(stream: RelayStream): Promise<void> {
    this.#context.onClosing(stream);
    return stream.close();
  }
}

/** Whether both are addresses, one of IPv4 and one of IPv6. */
function inOtherFamily(one: string, other: string | undefined): boolean {
  const families = [one, other ?? ''].map((host) => ipVersion(normalizeHost(host)));
  return !families.includes(0) && families[0] !== families[1];
}
