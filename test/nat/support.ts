import type { SocketAddress } from '../../src/base/ip.js';
import { StunServer, type StunServerOptions } from '../../src/nat/stun-server.js';
import type { UdpSocket } from '../../src/net/network.js';
import type { Machine } from '../../src/testing/machine.js';
import type { World } from '../../src/testing/world.js';

/** A UDP socket of a machine, with what came to it. */
export interface Ear {
  readonly socket: UdpSocket;
  readonly heard: { readonly data: Uint8Array; readonly from: SocketAddress }[];
  send(data: Uint8Array, to: SocketAddress): void;
}

export async function ear(world: World, machine: Machine, address = machine.host.addresses[0] ?? ''): Promise<Ear> {
  const heard: Ear['heard'] = [];
  const socket = await machine.ports.network.openUdp({
    local: { address, port: 0 },
    onMessage: (data, from) => heard.push({ data, from }),
    onError: () => {},
  });
  world.use(socket);
  return { socket, heard, send: (data, to) => socket.send(data, to) };
}

/** A STUN server that listens on all of its machine. */
export async function stunServer(
  world: World,
  machine: Machine,
  options: Partial<StunServerOptions> = {},
): Promise<StunServer> {
  const server = world.use(new StunServer({ ...machine.ports, listen: ['udp://0.0.0.0:3478'], ...options }), machine);
  await world.run(() => server.start());
  return server;
}
