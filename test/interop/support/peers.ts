import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect, type Socket as TcpSocket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Stoppable } from './lab.js';
import { Recorded } from './recorded.js';

/** A bare UDP socket that sends what it is told to and keeps what comes. */
export class UdpPeer implements Stoppable {
  readonly received: Recorded<Buffer>;
  readonly #socket: UdpSocket;

  /** @throws when the address and port are taken. */
  static bind(address: string, port = 0): Promise<UdpPeer> {
    return new Promise((resolve, reject) => {
      const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
      const peer = new UdpPeer(socket, `${address}:${port}`);
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind(port, address, () => resolve(peer));
    });
  }

  private constructor(socket: UdpSocket, name: string) {
    this.#socket = socket;
    this.received = new Recorded(`UDP ${name}`);
    socket.on('message', (bytes) => this.received.push(bytes));
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(bytes: Uint8Array | string, to: { readonly host: string; readonly port: number }): void {
    this.#socket.send(bytes, to.port, to.host);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

/** A bare TCP or TLS connection. */
export class TcpPeer implements Stoppable {
  readonly received: Recorded<Buffer>;
  readonly closed: Promise<void>;
  readonly #socket: TcpSocket;

  static connect(to: { readonly host: string; readonly port: number }): Promise<TcpPeer> {
    return new Promise((resolve, reject) => {
      const socket = connect(to.port, to.host);
      socket.once('error', reject);
      socket.once('connect', () => resolve(new TcpPeer(socket, `${to.host}:${to.port}`)));
    });
  }

  /** `ca`: the file with the authority that the server's certificate must come from. */
  static connectTls(to: { readonly host: string; readonly port: number }, ca: string): Promise<TcpPeer> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ ...to, ca: readFileSync(ca) });
      socket.once('error', reject);
      socket.once('secureConnect', () => resolve(new TcpPeer(socket, `${to.host}:${to.port}`)));
    });
  }

  private constructor(socket: TcpSocket, name: string) {
    this.#socket = socket;
    this.received = new Recorded(`TCP ${name}`);
    socket.on('data', (bytes) => this.received.push(bytes));
    // a reset is a way of closing too
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.received.end(new Error(`the connection to ${name} is closed`));
        resolve();
      });
    });
  }

  send(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }
}

let sequence = 0;

/** A well-formed OPTIONS to the server itself, with rport: answered at the port it is sent from. */
export function optionsRequest(
  target: string,
  transport: 'UDP' | 'TCP' | 'TLS',
  headers: readonly string[] = [],
): { text: string; callId: string } {
  const callId = `options-${process.pid}-${++sequence}@tester.invalid`;
  const text = [
    `OPTIONS sip:${target} SIP/2.0`,
    `Via: SIP/2.0/${transport} tester.invalid;branch=z9hG4bK${callId.replace('@tester.invalid', '')};rport`,
    `From: <sip:tester@tester.invalid>;tag=t${sequence}`,
    `To: <sip:${target}>`,
    `Call-ID: ${callId}`,
    'CSeq: 1 OPTIONS',
    ...(headers.some((header) => header.startsWith('Max-Forwards')) ? [] : ['Max-Forwards: 70']),
    ...headers,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  return { text, callId };
}
