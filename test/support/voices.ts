import type { SocketAddress } from '../../src/base/ip.js';
import { sends } from '../../src/protocol/sdp/direction.js';
import { parseSdp } from '../../src/protocol/sdp/lines.js';
import { mediaSummary, type SdpStream } from '../../src/protocol/sdp/media.js';
import type { Nat } from '../../src/testing/nat.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import type { World } from '../../src/testing/world.js';
import type { RtpPhone } from '../media/session/studio.js';
import { rtpOf } from './rtp-of-call.js';

const PACKET_MS = 20;
const PACKET = new Uint8Array(160).fill(0xd5);

/** One party of a call: what it says is told apart by its SSRC. */
interface Voice {
  readonly call: PhoneCall;
  /** The last one is that of its present description. */
  readonly ears: RtpPhone[];
  readonly ssrc: number;
}

/** The parties of calls, who speak by real RTP packets from the sockets that they have described. */
export class Voices {
  readonly #world: World;
  readonly #voices: Voice[] = [];
  /** No two have the same in the whole test. */
  static #nextSsrc = 0x1000;

  constructor(world: World) {
    this.#world = world;
  }

  static async of(world: World, ...calls: readonly PhoneCall[]): Promise<Voices> {
    const voices = new Voices(world);
    for (const call of calls) await voices.add(call);
    return voices;
  }

  /** Another party; it must have described where it hears. */
  async add(call: PhoneCall): Promise<void> {
    const ear = await rtpOf(this.#world, call);
    ear.ssrc = Voices.#nextSsrc++;
    this.#voices.push({ call, ears: [ear], ssrc: ear.ssrc });
  }

  /** A party of other calls, who goes on in this one with the sockets that it has. */
  adopt(from: Voices, call: PhoneCall): void {
    this.#voices.push(from.#voiceOf(call));
  }

  /** The party has described another socket: it speaks from there now, and listens there too. */
  async moved(call: PhoneCall): Promise<void> {
    const { ears, ssrc } = this.#voiceOf(call);
    const ear = await rtpOf(this.#world, call);
    const before = ears.at(-1);
    ear.ssrc = ssrc;
    if (before !== undefined) [ear.sequence, ear.timestamp] = [before.sequence, before.timestamp];
    ears.push(ear);
  }

  /**
   * Everybody whose description lets it speaks for so long, a packet each 20 ms. Resolves to how many packets each party has heard of
   * the others meanwhile, in the order in which they were added.
   */
  async speak(ms: number): Promise<readonly number[]> {
    const before = this.#voices.map((voice) => heardBy(voice));
    for (let at = 0; at < ms; at += PACKET_MS) {
      for (const { call, ears } of this.#voices) {
        const to = earOfOther(call);
        if (to !== undefined) ears.at(-1)?.say(PACKET, to);
      }
      await this.#world.advance({ ms: PACKET_MS });
    }
    return this.#voices.map((voice, i) => heardBy(voice) - (before[i] ?? 0));
  }

  /** How many packets of another party somebody has heard in all. */
  heard(listener: PhoneCall, speaker: PhoneCall): number {
    const { ssrc } = this.#voiceOf(speaker);
    return this.#voiceOf(listener).ears.flatMap(({ heard }) => heard.filter((packet) => packet.ssrc === ssrc)).length;
  }

  /** How many packets somebody has heard in all, whoever has sent them. */
  heardInAll(listener: PhoneCall): number {
    return heardBy(this.#voiceOf(listener));
  }

  #voiceOf(call: PhoneCall): Voice {
    const voice = this.#voices.find((each) => each.call === call);
    if (voice === undefined) throw new Error('that call has no voice');
    return voice;
  }
}

/** The box that a machine stands behind. */
export function natOf(world: World, machine: string): Nat {
  const nat = world.network.find(machine)?.behind;
  if (nat === undefined) throw new Error(`${machine} is behind no NAT`);
  return nat;
}

/** The description with another place for its audio. */
export function movedTo(sdp: string | undefined, { address, port }: SocketAddress): string {
  const parts = /^o=(\S+ \S+) (\d+) IN IP4 \S+/m.exec(sdp ?? '');
  if (sdp === undefined || parts === null) throw new Error('nothing was described');
  return sdp
    .replace(parts[0], `o=${parts[1]} ${Number(parts[2]) + 1} IN IP4 ${address}`)
    .replace(/^c=IN IP4 \S+/gm, `c=IN IP4 ${address}`)
    .replace(/^m=audio \d+/m, `m=audio ${port}`);
}

function heardBy({ ears, ssrc }: Voice): number {
  return ears.flatMap(({ heard }) => heard.filter((packet) => packet.ssrc !== ssrc)).length;
}

/** Where a party sends to now: as it was told last, early media included; undefined while it may not send. */
function earOfOther({ media, progress, state }: PhoneCall): SocketAddress | undefined {
  if (state.kind === 'ended') return undefined;
  const own = streamOf(media.local);
  const remote = streamOf(media.remote ?? progress.findLast(({ sdp }) => sdp !== undefined)?.sdp);
  if (own === undefined || !sends(own.direction) || remote?.address === undefined) return undefined;
  return { address: remote.address, port: remote.port };
}

function streamOf(sdp: string | undefined): SdpStream | undefined {
  return sdp === undefined ? undefined : mediaSummary(parseSdp(sdp)).find(({ active }) => active);
}
