import { createHash } from 'node:crypto';
import type { SocketAddress } from '../../src/base/ip.js';
import type { UdpSocket } from '../../src/net/network.js';
import type { World } from '../../src/testing/world.js';

/** A message as it came from the wire, read by these tests' own eyes. */
export interface WireMessage {
  readonly at: number;
  readonly from: SocketAddress;
  readonly text: string;
  readonly body: string;
  /** Of a request. */
  readonly method: string | undefined;
  /** Of a response. */
  readonly status: number | undefined;
  readonly uri: string;
  readonly cseq: number;
  readonly cseqMethod: string;
  readonly callId: string;
  /** The first field of that name. */
  header(name: string): string | undefined;
  all(name: string): string[];
}

export interface RawPeerOptions {
  readonly name?: string;
  /** Default `10.1.0.1`. */
  readonly address?: string;
  readonly port?: number;
  readonly server?: SocketAddress;
}

/** What a raw message says besides what its dialog says. */
export interface RawFields {
  readonly headers?: readonly string[];
  readonly body?: string;
  /** Default `application/sdp`. */
  readonly contentType?: string;
  readonly cseq?: number;
  readonly branch?: string;
  /** Whole value; '' for none. */
  readonly contact?: string;
  readonly uri?: string;
  /** The phrase of a response. Default `Raw`. */
  readonly reason?: string;
}

export interface DialOptions extends RawFields {
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
}

/** A description that any phone takes. */
export function rawSdp(address = '10.1.0.1', port = 4000, version = 1): string {
  return `v=0\r\no=raw 1 ${version} IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`;
}

/**
 * A scripted SIP peer: a UDP socket on a machine of the world, which sends what the test writes and keeps what comes. It
 * does nothing by itself, so that a test can withhold an ACK, repeat a 200 or let messages cross.
 */
export class RawPeer {
  readonly received: WireMessage[] = [];
  readonly address: string;
  readonly port: number;
  /** Called with each message as it comes. */
  onMessage: (message: WireMessage) => void = () => {};
  readonly #world: World;
  readonly #server: SocketAddress;
  readonly #taken = new Set<WireMessage>();
  #socket: UdpSocket | undefined;
  #count = 0;

  private constructor(world: World, options: RawPeerOptions) {
    this.#world = world;
    this.address = options.address ?? '10.1.0.1';
    this.port = options.port ?? 5060;
    this.#server = options.server ?? { address: '192.0.2.1', port: 5060 };
  }

  /** Opens its socket; closed with the world. */
  static async open(world: World, options: RawPeerOptions = {}): Promise<RawPeer> {
    const peer = new RawPeer(world, options);
    const machine = world.host(options.name ?? 'raw', peer.address);
    peer.#socket = world.use(
      await world.run(() =>
        machine.ports.network.openUdp({
          local: { address: peer.address, port: peer.port },
          onMessage: (data, from) => {
            const message = read(Buffer.from(data).toString('latin1'), world.clock.now(), from);
            peer.received.push(message);
            peer.onMessage(message);
          },
          onError: () => {},
        }),
      ),
    );
    return peer;
  }

  get uri(): string {
    return `sip:raw@${this.address}:${this.port}`;
  }

  /** A branch, tag or Call-ID that was not used yet. */
  fresh(what: string): string {
    return `${what}${++this.#count}-${this.address.replaceAll('.', '')}`;
  }

  /** Sends these bytes; the text is Latin-1. */
  send(text: string, to: SocketAddress = this.#server): void {
    this.#socket?.send(Buffer.from(text, 'latin1'), to);
  }

  /** Sends the INVITE that begins a call. */
  dial(number: string, options: DialOptions = {}): RawCall {
    const local = options.from ?? `<sip:raw@${this.address}>`;
    const remote = options.to ?? `<sip:${number}@office.test>`;
    const call = new RawCall(this, {
      callId: options.callId ?? this.fresh('call'),
      local: `${local};tag=${this.fresh('tag')}`,
      remote,
      target: options.uri ?? `sip:${number}@office.test`,
      cseq: options.cseq ?? 1,
    });
    call.invite(options);
    return call;
  }

  /** Registers this peer's address, or the `contact` of `fields`, for an extension, with its password. */
  async register(number: string, password: string, fields: RawFields = {}): Promise<void> {
    const aor = `<sip:${number}@office.test>`;
    const target = 'sip:office.test';
    const local = `${aor};tag=${this.fresh('tag')}`;
    const registration = new RawCall(this, { callId: this.fresh('reg'), local, remote: aor, target, cseq: 1 });
    registration.request('REGISTER', fields);
    const challenge = (await this.expect(401)).header('WWW-Authenticate') ?? '';
    const value = digestAnswer(challenge, { method: 'REGISTER', uri: target, username: number, password });
    registration.request('REGISTER', { ...fields, headers: [...(fields.headers ?? []), `Authorization: ${value}`] });
    await this.expect('200 REGISTER');
  }

  /** The raw side of a call that came in; answers are sent with `respond`. */
  take(invite: WireMessage): RawCall {
    const call = new RawCall(this, {
      callId: invite.callId,
      local: `${invite.header('To')};tag=${this.fresh('tag')}`,
      remote: invite.header('From') ?? '',
      target: addressIn(invite.header('Contact') ?? ''),
      cseq: 0,
    });
    call.taken = invite;
    return call;
  }

  /** Answers any request. */
  respond(request: WireMessage, status: number, fields: RawFields & { readonly toTag?: string } = {}): void {
    const to = request.header('To') ?? '';
    const tag = fields.toTag === undefined || to.includes(';tag=') ? '' : `;tag=${fields.toTag}`;
    this.send(
      compose(`SIP/2.0 ${status} ${fields.reason ?? 'Raw'}`, fields, [
        ...request.all('Via').map((via) => `Via: ${via}`),
        ...request.all('Record-Route').map((route) => `Record-Route: ${route}`),
        `From: ${request.header('From')}`,
        `To: ${to}${tag}`,
        `Call-ID: ${request.callId}`,
        `CSeq: ${request.header('CSeq')}`,
        ...(fields.contact === '' ? [] : [`Contact: ${fields.contact ?? `<${this.uri}>`}`]),
      ]),
      request.from,
    );
  }

  /** Lets time pass until a message that fits has come which was not expected before, and gives it. */
  async expect(what: string | number | ((message: WireMessage) => boolean)): Promise<WireMessage> {
    const found = (): WireMessage | undefined =>
      this.received.find((message) => !this.#taken.has(message) && fits(message, what));
    await this.#world.until(() => found() !== undefined, { minutes: 2 });
    const message = found() as WireMessage;
    this.#taken.add(message);
    return message;
  }

  /** Everything so far counts as expected. */
  skip(): void {
    for (const message of this.received) this.#taken.add(message);
  }

  /** What came, in short: `INVITE`, `200 INVITE`. */
  get heard(): string[] {
    return this.received.map((message) => message.method ?? `${message.status} ${message.cseqMethod}`);
  }
}

interface RawDialog {
  callId: string;
  /** From of what this side sends, and To. */
  local: string;
  remote: string;
  target: string;
  cseq: number;
}

/** One call of a raw peer: keeps what a dialog keeps and nothing else. */
export class RawCall {
  readonly peer: RawPeer;
  readonly dialog: RawDialog;
  /** The INVITE that came in. */
  taken: WireMessage | undefined;
  #branch = '';
  #changes = 0;
  #ackHeaders: readonly string[] = [];

  constructor(peer: RawPeer, dialog: RawDialog) {
    this.peer = peer;
    this.dialog = dialog;
  }

  /** Takes the To tag and the Contact of a response. */
  learn(response: WireMessage): void {
    this.dialog.remote = response.header('To') ?? this.dialog.remote;
    const contact = response.header('Contact');
    if (contact !== undefined) this.dialog.target = addressIn(contact);
  }

  /** An INVITE: the first, or one within the dialog, whose description is each time a new one. */
  invite(fields: RawFields = {}): string {
    if (this.dialog.remote.includes(';tag=')) this.#changes++;
    const body = rawSdp(this.peer.address, 4000 + 2 * this.#changes, 1 + this.#changes);
    return this.request('INVITE', { body, ...fields });
  }

  /** A request with the next CSeq number, unless `cseq` is given. */
  request(method: string, fields: RawFields = {}): string {
    const cseq = fields.cseq ?? (method === 'INVITE' && this.#branch === '' ? this.dialog.cseq : this.dialog.cseq + 1);
    this.dialog.cseq = Math.max(cseq, this.dialog.cseq);
    return this.#send(method, cseq, fields.branch ?? this.peer.fresh('z9hG4bK'), fields);
  }

  /** ACK to a 2xx: a branch of its own. */
  ack(fields: RawFields = {}): string {
    return this.#send('ACK', fields.cseq ?? this.dialog.cseq, this.peer.fresh('z9hG4bK'), fields);
  }

  /** ACK to a failure: the branch and Request-URI of the INVITE. */
  ackFailure(response: WireMessage, uri = this.dialog.target): void {
    const { dialog } = this;
    const before = dialog.remote;
    dialog.remote = response.header('To') ?? before;
    this.#send('ACK', response.cseq, this.#branch, { uri, contact: '' });
    dialog.remote = before;
  }

  cancel(fields: RawFields = {}): void {
    this.#send('CANCEL', fields.cseq ?? this.dialog.cseq, this.#branch, { contact: '', ...fields });
  }

  /** Answers the INVITE that came in. */
  respond(status: number, fields: RawFields = {}): void {
    if (this.taken === undefined) throw new Error('this call was made here');
    const toTag = /;tag=(.*)$/.exec(this.dialog.local)?.[1] ?? '';
    this.peer.respond(this.taken, status, { ...fields, toTag });
  }

  /** Answers a 407 with credentials: ACK, then the INVITE again. */
  authorize(challenge: WireMessage, username: string, password: string, fields: RawFields = {}): void {
    const uri = this.dialog.target;
    this.ackFailure(challenge);
    const value = digestAnswer(challenge.header('Proxy-Authenticate') ?? '', {
      method: 'INVITE',
      uri,
      username,
      password,
    });
    this.#ackHeaders = [`Proxy-Authorization: ${value}`];
    this.invite({ ...fields, headers: [...(fields.headers ?? []), ...this.#ackHeaders] });
  }

  /** Sends a request other than INVITE again, with credentials for a 407. */
  requestAuthorized(
    method: string,
    challenge: WireMessage,
    username: string,
    password: string,
    fields: RawFields = {},
  ): void {
    const uri = fields.uri ?? this.dialog.target;
    const value = digestAnswer(challenge.header('Proxy-Authenticate') ?? '', { method, uri, username, password });
    this.request(method, { ...fields, headers: [...(fields.headers ?? []), `Proxy-Authorization: ${value}`] });
  }

  #send(method: string, cseq: number, branch: string, fields: RawFields): string {
    const { callId, local, remote, target } = this.dialog;
    if (method === 'INVITE') this.#branch = branch;
    const contact = fields.contact ?? `<${this.peer.uri}>`;
    const text = compose(`${method} ${fields.uri ?? target} SIP/2.0`, fields, [
      `Via: SIP/2.0/UDP ${this.peer.address}:${this.peer.port};branch=${branch};rport`,
      'Max-Forwards: 70',
      `From: ${local}`,
      `To: ${remote}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      ...(contact === '' ? [] : [`Contact: ${contact}`]),
    ]);
    this.peer.send(text);
    return text;
  }
}

function compose(start: string, fields: RawFields, lines: readonly string[]): string {
  const body = fields.body ?? '';
  const type = body === '' ? [] : [`Content-Type: ${fields.contentType ?? 'application/sdp'}`];
  const head = [
    start,
    ...lines,
    ...(fields.headers ?? []),
    ...type,
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

function read(text: string, at: number, from: SocketAddress): WireMessage {
  const end = text.indexOf('\r\n\r\n');
  const [start = '', ...lines] = text.slice(0, end).split('\r\n');
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const all = (name: string): string[] =>
    fields.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value);
  const [first = '', second = ''] = start.split(' ');
  const isResponse = first === 'SIP/2.0';
  const [sequence = '', cseqMethod = ''] = (all('CSeq')[0] ?? '').split(' ');
  return {
    at,
    from,
    text,
    body: text.slice(end + 4),
    method: isResponse ? undefined : first,
    status: isResponse ? Number(second) : undefined,
    uri: isResponse ? '' : second,
    cseq: Number(sequence),
    cseqMethod,
    callId: all('Call-ID')[0] ?? '',
    header: (name) => all(name)[0],
    all,
  };
}

function fits(message: WireMessage, what: string | number | ((message: WireMessage) => boolean)): boolean {
  if (typeof what === 'function') return what(message);
  if (typeof what === 'number') return message.status === what;
  return message.method === what || `${message.status} ${message.cseqMethod}` === what;
}

/** The URI of a name-addr. */
export function addressIn(value: string): string {
  const open = value.indexOf('<');
  return open < 0 ? (value.split(';')[0] ?? '').trim() : value.slice(open + 1, value.indexOf('>', open));
}

/** The tag of a From or To. */
export function tagIn(value: string | undefined): string {
  return /;tag=([^;\s]+)/.exec(value ?? '')?.[1] ?? '';
}

interface DigestInput {
  readonly method: string;
  readonly uri: string;
  readonly username: string;
  readonly password: string;
}

function digestAnswer(challenge: string, { method, uri, username, password }: DigestInput): string {
  const param = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const [realm, nonce] = [param('realm'), param('nonce')];
  const ha1 = md5(`${username}:${realm}:${password}`);
  const response = md5(`${ha1}:${nonce}:00000001:raw:auth:${md5(`${method}:${uri}`)}`);
  return `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="raw"`;
}
