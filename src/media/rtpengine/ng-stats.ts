import { ipVersion, normalizeHost, type SocketAddress } from '../../base/ip.js';
import type { StreamStats } from '../media-stats.js';
import type { Bencoded, BencodedDictionary } from './bencode.js';

/** The answer's word for the stream of one m= line that carries RTP; its RTCP, where separate, is another. */
const RTP_FLAG = 'RTP';

/**
 * What an answer to `query` or `delete` tells of a pair of legs, in our terms. rtpengine 10.5 counts what came in, thrown away
 * packets included, and says how many it threw away. It does not itself look for gaps: `packetsLost` and `jitterMs` are what
 * the receiving party reports of this source by RTCP, and 0 without such reports. What cannot be read is left out.
 */
export function readStats(answer: BencodedDictionary, legs: readonly [string, string]): readonly StreamStats[] {
  const tags = dictionary(answer.get('tags'));
  const reports = dictionary(answer.get('SSRC'));
  const read: StreamStats[] = [];
  for (const [index, legId] of legs.entries()) {
    const toLeg = legs[1 - index] ?? '';
    for (const media of dictionaries(dictionary(tags?.get(legId))?.get('medias'))) {
      const stream = rtpStream(media);
      const number = whole(media.get('index'));
      if (stream === undefined || number < 1) continue;
      read.push({ legId, toLeg, stream: number - 1, ...counts(stream), ...reported(stream, reports) });
    }
  }
  return read;
}

/** The first one that is said to carry RTP, else the first: fax has only one. */
function rtpStream(media: BencodedDictionary): BencodedDictionary | undefined {
  const streams = dictionaries(media.get('streams'));
  return streams.find((stream) => list(stream.get('flags')).includes(RTP_FLAG)) ?? streams[0];
}

function counts(
  stream: BencodedDictionary,
): Pick<StreamStats, 'packetsReceived' | 'bytesReceived' | 'packetsDropped' | 'source'> {
  const stats = dictionary(stream.get('stats'));
  const seen = whole(stats?.get('packets'));
  const packetsDropped = Math.min(seen, whole(stats?.get('errors')));
  const packetsReceived = seen - packetsDropped;
  const source = packetsReceived > 0 ? endpoint(dictionary(stream.get('endpoint'))) : undefined;
  return {
    packetsReceived,
    bytesReceived: whole(stats?.get('bytes')),
    packetsDropped,
    ...(source === undefined ? {} : { source }),
  };
}

function endpoint(value: BencodedDictionary | undefined): SocketAddress | undefined {
  const address = value?.get('address');
  const port = whole(value?.get('port'));
  if (typeof address !== 'string' || ipVersion(address) === 0 || port < 1 || port > 65_535) return undefined;
  return { address: normalizeHost(address), port };
}

function reported(
  stream: BencodedDictionary,
  reports: BencodedDictionary | undefined,
): Pick<StreamStats, 'packetsLost' | 'jitterMs'> {
  const report = dictionary(reports?.get(String(stream.get('SSRC'))));
  return {
    packetsLost: whole(report?.get('cumulative loss')),
    jitterMs: whole(dictionary(report?.get('average MOS'))?.get('jitter')),
  };
}

function dictionary(value: Bencoded | undefined): BencodedDictionary | undefined {
  return value instanceof Map ? value : undefined;
}

function list(value: Bencoded | undefined): readonly Bencoded[] {
  return Array.isArray(value) ? value : [];
}

function dictionaries(value: Bencoded | undefined): readonly BencodedDictionary[] {
  return list(value).flatMap((each) => dictionary(each) ?? []);
}

/** Not negative; 0 for what is no number. */
function whole(value: Bencoded | undefined): number {
  return typeof value === 'number' ? Math.max(0, value) : 0;
}
