import { corpusFiles } from '../input/corpora.js';
import { hex, packetsOf, rtcpSeeds, rtpTrains } from '../input/media-seeds.js';
import type { Material } from '../input/mutate.js';
import { SDP } from '../input/sip-seeds.js';

/** As a client sends it without attributes (RFC 8489 §5). */
export const BINDING_REQUEST = hex('0001 0000 2112a442 000102030405060708090a0b');

/** What comes to a media port or to a STUN server, each kind about as often. */
export const DATAGRAMS: Material = {
  seeds: [
    ...rtpTrains.slice(0, 6).flatMap((train) => packetsOf(train).slice(0, 4)),
    ...rtcpSeeds,
    ...rtcpSeeds,
    ...rtcpSeeds,
    BINDING_REQUEST,
    hex('0101 000c 2112a442 000102030405060708090a0b 0020 0008 0001a147e112a643'),
    hex('0001 0008 f00df00d 000102030405060708090a0b 0003 0004 00000006'),
    hex('16feff 0000 000000000000 0010 0100 0004 0000 0000 0000 0004 00000000'),
  ],
  words: [hex('80c9 0001'), hex('8065'), hex('8088'), hex('2112a442'), hex('ffff ffff'), hex('81cb 0001')],
  lines: false,
  binary: true,
};

/** Offers as the parties of an episode make them. */
export const OFFERS: Material = {
  seeds: [
    SDP,
    Buffer.from(
      'v=0\r\no=- 7 7 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n',
    ),
    Buffer.from(
      'v=0\r\no=- 7 7 IN IP4 10.0.0.5\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8\r\na=rtcp-mux\r\na=sendonly\r\nm=image 20002 udptl t38\r\n',
    ),
    ...corpusFiles('sdp-rfc4317', '.sdp'),
  ],
  words: ['m=audio 4000 RTP/AVP 8\r\n', 'c=IN IP4 0.0.0.0\r\n', 'a=inactive\r\n', 'a=rtcp:4 IN IP4 10.0.0.5\r\n'].map(
    (text) => Buffer.from(text),
  ),
  lines: true,
};
