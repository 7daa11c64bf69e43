import { describe, expect, test } from 'vitest';
import { asNewOffer, inPlace, inPlaceOf, nothingNew } from '../../src/call/described.js';
import { parseSdp } from '../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../src/protocol/sdp/media.js';

const sdp = (...media: string[]): string =>
  `v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n${media.join('')}`;
const audio = (port = 4000, direction = 'sendrecv', formats = '0 8 101'): string =>
  `m=audio ${port} RTP/AVP ${formats}\r\na=rtpmap:101 telephone-event/8000\r\na=${direction}\r\n`;
const streams = (text: string): string[] => mediaSummary(parseSdp(text)).map(({ type, port }) => `${type} ${port}`);
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
    expect(inPlace(sdp(audio(), video), sdp(audio())).offer).toBe(sdp(audio(), video));
  });

  test('RFC 3264 §8: streams keep the places that they have with the peer, and its answer those of the offer', () => {
    const told = sdp(audio(0), video.replace('5000', '0'), audio(4100));
    const { offer, answer } = inPlace(sdp(audio(4000)), told);
    expect(streams(offer)).toEqual(['audio 0', 'video 0', 'audio 4000']);
    expect(answer(sdp(audio(0), video.replace('5000', '0'), audio(4200)))).toBe(sdp(audio(4200)));
    const both = inPlace(sdp(audio(4000), video), sdp(video, audio(4100)));
    expect(streams(both.offer)).toEqual(['video 5000', 'audio 4000']);
    expect(both.answer(sdp(video, audio(4200)))).toBe(sdp(audio(4200), video));
  });

  test('a medium that has no place: its own, as where audio becomes a fax (RFC 3264 §8.3.3), else behind the others', () => {
    const fax = 'm=image 4900 udptl t38\r\n';
    expect(streams(inPlace(sdp(fax), sdp(audio())).offer)).toEqual(['image 4900']);
    expect(streams(inPlace(sdp(video, audio(4000), fax), sdp(audio(4100))).offer)).toEqual([
      'audio 4000',
      'video 5000',
      'image 4900',
    ]);
    // Two who talk and stand alike: what one says is passed as it is.
    expect(inPlaceOf(sdp(fax), sdp(audio(), video), sdp(audio(4100), video)).offer).toBe(sdp(fax));
    expect(streams(inPlaceOf(sdp(audio()), sdp(audio()), sdp(video, audio(4100))).offer)).toEqual([
      'video 0',
      'audio 4000',
    ]);
  });

  test('a stream that nobody answers is refused', () => {
    const { answer } = inPlace(sdp(audio(), video), sdp(video));
    expect(streams(answer(sdp(video)))).toEqual(['audio 0', 'video 5000']);
  });

  test('what is no description stays as it is', () => {
    expect(asNewOffer('nonsense', undefined)).toBe('nonsense');
    const { offer, answer } = inPlace('nonsense', sdp(audio()));
    expect([offer, answer('other')]).toEqual(['nonsense', 'other']);
    expect(inPlace(sdp(video), sdp(audio(), video)).answer('other')).toBe('other');
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
