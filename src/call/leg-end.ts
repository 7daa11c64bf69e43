import type { SessionEnd } from '../dialog/invite-session.js';
import type { LegEnd, ReleasedBy } from './call-record.js';

const CAUSES = {
  bye: undefined,
  'no-ack': 'the 200 was never acknowledged',
  gone: 'the phone no longer answers',
  expired: 'the phone no longer refreshes the session',
};
const RELEASED_BY = { remote: 'this-party', local: 'server', network: 'network' } as const;

/** How both legs of an answered call end when the session of one of them, `own`, has ended. */
export function legEnds(end: SessionEnd): { readonly own: LegEnd; readonly other: LegEnd } {
  const cause = end.reason[0] ?? CAUSES[end.cause];
  const why = cause === undefined ? {} : { cause };
  const releasedBy: ReleasedBy = RELEASED_BY[end.by];
  const own: LegEnd = { outcome: 'answered', releasedBy, ...why };
  return { own, other: releasedBy === 'this-party' ? { ...own, releasedBy: 'other-party' } : own };
}
