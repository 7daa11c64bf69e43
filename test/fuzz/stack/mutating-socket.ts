import type { UdpOptions, UdpSocket } from '../../../src/net/network.js';
import type { VirtualHost } from '../../../src/testing/virtual-host.js';

/** Every datagram that leaves `host` goes through `change`, which gives what is sent instead. */
export function tapUdp(host: VirtualHost, change: (data: Uint8Array) => Uint8Array): void {
  const open = host.openUdp.bind(host);
  host.openUdp = async (options: UdpOptions): Promise<UdpSocket> => {
    const socket = await open(options);
    return {
      get local() {
        return socket.local;
      },
      send: (data, to, onError) => socket.send(change(data), to, onError),
      close: () => socket.close(),
    };
  };
}
