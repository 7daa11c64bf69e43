import { ipVersion, normalizeHost } from '../base/ip.js';
import type { SipResponse } from '../protocol/sip/message.js';
import type { NameAddr } from '../protocol/sip/name-addr.js';
import { getParam } from '../protocol/sip/params.js';
import { readable } from '../protocol/sip/parse-error.js';
import type { Source } from '../ua/target.js';
import type { UacResult } from '../ua/uac.js';
import type { LineFault } from './fault.js';
import type { Observed } from './register-request.js';
import type { RegisterAnswer } from './registration.js';

/** What was sent, as far as the answer is read by it. */
export interface SentRegister {
  readonly token: string;
  readonly observed: Observed | undefined;
  readonly expiresSeconds: number;
  /** Whether the Contact may be changed to what the registrar saw. */
  readonly rewriteContact: boolean;
  /** Why a challenge was not answered, if one was not. */
  readonly unanswered: string | undefined;
}

/** What a 2xx says besides the answer for the machine. */
export interface Granted {
  /** What the Contact named that was sent; undefined where the answer does not tell. */
  readonly used: Observed | undefined;
  /** Where the registrar sees us, if the Contact does not say so. */
  readonly observed: Observed | undefined;
  /** Contacts of ours besides the one that was sent. */
  readonly stale: readonly NameAddr[];
  /** RFC 3608. */
  readonly serviceRoute: readonly NameAddr[];
}

const LARGEST_DELTA = 2 ** 32 - 1;
const NOTHING_GRANTED: Granted = { used: undefined, observed: undefined, stale: [], serviceRoute: [] };

/** Reads how a REGISTER ended. Headers that cannot be read count as absent: the carrier's mistake must not end the line. */
export function readRegisterAnswer(
  result: UacResult,
  sent: SentRegister,
): { readonly answer: RegisterAnswer; readonly granted: Granted } {
  if (result.kind !== 'response') {
    const fault: LineFault =
      result.kind === 'timeout'
        ? { kind: 'timeout', text: 'no answer' }
        : { kind: 'unreachable', text: result.error.message };
    return { answer: { kind: 'failed', fault }, granted: NOTHING_GRANTED };
  }
  const { response, source } = result;
  if (response.status < 300) return readSuccess(response, source, sent);
  return { answer: readFailure(response, sent.unanswered), granted: NOTHING_GRANTED };
}

function readFailure(response: SipResponse, unanswered: string | undefined): RegisterAnswer {
  const { status, reason } = response;
  const minSeconds = status === 423 ? readable(() => response.headers.get('Min-Expires')) : undefined;
  if (minSeconds !== undefined) return { kind: 'too-brief', minSeconds };
  const retryAfterSeconds = readable(() => response.headers.get('Retry-After'))?.seconds;
  const fault = ((): LineFault => {
    const said = `${status} ${reason}`;
    if (status === 401 || status === 407) {
      return unanswered === undefined
        ? { kind: 'wrong-password', status, text: `${said}: the user name or password is not accepted` }
        : { kind: 'stranger', status, text: `${said}: ${unanswered}` };
    }
    if (status === 403) return { kind: 'forbidden', status, text: said };
    // 408 comes from a proxy on the way; 480 and 5xx speak of now.
    if (status === 408 || status === 480 || (status >= 500 && status < 600))
      return { kind: 'busy', status, text: said };
    return { kind: 'refused', status, text: said };
  })();
  return { kind: 'failed', fault, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

function readSuccess(
  response: SipResponse,
  source: Source,
  sent: SentRegister,
): { readonly answer: RegisterAnswer; readonly granted: Granted } {
  const used = sent.observed ?? sentBy(response, source);
  const contacts = readable(() => response.headers.get('Contact')) ?? [];
  const listed = contacts === '*' ? [] : contacts;
  const ours = listed.filter(({ uri }) => uri.kind === 'sip' && uri.user === sent.token);
  const current = ours.find((contact) => isAt(contact, used)) ?? longest(ours);
  const observed = sent.rewriteContact ? observedIn(response, source, used, sent.observed !== undefined) : undefined;
  const seconds =
    expiresOf(current) ??
    readable(() => response.headers.get('Expires')) ??
    // A Contact that is nobody's we know: what one registrar has made of ours. Never longer than what was asked for.
    Math.min(sent.expiresSeconds, (listed.length === 1 ? expiresOf(listed[0]) : undefined) ?? LARGEST_DELTA);
  return {
    answer: { kind: 'granted', seconds, elsewhere: observed !== undefined },
    granted: {
      used,
      observed,
      stale: observed === undefined ? [] : ours.filter((contact) => !isAt(contact, observed)),
      serviceRoute: readable(() => response.headers.get('Service-Route')) ?? [],
    },
  };
}

/** What our Via named: the address that the UAC has put into the Contact as well. */
function sentBy(response: SipResponse, source: Source): Observed | undefined {
  const via = readable(() => response.topVia);
  if (via === undefined) return undefined;
  return { protocol: source.protocol, address: normalizeHost(via.host), port: via.port ?? 5060 };
}

/**
 * Where the registrar saw the request come from (RFC 3581 §4), undefined where that is what the Contact says. A connection leaves from
 * a port of its own, so with these only another address shows a NAT; once one is known (`behindNat`) its port counts.
 */
function observedIn(
  response: SipResponse,
  source: Source,
  used: Observed | undefined,
  behindNat: boolean,
): Observed | undefined {
  const params = readable(() => response.topVia)?.params;
  if (used === undefined || params === undefined) return undefined;
  const { protocol } = source;
  const received = normalizeHost(getParam(params, 'received') ?? '');
  const rport = readPort(getParam(params, 'rport'));
  const address = ipVersion(received) === 0 ? used.address : received;
  const port = rport ?? used.port;
  const portCounts = protocol === 'udp' || behindNat;
  const moved = address !== used.address || protocol !== used.protocol || (portCounts && port !== used.port);
  if (!moved) return undefined;
  return { protocol, address, port };
}

function isAt({ uri }: NameAddr, at: Observed | undefined): boolean {
  return (
    at !== undefined && uri.kind === 'sip' && normalizeHost(uri.host) === at.address && (uri.port ?? 5060) === at.port
  );
}

function longest(contacts: readonly NameAddr[]): NameAddr | undefined {
  return contacts.reduce<NameAddr | undefined>(
    (best, each) => (best === undefined || (expiresOf(each) ?? 0) > (expiresOf(best) ?? 0) ? each : best),
    undefined,
  );
}

function expiresOf(contact: NameAddr | undefined): number | undefined {
  const text = contact === undefined ? undefined : getParam(contact.params, 'expires');
  return text === undefined || !/^\d{1,10}$/.test(text) ? undefined : Math.min(Number(text), LARGEST_DELTA);
}

function readPort(text: string | undefined): number | undefined {
  const port = text === undefined || !/^\d{1,5}$/.test(text) ? 0 : Number(text);
  return port > 0 && port < 65_536 ? port : undefined;
}
