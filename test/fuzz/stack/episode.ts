import type { UdpSocket } from '../../../src/net/network.js';
import { createPbx, type Pbx } from '../../../src/pbx/pbx.js';
import { SdpParseError } from '../../../src/protocol/sdp/parse-error.js';
import type { PhoneCall } from '../../../src/testing/phone-call.js';
import { RecordingLogger } from '../../../src/testing/recording-logger.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import type { VirtualPhone } from '../../../src/testing/virtual-phone.js';
import { createWorld, type World } from '../../../src/testing/world.js';
import { type Material, mutant } from '../input/mutate.js';
import { pick } from '../input/pick.js';
import { sipSeeds, sipWords } from '../input/sip-seeds.js';
import { hold, refusedAs } from '../targets/target.js';
import { checkSent, SentStream } from './answers.js';
import { tapUdp } from './mutating-socket.js';

const PBX = { address: '192.0.2.1', port: 5060 };
const MATERIAL: Material = { seeds: sipSeeds, words: sipWords, lines: true };
/** So many acts of strangers and phones in one episode. */
const ACTS = 60;
/** Of a hostile phone's messages this part is changed. */
const CHANGED = 0.4;
/** The PBX answers, calls on, repeats: a message that makes it send more than this many makes a storm. */
const MOST_SENT_EACH = 60;

/** How an episode ended. */
export interface EpisodeResult {
  /** Messages and stretches of streams that were not what a sound peer sends. */
  readonly inputs: number;
  /** Numbers of those that were sent. */
  readonly sent: readonly number[];
  readonly error: Error | undefined;
  readonly ladder: () => string;
}

/**
 * A PBX with two sound phones, two whose every other message is spoiled, and strangers that send whatever they like over UDP
 * and TCP. `keep`: which spoiled messages are really sent, for replay and for making a finding small.
 */
export class Episode {
  readonly #random: SeededRandom;
  readonly #world: World;
  readonly #log: RecordingLogger;
  readonly #keep: (number: number) => boolean;
  readonly #sent: number[] = [];
  #number = 0;
  #outgoing = 0;
  #fault: Error | undefined;
  #pbx!: Pbx;
  #sockets: UdpSocket[] = [];

  constructor(seed: number, index: number, keep: (number: number) => boolean = () => true) {
    this.#random = new SeededRandom(`${seed}/stack/${index}`);
    this.#keep = keep;
    this.#world = createWorld({ seed: `${seed}/${index}`, delayMs: [1, 20], segmentBytes: [1, 1460] });
    this.#log = new RecordingLogger(() => this.#world.clock.now());
  }

  /** Never rejects. */
  async play(): Promise<EpisodeResult> {
    let error: Error | undefined;
    try {
      await this.#run();
      error = this.#fault;
    } catch (caught) {
      error = caught instanceof Error ? caught : new Error(String(caught));
    }
    return { inputs: this.#number, sent: this.#sent, error, ladder: () => this.#world.ladder() };
  }

  async #run(): Promise<void> {
    const world = this.#world;
    tapUdp(world.pbx.host, (data) => this.#check(data));
    this.#pbx = world.use(
      createPbx({
        domain: 'office.test',
        listen: ['udp://192.0.2.1:5060', 'tcp://192.0.2.1:5060'],
        extensions: ['100', '101', '102', '103'].map((number) => ({ number, password: `secret-${number}` })),
        limits: { transport: { idleTimeoutMs: 120_000 } },
        ...world.ports,
        logger: this.#log,
      }),
    );
    await world.run(() => this.#pbx.start());
    const sound = [this.#phone('100'), this.#phone('101')];
    const hostile = [this.#phone('102', true), this.#phone('103', true)];
    for (const phone of [...sound, ...hostile]) await world.run(() => phone.start());
    await this.#openStrangers();
    for (let act = 0; act < ACTS && this.#fault === undefined; act++) await this.#act(sound, hostile);
    await this.#serves(sound[0] as VirtualPhone);
    await this.#isQuiet([...sound, ...hostile]);
  }

  #phone(number: string, hostile = false): VirtualPhone {
    const random = this.#random.fork(number);
    const world = this.#world;
    const phone = world.phone(`sip:${number}@office.test`, {
      password: `secret-${number}`,
      onCall: (call) => {
        if (random.chance(0.3)) call.ring();
        else if (random.chance(0.7)) answer(call);
        else call.reject(486);
      },
    });
    const machine = world.machines.find((each) => each.name === number);
    if (hostile && machine !== undefined) tapUdp(machine.host, (data) => this.#spoil(data, CHANGED));
    return phone;
  }

  async #openStrangers(): Promise<void> {
    for (let i = 1; i <= 3; i++) {
      const machine = this.#world.host(`stranger${i}`, `10.9.0.${i}`);
      this.#sockets.push(
        this.#world.use(
          await this.#world.run(() =>
            machine.ports.network.openUdp({
              local: { address: `10.9.0.${i}`, port: 5060 },
              onMessage: () => {},
              onError: () => {},
            }),
          ),
        ),
      );
    }
  }

  async #act(sound: readonly VirtualPhone[], hostile: readonly VirtualPhone[]): Promise<void> {
    const random = this.#random;
    const phone = pick(random.chance(0.7) ? hostile : sound, random);
    switch (random.integer(10)) {
      case 0:
      case 1:
        void phone.register({ expiresSeconds: pick([0, 60, 3600], random) });
        break;
      case 2:
      case 3:
        phone.call(pick(['100', '101', '102', '103', '104'], random), { lateOffer: random.chance(0.2) });
        break;
      case 4:
        this.#changeCall(phone);
        break;
      case 5:
        await this.#stream();
        break;
      default:
        for (let i = 0; i < 4; i++) this.#datagram();
    }
    await this.#world.advance({ ms: random.integer(random.chance(0.8) ? 100 : 5_000) });
  }

  #changeCall(phone: VirtualPhone): void {
    const call = phone.calls[phone.calls.length - 1];
    if (call?.state.kind === 'talking') {
      if (this.#random.chance(0.5)) call.hangUp();
      else void call.hold().catch(() => {});
    } else if (call?.direction === 'out') call.cancel();
    else if (call?.state.kind === 'ringing') answer(call);
  }

  #datagram(): void {
    const data = this.#spoil(mutant(MATERIAL, this.#random), 0);
    if (data.length > 0) pick(this.#sockets, this.#random).send(data, PBX);
  }

  async #stream(): Promise<void> {
    const machine = this.#world.machines.find((each) => each.name === 'stranger1');
    if (machine === undefined) return;
    const connection = machine.ports.network.connectTcp({ remote: PBX, timeoutMs: 5000 });
    const sent = new SentStream();
    connection.handle({
      onData: (data) => this.#guard(() => sent.push(data)),
      onClose: () => {},
    });
    for (let i = this.#random.integer(6); i >= 0; i--) {
      connection.send(this.#spoil(mutant(MATERIAL, this.#random), 0));
      await this.#world.advance({ ms: this.#random.integer(40) });
    }
    if (this.#random.chance(0.7)) connection.destroy();
  }

  /** Counts an input; `part` of them is changed, 0: it is a mutant already. One that is not kept stays as it was, or is not sent. */
  #spoil(data: Uint8Array, part: number): Uint8Array {
    const random = part === 0 ? undefined : this.#random.fork(`message ${this.#number}`);
    if (random !== undefined && !random.chance(part)) return data;
    const number = this.#number++;
    if (!this.#keep(number)) return random === undefined ? new Uint8Array(0) : data;
    this.#sent.push(number);
    return random === undefined ? data : mutant({ ...MATERIAL, seeds: [data] }, random);
  }

  #check(data: Uint8Array): Uint8Array {
    this.#outgoing++;
    this.#guard(() => {
      checkSent(data);
      hold(this.#outgoing < (this.#number + 2 * ACTS) * MOST_SENT_EACH, 'the PBX does not send without end');
    });
    return data;
  }

  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#fault ??= error instanceof Error ? error : new Error(String(error));
    }
  }

  /** A sound phone is served as if nothing had been. */
  async #serves(phone: VirtualPhone): Promise<void> {
    const result = await this.#world.run(() => phone.register());
    hold(result.status === 200, `a sound phone registers (${result.status})`);
  }

  /** When the peers have gone, nothing is left of them. */
  async #isQuiet(phones: readonly VirtualPhone[]): Promise<void> {
    const [world, pbx] = [this.#world, this.#pbx];
    // A repeated INVITE may begin a call after the first round; nobody hangs up for peers that are gone.
    for (let round = 0; round < 2; round++) {
      for (const { id } of pbx.calls) pbx.endCall(id);
      await world.advance({ seconds: 70 });
    }
    for (const phone of phones) await world.run(() => phone.close());
    await world.advance({ seconds: 3700 });
    const { transport, transactions, dialogs, calls, registrations } = pbx.stats();
    const left = {
      calls: calls.live,
      dialogs: dialogs.live,
      'pending INVITEs': dialogs.pendingInvites,
      transactions: transactions.client + transactions.server,
      connections: transport.connections,
      bindings: registrations.bindings,
    };
    for (const [what, count] of Object.entries(left)) hold(count === 0, `no ${what} are left, found ${count}`);
    const errors = this.#log.format('error');
    hold(errors === '', `no error is logged: ${errors}`);
    await world.close();
    const leaks = world.leaks();
    hold(leaks.length === 0, `nothing is left open: ${leaks.join('; ')}`);
  }
}

/** A phone cannot answer an offer that is none. */
function answer(call: PhoneCall): void {
  refusedAs(SdpParseError, () => call.answer());
}
