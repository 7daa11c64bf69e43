import { formatAddress, type SocketAddress } from '../../src/base/ip.js';
import type { Network, TcpConnection, UdpSocket } from '../../src/net/network.js';

/** One SIP message as a program gave it to the network, or got it. */
export interface TappedMessage {
  readonly at: number;
  readonly direction: 'sent' | 'received';
  readonly protocol: 'udp' | 'tcp';
  /** Address and port of the other end. */
  readonly peer: string;
  readonly text: string;
  /** Which connection carries it; undefined for UDP. */
  readonly connection?: number;
}

/** A connection has ended, and the program knows. */
export interface LostConnection {
  readonly connection: number;
  /** False if it never came about: what was given to it has not left. */
  readonly opened: boolean;
}

/** Told of each message that a watched program sends or gets, and of connections that end. */
export interface TapListener {
  onMessage(message: TappedMessage): void;
  /** Before the program is told. */
  onLost(lost: LostConnection): void;
}

/** Connections of all taps, so that none has the number of another. */
let connections = 0;

/**
 * A network that shows each SIP message that crosses it, in the very order in which the program got and sent them: what
 * a trace, which knows times only, cannot tell of two messages of one moment.
 */
export function tapNetwork(network: Network, now: () => number, listener: TapListener): Network {
  const at = (peer: SocketAddress) => ({ at: now(), peer: formatAddress(peer) });
  const datagram = (direction: TappedMessage['direction'], data: Uint8Array, peer: SocketAddress): void => {
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1');
    if (text.trim() !== '') listener.onMessage({ ...at(peer), direction, protocol: 'udp', text });
  };
  const tapped = (connection: TcpConnection): TcpConnection => {
    const [sent, received] = [new Cutter(), new Cutter()];
    const number = ++connections;
    let opened = connection.isOpen;
    const tell = (direction: TappedMessage['direction'], text: string): void =>
      listener.onMessage({ ...at(connection.remote), direction, protocol: 'tcp', text, connection: number });
    return changed(connection, {
      handle: (handlers) =>
        connection.handle({
          ...handlers,
          onOpen: () => {
            opened = true;
            handlers.onOpen?.();
          },
          onClose: (error) => {
            listener.onLost({ connection: number, opened });
            handlers.onClose(error);
          },
          // Message by message, so that each is told before what it brings about.
          onData: (data) => {
            for (const { piece, text } of received.cut(data)) {
              if (text !== undefined) tell('received', text);
              handlers.onData(piece);
            }
          },
        }),
      send: (data) => {
        for (const { text } of sent.cut(data)) if (text !== undefined) tell('sent', text);
        connection.send(data);
      },
    });
  };
  return changed(network, {
    openUdp: async (options): Promise<UdpSocket> => {
      const socket = await network.openUdp({
        ...options,
        onMessage: (data, from) => {
          datagram('received', data, from);
          options.onMessage(data, from);
        },
      });
      return changed(socket, {
        send: (data, to, onError) => {
          datagram('sent', data, to);
          socket.send(data, to, onError);
        },
      });
    },
    listenTcp: (options) =>
      network.listenTcp({ ...options, onConnection: (connection) => options.onConnection(tapped(connection)) }),
    connectTcp: (options) => tapped(network.connectTcp(options)),
  });
}

/** `original` with some of its methods replaced; everything else it does itself. */
function changed<Thing extends object>(original: Thing, replaced: Partial<Thing>): Thing {
  return new Proxy(original, {
    get: (target, name) => {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Cuts a stream into messages by Content-Length, with eyes of its own. */
class Cutter {
  #buffer = '';

  /** The pieces of `data`, each with the message that it completes; the last one may complete none. */
  cut(data: Uint8Array): readonly { readonly piece: Uint8Array; readonly text: string | undefined }[] {
    const pieces: { readonly piece: Uint8Array; readonly text: string | undefined }[] = [];
    let begin = 0;
    this.#buffer += Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1');
    for (;;) {
      this.#buffer = this.#buffer.replace(/^(?:\r\n)+/, '');
      const whole = wholeLength(this.#buffer);
      if (whole === undefined) break;
      const text = this.#buffer.slice(0, whole);
      this.#buffer = this.#buffer.slice(whole);
      const end = data.length - this.#buffer.length;
      pieces.push({ piece: data.subarray(begin, end), text });
      begin = end;
    }
    if (begin < data.length) pieces.push({ piece: data.subarray(begin), text: undefined });
    return pieces;
  }
}

/** The length of the message that `buffer` begins with; undefined while it is not all there. */
function wholeLength(buffer: string): number | undefined {
  const end = buffer.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /^(?:content-length|l)[ \t]*:[ \t]*(\d+)/im.exec(buffer.slice(0, end))?.[1] ?? '0';
  const whole = end + 4 + Number(length);
  return buffer.length < whole ? undefined : whole;
}
