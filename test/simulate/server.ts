import type { CallRecord } from '../../src/call/call-record.js';
import { createPbx, type Pbx } from '../../src/pbx/pbx.js';
import type { BlobStore } from '../../src/storage/blob-store.js';
import { memoryStorage } from '../../src/storage/memory-storage.js';
import type { RecordStore } from '../../src/storage/record-store.js';
import type { Storage } from '../../src/storage/storage.js';
import type { World } from '../../src/testing/world.js';
import { DOMAIN } from '../support/office.js';
import { WireWitness } from '../support/wire-witness.js';
import type { Plan } from './plan.js';

/** Where the PBX of a simulation stands. */
export const SERVER_ADDRESSES = ['192.0.2.1', '2001:db8::1'] as const;

/** The PBX over all its lives: restarts keep the storage, and the count of calls goes on. */
export class Server {
  readonly witness: WireWitness;
  /** Ids of calls that were started, and of those that a crash took along before they were answered. */
  readonly started = new Set<string>();
  readonly lost = new Set<string>();
  readonly answered = new Set<string>();
  /** Every record that was told at an end. */
  readonly records: CallRecord[] = [];
  restarts = 0;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #storage: Storage;
  #pbx: Pbx | undefined;

  constructor(world: World, plan: Plan) {
    this.#world = world;
    this.#plan = plan;
    this.witness = new WireWitness(() => world.clock.now());
    this.#storage = keptStorage(world, plan.storageMs);
    world.use({ close: () => this.#pbx?.close() });
  }

  /** The life that serves now; undefined while it is down. */
  get pbx(): Pbx | undefined {
    return this.#pbx;
  }

  async start(): Promise<void> {
    const { ports } = this.#world.pbx;
    const pbx = createPbx({
      domain: DOMAIN,
      listen: ['udp', 'tcp'].flatMap((protocol) => [
        `${protocol}://${SERVER_ADDRESSES[0]}:5060`,
        `${protocol}://[${SERVER_ADDRESSES[1]}]:5060`,
      ]),
      extensions: this.#plan.numbers.map((number) => ({
        number,
        password: `secret-${number}`,
        name: `Person ${number}`,
      })),
      storage: this.#storage,
      registration: { minSeconds: 10 },
      calls: { noAnswerSeconds: this.#plan.noAnswerSeconds },
      ...ports,
      network: this.witness.watch(ports.network),
    });
    pbx.on('call.started', ({ record }) => {
      if (this.started.has(record.id)) throw new Error(`call ${record.id} was started twice`);
      this.started.add(record.id);
    });
    pbx.on('call.answered', ({ record }) => this.answered.add(record.id));
    pbx.on('call.ended', ({ record }) => this.records.push(record));
    await this.#world.run(() => pbx.start());
    this.#pbx = pbx;
  }

  /** Hangs everything up and leaves. */
  async close(): Promise<void> {
    const pbx = this.#pbx;
    if (pbx === undefined) return;
    this.#pbx = undefined;
    await this.#world.run(() => pbx.close());
    this.witness.restarted();
    this.#gone();
  }

  /** Dies without a word. */
  kill(): void {
    if (this.#pbx === undefined) return;
    for (const { id, answeredAt } of this.#pbx.calls) if (answeredAt === undefined) this.lost.add(id);
    this.#pbx = undefined;
    this.witness.killed();
    this.#gone();
  }

  #gone(): void {
    this.restarts++;
    this.#world.pbx.restart();
  }
}

/** A store that outlives its users, and takes its time. */
function keptStorage(world: World, storageMs: number): Storage {
  const { records, blobs } = memoryStorage({ clock: world.clock });
  const kept: { readonly records: RecordStore; readonly blobs: BlobStore } = { records, blobs };
  if (storageMs === 0) return { ...kept, close: async () => {} };
  const random = world.random.fork('storage');
  const slow = new Proxy(records, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name === 'watch' || name === 'close') return value.bind(target);
      return async (...parameters: unknown[]) => {
        await new Promise<void>((resolve) => world.clock.after(random.between(0, storageMs), resolve));
        return Reflect.apply(value, target, parameters);
      };
    },
  });
  return { ...kept, records: slow, close: async () => {} };
}
