import { DOMAIN, passwordOf } from './server.js';

/** One step of a sipp scenario; each takes one number in sipp's count, from which it derives branches. */
export type Step =
  /** Sends a message. Over UDP sipp repeats it until the next message comes, unless `once`. `name` lets a later message use its branch. */
  { readonly send: string; readonly once?: true; readonly name?: string } | Receive | { readonly pauseMs: number };

/** Waits for a message. `optional`: another may come in its place. `route`: its Record-Route and Contact lead what is sent later. */
export interface Receive {
  readonly receive: number | string;
  readonly optional?: true;
  readonly challenge?: true;
  readonly route?: true;
  readonly keep?: readonly Keep[];
  /** Go on at the step `skip` further on than the next one, when this message comes. */
  readonly skip?: number;
}

/** Keeps a header's value of a received message as variable `$n` for what is sent later. */
export interface Keep {
  readonly header: string;
  readonly variable: number;
}

/** Marks the branch of the request sent by the step of that name: an ACK to a failure and a CANCEL carry it (RFC 3261 §9.1, §17.1.1.3). */
export function branchOf(name: string): string {
  return `{branch of ${name}}`;
}

/** Prints a scenario as sipp's XML. */
export function scenario(steps: readonly Step[]): string {
  const index = new Map<string, number>();
  steps.forEach((step, i) => {
    if ('send' in step && step.name !== undefined) index.set(step.name, i);
  });
  const jumps = new Set(
    steps.map((step, i) => ('receive' in step && step.skip !== undefined ? i + 1 + step.skip : -1)),
  );
  const lines = steps.map((step, i) => (jumps.has(i) ? `<label id="${i}"/>\n` : '') + element(step, i));

  function element(step: Step, i: number): string {
    if ('pauseMs' in step) return `<pause milliseconds="${step.pauseMs}"/>`;
    if ('send' in step) {
      const text = step.send.replace(/\{branch of ([^}]+)\}/g, (_, name: string) => {
        const of = index.get(name);
        if (of === undefined) throw new Error(`no step is named ${name}`);
        // sipp's own words: the branch of the message that many steps back
        return of === i ? '[branch]' : `[branch-${i - of}]`;
      });
      return `<send${step.once === true ? '' : ' retrans="500"'}><![CDATA[\n${text}\n]]></send>`;
    }
    const attributes = [typeof step.receive === 'number' ? `response="${step.receive}"` : `request="${step.receive}"`];
    if (step.skip !== undefined) attributes.push(`next="${i + 1 + step.skip}"`);
    if (step.optional) attributes.push('optional="true"');
    if (step.challenge) attributes.push('auth="true"');
    if (step.route) attributes.push('rrs="true"');
    const kept = (step.keep ?? []).map(
      ({ header, variable }) => `<ereg regexp=".*" search_in="hdr" header="${header}:" assign_to="${variable}"/>`,
    );
    return `<recv ${attributes.join(' ')}>${kept.length === 0 ? '' : `<action>${kept.join('')}</action>`}</recv>`;
  }
  const kept = steps.flatMap((step) => ('receive' in step ? (step.keep ?? []) : [])).map(({ variable }) => variable);
  // sipp refuses a scenario with a variable that nothing uses, unless it is named here
  if (kept.length > 0) lines.push(`<Reference variables="${kept.join(',')}"/>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="pbxkit">\n${lines.join('\n')}\n</scenario>\n`;
}

/** A sipp phone: an extension at 127.0.0.1:[its port]. */
export interface Party {
  readonly number: string;
}

/** The session description of a phone; `version` grows with every change (RFC 3264 §8), `port` defaults to sipp's own. */
export function sdp(options: { version?: number; port?: string; direction?: string } = {}): string {
  return `v=0
o=- 1234 ${options.version ?? 1} IN IP4 [media_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio ${options.port ?? '[media_port]'} RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=${options.direction ?? 'sendrecv'}`;
}

const CONTACT = (number: string): string => `<sip:${number}@[local_ip]:[local_port];transport=[transport]>`;

/** Ends a message's header: with a body and its type, or without one. */
function ending(body: string | undefined): string {
  return body === undefined
    ? 'Content-Length: 0\n\n'
    : `Content-Type: application/sdp\nContent-Length: [len]\n\n${body}\n`;
}

/** REGISTER with digest: 401, then 200. */
export function registration({ number }: Party): Step[] {
  const register = (cseq: number, authorization: string): string => `REGISTER sip:${DOMAIN} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:${number}@${DOMAIN}>;tag=[pid]r[call_number]
To: <sip:${number}@${DOMAIN}>
Call-ID: [call_id]
CSeq: ${cseq} REGISTER
Contact: ${CONTACT(number)}
Expires: 600
${authorization}${ending(undefined)}`;
  return [
    { send: register(1, '') },
    { receive: 401, challenge: true },
    { send: register(2, `[authentication username=${number} password=${passwordOf(number)}]\n`) },
    { receive: 200 },
  ];
}

/** What the caller's INVITE may differ in. */
export interface InviteOptions {
  readonly body?: string | undefined;
  readonly extraHeaders?: string;
}

/** The caller's side of one call. */
export class Caller {
  constructor(
    readonly from: string,
    readonly to: string,
  ) {}

  /** INVITE, 407, ACK, INVITE with credentials: sent as the step "invite" with CSeq 2. */
  invite(options: InviteOptions = { body: sdp() }): Step[] {
    const invite = (cseq: number, authorization: string): string => `INVITE sip:${this.to}@${DOMAIN} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:${this.from}@${DOMAIN}>;tag=[pid]c[call_number]
To: <sip:${this.to}@${DOMAIN}>
Call-ID: [call_id]
CSeq: ${cseq} INVITE
Contact: ${CONTACT(this.from)}
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE
${options.extraHeaders ?? ''}${authorization}${ending(options.body)}`;
    return [
      { send: invite(1, ''), name: 'challenged' },
      { receive: 100, optional: true },
      { receive: 407, challenge: true },
      { send: this.#outside('ACK', 1, 'challenged', '[peer_tag_param]'), once: true },
      { send: invite(2, `[authentication username=${this.from} password=${passwordOf(this.from)}]\n`), name: 'invite' },
      { receive: 100, optional: true },
    ];
  }

  /** The ACK of a failure: same branch and Request-URI as the INVITE. */
  ackFailure(): Step {
    return { send: this.#outside('ACK', 2, 'invite', '[peer_tag_param]'), once: true };
  }

  cancel(): Step {
    return { send: this.#outside('CANCEL', 2, 'invite', '') };
  }

  /** A request inside the dialog: to the remote target, along the route set. */
  inside(method: string, cseq: number, body?: string): Step {
    const contact = method === 'INVITE' || method === 'ACK' ? `Contact: ${CONTACT(this.from)}\n` : '';
    const send = `${method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
[routes]
Max-Forwards: 70
From: <sip:${this.from}@${DOMAIN}>;tag=[pid]c[call_number]
To: <sip:${this.to}@${DOMAIN}>[peer_tag_param]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
${contact}${ending(body)}`;
    return method === 'ACK' ? { send, once: true } : { send };
  }

  /** A request outside any dialog that belongs to the INVITE of a step. */
  #outside(method: 'ACK' | 'CANCEL', cseq: number, step: string, tag: string): string {
    return `${method} sip:${this.to}@${DOMAIN} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${branchOf(step)};rport
Max-Forwards: 70
From: <sip:${this.from}@${DOMAIN}>;tag=[pid]c[call_number]
To: <sip:${this.to}@${DOMAIN}>${tag}
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
  /** Whole lines, each with its line end. */
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
    return {
      send: `${method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
[routes]
Max-Forwards: 70
From:[$3];tag=[pid]u[call_number]
To:[$2]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
${ending(undefined)}`,
    };
  }
}
