import { afterEach, describe, expect, it } from 'vitest';
import type { SocketAddress } from '../../src/base/ip.js';
import { DnsError, ListenError } from '../../src/net/errors.js';
import type { TcpConnection, TcpHandlers } from '../../src/net/network.js';
import { NodeNetwork } from '../../src/net/node-network.js';

const network = new NodeNetwork();
const v4: SocketAddress = { address: '127.0.0.1', port: 0 };
const v6: SocketAddress = { address: '::1', port: 0 };
const hasIpv6 = network.localAddresses().includes('::1');
const families = [{ name: 'IPv4', local: v4 }, ...(hasIpv6 ? [{ name: 'IPv6', local: v6 }] : [])];
const unexpected = (error: Error): void => {
  throw error;
};
const text = (data: Uint8Array): string => Buffer.from(data).toString('latin1');

const undo: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

async function udp(local: SocketAddress, onError: (error: Error) => void = unexpected) {
  const waiting: ((message: { data: Uint8Array; from: SocketAddress }) => void)[] = [];
  const socket = await network.openUdp({
    local,
    onMessage: (data, from) => waiting.shift()?.({ data, from }),
    onError,
  });
  undo.push(() => socket.close());
  const next = () => new Promise<{ data: Uint8Array; from: SocketAddress }>((resolve) => waiting.push(resolve));
  return { socket, next };
}

/** Handlers that keep what comes and a promise for each thing worth waiting for. */
function recorder(connection: TcpConnection) {
  let received = '';
  let opened = (): void => {};
  let closed = (_error?: Error): void => {};
  let wanted: { length: number; resolve: (text: string) => void } | undefined;
  const open = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const close = new Promise<Error | undefined>((resolve) => {
    closed = resolve;
  });
  const handlers: TcpHandlers = {
    onOpen: () => opened(),
    onData: (data) => {
      received += text(data);
      if (wanted !== undefined && received.length >= wanted.length) wanted.resolve(received);
    },
    onClose: (error) => closed(error),
  };
  connection.handle(handlers);
  const receive = (length: number) =>
    new Promise<string>((resolve) => {
      if (received.length >= length) resolve(received);
      else wanted = { length, resolve };
    });
  return { connection, open, close, receive };
}

async function tcpPair(local: SocketAddress = v4) {
  let accept: (side: ReturnType<typeof recorder>) => void = () => {};
  const accepted = new Promise<ReturnType<typeof recorder>>((resolve) => {
    accept = resolve;
  });
  const listener = await network.listenTcp({ local, onConnection: (c) => accept(recorder(c)), onError: unexpected });
  undo.push(() => listener.close());
  const client = recorder(network.connectTcp({ remote: listener.local, timeoutMs: 5000 }));
  undo.push(() => client.connection.destroy());
  await client.open;
  const server = await accepted;
  undo.push(() => server.connection.destroy());
  return { listener, client, server };
}

describe('NodeNetwork: UDP', () => {
  it.each(families)('carries datagrams both ways over $name and tells who sent them', async ({ local }) => {
    const a = await udp(local);
    const b = await udp(local);
    expect(a.socket.local.port).toBeGreaterThan(0);
    const atB = b.next();
    a.socket.send(Buffer.from('question'), b.socket.local);
    const question = await atB;
    expect(text(question.data)).toBe('question');
    expect(question.from).toEqual(a.socket.local);
    const atA = a.next();
    b.socket.send(Buffer.from('answer'), question.from);
    expect(text((await atA).data)).toBe('answer');
  });

  it('a taken port is PBX_PORT_IN_USE with advice', async () => {
    const { socket } = await udp(v4);
    const { port } = socket.local;
    await expect(
      network.openUdp({ local: socket.local, onMessage: () => {}, onError: unexpected }),
    ).rejects.toMatchObject({
      name: 'ListenError',
      code: 'PBX_PORT_IN_USE',
      kind: 'transport',
      message: `udp://127.0.0.1:${port} is taken by another program; choose another port in \`listen\` or stop that program`,
    });
  });

  it('a foreign address is PBX_LISTEN_FAILED with advice', async () => {
    const local = { address: '192.0.2.77', port: 0 };
    const error = await network.openUdp({ local, onMessage: () => {}, onError: unexpected }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({
      code: 'PBX_LISTEN_FAILED',
      message: expect.stringContaining('no address of this machine'),
    });
  });

  it('a name instead of an address is refused', async () => {
    const local = { address: 'localhost', port: 0 };
    await expect(network.openUdp({ local, onMessage: () => {}, onError: unexpected })).rejects.toMatchObject({
      code: 'PBX_LISTEN_FAILED',
    });
  });

  it('send never throws: failures come to onError, the per-call one first', async () => {
    let told: (error: Error) => void = () => {};
    const { socket } = await udp(v4, (error) => told(error));
    const failure = (to: SocketAddress, data: Uint8Array = Buffer.from('x')) =>
      new Promise<Error>((resolve) => socket.send(data, to, resolve));
    expect((await failure({ address: '127.0.0.1', port: 0 })).message).toContain('Port');
    expect((await failure({ address: '127.0.0.1', port: 99_999 })).message).toContain('Port');
    expect((await failure({ address: '127.0.0.1', port: 9 }, Buffer.alloc(70_000))).message).toContain('EMSGSIZE');
    const bySocket = new Promise<Error>((resolve) => {
      told = resolve;
    });
    socket.send(Buffer.alloc(70_000), { address: '127.0.0.1', port: 9 });
    expect((await bySocket).message).toContain('EMSGSIZE');
    await socket.close();
    expect(await failure({ address: '127.0.0.1', port: 9 })).toBeInstanceOf(Error);
    socket.send(Buffer.from('x'), { address: '127.0.0.1', port: 9 }); // and nobody to tell
    await socket.close();
  });

  it('a closed port on the far side does not disturb the socket', async () => {
    const gone = await udp(v4);
    const target = gone.socket.local;
    await gone.socket.close();
    const a = await udp(v4);
    const b = await udp(v4);
    a.socket.send(Buffer.from('lost'), target);
    const atB = b.next();
    a.socket.send(Buffer.from('found'), b.socket.local);
    expect(text((await atB).data)).toBe('found');
  });

  it.runIf(hasIpv6)('an IPv6 socket leaves the IPv4 port free', async () => {
    const six = await udp({ address: '::', port: 0 });
    const four = await udp({ address: '0.0.0.0', port: six.socket.local.port });
    expect(four.socket.local.port).toBe(six.socket.local.port);
  });
});

describe('NodeNetwork: TCP', () => {
  it.each(families)('carries bytes both ways over $name; both ends know both addresses', async ({ local }) => {
    const { client, server, listener } = await tcpPair(local);
    expect(client.connection.remote).toEqual(listener.local);
    expect(server.connection.local).toEqual(listener.local);
    expect(server.connection.remote).toEqual(client.connection.local);
    client.connection.send(Buffer.from('ping'));
    expect(await server.receive(4)).toBe('ping');
    server.connection.send(Buffer.from('pong'));
    expect(await client.receive(4)).toBe('pong');
  });

  it('keeps what is sent before the connection is open, and end() sends it before it closes', async () => {
    let accept: (side: ReturnType<typeof recorder>) => void = () => {};
    const accepted = new Promise<ReturnType<typeof recorder>>((resolve) => {
      accept = resolve;
    });
    const listener = await network.listenTcp({
      local: v4,
      onConnection: (c) => accept(recorder(c)),
      onError: unexpected,
    });
    undo.push(() => listener.close());
    const client = recorder(network.connectTcp({ remote: listener.local, timeoutMs: 5000 }));
    expect(client.connection.isOpen).toBe(false);
    client.connection.send(Buffer.from('early'));
    expect(client.connection.queuedBytes).toBe(5);
    client.connection.end();
    const server = await accepted;
    expect(await server.receive(5)).toBe('early');
    expect(await server.close).toBeUndefined();
    expect(await client.close).toBeUndefined();
    client.connection.send(Buffer.from('late')); // to nobody, and nothing breaks
  });

  it('shows back-pressure: queuedBytes grows while the far end does not read', async () => {
    const { client, server } = await tcpPair();
    // More in one turn than the kernel's buffers hold: the far end cannot read before the turn is over.
    const chunk = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 32; i++) client.connection.send(chunk);
    expect(client.connection.queuedBytes).toBeGreaterThan(1024 * 1024);
    server.connection.destroy();
    expect(await client.close).toBeInstanceOf(Error);
    expect(client.connection.isOpen).toBe(false);
  });

  it('a refused connection and an impossible port come to onClose, after connectTcp has returned', async () => {
    const listener = await network.listenTcp({ local: v4, onConnection: () => {}, onError: unexpected });
    const remote = listener.local;
    await listener.close();
    const refused = recorder(network.connectTcp({ remote, timeoutMs: 5000 }));
    expect((await refused.close)?.message).toContain('ECONNREFUSED');
    const impossible = recorder(
      network.connectTcp({ remote: { address: '127.0.0.1', port: 70_000 }, timeoutMs: 5000 }),
    );
    expect(await impossible.close).toBeInstanceOf(Error);
    const foreign = recorder(network.connectTcp({ remote, localAddress: '192.0.2.77', timeoutMs: 5000 }));
    expect(await foreign.close).toBeInstanceOf(Error);
  });

  it('a closed listener frees its port while accepted connections live on', async () => {
    const { listener, client, server } = await tcpPair();
    await listener.close();
    const again = await network.listenTcp({ local: listener.local, onConnection: () => {}, onError: unexpected });
    await again.close();
    await again.close();
    server.connection.send(Buffer.from('alive'));
    expect(await client.receive(5)).toBe('alive');
  });

  it('a taken port is PBX_PORT_IN_USE, a foreign address PBX_LISTEN_FAILED', async () => {
    const { listener } = await tcpPair();
    const { port } = listener.local;
    const taken = network.listenTcp({ local: listener.local, onConnection: () => {}, onError: unexpected });
    await expect(taken).rejects.toMatchObject({
      code: 'PBX_PORT_IN_USE',
      message: `tcp://127.0.0.1:${port} is taken by another program; choose another port in \`listen\` or stop that program`,
    });
    const foreign = { address: '192.0.2.77', port: 0 };
    await expect(
      network.listenTcp({ local: foreign, onConnection: () => {}, onError: unexpected }),
    ).rejects.toMatchObject({ code: 'PBX_LISTEN_FAILED' });
  });
});

describe('NodeNetwork: names and addresses', () => {
  it('finds localhost by the hosts file, and IP literals without asking', async () => {
    const found = (await network.lookup('localhost')).map((each) => each.address);
    expect(found.every((address) => address === '127.0.0.1' || address === '::1')).toBe(true);
    expect(found.length).toBeGreaterThan(0);
    expect(await network.lookup('192.0.2.1')).toEqual([{ address: '192.0.2.1' }]);
    expect(await network.lookup('[2001:DB8:0::1]')).toEqual([{ address: '2001:db8::1' }]);
  });

  it('a text that cannot be a name is DNS_FAILED', async () => {
    await expect(network.lookup('no\0name')).rejects.toBeInstanceOf(DnsError);
    await expect(network.lookup(`${'a'.repeat(300)}.invalid`)).rejects.toMatchObject({ code: 'DNS_FAILED' });
  });

  it('an aborted look-up rejects at once with PBX_ABORTED', async () => {
    const controller = new AbortController();
    const waiting = network.lookup('localhost', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toMatchObject({ code: 'PBX_ABORTED' });
    await expect(network.lookup('localhost', { signal: controller.signal })).rejects.toMatchObject({
      code: 'PBX_ABORTED',
    });
  });

  it('lists the interface addresses, loopback included, link-local IPv6 left out', () => {
    const addresses = network.localAddresses();
    expect(addresses).toContain('127.0.0.1');
    expect(addresses.filter((address) => address.startsWith('fe8'))).toEqual([]);
    expect(new Set(addresses).size).toBe(addresses.length);
  });

  it('asks the routes for the address that a destination is reached from, and says nothing of what is no address', () => {
    expect(network.sourceAddressFor('127.0.0.53')).toBe('127.0.0.1');
    if (hasIpv6) expect(network.sourceAddressFor('[::1]')).toBe('::1');
    for (const text of ['name.example', '', '0.0.0.0', '::']) expect(network.sourceAddressFor(text)).toBeUndefined();
    // What it names is ours, wherever the default route leads to, if there is one.
    const outside = network.sourceAddressFor('198.51.100.1');
    if (outside !== undefined) expect(network.localAddresses()).toContain(outside);
  });
});
