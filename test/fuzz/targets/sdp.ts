import { UsageError } from '../../../src/base/errors.js';
import { answerAgain, answerTo, fitAnswer } from '../../../src/protocol/sdp/answer.js';
import { holdOffer, resumeOffer } from '../../../src/protocol/sdp/hold.js';
import { parseSdp, printSdp, type Sdp } from '../../../src/protocol/sdp/lines.js';
import { directionOf, hasActiveMedia, isHold, mediaSummary, originOf } from '../../../src/protocol/sdp/media.js';
import { checkAnswer, isChanged, OfferAnswer, SdpNegotiationError } from '../../../src/protocol/sdp/offer-answer.js';
import { SdpParseError } from '../../../src/protocol/sdp/parse-error.js';
import { corpusFiles } from '../input/corpora.js';
import { SDP } from '../input/sip-seeds.js';
import { type FuzzTarget, hold, refusedAs } from './target.js';

const SEEDS: readonly Uint8Array[] = [
  SDP,
  Buffer.from(
    'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=inactive\r\nm=audio 9/2 RTP/SAVP 96 97\r\na=rtpmap:96 opus/48000/2\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\na=rtcp:53020 IN IP6 ::1\r\na=rtcp-mux\r\n',
  ),
  ...corpusFiles('sdp-rfc4317', '.sdp'),
];

const WORDS = [
  'm=audio 5004 RTP/AVP 0\r\n',
  'm=image 0 udptl t38\r\n',
  'c=IN IP4 0.0.0.0\r\n',
  'c=IN IP6 ::\r\n',
  'a=sendonly\r\n',
  'a=inactive\r\n',
  'a=rtpmap:0 PCMU/8000\r\n',
  'a=rtpmap:96 opus/48000/2/1\r\n',
  'a=fmtp:96 \r\n',
  'a=ptime:0\r\n',
  'a=rtcp:1\r\n',
  'v=0\r\n',
  'o=a 1 1 IN IP4 a\r\n',
  'o=a 18446744073709551616 99999999999999999999 IN IP6 ::1\r\n',
  '\r\n\r\n',
].map((text) => Buffer.from(text));

const OFFERS: readonly Sdp[] = SEEDS.map((bytes) => parseSdp(bytes));

const CAPABILITIES = {
  origin: { address: '192.0.2.1', username: 'pbx', sessionId: '1' },
  media: [
    {
      port: 4000,
      codecs: [
        { name: 'PCMU', clockRate: 8000 },
        { name: 'telephone-event', clockRate: 8000 },
      ],
    },
    { type: 'video', port: 4002, codecs: [{ name: 'H261', clockRate: 90_000 }] },
  ],
} as const;

/** Descriptions: byte for byte as they came, every view, and legal answers to them and from them (RFC 8866, RFC 3264). */
export const sdpTarget: FuzzTarget = {
  name: 'sdp',
  share: 60,
  material: { seeds: SEEDS, words: WORDS, lines: true },
  check(input) {
    const sdp = refusedAs(SdpParseError, () => parseSdp(input));
    refusedAs(SdpParseError, () => parseSdp(Buffer.from(input).toString('utf8')));
    if (sdp === undefined) return;
    hold(Buffer.from(printSdp(sdp)).equals(Buffer.from(input)), 'what was read is printed byte for byte');
    originOf(sdp);
    for (let i = 0; i < sdp.media.length; i++) directionOf(sdp, i);
    directionOf(sdp);
    isHold(sdp);
    hold(hasActiveMedia(sdp) === mediaSummary(sdp).some((stream) => stream.active), 'both views tell of active media');
    hold(!isChanged(sdp, sdp), 'a description is no change of itself');
    checkOffer(sdp);
    const offer = OFFERS[input.length % OFFERS.length] as Sdp;
    const fitted = fitAnswer(offer, sdp);
    hold(checkAnswer(offer, fitted) === undefined, `a fitted answer is legal: ${checkAnswer(offer, fitted)}`);
    parseSdp(printSdp(fitted));
  },
};

function checkOffer(offer: Sdp): void {
  const answer = answerTo(offer, CAPABILITIES);
  const problem = checkAnswer(offer, answer, { strict: true });
  hold(problem === undefined, `our answer is legal: ${problem}`);
  parseSdp(printSdp(answer));
  for (const next of [holdOffer(offer), resumeOffer(offer)]) parseSdp(printSdp(next));
  const again = refusedAs(UsageError, () => answerAgain(offer, answer));
  if (again !== undefined) parseSdp(printSdp(again));

  const exchange = new OfferAnswer();
  refusedAs(SdpNegotiationError, () => {
    exchange.receiveOffer(offer);
    exchange.sendAnswer(answer);
    exchange.receiveOffer(offer);
    exchange.sendAnswer(answer);
  });
}
