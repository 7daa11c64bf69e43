import { ipVersion, normalizeHost } from '../base/ip.js';
import type { MediaMode } from '../base/media-mode.js';
import type { Source, Target } from '../ua/target.js';
import type { MediaSide } from './media-path.js';
import type { Party } from './party.js';

/** What is known of the media of somebody who calls, before anything was said. `mode`: for those who have none of their own. */
export function sideOfCaller({ number, media }: Party, source: Source, mode: MediaMode = 'direct'): MediaSide {
  return { name: number, mode: media ?? mode, address: source.remote.address };
}

/** The same of somebody who is called by `number`. */
export function sideOfTarget(target: Target, number: string, mode: MediaMode = 'direct'): MediaSide {
  const { flow, flowOnly, policy } = target;
  const address = flow?.remote.address ?? addressOf(target);
  return {
    name: policy.peer === 'trunk' ? (policy.name ?? number) : number,
    mode: policy.media ?? mode,
    ...(address !== undefined ? { address } : policy.peer === 'trunk' ? { named: true } : {}),
    ...(flowOnly === true ? { behindNat: true } : {}),
  };
}

/** Where it is sent to, if that is an address and no name. */
function addressOf({ nextHop, route, uri }: Target): string | undefined {
  const next = nextHop ?? route?.[0]?.uri ?? uri;
  if (next.kind !== 'sip') return undefined;
  const host = normalizeHost(next.host);
  return ipVersion(host) === 0 ? undefined : host;
}
