import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { Network } from '../net/network.js';
import type { ClockScope, ManualClock } from './manual-clock.js';
import type { SeededRandom } from './seeded-random.js';
import type { VirtualHost } from './virtual-host.js';

/** What a program needs of the world around it: spread it into the options of `createPbx`. */
export interface WorldPorts {
  readonly network: Network;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

/** A virtual host with a program on it, whose timers die with it. */
export class Machine {
  readonly host: VirtualHost;
  readonly #clock: ManualClock;
  readonly #random: SeededRandom;
  readonly #logger: Logger;
  #scope: ClockScope;
  #lives = 1;
  #ports: WorldPorts;

  constructor(options: {
    readonly host: VirtualHost;
    readonly clock: ManualClock;
    readonly random: SeededRandom;
    readonly logger: Logger;
  }) {
    this.host = options.host;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#logger = options.logger;
    this.#scope = options.clock.scope();
    this.#ports = this.#makePorts();
  }

  get name(): string {
    return this.host.name;
  }

  /** For the program that runs now; after `restart` there are new ones. */
  get ports(): WorldPorts {
    return this.#ports;
  }

  /** Timers of the present program that wait. */
  get pendingTimers(): number {
    return this.#scope.pending;
  }

  /** Shifts this machine's wall clock; timers must not notice. */
  jumpWallTime(ms: number): void {
    this.#scope.jumpWallTime(ms);
  }

  /** Stops dead: sockets vanish without a word, timers never fire. */
  kill(): void {
    this.host.kill();
    this.#scope.end();
  }

  /** Kills what runs and comes up again; returns the ports for the next program. */
  restart(): WorldPorts {
    this.kill();
    this.host.revive();
    this.#scope = this.#clock.scope();
    this.#lives++;
    this.#ports = this.#makePorts();
    return this.#ports;
  }

  /** What is still open or waiting, one line each. */
  leaks(): readonly string[] {
    const deadlines = this.#scope.deadlines;
    const shown = deadlines.slice(0, 5).map((deadline) => `${(deadline / 1000).toFixed(3)} s`);
    const more = deadlines.length > shown.length ? ', …' : '';
    const timers = deadlines.length === 0 ? [] : [`${deadlines.length} timer(s), due at ${shown.join(', ')}${more}`];
    return [...this.host.openList(), ...timers].map((what) => `${this.name}: ${what}`);
  }

  #makePorts(): WorldPorts {
    return {
      network: this.host,
      scheduler: this.#scope,
      random: this.#random.fork(`life ${this.#lives}`),
      logger: this.#logger,
    };
  }
}
