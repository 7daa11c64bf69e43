import { branchOf, type Step } from './scenario.js';
import { DOMAIN, passwordOf } from './server.js';

/** The session description of a phone; `version` grows with every change (RFC 3264 §8), `port` defaults to sipp's own. */
export function sdp(options: { version?: number; port?: string } = {}): string {
  return `v=0
o=- 1234 ${options.version ?? 1} IN IP4 [media_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio ${options.port ?? '[media_port]'} RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv`;
}

const CONTACT = (number: string): string => `<sip:${number}@[local_ip]:[local_port];transport=[transport]>`;

/** Ends a message's header: with a body and its type, or without one. */
function ending(body: string | undefined): string {
  return body === undefined
    ? 'Content-Length: 0\n\n'
    : `Content-Type: application/sdp\nContent-Length: [len]\n\n${body}\n`;
}

/** What a REGISTER may differ in. */
export interface RegistrationOptions {
  /** Whose number it is; default the office's. */
  readonly domain?: string;
  /** Default: the phone's own address. */
  readonly contact?: string;
  /** Of the Contact, with their semicolons. */
  readonly contactParams?: string;
  /** More header lines, each with its line end. */
  readonly headers?: string;
  /** What comes of it; default 200. */
  readonly finalStatus?: number;
}

/** REGISTER with digest: 401, then 200. */
export function registration(number: string, options: RegistrationOptions = {}): Step[] {
  const { domain = DOMAIN } = options;
  const register = (cseq: number, authorization: string): string => `REGISTER sip:${domain} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:${number}@${domain}>;tag=[pid]r[call_number]
To: <sip:${number}@${domain}>
Call-ID: [call_id]
CSeq: ${cseq} REGISTER
Contact: ${options.contact ?? CONTACT(number)}${options.contactParams ?? ''}
Expires: 600
${options.headers ?? ''}${authorization}${ending(undefined)}`;
  return [
    { send: register(1, '') },
    { receive: 401, challenge: true },
    { send: register(2, `[authentication username=${number} password=${passwordOf(number)}]\n`) },
    { receive: options.finalStatus ?? 200 },
  ];
}

/** What the caller's INVITE may differ in. */
export interface InviteOptions {
  readonly body?: string | undefined;
  /** More header lines, each with its line end. */
  readonly headers?: string;
}

/** The caller's side of one call. */
export class Caller {
  /** `domain`: of both numbers. */
  constructor(
    readonly from: string,
    readonly to: string,
    readonly domain = DOMAIN,
  ) {}

  /** INVITE, 407, ACK, INVITE with credentials: sent as the step "invite" with CSeq 2. */
  invite(options: InviteOptions = { body: sdp() }): Step[] {
    const { from } = this;
    return [
      { send: this.#invite(1, '', options), name: 'challenged' },
      { receive: 100, optional: true },
      { receive: 407, challenge: true },
      { send: this.#outside('ACK', 1, 'challenged', '[peer_tag_param]'), once: true },
      ...this.#invites(`[authentication username=${from} password=${passwordOf(from)}]\n`, options),
    ];
  }

  /** INVITE of somebody who is known by the address: the step "invite" with CSeq 2. */
  inviteUnchallenged(options: InviteOptions = { body: sdp() }): Step[] {
    return this.#invites('', options);
  }

  #invites(authorization: string, options: InviteOptions): Step[] {
    return [
      { send: this.#invite(2, authorization, options), name: 'invite' },
      { receive: 100, optional: true },
    ];
  }

  #invite(cseq: number, authorization: string, options: InviteOptions): string {
    return `INVITE sip:${this.to}@${this.domain} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:${this.from}@${this.domain}>;tag=[pid]c[call_number]
To: <sip:${this.to}@${this.domain}>
Call-ID: [call_id]
CSeq: ${cseq} INVITE
Contact: ${CONTACT(this.from)}
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE
${options.headers ?? ''}${authorization}${ending(options.body)}`;
  }

  /** It rings, and is answered. */
  isAnswered(): Step[] {
    return [{ receive: 180 }, { receive: 200, route: true }];
  }

  /** Acknowledges the answer, talks for 200 ms and hangs up. */
  talksAndHangsUp(): Step[] {
    return [this.inside('ACK', 2), { pauseMs: 200 }, this.inside('BYE', 3), { receive: 200 }];
  }

  /** The ACK of a failure: same branch and Request-URI as the INVITE. */
  ackFailure(): Step {
    return { send: this.#outside('ACK', 2, 'invite', '[peer_tag_param]'), once: true };
  }

  cancel(): Step {
    return { send: this.#outside('CANCEL', 2, 'invite', '') };
  }

  /** A request inside the dialog: to the remote target, along the route set. */
  inside(method: string, cseq: number, body?: string, headers = ''): Step {
    const contact = method === 'INVITE' || method === 'ACK' ? `Contact: ${CONTACT(this.from)}\n` : '';
    const send = `${method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
[routes]
Max-Forwards: 70
From: <sip:${this.from}@${this.domain}>;tag=[pid]c[call_number]
To: <sip:${this.to}@${this.domain}>[peer_tag_param]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
${contact}${headers}${ending(body)}`;
    return method === 'ACK' ? { send, once: true } : { send };
  }

  /** A request outside any dialog that belongs to the INVITE of a step. */
  #outside(method: 'ACK' | 'CANCEL', cseq: number, step: string, tag: string): string {
    return `${method} sip:${this.to}@${this.domain} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${branchOf(step)};rport
Max-Forwards: 70
From: <sip:${this.from}@${this.domain}>;tag=[pid]c[call_number]
To: <sip:${this.to}@${this.domain}>${tag}
Call-ID: [call_id]
CSeq: ${cseq} ${method}
${ending(undefined)}`;
  }
}

/** What the called phone's answer may carry. */
export interface AnswerOptions {
  readonly body?: string;
  /** Default: the phone itself. */
  readonly contact?: string;
  /** More header lines, each with its line end. */
  readonly headers?: string;
}

/** The called phone's side of one call. Its To tag is the same in every answer. */
export class Callee {
  constructor(readonly number: string) {}

  /** A provisional answer to the INVITE just received. */
  provisional(status: number, reason: string, options: AnswerOptions = {}): Step {
    return { send: this.#answer(status, reason, '[last_CSeq:]', true, options), once: true };
  }

  /** The final answer to the INVITE just received: repeated until the ACK comes. */
  final(status: number, reason: string, options: AnswerOptions = {}): Step {
    return { send: this.#answer(status, reason, '[last_CSeq:]', true, options) };
  }

  /** The final answer to the INVITE just received, sent once. */
  finalOnce(status: number, reason: string, options: AnswerOptions = {}): Step {
    return { send: this.#answer(status, reason, '[last_CSeq:]', true, options), once: true };
  }

  /** The answer to a request inside the dialog; with `untilAck` to a re-INVITE. */
  okInside(options: AnswerOptions & { readonly untilAck?: true } = {}): Step {
    const send = this.#answer(200, 'OK', '[last_CSeq:]', false, options);
    return options.untilAck ? { send } : { send, once: true };
  }

  /** A call comes: rings, answers, waits for the ACK. */
  answers(): Step[] {
    return [
      Callee.invited,
      this.provisional(180, 'Ringing'),
      { pauseMs: 100 },
      this.final(200, 'OK', { body: sdp() }),
      { receive: 'ACK' },
    ];
  }

  /** The other one hangs up. */
  isHungUp(): Step[] {
    return [{ receive: 'BYE' }, this.okInside()];
  }

  /** A CANCEL comes: 200 to it, 487 to the INVITE (RFC 3261 §9.2). The INVITE's CSeq was kept as `$1`. */
  cancelled(): Step[] {
    return [
      { receive: 'CANCEL' },
      { send: this.#answer(200, 'OK', '[last_CSeq:]', true, {}), once: true },
      { send: this.#answer(487, 'Request Terminated', 'CSeq:[$1]', true, {}) },
      { receive: 'ACK' },
    ];
  }

  /** The INVITE of a call that may be cancelled. */
  static readonly invited: Step = {
    receive: 'INVITE',
    route: true,
    keep: [
      { header: 'CSeq', variable: 1 },
      { header: 'From', variable: 2 },
      { header: 'To', variable: 3 },
    ],
  };

  #answer(status: number, reason: string, cseq: string, tag: boolean, options: AnswerOptions): string {
    return `SIP/2.0 ${status} ${reason}
[last_Via:]
[last_From:]
[last_To:]${tag ? ';tag=[pid]u[call_number]' : ''}
[last_Call-ID:]
${cseq}
[last_Record-Route:]
Contact: ${options.contact ?? CONTACT(this.number)}
${options.headers ?? ''}${ending(options.body)}`;
  }

  /** A request of the called phone inside the dialog. The dialog's From and To, as the INVITE had them, were kept as `$2` and `$3`. */
  inside(method: string, cseq: number): Step {
    return { send: this.#inside(method, cseq, '[branch]', ending(undefined)) };
  }

  /** A digit by INFO, as phones sent it before RFC 6086. */
  dials(digit: string, cseq: number): Step {
    const body = `Signal=${digit}\nDuration=160\n`;
    const rest = `Content-Type: application/dtmf-relay\nContent-Length: [len]\n\n${body}`;
    return { send: this.#inside('INFO', cseq, '[branch]', rest) };
  }

  /** Another offer of the called phone; it is refused, and the refusal acknowledged. */
  offersInVain(cseq: number, refusal: number): Step[] {
    const offer = `Contact: ${CONTACT(this.number)}\n${ending(sdp({ version: 2 }))}`;
    return [
      { send: this.#inside('INVITE', cseq, '[branch]', offer), name: 'offer' },
      { receive: 100, optional: true },
      { receive: refusal },
      { send: this.#inside('ACK', cseq, branchOf('offer'), ending(undefined)), once: true },
    ];
  }

  #inside(method: string, cseq: number, branch: string, rest: string): string {
    return `${method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${branch};rport
[routes]
Max-Forwards: 70
From:[$3];tag=[pid]u[call_number]
To:[$2]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
${rest}`;
  }
}
