import type { CallRecord } from '../../src/call/call-record.js';
import type { DialPlanRules } from '../../src/dialplan/rules.js';
import { deleteDigits } from '../../src/dialplan/transform.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import type { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { PhoneOptions, World } from '../../src/testing/world.js';
import type { LineOptions } from '../../src/trunk/line-options.js';
import { Office, type OfficeScenario } from './office.js';
import { scenario } from './scenario.js';

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
  async subscriber(number: string, options: Partial<PhoneOptions> = {}): Promise<VirtualPhone> {
    const phone = this.#world.phone(`sip:${number}@${this.domain}`, {
      name: `${this.name}-${number}`,
      password: `secret-${number}`,
      server: { address: this.address, port: 5060 },
      ...options,
    });
    await this.#world.run(() => phone.start());
    const { status } = await this.#world.run(() => phone.register());
    if (status !== 200) throw new Error(`${number} could not register at ${this.name}: ${status}`);
    return phone;
  }
}

export interface TwoCarriers {
  readonly office: Office;
  readonly a: Carrier;
  readonly b: Carrier;
}

/** The dial plan of the worked case (product facts, part 1). */
export const WORKED_CASE: DialPlanRules = {
  transforms: { 1: deleteDigits({ start: 0, length: 1 }) },
  called: [
    { prefix: '9', route: { kind: 'line', line: '1234' }, transform: 1 },
    { prefix: '8', route: { kind: 'line', line: '5678' }, transform: 1 },
  ],
};

/** The office of the worked case: line 1234 at one carrier, 5678 at the other; subscriber 5551 at both. */
export function twoCarriers(
  name: string,
  { pbx = {}, seed = 1, ...conditions }: OfficeScenario,
  body: (parts: TwoCarriers, world: World) => Promise<void>,
  lines: { readonly 1234?: object; readonly 5678?: object } = {},
): void {
  scenario(name, { seed, delayMs: 5, ...conditions }, async (world) => {
    const a = await Carrier.open(world, { name: 'carrier-a', address: '198.51.100.1', accounts: ['1234'] }, ['5551']);
    const b = await Carrier.open(world, { name: 'carrier-b', address: '198.51.100.2', accounts: ['5678'] }, ['5551']);
    const office = new Office(world, {
      lines: [a.line('1234', lines[1234] ?? {}), b.line('5678', lines[5678] ?? {})],
      ...pbx,
    });
    await world.run(() => office.pbx.start());
    await world.until(() => office.pbx.lines.every(({ state }) => state.kind === 'registered'));
    await body({ office, a, b }, world);
  });
}
