import { AddressSet } from '../base/address-set.js';
import { checkNumber, checkText, refuse } from './checks.js';

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

/** Call options, checked. */
export interface TrunkCallConfig extends Omit<TrunkCallOptions, 'addresses'> {
  readonly priority: number;
  readonly weight: number;
  readonly addresses: AddressSet;
}

const MOST_CALLS = 1_000_000;

/** @throws UsageError PBX_INVALID_ARGUMENT */
export function callConfig(options: TrunkCallOptions, where: string): TrunkCallConfig {
  const { group, owner, timeCondition, inbound, plan, priority = 0, weight = 1, addresses = [] } = options;
  const { maxCalls, maxInboundCalls, maxCallsPerSecond, noAnswerSeconds } = options;
  checkText(`${where}: group`, group);
  checkText(`${where}: owner`, owner);
  checkText(`${where}: timeCondition`, timeCondition);
  checkText(`${where}: inbound`, inbound);
  checkText(`${where}: plan`, plan);
  checkNumber(`${where}: priority`, priority, 0, 1_000_000);
  checkNumber(`${where}: weight`, weight, 1, 1000);
  checkNumber(`${where}: maxCalls`, maxCalls, 0, MOST_CALLS);
  checkNumber(`${where}: maxInboundCalls`, maxInboundCalls, 0, MOST_CALLS);
  checkNumber(`${where}: maxCallsPerSecond`, maxCallsPerSecond, 1, MOST_CALLS);
  checkNumber(`${where}: noAnswerSeconds`, noAnswerSeconds, 1, 3600);
  for (const address of addresses)
    if (!AddressSet.accepts(address))
      refuse(`${where}: addresses`, address, 'an IP address or a network such as 10.0.0.0/8');
  return {
    ...(group === undefined ? {} : { group }),
    ...(owner === undefined ? {} : { owner }),
    ...(timeCondition === undefined ? {} : { timeCondition }),
    ...(inbound === undefined ? {} : { inbound }),
    ...(plan === undefined ? {} : { plan }),
    ...(maxCalls === undefined ? {} : { maxCalls }),
    ...(maxInboundCalls === undefined ? {} : { maxInboundCalls }),
    ...(maxCallsPerSecond === undefined ? {} : { maxCallsPerSecond }),
    ...(noAnswerSeconds === undefined ? {} : { noAnswerSeconds }),
    priority,
    weight,
    addresses: new AddressSet(addresses),
  };
}
