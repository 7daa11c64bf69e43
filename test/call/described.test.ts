import { describe, expect, test } from 'vitest';
import { asAnswerTo, asNewOffer, nothingNew, withAllStreams } from '../../src/call/described.js';

const sdp = (...media: string[]): string =>
  `v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n${media.join('')}`;
const audio = (port = 4000, direction = 'sendrecv', formats = '0 8 101'): string =>
  `m=audio ${port} RTP/AVP ${formats}\r\na=rtpmap:101 telephone-event/8000\r\na=${direction}\r\n`;
const video = 'm=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n';

describe('what a party said, as an offer to somebody else', () => {
  test.each(['recvonly', 'sendonly', 'inactive', 'sendrecv'])(
    '%s becomes both directions: who was held is not any more',
    (direction) => {
      expect(asNewOffer(sdp(audio(4000, direction)), undefined)).toContain('a=sendrecv');
    },
  );

  test('RFC 3264 §8: streams are never fewer than the peer was told before', () => {
    const offer = asNewOffer(sdp(audio()), sdp(audio(), video));
    expect(offer).toContain('m=audio 4000');
    expect(offer).toContain('m=video 0 ');
    expect(withAllStreams(sdp(audio(), video), sdp(audio()))).toBe(sdp(audio(), video));
  });

  test('RFC 3264 §6: an answer has no more streams than its offer', () => {
    expect(asAnswerTo(sdp(audio()), sdp(audio(), 'm=video 0 RTP/AVP 96\r\n'))).toBe(sdp(audio()));
  });

  test('what is no description stays as it is', () => {
    expect(asNewOffer('nonsense', undefined)).toBe('nonsense');
    expect(withAllStreams('nonsense', sdp(audio()))).toBe('nonsense');
    expect(asAnswerTo('nonsense', 'other')).toBe('other');
  });
});

describe('whether the other side must be told again', () => {
  const told = sdp(audio());
  test.each([
    ['the same', told, true],
    ['another o= line', told.replace('o=- 1 1', 'o=- 1 2'), true],
    ['fewer formats', sdp(audio(4000, 'sendrecv', '0 101')), true],
    ['another port', sdp(audio(4002)), false],
    ['another address', told.replaceAll('192.0.2.9', '192.0.2.10'), false],
    ['on hold', sdp(audio(4000, 'sendonly')), false],
    ['a format that was not offered', sdp(audio(4000, 'sendrecv', '0 8 9 101')), false],
    ['a payload type that means something else', told.replace('telephone-event', 'G726-32'), false],
    ['a key', told.replace('a=sendrecv', 'a=crypto:1 X inline:a\r\na=sendrecv'), false],
    ['a stream more', sdp(audio(), video), false],
    ['a refused stream more', sdp(audio(), 'm=video 0 RTP/AVP 96\r\n'), true],
    ['nothing that can be read', 'nonsense', false],
  ])('%s', (_what, now, same) => {
    expect(nothingNew(told, now)).toBe(same);
  });
});
