import type { SocketAddress } from '../../src/base/ip.js';
import type { UdpSocket } from '../../src/net/network.js';
import type { World } from '../../src/testing/world.js';

export interface EdgeProxyOptions {
  readonly name?: string;
  readonly address: string;
  /** Default 5060. */
  readonly port?: number;
  /** The PBX behind it. Default `192.0.2.1:5060`. */
  readonly server?: SocketAddress;
}

/**
 * A stateless proxy over UDP between phones and the PBX (RFC 3261 §16.11), as an SBC-like edge stands there: it stays in
 * every dialog by Record-Route, in every registration by Path (RFC 3327), and names the phone's own socket in a token, so
 * that phones behind NAT are reached by it. Works on text: a peer must not share the faults of what it tests.
 */
export class EdgeProxy {
  readonly address: SocketAddress;
  readonly #server: SocketAddress;
  #socket: UdpSocket | undefined;

  private constructor(options: EdgeProxyOptions) {
    this.address = { address: options.address, port: options.port ?? 5060 };
    this.#server = options.server ?? { address: '192.0.2.1', port: 5060 };
  }

  /** Opens its socket; closed with the world. */
  static async open(world: World, options: EdgeProxyOptions): Promise<EdgeProxy> {
    const edge = new EdgeProxy(options);
    const machine = world.host(options.name ?? 'edge', options.address);
    edge.#socket = world.use(
      await world.run(() =>
        machine.ports.network.openUdp({
          local: edge.address,
          onMessage: (data, from) => edge.#onMessage(Buffer.from(data).toString('latin1'), from),
          onError: () => {},
        }),
      ),
    );
    return edge;
  }

  #onMessage(text: string, from: SocketAddress): void {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const [start = '', ...lines] = text.slice(0, end).split('\r\n');
    const headers = lines.flatMap(split);
    const rest = text.slice(end);
    if (start.startsWith('SIP/2.0 ')) this.#response(start, headers, rest);
    else this.#request(start, headers, rest, from);
  }

  #response(start: string, headers: Header[], rest: string): void {
    const own = headers.findIndex(({ name }) => name === 'via');
    headers.splice(own, 1);
    const next = headers.find(({ name }) => name === 'via');
    if (next === undefined) return;
    const [host, port] = sentBy(next.value);
    const received = param(next.value, 'received') ?? host;
    this.#send(start, headers, rest, { address: received, port: Number(param(next.value, 'rport') || port) });
  }

  #request(start: string, headers: Header[], rest: string, from: SocketAddress): void {
    const [method = '', uri = ''] = start.split(' ');
    const hops = headers.find(({ name }) => name === 'max-forwards');
    if (hops === undefined || Number(hops.value) === 0) return;
    hops.value = String(Number(hops.value) - 1);
    const top = headers.findIndex(({ name }) => name === 'via');
    const via = headers[top] as Header;
    via.value = `${via.value.replace(/;rport(?==|;|$)(=\d*)?/i, '')};received=${from.address};rport=${from.port}`;
    const fromServer = from.address === this.#server.address;
    const client = this.#popRoute(headers);
    const to = fromServer ? (client ?? addressOf(uri)) : this.#server;
    const branch = param(via.value, 'branch') ?? '';
    headers.splice(top, 0, { name: 'via', line: 'Via', value: `SIP/2.0/UDP ${this.#own};branch=${branch}e` });
    const stay = `<sip:${token(fromServer ? to : from)}@${this.#own};lr>`;
    if (method === 'REGISTER') {
      // The phones of the virtual world do not know Path; without the option tag the registrar refuses it (RFC 3327 §5.3).
      headers.push(
        { name: 'path', line: 'Path', value: stay },
        { name: 'supported', line: 'Supported', value: 'path' },
      );
    }
    if (method === 'INVITE') {
      const first = headers.findIndex(({ name }) => name === 'record-route');
      headers.splice(first < 0 ? headers.length : first, 0, {
        name: 'record-route',
        line: 'Record-Route',
        value: stay,
      });
    }
    this.#send(start, headers, rest, to);
  }

  /** Takes our own Route off: the phone that its token names. */
  #popRoute(headers: Header[]): SocketAddress | undefined {
    const index = headers.findIndex(({ name }) => name === 'route');
    const match = /^<sip:u([0-9a-f]+)@([^;>]+)/.exec(headers[index]?.value ?? '');
    if (match === null || match[2] !== this.#own) return undefined;
    headers.splice(index, 1);
    const [address = '', port] = Buffer.from(match[1] ?? '', 'hex')
      .toString()
      .split(' ');
    return { address, port: Number(port) };
  }

  get #own(): string {
    return `${this.address.address}:${this.address.port}`;
  }

  #send(start: string, headers: readonly Header[], rest: string, to: SocketAddress): void {
    const text = [start, ...headers.map(({ line, value }) => `${line}: ${value}`)].join('\r\n') + rest;
    this.#socket?.send(Buffer.from(text, 'latin1'), to);
  }
}

interface Header {
  readonly name: string;
  /** The name as it is written. */
  readonly line: string;
  value: string;
}

/** One header line; lists of those that a proxy works on are taken apart (no comma is quoted in what our peers send). */
function split(text: string): Header[] {
  const colon = text.indexOf(':');
  const line = text.slice(0, colon).trim();
  const name = line.toLowerCase() === 'v' ? 'via' : line.toLowerCase();
  const value = text.slice(colon + 1).trim();
  const list = name === 'via' || name === 'route' || name === 'record-route';
  return (list ? value.split(',') : [value]).map((each) => ({ name, line, value: each.trim() }));
}

function param(value: string, name: string): string | undefined {
  return new RegExp(`;\\s*${name}=([^;,\\s]*)`, 'i').exec(value)?.[1];
}

function sentBy(via: string): readonly [host: string, port: number] {
  const [, host = '', port = '5060'] = /^SIP\/2\.0\/\w+\s+(\[[^\]]+\]|[^:;\s]+)(?::(\d+))?/.exec(via) ?? [];
  return [host.replace(/^\[|\]$/g, ''), Number(port)];
}

function addressOf(uri: string): SocketAddress {
  const [, host = '', port = '5060'] = /^sips?:(?:[^@]*@)?(\[[^\]]+\]|[^:;>\s]+)(?::(\d+))?/.exec(uri) ?? [];
  return { address: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function token(socket: SocketAddress): string {
  return `u${Buffer.from(`${socket.address} ${socket.port}`).toString('hex')}`;
}
