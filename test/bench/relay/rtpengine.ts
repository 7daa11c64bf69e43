import { createSocket } from 'node:dgram';
import { findProgram, Program } from '../rates/program.js';
import { ownPorts, type RelayedCall } from './relayed-call.js';

/** Debian's rtpengine in user space, without its kernel module, set up by its ng protocol: a cookie and a bencoded dictionary. */
export class Rtpengine {
  readonly program: Program;
  readonly #address: string;
  readonly #peer: string;
  readonly #ngPort: number;
  #open = 0;
  #asked = 0;

  constructor(options: {
    readonly address: string;
    readonly peer: string;
    readonly cpu: number;
    readonly ngPort?: number;
  }) {
    const { address, peer, cpu, ngPort = 22_222 } = options;
    const command = findProgram('rtpengine');
    if (command === undefined) throw new Error('rtpengine is needed: apt-get install rtpengine-daemon');
    this.#address = address;
    this.#peer = peer;
    this.#ngPort = ngPort;
    const args = [
      ...['--config-file=none', '--table=-1', `--interface=${address}`, `--listen-ng=${address}:${ngPort}`],
      ...['--port-min=20000', '--port-max=31998', '--num-threads=2', '--timeout=600', '--silent-timeout=600'],
      ...['--foreground', '--log-stderr', '--log-level=3', '--delete-delay=0'],
    ];
    this.program = new Program({ command, args, cpu, loud: false });
  }

  /** Waits until it answers. */
  async ready(): Promise<void> {
    for (let i = 0; i < 50; i++) {
      if (this.program.gone) throw new Error('rtpengine has ended');
      if ((await this.#ask('d7:command4:pinge')) !== undefined) return;
    }
    throw new Error('rtpengine does not answer');
  }

  /** Calls beyond those that are there, up to `wanted`. */
  async setUp(wanted: number): Promise<readonly RelayedCall[]> {
    const calls: RelayedCall[] = [];
    for (; this.#open < wanted; this.#open++) {
      const { ownA, ownB } = ownPorts(this.#open);
      const relayB = await this.#describe('offer', ownA, {});
      const relayA = await this.#describe('answer', ownB, { 'to-tag': 'b' });
      calls.push({ ownA, relayA, ownB, relayB });
    }
    return calls;
  }

  async #describe(command: string, port: number, more: Readonly<Record<string, string>>): Promise<number> {
    const sdp = `v=0\r\no=- ${port} 1 IN IP4 ${this.#peer}\r\ns=-\r\nc=IN IP4 ${this.#peer}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0 8\r\n`;
    const request = { 'call-id': `bench-${this.#open}`, command, 'from-tag': 'a', sdp, ...more };
    const answer = (await this.#ask(dictionary(request))) ?? '';
    const found = /m=audio (\d+)/.exec(answer)?.[1];
    if (found === undefined) throw new Error(`rtpengine: ${answer === '' ? 'no answer' : answer}`);
    return Number(found);
  }

  /** One question; undefined without an answer within a second. */
  #ask(body: string): Promise<string | undefined> {
    const socket = createSocket('udp4');
    return new Promise((resolve) => {
      const finish = (answer?: string): void => {
        clearTimeout(timer);
        socket.close();
        resolve(answer);
      };
      const timer = setTimeout(finish, 1_000);
      socket.once('message', (data) => finish(data.toString('latin1')));
      socket.once('error', () => finish());
      // It gives an old cookie its old answer.
      socket.send(`bench${++this.#asked} ${body}`, this.#ngPort, this.#address);
    });
  }
}

/** Bencode: keys in order. */
function dictionary(values: Readonly<Record<string, string>>): string {
  const text = (value: string): string => `${Buffer.byteLength(value)}:${value}`;
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return `d${entries.map(([key, value]) => text(key) + text(value)).join('')}e`;
}
