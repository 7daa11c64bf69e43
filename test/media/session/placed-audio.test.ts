import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { placeAudio } from '../../../src/media/session/placed-audio.js';
import { parseSdp, type Sdp, sdpText } from '../../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../../src/protocol/sdp/media.js';
import { checkNextOffer } from '../../../src/protocol/sdp/offer-answer.js';
import { offerOf } from './studio.js';

const OWN = parseSdp(offerOf({ address: '192.0.2.1', port: 20_000 }));

function description(...lines: string[]): Sdp {
  return parseSdp(
    `v=0\no=- 1 1 IN IP4 10.0.0.9\ns=-\nc=IN IP4 10.0.0.9\nt=0 0\n${lines.map((m) => `m=${m}\n`).join('')}`,
  );
}

function placed(...lines: string[]) {
  const { sdp, index } = placeAudio(OWN, description(...lines));
  return { index, streams: mediaSummary(sdp).map(({ type, port }) => `${type} ${port}`) };
}

describe('the audio of somebody new in a dialog that has more streams (RFC 3264 §8)', () => {
  test('alone it stays as it is', () => {
    const { sdp, index } = placeAudio(OWN, description('audio 4000 RTP/AVP 8'));
    expect(index).toBe(0);
    expect(sdpText(sdp)).toBe(sdpText(OWN));
  });

  test('it keeps its place, the others are refused', () => {
    const [audio, video] = ['audio 4000 RTP/AVP 8', 'video 5000 RTP/AVP 97'];
    expect(placed(audio, video)).toEqual({ index: 0, streams: ['audio 20000', 'video 0'] });
    expect(placed(video, audio)).toEqual({ index: 1, streams: ['video 0', 'audio 20000'] });
    expect(placed(video, audio, video)).toEqual({ index: 1, streams: ['video 0', 'audio 20000', 'video 0'] });
  });

  test('of several audio streams it takes the place of the first in use, or of the first', () => {
    expect(placed('audio 0 RTP/AVP 8', 'audio 4000 RTP/AVP 8', 'audio 4002 RTP/AVP 8')).toEqual({
      index: 1,
      streams: ['audio 0', 'audio 20000', 'audio 0'],
    });
    expect(placed('video 0 RTP/AVP 97', 'audio 0 RTP/AVP 8', 'audio 0 RTP/AVP 8').index).toBe(1);
  });

  test('where there was none it comes last', () => {
    expect(placed('video 5000 RTP/AVP 97')).toEqual({ index: 1, streams: ['video 0', 'audio 20000'] });
    expect(placed()).toEqual({ index: 0, streams: ['audio 20000'] });
  });

  test('whatever was there: a legal offer, one stream in use, and text that can be read', () => {
    const line = fc
      .tuple(fc.constantFrom('audio', 'video', 'AUDIO', 'image'), fc.constantFrom(0, 4000))
      .map(([type, port]) => `${type} ${port} RTP/AVP 8`);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const before = description(...lines);
        const { sdp, index } = placeAudio(OWN, before);
        const streams = mediaSummary(parseSdp(sdpText(sdp)));
        expect(checkNextOffer(sdp, before)).toBeUndefined();
        expect(streams.filter(({ active }) => active).map((each) => each.index)).toEqual([index]);
        for (const [i, { type }] of mediaSummary(before).entries())
          expect(streams[i]?.type.toLowerCase()).toBe(type.toLowerCase());
      }),
    );
  });
});
