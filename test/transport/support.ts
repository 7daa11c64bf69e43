import type { SocketAddress } from '../../src/base/ip.js';
import type { TcpConnection, UdpSocket } from '../../src/net/network.js';
import { createRequest, type SipRequest, type SipResponse } from '../../src/protocol/sip/message.js';
import type { Machine } from '../../src/testing/machine.js';
import type { World } from '../../src/testing/world.js';
import {
  type Hop,
  type ListenPoint,
  type MalformedMessage,
  type OutgoingRequest,
  type Source,
  type TransportError,
  TransportLayer,
  type TransportLayerOptions,
} from '../../src/transport/layer.js';

export const UDP_5060: ListenPoint = { protocol: 'udp', host: '0.0.0.0', port: 5060 };
export const TCP_5060: ListenPoint = { protocol: 'tcp', host: '0.0.0.0', port: 5060 };

/** A started transport layer with everything that came up from it. */
export interface Element {
  readonly layer: TransportLayer;
  readonly requests: { readonly request: SipRequest; readonly source: Source }[];
  readonly responses: { readonly response: SipResponse; readonly source: Source }[];
  readonly malformed: MalformedMessage[];
  readonly errors: TransportError[];
  send(request: SipRequest, hop: Hop): OutgoingRequest;
}

export async function element(
  world: World,
  machine: Machine,
  options: Partial<TransportLayerOptions> & { readonly answer?: (request: SipRequest, source: Source) => void } = {},
): Promise<Element> {
  const layer = world.use(new TransportLayer({ ...machine.ports, listen: [UDP_5060, TCP_5060], ...options }));
  const kept: Element = {
    layer,
    requests: [],
    responses: [],
    malformed: [],
    errors: [],
    send: (request, hop) => {
      const outgoing = layer.outgoing(request, hop, { onError: (error) => kept.errors.push(error) });
      outgoing.send();
      return outgoing;
    },
  };
  layer.handle({
    onRequest: (request, source) => {
      kept.requests.push({ request, source });
      options.answer?.(request, source);
    },
    onResponse: (response, source) => kept.responses.push({ response, source }),
  });
  layer.onMalformed((malformed) => kept.malformed.push(malformed));
  await world.run(() => layer.start());
  return kept;
}

let serial = 0;

/** A request as the transaction layer hands it down: the Via has only a branch. */
export function request(
  method = 'OPTIONS',
  options: { readonly bytes?: number; readonly branch?: string } = {},
): SipRequest {
  const branch = options.branch ?? `z9hG4bKtest${++serial}`;
  return createRequest({
    method,
    uri: 'sip:100@peer.example',
    headers: {
      Via: `SIP/2.0/UDP placeholder.invalid;branch=${branch}`,
      'Max-Forwards': '70',
      From: '<sip:tester@test.example>;tag=abc',
      To: '<sip:100@peer.example>',
      'Call-ID': `${branch}@test`,
      CSeq: `1 ${method}`,
    },
    body: 'x'.repeat(options.bytes ?? 0),
  });
}

/** A request as text from a peer that is not ours. */
export function wire(
  via: string,
  options: { readonly method?: string; readonly extra?: string; readonly drop?: string } = {},
): string {
  const method = options.method ?? 'OPTIONS';
  const lines = [
    `${method} sip:100@pbx.example SIP/2.0`,
    `Via: ${via}`,
    'Max-Forwards: 70',
    'From: <sip:peer@peer.example>;tag=1',
    'To: <sip:100@pbx.example>',
    `Call-ID: call-${++serial}`,
    `CSeq: 1 ${method}`,
    ...(options.extra === undefined ? [] : [options.extra]),
    'Content-Length: 0',
  ];
  return `${lines.filter((line) => options.drop === undefined || !line.startsWith(`${options.drop}:`)).join('\r\n')}\r\n\r\n`;
}

/** A bare UDP socket that keeps what it hears. */
export async function rawUdp(machine: Machine, local: SocketAddress) {
  const heard: { readonly text: string; readonly from: SocketAddress }[] = [];
  const socket: UdpSocket = await machine.host.openUdp({
    local,
    onMessage: (data, from) => heard.push({ text: Buffer.from(data).toString('latin1'), from }),
    onError: (error) => {
      throw error;
    },
  });
  return {
    socket,
    heard,
    send: (data: string | Uint8Array, to: SocketAddress) => socket.send(Buffer.from(data as string, 'latin1'), to),
  };
}

/** A bare TCP connection that keeps what it hears. */
export function rawTcp(connection: TcpConnection) {
  const state = { text: '', open: connection.isOpen, closed: false };
  connection.handle({
    onOpen: () => {
      state.open = true;
    },
    onData: (data) => {
      state.text += Buffer.from(data).toString('latin1');
    },
    onClose: () => {
      state.closed = true;
    },
  });
  return {
    connection,
    state,
    send: (text: string | Uint8Array) => connection.send(Buffer.from(text as string, 'latin1')),
  };
}

/** A bare TCP listener that keeps its connections. */
export async function rawListener(machine: Machine, local: SocketAddress) {
  const accepted: ReturnType<typeof rawTcp>[] = [];
  const listener = await machine.host.listenTcp({
    local,
    onConnection: (connection) => accepted.push(rawTcp(connection)),
    onError: (error) => {
      throw error;
    },
  });
  return { listener, accepted };
}
