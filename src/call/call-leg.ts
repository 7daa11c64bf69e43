import type { Target } from '../ua/target.js';
import type { BridgeSide } from './bridge.js';
import type { Party } from './party.js';

/** One end of a call that talks, and who it is. */
export interface CallLeg extends BridgeSide {
  readonly party: Party;
}

/** Who answers at `target`, called by `number`: the phone of an extension, or somebody beyond a trunk. */
export function partyOfTarget(target: Target, number: string): Party {
  return target.policy.peer === 'phone' ? { number, extension: number } : { number };
}
