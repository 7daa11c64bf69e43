import { createSocket, type Socket } from 'node:dgram';

/** A record of the zone: the fields as a zone file has them. */
export type ZoneRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string; readonly ttl?: number }
  | { readonly type: 'CNAME'; readonly target: string; readonly ttl?: number }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
      readonly ttl?: number;
    }
  | {
      readonly type: 'NAPTR';
      readonly order: number;
      readonly preference: number;
      readonly flags: string;
      readonly service: string;
      readonly regexp?: string;
      readonly replacement: string;
      readonly ttl?: number;
    };

/** Names, lower case, without the last dot. */
export type Zone = Readonly<Record<string, readonly ZoneRecord[]>>;

/** What a liar sends before the answer: `address` under a wrong id, from another port, or without the question. */
export interface Spoof {
  readonly kind: 'wrong-id' | 'wrong-source' | 'no-question';
  readonly address: string;
}

const TYPES = { A: 1, CNAME: 5, AAAA: 28, SRV: 33, NAPTR: 35 } as const;
const NXDOMAIN = 3;
const SERVFAIL = 2;

/** A DNS server (RFC 1035) on a UDP port of the loopback interface that answers from a zone. */
export class DnsServer {
  /** Questions in their order: `SRV _sip._udp.office.example`. */
  readonly asked: string[] = [];
  zone: Zone = {};
  /** Names whose questions get SERVFAIL, or no answer at all. */
  broken = new Map<string, 'servfail' | 'silent'>();
  spoof: Spoof | undefined;
  readonly #socket: Socket;
  readonly #liar: Socket;

  static async start(zone: Zone = {}): Promise<DnsServer> {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
    await Promise.all(
      sockets.map((socket) => new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()))),
    );
    const server = new DnsServer(...sockets);
    server.zone = zone;
    return server;
  }

  private constructor(socket: Socket, liar: Socket) {
    this.#socket = socket;
    this.#liar = liar;
    socket.on('message', (query, from) => this.#onQuery(query, from.port));
  }

  /** For `new NodeNetwork({ dnsServers: [server.address] })`. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async stop(): Promise<void> {
    await Promise.all(
      [this.#socket, this.#liar].map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
    );
  }

  #onQuery(query: Buffer, port: number): void {
    const { name, type, end } = readQuestion(query);
    const text = Object.entries(TYPES).find(([, code]) => code === type)?.[0] ?? String(type);
    this.asked.push(`${text} ${name}`);
    const send = (message: Buffer, by = this.#socket): void => by.send(message, port, '127.0.0.1');
    if (this.spoof !== undefined && type === TYPES.A) {
      const { kind, address } = this.spoof;
      const lie = { query, end, rcode: 0, answers: [answer(name, { type: 'A', address })] };
      if (kind === 'wrong-id') {
        const message = response(lie);
        message.writeUInt16BE(query.readUInt16BE(0) ^ 0x5555, 0);
        send(message);
      } else if (kind === 'wrong-source') send(response(lie), this.#liar);
      else send(response({ ...lie, end: 12 }));
    }
    const failure = this.broken.get(name);
    if (failure === 'silent') return;
    const records = this.#records(name, type);
    const rcode = failure === 'servfail' ? SERVFAIL : records === undefined ? NXDOMAIN : 0;
    send(response({ query, end, rcode, answers: rcode === 0 ? (records ?? []) : [] }));
  }

  /** As a recursive server gives them: a CNAME, and what it leads to, as far as a few steps go. */
  #records(name: string, type: number): Buffer[] | undefined {
    const found: Buffer[] = [];
    let at = name;
    for (let step = 0; step < 8; step++) {
      const records = this.zone[at];
      if (records === undefined) return step === 0 ? undefined : found;
      for (const record of records) if (TYPES[record.type] === type) found.push(answer(at, record));
      const alias = records.find((record) => record.type === 'CNAME');
      if (alias?.type !== 'CNAME') break;
      found.push(answer(at, alias));
      at = alias.target;
    }
    return found;
  }
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** The header and question of the query, up to `end`, and the answers. */
function response(parts: { query: Buffer; end: number; rcode: number; answers: readonly Buffer[] }): Buffer {
  const { query, end, rcode, answers } = parts;
  const head = Buffer.alloc(12);
  head.writeUInt16BE(query.readUInt16BE(0), 0);
  head.writeUInt16BE(0x8180 | rcode, 2); // a response, recursion desired and available
  head.writeUInt16BE(end > 12 ? 1 : 0, 4);
  head.writeUInt16BE(answers.length, 6);
  return Buffer.concat([head, query.subarray(12, end), ...answers]);
}

function answer(name: string, record: ZoneRecord): Buffer {
  const data = dataOf(record);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(TYPES[record.type], 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(record.ttl ?? 60, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([domain(name), fixed, data]);
}

function dataOf(record: ZoneRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number));
    case 'AAAA':
      return ipv6(record.address);
    case 'CNAME':
      return domain(record.target);
    case 'SRV':
      return Buffer.concat([numbers(record.priority, record.weight, record.port), domain(record.target)]);
    case 'NAPTR':
      return Buffer.concat([
        numbers(record.order, record.preference),
        ...[record.flags, record.service, record.regexp ?? ''].map(characterString),
        domain(record.replacement),
      ]);
  }
}

function ipv6(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const groups = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const [front, back] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return numbers(...[...front, ...zeros, ...back].map((group) => Number.parseInt(group, 16)));
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, 2 * i);
  return bytes;
}

function characterString(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
}

/** Labels with their lengths, and the root. */
function domain(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.');
  return Buffer.concat([...labels.map(characterString), Buffer.from([0])]);
}
