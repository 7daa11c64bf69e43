import { sipUri } from '../../src/protocol/sip/uri.js';
import type { Machine } from '../../src/testing/machine.js';
import type { Nat } from '../../src/testing/nat.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import type { SeededRandom } from '../../src/testing/seeded-random.js';
import { VirtualPhone } from '../../src/testing/virtual-phone.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN } from '../support/office.js';
import { type PhonePlan, pick } from './plan.js';

/** What a phone knows of its registration: `unknown` when an answer was lost. */
export type Registration =
  | { readonly kind: 'none' }
  | { readonly kind: 'until'; readonly at: number }
  | { readonly kind: 'unknown' };

export interface ActorOptions {
  readonly world: World;
  readonly plan: PhonePlan;
  readonly machine: Machine;
  readonly nat: Nat | undefined;
  readonly server: { readonly address: string; readonly port: number };
  /** The other numbers of the office, for redirections. */
  readonly numbers: readonly string[];
}

const REFUSALS = [486, 486, 480, 404, 500, 503, 600, 603] as const;

/** A phone that does things by itself: how it treats calls that come in follows from the seed. */
export class Actor {
  readonly plan: PhonePlan;
  readonly machine: Machine;
  readonly nat: Nat | undefined;
  registration: Registration = { kind: 'none' };
  /** Lives that ended by a crash. */
  crashes = 0;
  readonly #options: ActorOptions;
  readonly #random: SeededRandom;
  #phone: VirtualPhone | undefined;
  #registering = false;
  #doubted = false;

  constructor(options: ActorOptions) {
    this.#options = options;
    this.plan = options.plan;
    this.machine = options.machine;
    this.nat = options.nat;
    this.#random = options.world.random.fork(`actor ${options.plan.name}`);
    options.world.use({ close: () => this.#phone?.close() });
  }

  /** Undefined while the phone is down. */
  get phone(): VirtualPhone | undefined {
    return this.#phone;
  }

  /** The calls of the present life that have not ended. */
  get calls(): readonly PhoneCall[] {
    return this.#phone?.calls.filter((call) => call.state.kind !== 'ended') ?? [];
  }

  async boot(): Promise<void> {
    const { world, plan, server } = this.#options;
    const phone = new VirtualPhone({
      machine: this.machine,
      number: plan.number,
      domain: DOMAIN,
      password: `secret-${plan.number}`,
      server,
      transport: plan.transport,
      onCall: (call) => this.#onCall(phone, call),
    });
    await world.run(() => phone.start());
    this.#phone = phone;
  }

  /** The power is gone: the machine is up again at once, its phone after the next `boot`. */
  crash(): void {
    this.crashes++;
    this.#phone = undefined;
    this.registration = { kind: 'unknown' };
    this.#registering = false;
    this.machine.restart();
  }

  /** Its number has lost all contacts: what it was told is worth nothing now, nor what it is told of a REGISTER from before. */
  doubt(): void {
    this.#doubted = true;
    this.registration = { kind: 'unknown' };
  }

  /** Registers, for 0 seconds to remove; does nothing while another REGISTER is under way. */
  async register(expiresSeconds: number, contacts?: '*'): Promise<void> {
    const phone = this.#phone;
    if (phone === undefined || this.#registering) return;
    this.#registering = true;
    this.#doubted = false;
    this.registration = { kind: 'unknown' };
    await phone.register({ expiresSeconds, ...(contacts === undefined ? {} : { contacts }) }).then(({ status }) => {
      if (this.#phone !== phone) return;
      this.#registering = false;
      if (status === 200 && !this.#doubted) {
        const at = this.#options.world.clock.now() + 1000 * expiresSeconds;
        this.registration = expiresSeconds === 0 ? { kind: 'none' } : { kind: 'until', at };
      }
    });
  }

  #onCall(phone: VirtualPhone, call: PhoneCall): void {
    const random = this.#random;
    const ringAfter = random.chance(0.5) ? 0 : random.between(0, 400);
    const first = pick(random, ['ring', 'ring', 'ring', 'early', 'both', 'silent'] as const);
    const then = pick(random, ['answer', 'answer', 'answer', 'answer', 'refuse', 'redirect', 'wait'] as const);
    const thenAfter = ringAfter + (random.chance(0.3) ? random.between(0, 30) : random.between(0, 8000));
    this.#later(phone, ringAfter, () => {
      if (call.state.kind !== 'ringing') return;
      if (first === 'early' || first === 'both') call.earlyMedia();
      if (first === 'ring' || first === 'both') call.ring();
    });
    const refusal = pick(random, REFUSALS);
    const elsewhere = pick(random, [...this.#options.numbers, '199']);
    this.#later(phone, thenAfter, () => {
      if (call.state.kind !== 'ringing') return;
      if (then === 'answer') call.answer();
      if (then === 'refuse') call.reject(refusal);
      if (then === 'redirect') call.redirect(sipUri({ user: elsewhere, host: DOMAIN }));
    });
  }

  /** Does it when the phone still lives then. */
  #later(phone: VirtualPhone, delayMs: number, task: () => void): void {
    if (delayMs === 0) return task();
    this.#options.world.clock.after(delayMs, () => {
      if (this.#phone === phone) task();
    });
  }
}
