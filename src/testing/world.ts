import { Disposer } from '../base/disposer.js';
import { UsageError } from '../base/errors.js';
import type { SocketAddress } from '../base/ip.js';
import type { Logger } from '../base/logger.js';
import { parseUri } from '../protocol/sip/uri.js';
import { formatLadder, type LadderOptions } from './ladder.js';
import type { LinkConditions } from './link.js';
import { Machine, type WorldPorts } from './machine.js';
import { ManualClock } from './manual-clock.js';
import type { Nat, NatKind, NatOptions } from './nat.js';
import { RecordingLogger } from './recording-logger.js';
import { SeededRandom } from './seeded-random.js';
import { Trace } from './trace.js';
import type { VirtualHostOptions } from './virtual-host.js';
import { VirtualNetwork } from './virtual-network.js';
import { VirtualPhone, type VirtualPhoneOptions } from './virtual-phone.js';

/** Where the world's own PBX machine stands (RFC 5737 documentation address). */
export const PBX_ADDRESS = '192.0.2.1';

export interface WorldOptions extends LinkConditions {
  /** Everything random follows from it. */
  readonly seed: number | string;
  /** Addresses of the machine that `world.ports` belongs to. Default `['192.0.2.1']`. */
  readonly addresses?: readonly string[];
  /** TCP segments of so many bytes, fixed or drawn from a range. Default 1460. */
  readonly segmentBytes?: number | readonly [number, number];
  /** Default: kept in `world.log`. */
  readonly logger?: Logger;
}

export interface PhoneOptions extends Omit<VirtualPhoneOptions, 'machine' | 'number' | 'domain' | 'server'> {
  /** Default: the world's own PBX machine. */
  readonly server?: SocketAddress;
  /** A NAT box of its own, of that kind; true: port-restricted. */
  readonly behindNat?: boolean | NatKind;
  /** Of the machine, as the ladder shows it. Default: the number. */
  readonly name?: string;
  /** Conditions of the phone's own access. */
  readonly link?: LinkConditions;
}

export interface Duration {
  readonly ms?: number;
  readonly seconds?: number;
  readonly minutes?: number;
}

/** Virtual time after which `run` and `until` give up. */
const DEFAULT_LIMIT: Duration = { minutes: 10 };

/**
 * A virtual clock, a virtual network and everything that hangs on them: what a whole PBX and its peers run in, fast and
 * repeatable from a seed.
 */
export class World {
  readonly seed: number | string;
  readonly clock = new ManualClock();
  readonly random: SeededRandom;
  readonly trace = new Trace();
  readonly network: VirtualNetwork;
  /** What the programs have logged, unless another logger was given. */
  readonly log: RecordingLogger;
  /** The machine at 192.0.2.1, named `pbx`. */
  readonly pbx: Machine;
  readonly #logger: Logger;
  readonly #machines: Machine[] = [];
  readonly #disposer = new Disposer();
  #phones = 0;

  constructor(options: WorldOptions) {
    this.seed = options.seed;
    this.random = new SeededRandom(options.seed);
    this.log = new RecordingLogger(() => this.clock.now());
    this.#logger = options.logger ?? this.log;
    this.network = new VirtualNetwork({
      clock: this.clock,
      random: this.random,
      trace: this.trace,
      conditions: options,
      ...(options.segmentBytes === undefined ? {} : { segmentBytes: options.segmentBytes }),
    });
    this.pbx = this.machine({ name: 'pbx', addresses: options.addresses ?? [PBX_ADDRESS] });
  }

  /** For the PBX: `createPbx({ ...options, ...world.ports })`. */
  get ports(): WorldPorts {
    return this.pbx.ports;
  }

  /** Another machine, with ports of its own: a second node, a carrier, a phone. */
  machine(options: VirtualHostOptions): Machine {
    const host = this.network.host(options);
    const machine = new Machine({
      host,
      clock: this.clock,
      random: this.random.fork(`machine ${host.name}`),
      logger: this.#logger,
    });
    this.#machines.push(machine);
    return machine;
  }

  /** Short for a machine with one address. */
  host(
    name: string,
    address: string,
    options: { readonly behind?: Nat; readonly link?: LinkConditions } = {},
  ): Machine {
    return this.machine({ ...options, name, addresses: [address] });
  }

  nat(options: NatOptions): Nat {
    return this.network.nat(options);
  }

  /**
   * A phone on a machine of its own: `world.phone('sip:100@office.example', { password })`. It knows the PBX at
   * 192.0.2.1:5060, by TLS 5061, and is closed with the world. `register()` opens its sockets.
   */
  phone(aor: string, options: PhoneOptions): VirtualPhone {
    const uri = parseUri(aor);
    if (uri.kind !== 'sip' || uri.user === undefined) {
      throw new UsageError(
        'PBX_INVALID_ARGUMENT',
        `phone: found ${aor}, expected an address such as "sip:100@office.example"`,
      );
    }
    const { behindNat = false, name, link, ...rest } = options;
    const server = options.server ?? { address: PBX_ADDRESS, port: options.transport === 'tls' ? 5061 : 5060 };
    const index = ++this.#phones;
    const behind = behindNat
      ? this.nat({ publicAddress: `203.0.113.${index}`, ...(typeof behindNat === 'string' ? { kind: behindNat } : {}) })
      : undefined;
    const machine = this.machine({
      name: name ?? (this.#machines.some((each) => each.name === uri.user) ? `${uri.user}#${index}` : uri.user),
      addresses: [behind === undefined ? `10.0.0.${index}` : `192.168.${index}.10`],
      ...(behind === undefined ? {} : { behind }),
      ...(link === undefined ? {} : { link }),
    });
    return this.use(new VirtualPhone({ ...rest, machine, number: uri.user, domain: uri.host, server }));
  }

  get machines(): readonly Machine[] {
    return this.#machines;
  }

  /**
   * `thing` is closed when the world is, the last one first. `on`: the machine that it runs on; killed with it, it is not closed, for its
   * timers never fire again. Returns `thing`.
   */
  use<Thing extends { close(): void | Promise<void> }>(thing: Thing, on?: Machine): Thing {
    const life = on?.ports;
    this.#disposer.add(() => (on === undefined || (on.ports === life && on.host.alive) ? thing.close() : undefined));
    return thing;
  }

  /**
   * Starts `work` and lets time pass until it has settled; settles as `work` does.
   * @throws UsageError (TEST_TIME_LIMIT) when it has not settled within `limit` (default 10 minutes, virtual)
   */
  async run<Result>(work: () => Result | Promise<Result>, limit: Duration = DEFAULT_LIMIT): Promise<Result> {
    let outcome: { readonly value: Result } | { readonly error: unknown } | undefined;
    void (async () => work())().then(
      (value) => {
        outcome = { value };
      },
      (error: unknown) => {
        outcome = { error };
      },
    );
    await this.clock.runUntil(() => outcome !== undefined, toMs(limit));
    if (outcome === undefined) throw this.#timeLimit('what was run has not settled', limit);
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  /**
   * Lets time pass until `condition` holds or, if it is a promise, has settled.
   * @throws UsageError (TEST_TIME_LIMIT) when that has not come within `limit` (default 10 minutes, virtual)
   */
  async until(condition: (() => boolean) | PromiseLike<unknown>, limit: Duration = DEFAULT_LIMIT): Promise<void> {
    if (typeof condition !== 'function') {
      await this.run(async () => condition, limit);
      return;
    }
    if (!(await this.clock.runUntil(condition, toMs(limit)))) {
      throw this.#timeLimit(`the condition has not come to hold: ${String(condition)}`, limit);
    }
  }

  /** Lets exactly this much time pass. */
  advance(duration: Duration): Promise<void> {
    return this.clock.advance(toMs(duration));
  }

  /** Who sent what to whom, as text. */
  ladder(options?: LadderOptions): string {
    return formatLadder(this.trace, { columns: this.network.hosts.map((host) => host.name), ...options });
  }

  /** Closes what was given to `use`. */
  close(): Promise<void> {
    return this.run(() => this.#disposer.dispose());
  }

  /** Sockets, connections and timers that living machines still have: empty once everything is closed. */
  leaks(): readonly string[] {
    return this.#machines.flatMap((machine) => (machine.host.alive ? machine.leaks() : []));
  }

  #timeLimit(what: string, limit: Duration): UsageError {
    const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;
    const idle = this.clock.pending === 0 ? '; nothing is scheduled any more' : '';
    return new UsageError(
      'TEST_TIME_LIMIT',
      `${what} within ${seconds(toMs(limit))} of virtual time (it is ${seconds(this.clock.now())} now, seed ${this.seed})${idle}`,
    );
  }
}

/** A fresh world: `createWorld({ seed: 42, loss: 0.05, delayMs: [5, 40] })`. */
export function createWorld(options: WorldOptions): World {
  return new World(options);
}

function toMs(duration: Duration): number {
  return (duration.ms ?? 0) + (duration.seconds ?? 0) * 1000 + (duration.minutes ?? 0) * 60_000;
}
