import type { Random } from '../base/random.js';
import type { Cancel, Scheduler } from '../base/scheduler.js';
import type { HeaderInit, SipMessage, SipRequest, SipResponse } from '../protocol/sip/message.js';
import { getParam, type Params } from '../protocol/sip/params.js';
import { readable } from '../protocol/sip/parse-error.js';
import type { IncomingRequest } from '../ua/incoming.js';
import type { ModifyResult } from './outgoing-modify.js';
import type { SessionTimerPolicy } from './policies.js';
import type { RefreshHeaders } from './refresh-headers.js';

/** A session timer as plain data. */
export interface SessionTimerSnapshot {
  readonly seconds: number;
  readonly refresher: 'us' | 'peer';
  /** The peer knows of it. */
  readonly agreed: boolean;
  readonly minSeconds?: number;
}

export interface SessionTimerOptions {
  readonly policy: SessionTimerPolicy | undefined;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Sends the refresh. */
  readonly refresh: () => Promise<ModifyResult>;
  /** Nobody has refreshed the session, and it is about to expire: BYE (§10). */
  readonly onExpired: () => void;
}

interface Running {
  readonly seconds: number;
  readonly refresher: 'us' | 'peer';
  readonly agreed: boolean;
  /** When it must have been refreshed. */
  readonly deadline: number;
}

const NOTHING_RUNS: Cancel = () => {};

/** RFC 4028 §5: the least that Min-SE may say. */
const LEAST_SECONDS = 90;
/** RFC 4028 §10: so long before the end the BYE leaves, unless a third of the interval is less. */
const BYE_BEFORE_MS = 32_000;
/** After a restart the refreshes of all sessions are spread over so long. */
const RESTORED_WITHIN_MS = 30_000;
/** A refresh that was refused is not sent again sooner than this. */
const AGAIN_MS = 5000;

/** The session timer of one dialog, in both roles and whoever refreshes: RFC 4028 §7, §9, §10. */
export class SessionTimer implements RefreshHeaders {
  readonly #options: SessionTimerOptions;
  /** The largest Min-SE that was heard in this dialog (§7.4). */
  #minSeconds: number | undefined;
  #running: Running | undefined;
  #cancel: Cancel = NOTHING_RUNS;
  #ended = false;

  constructor(options: SessionTimerOptions) {
    this.#options = options;
  }

  /** What a re-INVITE or UPDATE of ours carries (§7.4): the present interval, and the roles as they are. */
  requestHeaders(): HeaderInit {
    const { policy } = this.#options;
    if (policy === undefined) return {};
    const { seconds = policy.seconds, refresher } = this.#running ?? {};
    const param = refresher === undefined ? [] : [{ name: 'refresher', value: refresher === 'us' ? 'uac' : 'uas' }];
    return {
      ...intervalHeaders(seconds, this.#minSeconds, param),
    };
  }

  /** What our 2xx to a re-INVITE, UPDATE or INVITE of the peer carries (§9, table 2). The timer runs from now on. */
  responseHeaders(incoming: IncomingRequest): HeaderInit {
    const { policy } = this.#options;
    if (policy === undefined) return {};
    const { request } = incoming;
    const asked = sessionExpires(request);
    const least = readable(() => request.headers.get('Min-SE'))?.seconds;
    if (least !== undefined) this.#minSeconds = Math.max(least, this.#minSeconds ?? 0);
    const supports = namesTimer(request);
    const longest = Math.max(policy.seconds, least ?? 0);
    if (!supports && (asked === undefined ? !policy.always : asked.seconds < policy.minSeconds)) {
      if (policy.always) this.#start(longest, 'us', false);
      else this.#stop();
      return {};
    }
    const seconds = asked === undefined ? longest : Math.min(asked.seconds, longest);
    const wish = asked === undefined ? undefined : getParam(asked.params, 'refresher')?.toLowerCase();
    const present = this.#running?.refresher === 'us' ? 'uas' : 'uac';
    const refresher = !supports || wish === 'uas' ? 'uas' : wish === 'uac' ? 'uac' : present;
    this.#start(seconds, refresher === 'uas' ? 'us' : 'peer', supports || asked !== undefined);
    return {
      'Session-Expires': { seconds, params: [{ name: 'refresher', value: refresher }] },
      ...(supports ? { Require: ['timer'] } : {}),
    };
  }

  /** 422 to an interval that is too short, from peers that can ask for a longer one (§9). */
  refuses(incoming: IncomingRequest): boolean {
    const { policy } = this.#options;
    const tooShort = policy !== undefined && isTooShort(incoming.request, policy);
    if (tooShort) incoming.respond(422, { headers: tooShortHeaders(policy) });
    return tooShort;
  }

  /** The peer's 2xx to an INVITE, re-INVITE or UPDATE of ours (§7.2). */
  onSuccess(response: SipResponse): void {
    const { policy } = this.#options;
    if (policy === undefined) return;
    const granted = sessionExpires(response);
    if (granted === undefined) {
      if (policy.always) this.#start(Math.max(policy.seconds, this.#minSeconds ?? 0), 'us', false);
      else this.#stop();
      return;
    }
    // A peer that grants less than it may would have us send all day (§11.1).
    const seconds = Math.max(granted.seconds, Math.min(policy.minSeconds, LEAST_SECONDS));
    this.#start(seconds, getParam(granted.params, 'refresher')?.toLowerCase() === 'uas' ? 'peer' : 'us', true);
  }

  /** The peer has refused a request of ours: a 422 says how short an interval it stands (§7.3). */
  onRefused(response: SipResponse): void {
    const least = minSecondsOf(response);
    if (least !== undefined) this.#minSeconds = Math.max(least, this.#minSeconds ?? 0);
  }

  end(): void {
    this.#ended = true;
    this.#stop();
  }

  snapshot(): SessionTimerSnapshot | undefined {
    if (this.#running === undefined) return undefined;
    const { seconds, refresher, agreed } = this.#running;
    return { seconds, refresher, agreed, ...(this.#minSeconds === undefined ? {} : { minSeconds: this.#minSeconds }) };
  }

  /** Goes on from a snapshot: when it was refreshed last nobody knows, so that we refresh soon, or wait a whole interval. */
  restore(snapshot: SessionTimerSnapshot): void {
    const { scheduler, random, policy } = this.#options;
    if (policy === undefined) return;
    this.#minSeconds = snapshot.minSeconds;
    this.#start(snapshot.seconds, snapshot.refresher, snapshot.agreed);
    if (snapshot.refresher === 'peer') return;
    this.#cancel();
    this.#cancel = scheduler.after(random.integer(RESTORED_WITHIN_MS), () => void this.#refresh());
  }

  #start(seconds: number, refresher: 'us' | 'peer', agreed: boolean): void {
    if (this.#ended) return;
    this.#cancel();
    const { scheduler } = this.#options;
    const intervalMs = seconds * 1000;
    const now = scheduler.now();
    const deadline = now + intervalMs - Math.min(BYE_BEFORE_MS, intervalMs / 3);
    this.#running = { seconds, refresher, agreed, deadline };
    this.#cancel =
      refresher === 'us'
        ? scheduler.at(now + intervalMs / 2, () => void this.#refresh())
        : scheduler.at(deadline, () => this.#options.onExpired());
  }

  #stop(): void {
    this.#cancel();
    this.#running = undefined;
  }

  /** §10: what a 2xx to it does, `onSuccess` has done already; a dialog that is gone has ended. */
  async #refresh(): Promise<void> {
    const running = this.#running;
    const { scheduler, refresh, onExpired } = this.#options;
    if (running === undefined) return;
    this.#cancel = scheduler.at(running.deadline, onExpired);
    const before = this.#minSeconds;
    const result = await refresh();
    if (this.#running !== running || result.kind !== 'rejected') return;
    // Nothing could be sent at all: that says nothing of the peer. Silence has ended the session already.
    const unreachable = result.status === 408;
    if (!running.agreed && !unreachable) {
      // It knows no timer, but whoever refuses lives.
      return this.#start(running.seconds, 'us', false);
    }
    // A longer interval is asked for at once; anything else is tried once more while there is time.
    const longer = result.status === 422 && this.#minSeconds !== before;
    const again = scheduler.now() + (longer ? 0 : Math.max(AGAIN_MS, (running.deadline - scheduler.now()) / 2));
    if (again >= running.deadline) return;
    this.#cancel();
    this.#cancel = scheduler.at(again, () => void this.#refresh());
  }
}

/** What the INVITE that begins a session carries (§7.1). `minSeconds`: what a 422 has asked for. */
export function timerHeaders(policy: SessionTimerPolicy, minSeconds: number | undefined): HeaderInit {
  return intervalHeaders(policy.seconds, minSeconds, []);
}

/** Whether an INVITE asks for an interval that is refused with 422, `tooShortHeaders` in it (§9). */
export function isTooShort(request: SipRequest, policy: SessionTimerPolicy): boolean {
  const asked = sessionExpires(request);
  return asked !== undefined && asked.seconds < policy.minSeconds && namesTimer(request);
}

/** The headers of a 422. */
export function tooShortHeaders(policy: SessionTimerPolicy): HeaderInit {
  return { 'Min-SE': { seconds: policy.minSeconds, params: [] } };
}

/** What a 422 asks for; undefined for any other response, and one without Min-SE. */
export function minSecondsOf(response: SipResponse): number | undefined {
  return response.status === 422 ? readable(() => response.headers.get('Min-SE'))?.seconds : undefined;
}

function intervalHeaders(seconds: number, minSeconds: number | undefined, params: Params): HeaderInit {
  return {
    'Session-Expires': { seconds: Math.max(seconds, minSeconds ?? 0), params },
    ...(minSeconds === undefined ? {} : { 'Min-SE': { seconds: minSeconds, params: [] } }),
  };
}

function sessionExpires(message: SipMessage) {
  return readable(() => message.headers.get('Session-Expires'));
}

/** Whether the peer can refresh sessions (§7.1). */
function namesTimer(request: SipRequest): boolean {
  return names(request, 'Supported') || names(request, 'Require');
}

function names(request: SipRequest, header: 'Supported' | 'Require'): boolean {
  return readable(() => request.headers.get(header))?.some((tag) => tag.toLowerCase() === 'timer') === true;
}
