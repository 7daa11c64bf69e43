import { expect, test } from 'vitest';
import type { CallRecord, LegRecord } from '../../src/call/call-record.js';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import type { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { PhoneOptions, World, WorldOptions } from '../../src/testing/world.js';
import { runScenario } from './scenario.js';

export const DOMAIN = 'office.test';

/** A PBX with extensions 100–104 and phones at 10.0.0.x, in a virtual world. */
export class Office {
  readonly world: World;
  readonly pbx: Pbx;
  /** The records of all calls that have ended. */
  readonly records: CallRecord[] = [];

  constructor(world: World, options: Partial<PbxOptions> = {}) {
    this.world = world;
    const extensions = ['100', '101', '102', '103', '104'].map((number) => ({
      number,
      password: `secret-${number}`,
      name: `Person ${number}`,
    }));
    this.pbx = world.use(
      createPbx({
        domain: DOMAIN,
        listen: ['udp://192.0.2.1:5060', 'tcp://192.0.2.1:5060'],
        extensions,
        ...world.ports,
        ...options,
      }),
      world.pbx,
    );
    this.pbx.on('call.ended', ({ record }) => this.records.push(record));
  }

  /** Another phone, with sockets open, not registered. Machines are named 100, 101, 101#3 in the order of phones. */
  async phone(number: string, options: Partial<PhoneOptions> = {}): Promise<VirtualPhone> {
    const phone = this.world.phone(`sip:${number}@${DOMAIN}`, { password: `secret-${number}`, ...options });
    await this.world.run(() => phone.start());
    return phone;
  }

  /** Another phone, registered. */
  async registered(number: string, options: Partial<PhoneOptions> = {}): Promise<VirtualPhone> {
    const phone = await this.phone(number, options);
    const result = await this.world.run(() => phone.register());
    if (result.status !== 200) throw new Error(`${number} could not register: ${result.status}`);
    return phone;
  }

  /** `from` calls `number` and `to` answers; resolves when both talk. */
  async talk(
    from: VirtualPhone,
    to: VirtualPhone,
  ): Promise<{ readonly call: PhoneCall; readonly answered: PhoneCall }> {
    const next = to.incoming();
    const call = from.call(to.number);
    const answered = await this.world.run(() => next);
    answered.answer();
    await this.world.until(call.talking());
    await this.world.advance({ ms: 200 });
    return { call, answered };
  }

  /** Lets every transaction end, and tells what is left of it. */
  async quiet(): Promise<void> {
    await this.world.advance({ seconds: 40 });
    if (this.pbx.calls.length > 0) throw new Error(`${this.pbx.calls.length} call(s) left in the PBX`);
  }

  /** As `quiet`; and no port for media is held, and nothing was logged as an error. */
  async over(): Promise<void> {
    await this.quiet();
    expect(this.pbx.stats().media.ports.used).toBe(0);
    expect(this.world.log.lines('error')).toEqual([]);
  }

  /** The record of the only call, and its legs by id. */
  get record(): CallRecord & { readonly leg: (id: string) => LegRecord } {
    if (this.records.length !== 1) throw new Error(`expected one call record, found ${this.records.length}`);
    const record = this.records[0] as CallRecord;
    return {
      ...record,
      leg: (id) => {
        const leg = record.legs.find((each) => each.id === id);
        if (leg === undefined) throw new Error(`no leg ${id}`);
        return leg;
      },
    };
  }
}

export interface OfficeScenario extends Omit<WorldOptions, 'seed'> {
  readonly seed?: number;
  readonly pbx?: Partial<PbxOptions>;
}

/** A scenario with a PBX that serves already; see `runScenario`. */
export function officeScenario(
  name: string,
  options: OfficeScenario,
  body: (office: Office, world: World) => Promise<void>,
): void {
  const { pbx, seed = 1, ...conditions } = options;
  test(name, () =>
    runScenario({ seed, delayMs: 5, ...conditions }, async (world) => {
      const office = new Office(world, pbx);
      await world.run(() => office.pbx.start());
      await body(office, world);
    }),
  );
}
