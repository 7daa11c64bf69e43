import type { SocketAddress } from '../../../src/base/ip.js';
import { MediaError } from '../../../src/media/media-error.js';
import type { MediaRelay } from '../../../src/media/relay/media-relay.js';
import type { MediaSession } from '../../../src/media/session/media-session.js';
import { StunServer } from '../../../src/nat/stun-server.js';
import type { UdpSocket } from '../../../src/net/network.js';
import { SdpNegotiationError } from '../../../src/protocol/sdp/offer-answer.js';
import { SdpParseError } from '../../../src/protocol/sdp/parse-error.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { connect, Endpoint, exchangeOf, type Party, relayIn, rtcpOf, talk } from '../../media/relay/support.js';
import { audioPort, type RtpPhone, Studio } from '../../media/session/studio.js';
import { mutant } from '../input/mutate.js';
import { pick } from '../input/pick.js';
import type { EpisodeResult } from '../stack/episode.js';
import { hold } from '../targets/target.js';
import { BINDING_REQUEST, DATAGRAMS, OFFERS } from './material.js';
import { SecurePhone } from './secure-phone.js';

/** Of payload, by UDP over IPv4. */
const LARGEST_DATAGRAM = 65_507;
const STUN = { address: '198.51.100.7', port: 3478 };
const ACTS = 50;
const EACH = 5;
/** Of the sound that follows at the end. */
const PACKETS = 60;

interface Sender {
  readonly socket: Pick<UdpSocket, 'send'>;
  readonly heard: SocketAddress[];
}

/**
 * A relayed call, two calls that the server serves itself (one under SRTP) and a STUN server, whose ports get mutants from the parties, from
 * other ports of their hosts and from a stranger; descriptions come spoiled in between. Then all of it must serve as if nothing had been.
 * `keep`: which inputs are really sent, for replay and for making a finding small.
 */
export class MediaEpisode {
  readonly #random: SeededRandom;
  readonly #studio: Studio;
  readonly #keep: (number: number) => boolean;
  readonly #sent: number[] = [];
  #number = 0;
  #relay!: MediaRelay;
  #parties!: readonly [Party, Party];
  #plain!: MediaSession;
  #phone!: RtpPhone;
  #secure!: SecurePhone;
  #stun!: StunServer;
  #senders: readonly Sender[] = [];
  #stranger!: Sender;
  /** Every port of ours. */
  #places: readonly SocketAddress[] = [];

  constructor(seed: number, index: number, keep: (number: number) => boolean = () => true) {
    this.#random = new SeededRandom(`${seed}/media/${index}`);
    this.#studio = new Studio({ seed: `${seed}/media/${index}` });
    this.#keep = keep;
  }

  /** Never rejects. */
  async play(): Promise<EpisodeResult> {
    let error: Error | undefined;
    try {
      await this.#setUp();
      for (let act = 0; act < ACTS; act++) await this.#act();
      await this.#serves();
      await this.#isQuiet();
    } catch (caught) {
      error = caught instanceof Error ? caught : new Error(String(caught));
    }
    return { inputs: this.#number, sent: this.#sent, error, ladder: () => this.#studio.world.ladder() };
  }

  async #setUp(): Promise<void> {
    const { world, ports } = this.#studio;
    this.#relay = relayIn(world, { ports });
    const a = world.use(await Endpoint.on(world.host('a', '10.0.0.5')));
    const b = world.use(await Endpoint.on(world.host('b', '10.0.0.6')));
    this.#parties = [
      { endpoint: a, legId: 'a' },
      { endpoint: b, legId: 'b1' },
    ];
    const { forA, forB } = await connect(this.#relay, 'call', ...this.#parties);
    this.#phone = await this.#studio.phone();
    this.#plain = await this.#studio.session();
    const plain = audioPort(this.#plain.answer(this.#phone.offer()));
    this.#secure = await SecurePhone.call(this.#studio);
    const { network, scheduler } = world.host('stun', STUN.address).ports;
    this.#stun = world.use(new StunServer({ network, scheduler, listen: [`udp://${STUN.address}:${STUN.port}`] }));
    await this.#stun.start();
    this.#stranger = await this.#open('stranger', '203.0.113.66');
    this.#senders = [
      { socket: { send: (data, to) => a.send(to, data) }, heard: [] },
      { socket: { send: (data, to) => this.#phone.raw(data, to) }, heard: [] },
      { socket: { send: (data, to) => this.#secure.phone.raw(data, to) }, heard: [] },
      await this.#open('a', '10.0.0.5'),
      await this.#open('phone', this.#phone.local.address),
      this.#stranger,
    ];
    this.#places = [forA, forB, plain, this.#secure.server].flatMap((place) => [place, rtcpOf(place)]);
    this.#places = [...this.#places, STUN];
  }

  /** Another port of a host, or of a new one. */
  async #open(name: string, address: string): Promise<Sender> {
    const { world } = this.#studio;
    const host = world.network.hosts.find((each) => each.addresses.includes(address)) ?? world.host(name, address).host;
    const heard: SocketAddress[] = [];
    const socket = await host.openUdp({
      local: { address, port: 7_000 },
      onMessage: (_data, from) => heard.push(from),
      onError: () => {},
    });
    return { socket: world.use(socket), heard };
  }

  async #act(): Promise<void> {
    const random = this.#random;
    if (random.chance(0.1)) await this.#describe();
    else for (let i = 0; i < EACH; i++) this.#datagram();
    if (random.chance(0.3)) this.#secure.say();
    await this.#studio.advance(random.integer(random.chance(0.95) ? 30 : 1_500));
  }

  #datagram(): void {
    const random = this.#random.fork(`input ${this.#number}`);
    const seeds = random.chance(0.2) ? [this.#secure.sealed(), ...DATAGRAMS.seeds] : DATAGRAMS.seeds;
    // No socket sends more.
    const data = mutant({ ...DATAGRAMS, seeds }, random).subarray(0, LARGEST_DATAGRAM);
    if (this.#isKept()) pick(this.#senders, random).socket.send(data, pick(this.#places, random));
  }

  /** A spoiled offer to a session, or through the relay. */
  async #describe(): Promise<void> {
    const random = this.#random.fork(`input ${this.#number}`);
    const sdp = mutant(OFFERS, random).toString('utf8');
    if (!this.#isKept()) return;
    const [a, b] = this.#parties;
    const ways = [
      async () => void this.#plain.answer(sdp),
      async () => void this.#secure.session.answer(sdp),
      async () => void (await this.#relay.offer({ ...exchangeOf('call', a, b), sdp })),
      async () => void (await this.#relay.answer({ ...exchangeOf('call', b, a), sdp })),
    ];
    try {
      await pick(ways, random)();
    } catch (error) {
      const known = [SdpParseError, SdpNegotiationError, MediaError].some((kind) => error instanceof kind);
      if (!known) throw error;
    }
  }

  #isKept(): boolean {
    const number = this.#number++;
    if (!this.#keep(number)) return false;
    this.#sent.push(number);
    return true;
  }

  /** The parties say again where they are, and all are served as if nothing had been. */
  async #serves(): Promise<void> {
    const [a, b] = this.#parties;
    const { world } = this.#studio;
    const { forA, forB } = await connect(this.#relay, 'call', a, b);
    const after = refusedLines(this.#plain);
    const plain = audioPort(this.#plain.answer(this.#phone.offer({ after })));
    this.#secure.describe(refusedLines(this.#secure.session));
    await world.advance({ seconds: 1 });
    const before = [a.endpoint.heard.length, b.endpoint.heard.length, this.#phone.heard.length] as const;
    await talk(world, 12, [a.endpoint, forA], [b.endpoint, forB]);
    hold(a.endpoint.heard.length - before[0] >= 6, 'the relay serves the caller');
    hold(b.endpoint.heard.length - before[1] >= 6, 'and the called one');
    const heard = [0, 0];
    const stop = [this.#plain, this.#secure.session].map((session, i) =>
      session.listen((pcm) => {
        if (pcm.every((sample) => sample !== 0 && sample === pcm[0])) heard[i] = (heard[i] ?? 0) + 1;
      }),
    );
    this.#phone.ssrc = 0x0f0f0f0f;
    for (let i = 0; i < PACKETS; i++) {
      this.#phone.say(new Uint8Array(160).fill(0x55), plain);
      this.#secure.say();
      await world.advance({ ms: 20 });
    }
    for (const cancel of stop) cancel();
    hold((heard[0] ?? 0) >= PACKETS / 3, `the session hears its phone: ${heard[0]} of ${PACKETS}`);
    hold((heard[1] ?? 0) >= PACKETS / 3, `and the one under SRTP: ${heard[1]} of ${PACKETS}`);
    hold(this.#phone.heard.length - before[2] >= PACKETS, 'the phone hears the session');
    const client = await this.#open('client', '203.0.113.99');
    client.socket.send(BINDING_REQUEST, STUN);
    await world.advance({ ms: 100 });
    hold(client.heard.length === 1, 'the STUN server answers');
    const leaked = this.#stranger.heard.filter(({ address }) => address !== STUN.address);
    hold(leaked.length === 0, `a stranger hears nothing: ${JSON.stringify(leaked[0])}`);
  }

  /** Nothing is left. */
  async #isQuiet(): Promise<void> {
    const { world, ports } = this.#studio;
    const errors = world.log.format('error');
    hold(errors === '', `no error is logged: ${errors}`);
    await world.close();
    hold(ports.stats.used === 0, `no port is left, found ${ports.stats.used}`);
    const leaks = world.leaks();
    hold(leaks.length === 0, `nothing is left open: ${leaks.join('; ')}`);
  }
}

/** Streams are never taken back (RFC 3264 §8): as many as the session knows, all but one refused. */
function refusedLines({ localDescription = '' }: MediaSession): string {
  const streams = localDescription.split('\nm=').length - 1;
  return 'm=audio 0 RTP/AVP 0\n'.repeat(Math.max(0, streams - 1));
}
