import { createSocket } from 'node:dgram';
import { ipVersion, isWildcardAddress, normalizeHost } from '../base/ip.js';

/** Nothing is sent there; connecting a UDP socket only asks for the route. */
const DISCARD_PORT = 9;

/**
 * The address of this machine from which the system sends to `destination`, by its routes: what a UDP socket is bound to when it is
 * connected there. Undefined for what is no address, where no route leads, or where the system does not say at once.
 */
export function nodeSourceAddress(destination: string): string | undefined {
  const host = normalizeHost(destination);
  const version = ipVersion(host);
  if (version === 0 || isWildcardAddress(host)) return undefined;
  const socket = createSocket({
    type: version === 6 ? 'udp6' : 'udp4',
    // An address needs no name service, and without one the socket is connected when `connect` returns.
    lookup: (address, _options, done) => done(null, address, version),
  });
  socket.on('error', () => {});
  try {
    socket.connect(DISCARD_PORT, host);
    const { address } = socket.address();
    return isWildcardAddress(address) ? undefined : normalizeHost(address);
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}
