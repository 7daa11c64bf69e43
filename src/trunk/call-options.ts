import * as v from 'valibot';
import { addressSet, lineOfText, whole } from '../base/schema-parts.js';

/** What lines and trunks have in common: who may call by them, how much, and where their calls go. None of it is seen by the carrier. */
export interface TrunkCallOptions {
  /** Lines and trunks that `select` may be asked for by one name. */
  readonly group?: string;
  /** For the strategy `priority`: the lowest first. Default 0. */
  readonly priority?: number;
  /** For the strategy `weighted`: the share among the others. Default 1, from 1 to 1000. */
  readonly weight?: number;
  /** Outgoing calls at a time. Default: no limit. */
  readonly maxCalls?: number;
  /** Incoming calls at a time. Default: no limit. */
  readonly maxInboundCalls?: number;
  /** Outgoing calls that begin in one second. Default: no limit. */
  readonly maxCallsPerSecond?: number;
  /** The extension that alone may call by it. Default: shared. */
  readonly owner?: string;
  /** The name of a time condition, which the host's `isOpen` understands. Default: always open. */
  readonly timeCondition?: string;
  /** How long an outgoing call rings before it is given up, in seconds. Default: as the PBX does. */
  readonly noAnswerSeconds?: number;
  /** Where incoming calls go: an extension or another number of the dial plan. Default: what was dialled. */
  readonly inbound?: string;
  /** The dial plan that incoming calls follow. Default `default`. */
  readonly plan?: string;
  /** Addresses and networks of the carrier besides those that `server` and `proxy` lead to: requests and challenges from there are its own. */
  readonly addresses?: readonly string[];
}

const MOST_CALLS = 1_000_000;

/** The schemas of the call options, with their defaults. */
export const callEntries = {
  group: v.optional(lineOfText),
  priority: v.optional(whole(0, 1_000_000), 0),
  weight: v.optional(whole(1, 1000), 1),
  maxCalls: v.optional(whole(0, MOST_CALLS)),
  maxInboundCalls: v.optional(whole(0, MOST_CALLS)),
  maxCallsPerSecond: v.optional(whole(1, MOST_CALLS)),
  owner: v.optional(lineOfText),
  timeCondition: v.optional(lineOfText),
  noAnswerSeconds: v.optional(whole(1, 3600)),
  inbound: v.optional(lineOfText),
  plan: v.optional(lineOfText),
  addresses: v.optional(addressSet, []),
} satisfies Record<keyof TrunkCallOptions, v.GenericSchema>;

/** Call options, checked and complete. */
export type TrunkCallConfig = Readonly<v.InferOutput<v.StrictObjectSchema<typeof callEntries, undefined>>>;

/** The call options among others. */
export function callConfig(options: TrunkCallConfig): TrunkCallConfig {
  const { group, priority, weight, maxCalls, maxInboundCalls, maxCallsPerSecond } = options;
  const { owner, timeCondition, noAnswerSeconds, inbound, plan, addresses } = options;
  const limits = { maxCalls, maxInboundCalls, maxCallsPerSecond, noAnswerSeconds };
  return { group, priority, weight, ...limits, owner, timeCondition, inbound, plan, addresses };
}
