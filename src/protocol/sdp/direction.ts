import type { Sdp, SdpSection } from './lines.js';

/** Which way media flows, as the one who made the description sees it (RFC 8866 §6.7). */
export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export function isDirection(text: string): text is SdpDirection {
  return text === 'sendrecv' || text === 'sendonly' || text === 'recvonly' || text === 'inactive';
}

export function sends(direction: SdpDirection): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

export function receives(direction: SdpDirection): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

export function directionFrom(flow: { readonly send: boolean; readonly receive: boolean }): SdpDirection {
  if (flow.send) return flow.receive ? 'sendrecv' : 'sendonly';
  return flow.receive ? 'recvonly' : 'inactive';
}

/** The same flow seen from the other end. */
export function reverseDirection(direction: SdpDirection): SdpDirection {
  return directionFrom({ send: receives(direction), receive: sends(direction) });
}

/**
 * What an answer says to an offered direction, given what the answerer wants (RFC 3264 §6.1): the most of `wanted` that the
 * offer permits. sendonly is answered recvonly or inactive, inactive is answered inactive.
 */
export function answerDirection(offered: SdpDirection, wanted: SdpDirection): SdpDirection {
  return directionFrom({ send: sends(wanted) && receives(offered), receive: receives(wanted) && sends(offered) });
}

/** The direction of one stream: its own attribute, else the session's, else sendrecv. The first attribute counts. */
export function streamDirection(sdp: Sdp, stream: SdpSection): SdpDirection {
  return ownDirection(stream) ?? ownDirection(sdp.session) ?? 'sendrecv';
}

function ownDirection(section: SdpSection): SdpDirection | undefined {
  for (const line of section.lines) if (line.type === 'a' && isDirection(line.value)) return line.value;
  return undefined;
}
