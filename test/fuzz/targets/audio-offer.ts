import { relayedSdp } from '../../../src/media/relay/relayed-sdp.js';
import { streamDescription } from '../../../src/media/relay/stream-description.js';
import { engineView, hasCarriedStreams } from '../../../src/media/rtpengine/description.js';
import { AudioNegotiation } from '../../../src/media/session/audio-negotiation.js';
import { parseSdp, printSdp, type Sdp } from '../../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../../src/protocol/sdp/media.js';
import { checkAnswer, SdpNegotiationError } from '../../../src/protocol/sdp/offer-answer.js';
import { SdpParseError } from '../../../src/protocol/sdp/parse-error.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { corpusFiles } from '../input/corpora.js';
import { SDP } from '../input/sip-seeds.js';
import { type FuzzTarget, hold, refusedAs } from './target.js';

const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz';

const SEEDS: readonly Uint8Array[] = [
  SDP,
  ...[
    'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=maxptime:60\r\na=rtcp-mux\r\n',
    `v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4\r\na=rtcp:4005 IN IP6 2001:db8::2\r\na=sendonly\r\n`,
    'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=ice-ufrag:x\r\na=group:BUNDLE 0 1\r\nm=image 5000 udptl t38\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 224.2.1.1/127/3\r\na=candidate:1 1 udp 1 10.0.0.1 4000 typ host\r\n',
  ].map((text) => Buffer.from(text)),
  ...corpusFiles('sdp-rfc4317', '.sdp'),
];

const WORDS = [
  'm=audio 5004 RTP/AVP 0\r\n',
  'm=audio 5004 RTP/SAVPF 8\r\n',
  `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}\r\n`,
  'c=IN IP4 0.0.0.0\r\n',
  'c=IN IP6 ::\r\n',
  'c=IN IP4 name.test\r\n',
  'a=rtcp:1 IN IP4 \r\n',
  'a=ptime:0\r\n',
  'a=maxptime:1\r\n',
  'a=rtpmap:8 PCMU/8000\r\n',
  'a=rtpmap:0 telephone-event/8000\r\n',
  'a=inactive\r\n',
].map((text) => Buffer.from(text));

const OURS = { address: '192.0.2.1', port: 20_000 };
const PLACE = { rtp: OURS, rtcp: { ...OURS, port: 20_001 } };

/** What the media floor makes of a description: a session's answer or a clean refusal, a relay's and rtpengine's view of it. */
export const audioOfferTarget: FuzzTarget = {
  name: 'audio',
  share: 50,
  material: { seeds: SEEDS, words: WORDS, lines: true },
  check(input) {
    const text = Buffer.from(input).toString('utf8');
    checkAsOffer(text);
    checkAsAnswer(text);
    const sdp = refusedAs(SdpParseError, () => parseSdp(text));
    if (sdp !== undefined) checkRelayed(sdp);
  },
};

function negotiation(srtp: 'accept' | 'offer'): AudioNegotiation {
  const random = new SeededRandom(1);
  return new AudioNegotiation({
    address: () => OURS,
    sessionId: '1',
    codecs: ['PCMA', 'PCMU'],
    events: true,
    srtp,
    random,
  });
}

/** @returns undefined for a refusal that names a SIP status */
function refused<T>(work: () => T): T | undefined {
  return refusedAs(SdpParseError, () => refusedAs(SdpNegotiationError, work));
}

function checkAsOffer(text: string): void {
  const ours = negotiation('accept');
  const answer = refused(() => ours.answer(text));
  if (answer === undefined) {
    hold(ours.agreed === undefined, 'what is refused agrees on nothing');
    return;
  }
  const problem = checkAnswer(parseSdp(text), parseSdp(answer), { strict: true });
  hold(problem === undefined, `our answer is legal: ${problem}`);
  const { agreed } = ours;
  hold(
    agreed === undefined || (agreed.ptimeMs >= 10 && agreed.ptimeMs <= 60 && agreed.ptimeMs % 10 === 0),
    'a packet time',
  );
  const local = ours.local;
  hold(refused(() => ours.answer(text)) !== undefined, 'the same offer again is answered again');
  hold(ours.local === local, 'and nothing is new');
  parseSdp(ours.offer('10.0.0.9', 'sendonly'));
  ours.rollback();
}

function checkAsAnswer(text: string): void {
  const ours = negotiation('offer');
  ours.offer(undefined);
  const agreed = refused(() => ours.accept(text));
  hold(agreed === undefined || agreed.crypto !== undefined, 'an offer of SRTP comes to SRTP or to nothing');
}

function checkRelayed(sdp: Sdp): void {
  const streams = mediaSummary(sdp);
  const places = streams.map((stream) => (streamDescription(stream).kind === 'none' ? undefined : PLACE));
  const told = mediaSummary(parseSdp(printSdp(relayedSdp(sdp, places, streams))));
  hold(told.length === streams.length, 'as many streams as before');
  told.forEach((stream, i) => {
    if (places[i] === undefined) return;
    const ways = [OURS.address, '0.0.0.0', '::'];
    hold(
      stream.port === OURS.port && ways.includes(stream.address ?? ''),
      'a relayed stream leads to the relay or nowhere',
    );
  });
  if (hasCarriedStreams(sdp)) parseSdp(engineView(sdp, '192.0.2.7', 2));
}
