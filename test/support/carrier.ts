import type { CallRecord } from '../../src/call/call-record.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import type { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import type { LineOptions } from '../../src/trunk/line-options.js';

export interface CarrierOptions {
  /** `carrier-a`: its machine, and its domain with `.test`. */
  readonly name: string;
  readonly address: string;
  /** The accounts that it has sold. */
  readonly accounts: readonly string[];
}

/** A carrier that is another PBX of ours: sells accounts, and has a subscriber behind every other number. */
export class Carrier {
  readonly name: string;
  readonly address: string;
  readonly domain: string;
  readonly pbx: Pbx;
  readonly records: CallRecord[] = [];
  readonly #world: World;

  private constructor(world: World, { name, address, accounts }: CarrierOptions, subscribers: readonly string[]) {
    this.#world = world;
    this.name = name;
    this.address = address;
    this.domain = `${name}.test`;
    const { network, scheduler, random, logger } = world.host(name, address).ports;
    this.pbx = world.use(
      createPbx({
        domain: this.domain,
        listen: [`udp://${address}:5060`, `tcp://${address}:5060`],
        extensions: [...accounts, ...subscribers].map((number) => ({ number, password: `secret-${number}` })),
        network,
        scheduler,
        random,
        logger,
      }),
    );
    this.pbx.on('call.ended', ({ record }) => this.records.push(record));
  }

  static async open(world: World, options: CarrierOptions, subscribers: readonly string[] = []): Promise<Carrier> {
    const carrier = new Carrier(world, options, subscribers);
    await world.run(() => carrier.pbx.start());
    return carrier;
  }

  /** What an office writes down about an account here. */
  line(username: string, options: Partial<LineOptions> = {}): LineOptions {
    const { address: server, domain } = this;
    return { name: username, server, domain, username, password: `secret-${username}`, ...options };
  }

  /** The phone of a subscriber, registered. */
  async subscriber(number: string): Promise<VirtualPhone> {
    const phone = this.#world.phone(`sip:${number}@${this.domain}`, {
      name: `${this.name}-${number}`,
      password: `secret-${number}`,
      server: { address: this.address, port: 5060 },
    });
    await this.#world.run(() => phone.start());
    const { status } = await this.#world.run(() => phone.register());
    if (status !== 200) throw new Error(`${number} could not register at ${this.name}: ${status}`);
    return phone;
  }
}
