import type { SocketAddress } from '../../../src/base/ip.js';
import {
  type Bencoded,
  type BencodedDictionary,
  decodeBencode,
  encodeBencode,
} from '../../../src/media/rtpengine/bencode.js';
import type { UdpSocket } from '../../../src/net/network.js';
import { parseSdp } from '../../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../../src/protocol/sdp/media.js';
import type { Machine } from '../../../src/testing/machine.js';

/** What one tag of a call has received in its first stream. */
export interface FakeCounts {
  packets: number;
  bytes: number;
  errors: number;
}

interface FakeCall {
  readonly ports: Map<string, number>;
  readonly counts: Map<string, FakeCounts>;
}

/** A command as it came in. */
export interface Command {
  readonly cookie: string;
  readonly name: string;
  readonly fields: BencodedDictionary;
}

/** What takes the place of the real answer: bytes behind the cookie and its space, or nothing at all. */
export type Misbehaviour = (command: Command) => Uint8Array | 'silence' | undefined;

/**
 * The signalling side of one rtpengine on a virtual machine: it keeps calls, tags and ports as the real one does, answers a
 * retransmission from its memory, and counts what a test says was received. Media it has none.
 */
export class FakeRtpEngine {
  readonly local: SocketAddress;
  /** Each once, retransmissions not counted. */
  readonly commands: Command[] = [];
  /** Datagrams that came in. */
  datagrams = 0;
  misbehave: Misbehaviour = () => undefined;
  /** Where everybody's packets come from. */
  source: SocketAddress = { address: '192.0.2.77', port: 4000 };
  /** How long an answer takes, in milliseconds. */
  delayMs = 0;
  readonly #machine: Machine;
  readonly #answers = new Map<string, Uint8Array | 'silence'>();
  readonly #calls = new Map<string, FakeCall>();
  #socket: UdpSocket | undefined;
  #nextPort = 30_000;

  constructor(machine: Machine, address: string, port = 2223) {
    this.#machine = machine;
    this.local = { address, port };
  }

  get url(): string {
    return `udp://${this.local.address}:${this.local.port}`;
  }

  async start(): Promise<this> {
    this.#socket = await this.#machine.ports.network.openUdp({
      local: this.local,
      onMessage: (data, from) => this.#receive(data, from),
      onError: (error) => {
        throw error;
      },
    });
    return this;
  }

  /** Call ids that it has. */
  get calls(): readonly string[] {
    return [...this.#calls.keys()];
  }

  named(name: string): readonly Command[] {
    return this.commands.filter((command) => command.name === name);
  }

  /** A restart: all is forgotten. */
  forget(): void {
    this.#calls.clear();
  }

  /** What the first stream of a leg has received, to be changed by a test. */
  counts(legId: string): FakeCounts {
    for (const call of this.#calls.values()) {
      const found = call.counts.get(legId);
      if (found !== undefined) return found;
    }
    throw new Error(`no call has a leg ${legId}`);
  }

  #receive(data: Uint8Array, from: SocketAddress): void {
    this.datagrams++;
    const text = Buffer.from(data);
    const space = text.indexOf(' ');
    const cookie = text.toString('latin1', 0, space);
    let answer = this.#answers.get(cookie);
    if (answer === undefined) {
      answer = this.#handle(cookie, text.subarray(space + 1));
      this.#answers.set(cookie, answer);
    }
    if (answer === 'silence') return;
    const datagram = Buffer.concat([Buffer.from(`${cookie} `), answer]);
    this.#machine.ports.scheduler.after(this.delayMs, () => this.#socket?.send(datagram, from));
  }

  #handle(cookie: string, body: Uint8Array): Uint8Array | 'silence' {
    const fields = decodeBencode(body);
    if (!(fields instanceof Map)) throw new Error(`not bencode: ${Buffer.from(body).toString()}`);
    const command = { cookie, name: String(fields.get('command')), fields };
    this.commands.push(command);
    return this.misbehave(command) ?? encodeBencode(this.#obey(command));
  }

  #obey({ name, fields }: Command): Bencoded {
    const id = String(fields.get('call-id'));
    const known = this.#calls.get(id);
    switch (name) {
      case 'ping':
        return new Map([['result', 'pong']]);
      case 'offer': {
        const call = known ?? { ports: new Map(), counts: new Map() };
        this.#calls.set(id, call);
        return this.#rewritten(call, fields, String(fields.get('to-tag')), String(fields.get('from-tag')));
      }
      case 'answer':
        if (known === undefined) return failure('Unknown call-id');
        return this.#rewritten(known, fields, String(fields.get('from-tag')), String(fields.get('to-tag')));
      case 'query':
        return known === undefined ? failure('Unknown call-id') : statistics(known, this.source);
      case 'delete':
        this.#calls.delete(id);
        return known === undefined
          ? new Map([
              ['result', 'ok'],
              ['warning', 'Call-ID not found'],
            ])
          : statistics(known, this.source);
      default:
        return failure('Unrecognized command');
    }
  }

  /** The description for the leg `towards`, with a port for each stream that stays. */
  #rewritten(call: FakeCall, fields: BencodedDictionary, towards: string, from: string): Bencoded {
    for (const leg of [towards, from])
      if (!call.counts.has(leg)) call.counts.set(leg, { packets: 0, bytes: 0, errors: 0 });
    const { address } = this.local;
    const version = address.includes(':') ? 6 : 4;
    const lines = ['v=0', `o=- 1 1 IN IP${version} ${address}`, 's=-', `c=IN IP${version} ${address}`, 't=0 0'];
    for (const stream of mediaSummary(parseSdp(String(fields.get('sdp'))))) {
      const key = `${towards} ${stream.index}`;
      const port = call.ports.get(key) ?? this.#nextPort;
      if (port === this.#nextPort) this.#nextPort += 2;
      call.ports.set(key, port);
      lines.push(`m=${stream.type} ${stream.active ? port : 0} ${stream.protocol} ${stream.formats.join(' ')}`);
    }
    return new Map([
      ['sdp', `${lines.join('\r\n')}\r\n`],
      ['result', 'ok'],
    ]);
  }
}

function failure(reason: string): Bencoded {
  return new Map([
    ['result', 'error'],
    ['error-reason', reason],
  ]);
}

function statistics(call: FakeCall, source: SocketAddress): Bencoded {
  const tags = [...call.counts].map(([tag, { packets, bytes, errors }]): readonly [string, Bencoded] => [
    tag,
    dictionary({
      tag,
      medias: [
        dictionary({
          index: 1,
          streams: [
            dictionary({
              endpoint: dictionary({ family: 'IPv4', ...source }),
              flags: ['RTP', 'filled'],
              stats: dictionary({ packets, bytes, errors }),
            }),
          ],
        }),
      ],
    }),
  ]);
  return dictionary({ created: 1, tags: new Map(tags), SSRC: new Map(), result: 'ok' });
}

function dictionary(fields: Readonly<Record<string, Bencoded>>): BencodedDictionary {
  return new Map(Object.entries(fields));
}
