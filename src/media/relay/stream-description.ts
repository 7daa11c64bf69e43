import { ipVersion, isWildcardAddress, normalizeHost, type SocketAddress } from '../../base/ip.js';
import { attribute, type SdpCodec } from '../../protocol/sdp/attributes.js';
import type { SdpDirection } from '../../protocol/sdp/direction.js';
import { isRtp, type SdpStream } from '../../protocol/sdp/media.js';

/**
 * What can be done with a stream: `rtp`; `datagrams`: over UDP and not RTP, such as T.38 by UDPTL; `none`: refused (port 0), or over
 * TCP, which is not ours to relay.
 */
type StreamKind = 'rtp' | 'datagrams' | 'none';

/** What a leg has said of one of its streams, as far as a relay must know. */
export interface StreamDescription {
  readonly kind: StreamKind;
  /** Where it wants to receive; undefined where nothing can be sent: 0.0.0.0 (RFC 2543 hold), or a name instead of an address. */
  readonly rtp: SocketAddress | undefined;
  readonly rtcp: SocketAddress | undefined;
  readonly rtcpMux: boolean;
  readonly direction: SdpDirection;
  readonly codecs: readonly SdpCodec[];
}

/** What a relay must know of a stream (`mediaSummary`). */
export function streamDescription(stream: SdpStream): StreamDescription {
  const { rtcpMux, direction, codecs } = stream;
  const rtp = socketAddress(stream.address, stream.port);
  return { kind: kindOf(stream), rtp, rtcp: rtcpAddress(stream), rtcpMux, direction, codecs };
}

/** RFC 4571 puts RTP on TCP as well (`TCP/RTP/AVP`). */
function kindOf({ active, protocol }: SdpStream): StreamKind {
  const name = protocol.toUpperCase();
  if (!active || name.startsWith('TCP')) return 'none';
  if (isRtp(name)) return 'rtp';
  return name.startsWith('UDP') ? 'datagrams' : 'none';
}

/** RFC 3605: the port alone, or with an address of its own. */
function rtcpAddress(stream: SdpStream): SocketAddress | undefined {
  const fields = attribute(stream.section, 'rtcp')?.split(' ', 4);
  return socketAddress(fields?.[3] ?? stream.address, stream.rtcpPort);
}

function socketAddress(host: string | undefined, port: number): SocketAddress | undefined {
  if (host === undefined || port === 0) return undefined;
  const address = normalizeHost(host);
  return ipVersion(address) === 0 || isWildcardAddress(address) ? undefined : { address, port };
}
