import { ipVersion, normalizeHost } from '../base/ip.js';
import type { MediaMode } from '../base/media-mode.js';
import { nextHopOf } from '../ua/next-hop.js';
import type { Source, Target } from '../ua/target.js';
import type { CallContext } from './context.js';
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

/**
 * As `sideOfTarget`; where it is called by a host name, with the address that this leads to, because what it is told of us depends on it.
 * Never rejects: a name that leads nowhere is the INVITE's affair.
 */
export async function resolvedSideOfTarget(
  { dialogs, media }: Pick<CallContext, 'dialogs' | 'media'>,
  target: Target,
  number: string,
  signal: AbortSignal,
): Promise<MediaSide> {
  const side = sideOfTarget(target, number, media?.mode);
  if (side.address !== undefined || media?.watches !== true) return side;
  const hop = await dialogs.addressOf(target, signal);
  return hop === undefined ? side : { ...side, hop };
}

/** Where it is sent to, if that is an address and no name. */
function addressOf(target: Target): string | undefined {
  const next = nextHopOf(target);
  if (next.kind !== 'sip') return undefined;
  const host = normalizeHost(next.host);
  return ipVersion(host) === 0 ? undefined : host;
}
