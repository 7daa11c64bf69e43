import { ipVersion, isWildcardAddress, type SocketAddress } from '../../base/ip.js';
import { attribute } from '../../protocol/sdp/attributes.js';
import { closeLines } from '../../protocol/sdp/edit.js';
import { connectionTo, formatConnection } from '../../protocol/sdp/fields.js';
import type { Sdp, SdpLine, SdpSection } from '../../protocol/sdp/lines.js';
import { mediaSummary, type SdpStream, sessionConnection } from '../../protocol/sdp/media.js';

/** Where we receive a stream, as the peer shall know it. */
export interface StreamPlace {
  readonly rtp: SocketAddress;
  readonly rtcp: SocketAddress;
}

/**
 * The description with the places of a relay in it: `m=` ports, `c=` addresses and `a=rtcp` (RFC 3605) of each stream that has a place.
 * What would lead past the relay goes: the attributes of ICE (RFC 8839 §5), and BUNDLE groups (RFC 9143), because each stream has ports
 * of its own here. All else stays as it is, byte for byte: formats, keys (`a=crypto`), fingerprints, `a=rtcp-mux`, the `o=` line.
 * `streams`: the description's own, where they have been read already. A stream on hold by 0.0.0.0 (RFC 3264 §8.4) stays on hold.
 */
export function relayedSdp(
  sdp: Sdp,
  places: readonly (StreamPlace | undefined)[],
  streams: readonly SdpStream[] = mediaSummary(sdp),
): Sdp {
  const connections = streams.map((stream, i) => connectionOf(sdp, stream, places[i]));
  const shared = sharedConnection(sdp, streams, connections, places);
  const end = sdp.session.lines[0]?.end === '\n' ? '\n' : '\r\n';
  const session: SdpSection = {
    lines: sdp.session.lines
      .filter((line) => !leadsPast(line))
      .map((line) => (line.type === 'c' && shared !== undefined ? { ...line, value: shared } : line)),
  };
  const media = streams.map((stream, i) => {
    const kept = { lines: stream.section.lines.filter((line) => !leadsPast(line)) };
    const placed = withPlace(kept, stream, places[i], end);
    return withOwnConnection(placed, connections[i], shared, end);
  });
  return closeLines({ ...sdp, session, media });
}

function leadsPast({ type, value }: SdpLine): boolean {
  if (type !== 'a') return false;
  return (
    value.startsWith('ice-') ||
    value.startsWith('candidate:') ||
    value.startsWith('remote-candidates:') ||
    value === 'end-of-candidates' ||
    value === 'bundle-only' ||
    value.startsWith('group:BUNDLE')
  );
}

/** What the `c=` that counts for a stream must say; undefined where it does not matter: the stream is refused. */
function connectionOf(sdp: Sdp, stream: SdpStream, place: StreamPlace | undefined): string | undefined {
  if (place === undefined) {
    return stream.active && stream.connection !== undefined ? formatConnection(stream.connection) : undefined;
  }
  const { address } = place.rtp;
  if (!isHeldByAddress(sdp, stream)) return formatConnection(connectionTo(address));
  return formatConnection(connectionTo(ipVersion(address) === 6 ? '::' : '0.0.0.0'));
}

/** Before its candidates are known a WebRTC offer names 0.0.0.0, too, and means no hold (RFC 8840). */
function isHeldByAddress(sdp: Sdp, stream: SdpStream): boolean {
  const ice = attribute(stream.section, 'ice-ufrag') ?? attribute(sdp.session, 'ice-ufrag');
  return ice === undefined && stream.address !== undefined && isWildcardAddress(stream.address);
}

/** The session's `c=`: that of the first relayed stream that has none of its own, else of the first relayed one. */
function sharedConnection(
  sdp: Sdp,
  streams: readonly SdpStream[],
  connections: readonly (string | undefined)[],
  places: readonly (StreamPlace | undefined)[],
): string | undefined {
  const own = sessionConnection(sdp);
  if (own === undefined) return undefined;
  const leaning = streams.findIndex((stream, i) => places[i] !== undefined && !hasConnection(stream.section));
  const first = leaning >= 0 ? leaning : places.findIndex((place) => place !== undefined);
  return connections[first] ?? formatConnection(own);
}

function hasConnection(section: SdpSection): boolean {
  return section.lines.some((line) => line.type === 'c');
}

/** The port of the `m=` line, and `a=rtcp` where there is one or where RTCP is not on the next port. */
function withPlace(section: SdpSection, stream: SdpStream, place: StreamPlace | undefined, end: string): SdpSection {
  if (place === undefined) return section;
  const { rtp, rtcp } = place;
  const onRtpPort = stream.rtcpMux && stream.rtcpPort === stream.port;
  let told = false;
  const lines = section.lines.map((line, i) => {
    if (i === 0) return { ...line, value: withPort(line.value, rtp.port) };
    if (line.type !== 'a' || !line.value.startsWith('rtcp:')) return line;
    told = true;
    return { ...line, value: rtcpAttribute(onRtpPort ? rtp : rtcp, line.value.includes(' ')) };
  });
  const elsewhere = rtcp.address !== rtp.address;
  if (!told && !stream.rtcpMux && (elsewhere || rtcp.port !== rtp.port + 1)) {
    lines.push({ type: 'a', value: rtcpAttribute(rtcp, elsewhere), end });
  }
  return { lines };
}

function rtcpAttribute(at: SocketAddress, withAddress: boolean): string {
  return withAddress ? `rtcp:${at.port} ${formatConnection(connectionTo(at.address))}` : `rtcp:${at.port}`;
}

/** One port: of a range (`49170/2`) only the first is relayed. */
function withPort(mediaLine: string, port: number): string {
  const before = mediaLine.indexOf(' ');
  const after = mediaLine.indexOf(' ', before + 1);
  return `${mediaLine.slice(0, before)} ${port}${mediaLine.slice(after)}`;
}

/** A stream has a `c=` of its own where it had one, or where the session's does not say the same. */
function withOwnConnection(
  section: SdpSection,
  connection: string | undefined,
  shared: string | undefined,
  end: string,
): SdpSection {
  if (connection === undefined) return section;
  const place = section.lines.findIndex((line) => line.type === 'c');
  if (place >= 0) {
    const lines = section.lines.filter((line, i) => line.type !== 'c' || i === place);
    return { lines: lines.map((line) => (line.type === 'c' ? { ...line, value: connection } : line)) };
  }
  if (connection === shared) return section;
  // RFC 8866 §5: behind m= and i=.
  const at = section.lines.findIndex((line, i) => i > 0 && line.type !== 'i');
  const lines = [...section.lines];
  lines.splice(at < 0 ? lines.length : at, 0, { type: 'c', value: connection, end });
  return { lines };
}
