import type { Millis } from '../base/clock.js';
import type { TypedEmitter } from '../base/events.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import type { NextHopResolver } from '../ua/next-hop.js';
import type { Uac } from '../ua/uac.js';
import type { TrunkEvents } from './events.js';
import type { LineFault } from './fault.js';
import type { LineMemories } from './line-memory.js';

/** What a line needs of the world. */
export interface LineParts {
  readonly uac: Pick<Uac, 'request' | 'digestFor'>;
  readonly resolver: NextHopResolver;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly memories: LineMemories;
  readonly events: TypedEmitter<TrunkEvents>;
  readonly pace: (now: Millis) => Millis;
  readonly maxRefusals: number;
  readonly maxFailures: number;
  readonly goodbyeMs: number;
  /** Addresses that the configuration names besides the server's. */
  readonly isListed: (address: string) => boolean;
}

/** How a line stands. */
export type LineState =
  /** Nothing is known yet: the first attempt is on its way. */
  | { readonly kind: 'registering' }
  | { readonly kind: 'registered'; readonly expiresInMs: number; readonly fault?: LineFault }
  /** Not registered; attempts go on. */
  | { readonly kind: 'failing'; readonly fault: LineFault }
  | { readonly kind: 'suspended'; readonly fault: LineFault; readonly at: number }
  | { readonly kind: 'closed' };
