import { hash } from 'node:crypto';
import type { SocketAddress } from '../../../src/base/ip.js';
import type { Network, UdpOptions, UdpSocket } from '../../../src/net/network.js';
import { NodeNetwork } from '../../../src/net/node-network.js';

const SDP = [
  'v=0',
  'o=- 53655765 2353687637 IN IP4 127.0.0.2',
  's=-',
  'c=IN IP4 127.0.0.2',
  't=0 0',
  'm=audio 6000 RTP/AVP 0 8 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=ptime:20',
  'a=sendrecv',
  '',
].join('\r\n');

const HA2 = hash('md5', 'REGISTER:sip:bench.test');

const CALLER: SocketAddress = { address: '127.0.0.2', port: 5080 };
const CALLEE: SocketAddress = { address: '127.0.0.3', port: 5090 };

/**
 * A network with one server and two phones that know just enough SIP for a call or a registration, as text, so that the time that a benchmark
 * measures is the server's.
 */
export class LoopbackPhones {
  /** What the server opens its socket in. */
  readonly network: Network;
  /** Calls that have ended, and registrations that have been granted, as they should. */
  finished = 0;
  /** Callers do not hang up; a call that is answered counts as finished. */
  keepTalking = false;
  readonly #server: string;
  readonly #password: string;
  #deliver: UdpOptions['onMessage'] = () => {};
  #calls = 0;

  constructor(server: string, password: string) {
    this.#server = server;
    this.#password = password;
    this.network = new Loopback(
      (onMessage) => {
        this.#deliver = onMessage;
      },
      (data, to) => this.#onDatagram(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1'), to),
    );
  }

  /** Begins a call; everything that follows happens when the server's promises run. */
  call(): void {
    const id = ++this.#calls;
    this.#send(CALLER, [
      `INVITE sip:1000@${this.#server} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.2:5080;branch=z9hG4bK-inv-${id};rport`,
      'Max-Forwards: 70',
      `From: "Caller" <sip:caller@127.0.0.2:5080>;tag=c${id}`,
      `To: <sip:1000@${this.#server}>`,
      `Call-ID: ${id}@127.0.0.2`,
      'CSeq: 1 INVITE',
      'Contact: <sip:caller@127.0.0.2:5080>',
      'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, REFER, NOTIFY, PRACK',
      'Supported: replaces, timer',
      'User-Agent: phone',
      'Content-Type: application/sdp',
      `Content-Length: ${SDP.length}`,
      '',
      SDP,
    ]);
  }

  /** Begins a registration with digest of one of the users 10000 … */
  register(users: number): void {
    const id = ++this.#calls;
    this.#register(id, String(10_000 + (id % users)), 1, '');
  }

  #register(id: number, user: string, sequence: number, authorization: string): void {
    this.#send(CALLER, [
      'REGISTER sip:bench.test SIP/2.0',
      `Via: SIP/2.0/UDP 127.0.0.2:5080;branch=z9hG4bK-reg-${id}-${sequence};rport`,
      'Max-Forwards: 70',
      `From: <sip:${user}@bench.test>;tag=r${id}`,
      `To: <sip:${user}@bench.test>`,
      `Call-ID: ${id}@127.0.0.2`,
      `CSeq: ${sequence} REGISTER`,
      `Contact: <sip:${user}@127.0.0.2:5080>`,
      'Expires: 600',
      ...(authorization === '' ? [] : [authorization]),
      'User-Agent: phone',
      'Content-Length: 0',
      '',
      '',
    ]);
  }

  #answerChallenge(text: string): void {
    const callId = header(text, 'Call-ID');
    const id = Number(callId.slice('Call-ID: '.length, callId.indexOf('@')));
    const from = header(text, 'From');
    const user = from.slice(from.indexOf('sip:') + 4, from.indexOf('@'));
    const challenge = header(text, 'WWW-Authenticate');
    const start = challenge.indexOf('nonce="') + 7;
    const nonce = challenge.slice(start, challenge.indexOf('"', start));
    const ha1 = hash('md5', `${user}:bench.test:${this.#password}`);
    const response = hash('md5', `${ha1}:${nonce}:00000001:c${id}:auth:${HA2}`);
    this.#register(
      id,
      user,
      2,
      `Authorization: Digest username="${user}", realm="bench.test", nonce="${nonce}", uri="sip:bench.test", ` +
        `response="${response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c${id}"`,
    );
  }

  #onDatagram(text: string, to: SocketAddress): void {
    if (to.address === CALLEE.address) this.#onCallee(text);
    else this.#onCaller(text);
  }

  #onCallee(text: string): void {
    const method = text.slice(0, text.indexOf(' '));
    if (method === 'INVITE') {
      this.#answer(text, '180 Ringing', ';tag=callee', '');
      this.#answer(text, '200 OK', ';tag=callee', SDP);
    } else if (method === 'BYE') this.#answer(text, '200 OK', '', '');
  }

  #answer(request: string, status: string, tag: string, body: string, from = CALLEE): void {
    this.#send(from, [
      `SIP/2.0 ${status}`,
      header(request, 'Via'),
      header(request, 'From'),
      header(request, 'To') + tag,
      header(request, 'Call-ID'),
      header(request, 'CSeq'),
      'Contact: <sip:127.0.0.3:5090;transport=UDP>',
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ]);
  }

  #onCaller(text: string): void {
    if (text.startsWith('BYE')) this.#answer(text, '200 OK', '', '', CALLER);
    if (text.startsWith('SIP/2.0 401')) this.#answerChallenge(text);
    if (!text.startsWith('SIP/2.0 200')) return;
    if (/BYE|REGISTER/.test(header(text, 'CSeq'))) {
      this.finished++;
      return;
    }
    const contact = header(text, 'Contact');
    const uri = contact.slice(contact.indexOf('<') + 1, contact.indexOf('>'));
    this.#inside(text, uri, 'ACK', 1);
    if (this.keepTalking) this.finished++;
    else this.#inside(text, uri, 'BYE', 2);
  }

  #inside(response: string, uri: string, method: string, sequence: number): void {
    const callId = header(response, 'Call-ID');
    this.#send(CALLER, [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.2:5080;branch=z9hG4bK-${method}-${callId.slice(9)};rport`,
      'Max-Forwards: 70',
      header(response, 'From'),
      header(response, 'To'),
      callId,
      `CSeq: ${sequence} ${method}`,
      'Contact: <sip:caller@127.0.0.2:5080>',
      'Content-Length: 0',
      '',
      '',
    ]);
  }

  /** Arrives in a later turn, as on a network. */
  #send(from: SocketAddress, lines: readonly string[]): void {
    const data = Buffer.from(lines.join('\r\n'), 'latin1');
    queueMicrotask(() => this.#deliver(data, from));
  }
}

/** A header line as it stands. */
function header(text: string, name: string): string {
  const start = text.indexOf(`\r\n${name}: `) + 2;
  return text.slice(start, text.indexOf('\r\n', start));
}

/** Nothing but one UDP socket. */
class Loopback extends NodeNetwork {
  readonly #opened: (onMessage: UdpOptions['onMessage']) => void;
  readonly #sent: (data: Uint8Array, to: SocketAddress) => void;

  constructor(
    opened: (onMessage: UdpOptions['onMessage']) => void,
    sent: (data: Uint8Array, to: SocketAddress) => void,
  ) {
    super();
    this.#opened = opened;
    this.#sent = sent;
  }

  override openUdp(options: UdpOptions): Promise<UdpSocket> {
    this.#opened(options.onMessage);
    return Promise.resolve({
      local: options.local,
      send: (data, to) => this.#sent(data, to),
      close: () => Promise.resolve(),
    });
  }
}
