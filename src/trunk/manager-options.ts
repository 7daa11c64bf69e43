import * as v from 'valibot';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Scheduler } from '../base/scheduler.js';
import { whole } from '../base/schema-parts.js';
import type { TenantId } from '../base/tenant.js';
import type { RecordStore } from '../storage/record-store.js';
import type { NextHopResolver } from '../ua/next-hop.js';
import type { Uac } from '../ua/uac.js';

export interface TrunkManagerOptions {
  readonly uac: Pick<Uac, 'request' | 'digestFor'>;
  /** The resolver that the UAC uses: what it finds is who may challenge. */
  readonly resolver: NextHopResolver;
  /** Where suspensions are kept. Not closed here. */
  readonly records: RecordStore;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** Registrations that begin in one second at most, over all lines. Default 10. */
  readonly registersPerSecond?: number;
  /**
   * Attempts in a row after which a line is suspended. `refusals`: those that the carrier refused (default 5; a 403 suspends at
   * once); `failures`: of any kind (default: never, for a carrier may be out of order for a night).
   */
  readonly suspendAfter?: { readonly refusals?: number; readonly failures?: number };
  /** How long `close`, removal and change of a line wait for the carrier to answer the de-registration. Default 2000. */
  readonly goodbyeMs?: number;
  /** Whether a time condition holds now; asked for lines and trunks that name one. Default: it does. */
  readonly isOpen?: (tenantId: TenantId, timeCondition: string) => boolean;
}

const PER_SECOND = 'a number above 0';
const MILLISECONDS = 'milliseconds, 0 or more';
const attempts = v.optional(whole(1, Number.MAX_SAFE_INTEGER));
const port = v.custom<object>((value) => typeof value === 'object' && value !== null, 'an object with methods');

const entries = {
  uac: port,
  resolver: port,
  records: port,
  scheduler: port,
  random: port,
  logger: port,
  registersPerSecond: v.optional(
    v.pipe(
      v.number(PER_SECOND),
      v.check((value) => value > 0, PER_SECOND),
    ),
  ),
  suspendAfter: v.optional(v.strictObject({ refusals: attempts, failures: attempts }, 'numbers of attempts')),
  goodbyeMs: v.optional(v.pipe(v.number(MILLISECONDS), v.minValue(0, MILLISECONDS))),
  isOpen: v.optional(v.custom<object>((value) => typeof value === 'function', 'a function')),
} satisfies Record<keyof TrunkManagerOptions, v.GenericSchema>;

export const managerSchema = v.strictObject(entries, 'options such as { uac, resolver, records, … }');
