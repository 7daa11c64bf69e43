import { ipVersion, isWildcardAddress } from '../../base/ip.js';
import { withAttribute, withConnection, withMediaLine, withOrigin } from '../../protocol/sdp/edit.js';
import { parseSdp, type Sdp, type SdpSection } from '../../protocol/sdp/lines.js';
import { isRtp, mediaSummary, originOf, type SdpStream } from '../../protocol/sdp/media.js';
import { mediaAddress } from './reach.js';

/** ICE would lead the media past whoever relays it (RFC 8839 §5). */
const ICE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'candidate',
  'end-of-candidates',
  'ice-lite',
  'ice-mismatch',
  'ice-options',
  'ice-pacing',
  'ice-pwd',
  'ice-ufrag',
  'remote-candidates',
]);

/** Whether a stream is in use and one that rtpengine can carry: RTP, or fax over UDP (T.38). */
function isCarried(stream: SdpStream): boolean {
  return stream.active && (isRtp(stream.protocol) || stream.protocol.toLowerCase() === 'udptl');
}

/** Whether there is anything for rtpengine to do. */
export function hasCarriedStreams(sdp: Sdp): boolean {
  return mediaSummary(sdp).some(isCarried);
}

/**
 * What rtpengine is told of a description: addresses, ports, formats and directions, and every profile as plain RTP. It rewrites
 * what it is given by rules of its own (keys, directions, attributes that it does not know), so it is given only what it needs;
 * its ports then go into the description as the party wrote it (`graft`). Streams that it cannot carry are refused ones to it.
 * `portShift`: see `SourceGuard`.
 */
export function engineView(sdp: Sdp, fromAddress: string | undefined, portShift: number): string {
  const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 0.0.0.0', 't=0 0'];
  for (const stream of mediaSummary(sdp))
    lines.push(...(isCarried(stream) ? carried(stream, fromAddress, portShift) : ['m=audio 0 RTP/AVP 0']));
  return `${lines.join('\r\n')}\r\n`;
}

function carried(stream: SdpStream, fromAddress: string | undefined, portShift: number): string[] {
  const port = stream.port + (stream.port + portShift < 65_535 ? portShift : -portShift);
  const address = mediaAddress(stream.address, fromAddress);
  const rtp = isRtp(stream.protocol);
  const rtcp = stream.rtcpMux || stream.rtcpPort === stream.port + 1 ? [] : [`a=rtcp:${stream.rtcpPort}`];
  return [
    `m=${stream.type} ${port} ${rtp ? 'RTP/AVP' : 'udptl'} ${stream.formats.join(' ')}`,
    `c=IN IP${ipVersion(address)} ${address}`,
    ...stream.codecs.map(
      ({ payloadType, name, clockRate, channels }) =>
        `a=rtpmap:${payloadType} ${name}/${clockRate}${channels > 1 ? `/${channels}` : ''}`,
    ),
    ...(rtp ? rtcp : []),
    ...(stream.rtcpMux ? ['a=rtcp-mux'] : []),
    `a=${stream.direction}`,
  ];
}

/**
 * The description as the other party is to see it: as it was written, with the ports and addresses of rtpengine's answer and
 * without ICE. A stream that is held by the address 0.0.0.0 keeps that address (RFC 3264 §8.4).
 * @returns undefined when the answer does not fit the description
 */
export function graft(sdp: Sdp, engineText: string): Sdp | undefined {
  let engine: readonly SdpStream[];
  try {
    engine = mediaSummary(parseSdp(engineText));
  } catch {
    return undefined;
  }
  const streams = mediaSummary(sdp);
  const targets = streams.map((stream, index) => (isCarried(stream) ? targetOf(stream, engine[index]) : 'untouched'));
  const [relayed] = targets.flatMap((target) => (target === 'untouched' || target === undefined ? [] : [target]));
  if (targets.includes(undefined) || relayed === undefined) return undefined;
  const main = relayed.address;
  let result = withConnection(withoutIce(sdp), main);
  for (const [index, stream] of streams.entries()) {
    const target = targets[index];
    if (target === 'untouched' || target === undefined) {
      const { active, connection } = stream;
      if (active && connection !== undefined && connection.address !== main)
        result = withConnection(result, connection, index);
      continue;
    }
    result = withMediaLine(result, index, { port: target.port, portCount: 1 });
    if (target.address !== main) result = withConnection(result, target.address, index);
    const says = stream.section.lines.some(({ type, value }) => type === 'a' && value.startsWith('rtcp:'));
    const implied = isRtp(stream.protocol) && (stream.rtcpMux || target.rtcpPort === target.port + 1);
    if (says || (isRtp(stream.protocol) && !implied))
      result = withAttribute(result, index, 'rtcp', String(target.rtcpPort));
  }
  const shown = isWildcardAddress(main) ? '127.0.0.1' : main;
  return withOrigin(result, { ...originOf(sdp), netType: 'IN', addressType: `IP${ipVersion(shown)}`, address: shown });
}

interface Target {
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
}

function targetOf(stream: SdpStream, offered: SdpStream | undefined): Target | undefined {
  if (offered === undefined || !offered.active || offered.address === undefined || ipVersion(offered.address) === 0)
    return undefined;
  const held = stream.address !== undefined && isWildcardAddress(stream.address);
  return {
    address: held && stream.address !== undefined ? stream.address : offered.address,
    port: offered.port,
    rtcpPort: offered.rtcpPort,
  };
}

/** Without the attributes by which two parties would find a way past the relay. */
export function withoutIce(sdp: Sdp): Sdp {
  const strip = (section: SdpSection): SdpSection => ({
    lines: section.lines.filter(({ type, value }) => type !== 'a' || !ICE_ATTRIBUTES.has(value.split(':', 1)[0] ?? '')),
  });
  return { ...sdp, session: strip(sdp.session), media: sdp.media.map(strip) };
}
