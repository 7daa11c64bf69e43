import type { SipRequest } from '../protocol/sip/message.js';
import { hasParam } from '../protocol/sip/params.js';
import { SipParseError } from '../protocol/sip/parse-error.js';

/**
 * What a REGISTER is to RFC 5626 §6. `none`: no contact has both +sip.instance and reg-id, or they do not count. `quiet`:
 * they do, but the phone does not say that it knows outbound. `announced`: it does, so it wants to hear the same of us.
 * `lacking`: the proxy nearest to it does not take part: 439.
 */
export type Outbound = 'none' | 'quiet' | 'announced' | 'lacking';

/** What is asked of one contact. */
interface Asked {
  /** 0: to be removed. */
  readonly expiresSeconds: number | undefined;
  readonly instanceId?: string;
  readonly regId?: number;
}

/**
 * RFC 5626 §6. When the phone is not next to us, its proxy must have put itself on the Path with `ob`.
 *
 * Deviates: `ob` counts in the first and in the last Path value. The RFC says the first, which is another than that of the
 * phone's own proxy where there are two.
 * @throws SipParseError 400 for a reg-id beside a second contact that is to last
 */
export function outboundOf(request: SipRequest, contacts: readonly Asked[]): Outbound {
  if (!contacts.some(isFlow)) return 'none';
  const lasting = contacts.filter(({ expiresSeconds }) => expiresSeconds !== 0);
  if (lasting.length > 1 && lasting.some(isFlow)) {
    throw new SipParseError('Contact: a reg-id is for a REGISTER with one contact (RFC 5626 §6)', {
      header: 'Contact',
    });
  }
  const announced = supports(request, 'outbound');
  if (isFirstHop(request) || isFlowKept(request)) return announced ? 'announced' : 'quiet';
  return announced ? 'lacking' : 'none';
}

/** Whether the sender of a request says that it knows an option: in Supported, or more than that, in Require. */
export function supports(request: SipRequest, option: string): boolean {
  const { headers } = request;
  const named = [...(headers.get('Supported') ?? []), ...(headers.get('Require') ?? [])];
  return named.some((tag) => tag.toLowerCase() === option);
}

function isFlow({ instanceId, regId }: Asked): boolean {
  return instanceId !== undefined && regId !== undefined;
}

function isFirstHop({ headers }: SipRequest): boolean {
  return (headers.get('Via')?.length ?? 0) <= 1;
}

function isFlowKept({ headers }: SipRequest): boolean {
  const path = headers.get('Path') ?? [];
  return [path[0], path.at(-1)].some((each) => each?.uri.kind === 'sip' && hasParam(each.uri.params, 'ob'));
}
