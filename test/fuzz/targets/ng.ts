import { isDeepStrictEqual } from 'node:util';
import { type Bencoded, decodeBencode, encodeBencode } from '../../../src/media/rtpengine/bencode.js';
import { engineView, graft } from '../../../src/media/rtpengine/description.js';
import { readStats } from '../../../src/media/rtpengine/ng-stats.js';
import { parseSdp, printSdp } from '../../../src/protocol/sdp/lines.js';
import { SDP } from '../input/sip-seeds.js';
import { type FuzzTarget, hold } from './target.js';

function dictionary(entries: Readonly<Record<string, Bencoded>>): Bencoded {
  return new Map(Object.entries(entries));
}

const OFFER = parseSdp(SDP);
const LEGS = ['a', 'b1'] as const;

const STREAM = dictionary({
  'local port': 30_000,
  endpoint: dictionary({ family: 'IPv4', address: '192.0.2.77', port: 4000 }),
  flags: ['RTP', 'filled'],
  stats: dictionary({ packets: 100, bytes: 16_000, errors: 3 }),
  SSRC: 12_345,
});
const STATS = dictionary({
  result: 'ok',
  created: 1_700_000_000,
  SSRC: dictionary({
    '12345': dictionary({ 'cumulative loss': 4, 'average MOS': dictionary({ MOS: 43, jitter: 2 }) }),
  }),
  tags: dictionary({
    a: dictionary({
      tag: 'a',
      medias: [dictionary({ index: 1, type: 'audio', protocol: 'RTP/AVP', streams: [STREAM] })],
    }),
    b1: dictionary({ tag: 'b1', medias: [dictionary({ index: 1, streams: [STREAM, STREAM] })] }),
  }),
  totals: dictionary({ RTP: dictionary({ packets: 200 }) }),
});

const SEEDS = [
  encodeBencode(STATS),
  encodeBencode(dictionary({ result: 'ok', sdp: engineView(OFFER, '192.0.2.101', 0) })),
  encodeBencode(dictionary({ result: 'error', 'error-reason': 'Unknown call-id' })),
  encodeBencode(dictionary({ result: 'pong' })),
];

const WORDS = [
  'd',
  'l',
  'e',
  'i0e',
  'i-1e',
  'i9007199254740993e',
  '0:',
  '99999999999:',
  '6:result',
  '2:ok',
  '4:tags',
  '-1:',
  'lllllllllllllllll',
  '9:__proto__',
].map((text) => Buffer.from(text));

/** Answers of rtpengine: read or refused, the same when written again; numbers that can be, and descriptions that can be read. */
export const ngTarget: FuzzTarget = {
  name: 'ng',
  share: 30,
  material: { seeds: SEEDS, words: WORDS, lines: false },
  check(input) {
    const answer = decodeBencode(input);
    if (answer === undefined) return;
    // Bytes that are no UTF-8 become others, and are longer when they are written.
    const again = decodeBencode(encodeBencode(answer));
    hold(isDeepStrictEqual(again, answer) || isDeepStrictEqual(again, undefined), 'what was written says the same');
    if (!(answer instanceof Map)) return;
    for (const stream of readStats(answer, LEGS)) {
      const { packetsReceived, bytesReceived, packetsDropped, packetsLost, jitterMs } = stream;
      const numbers = [stream.stream, packetsReceived, bytesReceived, packetsDropped, packetsLost, jitterMs];
      hold(
        numbers.every((number) => Number.isSafeInteger(number) && number >= 0),
        `numbers: ${numbers.join(' ')}`,
      );
      hold(stream.source === undefined || (stream.source.port > 0 && stream.source.port <= 65_535), 'a port');
    }
    const sdp = answer.get('sdp');
    const grafted = typeof sdp === 'string' ? graft(OFFER, sdp) : undefined;
    if (grafted !== undefined) parseSdp(printSdp(grafted));
  },
};
