import type { SocketAddress } from '../../src/base/ip.js';
import { parseSdp } from '../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../src/protocol/sdp/media.js';
import type { PhoneCall } from '../../src/testing/phone-call.js';
import type { World } from '../../src/testing/world.js';
import { RtpPhone } from '../media/session/studio.js';

/** The sockets that a virtual phone names in its description: what really comes there. Closed with the world. */
export async function rtpOf(world: World, call: PhoneCall): Promise<RtpPhone> {
  const local = addressIn(call.media.local);
  const host = world.network.hosts.find(({ addresses }) => addresses.includes(local.address));
  if (host === undefined) throw new Error(`no machine has ${local.address}`);
  return world.use(await RtpPhone.open(host, local, world));
}

/** Where the other side of a call wants its audio, as this phone was told last. */
export function targetOf(call: PhoneCall): SocketAddress {
  return addressIn(call.media.remote);
}

function addressIn(sdp: string | undefined): SocketAddress {
  const stream = sdp === undefined ? undefined : mediaSummary(parseSdp(sdp))[0];
  if (stream?.address === undefined) throw new Error('no audio was described');
  return { address: stream.address, port: stream.port };
}
