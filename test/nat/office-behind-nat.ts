import { expect } from 'vitest';
import type { PbxOptions } from '../../src/pbx/options.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import type { Machine } from '../../src/testing/machine.js';
import type { Nat } from '../../src/testing/nat.js';
import { type SipSighting, sipSightings } from '../../src/testing/sightings.js';
import { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';

const DOMAIN = 'office.test';
export const ROUTER = '203.0.113.200';
export const STUN = '198.51.100.7';

/** An office whose PBX stands at 10.0.0.2 behind a router, with phones on both sides. */
export class Office {
  readonly nat: Nat;
  readonly machine: Machine;
  readonly pbx: Pbx;

  constructor(
    readonly world: World,
    options: Partial<PbxOptions> = { externalAddress: { stun: [STUN] } },
  ) {
    this.nat = world.nat({ publicAddress: ROUTER, kind: 'full-cone' });
    this.machine = world.host('server', '10.0.0.2', { behind: this.nat });
    this.pbx = world.use(
      createPbx({
        domain: DOMAIN,
        listen: ['udp://10.0.0.2:5060'],
        extensions: ['100', '101', '102'].map((number) => ({ number, password: `secret-${number}` })),
        ...this.machine.ports,
        ...options,
      }),
      this.machine,
    );
  }

  /** The public port behind which the PBX's SIP socket stands. */
  get port(): number {
    const found = this.nat.mappings(this.world.clock.now()).find(({ inner }) => inner.port === 5060);
    if (found === undefined) throw new Error('the router has no mapping for the SIP socket');
    return found.publicPort;
  }

  async inside(number: string): Promise<VirtualPhone> {
    const machine = this.world.host(`inside ${number}`, `10.0.0.${number}`, { behind: this.nat });
    const server = { address: '10.0.0.2', port: 5060 };
    return this.#registered(
      this.world.use(new VirtualPhone({ machine, number, domain: DOMAIN, password: `secret-${number}`, server })),
    );
  }

  /** At home, behind a router of its own. */
  async outside(number: string): Promise<VirtualPhone> {
    return this.#registered(
      this.world.phone(`sip:${number}@${DOMAIN}`, {
        password: `secret-${number}`,
        server: { address: this.nat.publicAddress, port: this.port },
        behindNat: 'full-cone',
        name: `outside ${number}`,
      }),
    );
  }

  async #registered(phone: VirtualPhone): Promise<VirtualPhone> {
    const { status } = await this.world.run(() => phone.register());
    if (status !== 200) throw new Error(`could not register: ${status}`);
    return phone;
  }

  /** `from` calls `to`, both talk, `to` hangs up; what the PBX has sent to either meanwhile. */
  async call(from: VirtualPhone, to: VirtualPhone): Promise<Record<'from' | 'to', readonly SipSighting[]>> {
    const { world } = this;
    const begin = world.clock.now();
    const next = to.incoming();
    const call = from.call(to.number);
    const answered = await world.run(() => next);
    answered.answer();
    await world.until(call.talking());
    await world.advance({ ms: 200 });
    answered.hangUp();
    await world.until(() => call.state.kind === 'ended');
    await world.advance({ seconds: 1 });
    expect(call.state).toMatchObject({ kind: 'ended', by: 'other-side' });
    const sent = sipSightings(world.trace).filter(({ at, fromHost }) => at >= begin && fromHost === 'server');
    const toHost = (name: string): readonly SipSighting[] => sent.filter((each) => each.toHost === name);
    return { from: toHost(`inside ${from.number}`), to: toHost(`outside ${to.number}`) };
  }
}

/** The hosts with ports that stand in Contact and in the topmost Via of these. */
export function toldIn(messages: readonly SipSighting[]): {
  readonly contact: readonly string[];
  readonly via: readonly string[];
} {
  const find = (text: string, pattern: RegExp): string[] => pattern.exec(text)?.slice(1) ?? [];
  return {
    contact: [...new Set(messages.flatMap(({ text }) => find(text, /^Contact: .*?<sip:(?:[^@>]*@)?([^;>]+)/im)))],
    via: [
      ...new Set(
        messages
          .filter(({ method }) => method !== undefined)
          .flatMap(({ text }) => find(text, /^Via: SIP\/2\.0\/UDP ([^;\s]+)/im)),
      ),
    ],
  };
}
