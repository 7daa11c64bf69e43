import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AUDIO_FORMAT_NAMES,
  audioFormatsToOffer,
  hasAudio,
  withAudioFormats,
} from '../../../src/protocol/sdp/audio-formats.js';
import { createSdp } from '../../../src/protocol/sdp/create.js';
import { parseSdp, sdpText } from '../../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../../src/protocol/sdp/media.js';

const HEAD = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n';
const only = (text: string, ...names: string[]): string =>
  sdpText(withAudioFormats(parseSdp(text), new Set(names.map((name) => name.toLowerCase()))));

describe('an allow-list of audio formats', () => {
  it('takes formats out with their attributes, keeps order and every other line', () => {
    const text = `${HEAD}m=audio 4000/2 RTP/SAVP 111 8 0 101 9\r\nb=AS:80\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\na=rtcp-fb:111 nack\r\na=rtcp-fb:* ccm\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\na=sendrecv\r\nm=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n`;
    expect(only(text, 'PCMU', 'PCMA', 'telephone-event')).toBe(
      `${HEAD}m=audio 4000/2 RTP/SAVP 8 0 101\r\nb=AS:80\r\na=rtcp-fb:* ccm\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\na=sendrecv\r\nm=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n`,
    );
  });

  it('RFC 3551 §6: a static payload type counts by its number, unless rtpmap says otherwise', () => {
    expect(only(`${HEAD}m=audio 4000 RTP/AVP 0 8 18\r\na=rtpmap:0 G722/8000\r\n`, 'pcmu', 'pcma')).toBe(
      `${HEAD}m=audio 4000 RTP/AVP 8\r\n`,
    );
  });

  it('a dynamic format without rtpmap is nothing that could be allowed', () => {
    expect(only(`${HEAD}m=audio 4000 RTP/AVP 8 97\r\n`, 'PCMA', 'opus')).toBe(`${HEAD}m=audio 4000 RTP/AVP 8\r\n`);
  });

  it('RFC 2198 §5, RFC 4588 §8.1: redundancy goes with what it repeats', () => {
    const text = `${HEAD}m=audio 4000 RTP/AVP 8 100 102 103\r\na=rtpmap:100 red/8000\r\na=fmtp:100 8/8\r\na=rtpmap:102 red/8000\r\na=fmtp:102 98/98\r\na=rtpmap:103 rtx/8000\r\na=fmtp:103 rtx-time=100;apt=98\r\n`;
    expect(only(text, 'PCMA', 'red', 'rtx')).toBe(
      `${HEAD}m=audio 4000 RTP/AVP 8 100\r\na=rtpmap:100 red/8000\r\na=fmtp:100 8/8\r\n`,
    );
  });

  it('RFC 3264 §6: a stream left without a codec is refused with port 0; digits alone are none', () => {
    const text = `${HEAD}m=audio 4000 RTP/AVP 111 101\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\nm=audio 4002 RTP/AVP 8\r\n`;
    expect(only(text, 'PCMA', 'telephone-event')).toBe(
      `${HEAD}m=audio 0 RTP/AVP 111 101\r\nm=audio 4002 RTP/AVP 8\r\n`,
    );
    const gone = withAudioFormats(parseSdp(text), new Set(['pcmu']));
    expect(hasAudio(gone)).toBe(false);
  });

  it('a description that needs no change is the same one; fax is not concerned', () => {
    const sdp = parseSdp(`${HEAD}m=audio 0 RTP/AVP 111\r\nm=image 4000 udptl t38\r\nm=audio 4002 RTP/AVP 0`);
    expect(withAudioFormats(sdp, new Set(['pcmu']))).toBe(sdp);
  });

  it('any description, any list: a subset in the same order, and what is not of a removed format stands as it stood', () => {
    const format = fc.constantFrom('0', '8', '9', '18', '96', '97', '98', '101', '127');
    const name = fc.constantFrom(...AUDIO_FORMAT_NAMES, 'x-unknown', 'OPUS');
    const attribute = fc.oneof(
      fc.tuple(fc.constantFrom('rtpmap', 'fmtp', 'rtcp-fb'), format, name).map(([a, b, c]) => `a=${a}:${b} ${c}/8000`),
      fc.constantFrom('a=sendonly', 'a=ptime:20', 'b=AS:64', 'a=x-custom:8 y', 'a=rtcp-fb:* nack', 'i=me'),
    );
    const stream = fc
      .tuple(
        fc.constantFrom('audio', 'video', 'AUDIO'),
        fc.constantFrom(0, 4000),
        fc.uniqueArray(format, { minLength: 1 }),
        fc.array(attribute, { maxLength: 8 }),
      )
      .map(([type, port, formats, lines]) =>
        [`m=${type} ${port} RTP/AVP ${formats.join(' ')}`, ...lines].map((line) => `${line}\r\n`).join(''),
      );
    fc.assert(
      fc.property(fc.array(stream, { maxLength: 3 }), fc.uniqueArray(name, { maxLength: 5 }), (streams, names) => {
        const text = HEAD + streams.join('');
        const allowed = new Set(names.map((each) => each.toLowerCase()));
        const before = parseSdp(text);
        const after = withAudioFormats(before, allowed);
        expect(after.session).toEqual(before.session);
        const [was, is] = [mediaSummary(before), mediaSummary(after)];
        expect(is).toHaveLength(was.length);
        for (const [index, old] of was.entries()) {
          const now = is[index];
          if (now === undefined) throw new Error('a stream is gone');
          if (old.type.toLowerCase() !== 'audio' || !old.active) {
            expect(now.section).toEqual(old.section);
            continue;
          }
          if (!now.active) continue;
          expect(now.formats).toEqual(old.formats.filter((each) => now.formats.includes(each)));
          expect(now.codecs.every((codec) => allowed.has(codec.name.toLowerCase()))).toBe(true);
          expect(now.codecs).toHaveLength(now.formats.length);
          const removed = old.formats.filter((each) => !now.formats.includes(each));
          const kept = old.section.lines.slice(1).filter(({ value }) => {
            const [head = '', payloadType] = (value.split(' ')[0] ?? '').split(':');
            return !(['rtpmap', 'fmtp', 'rtcp-fb'].includes(head) && removed.includes(payloadType ?? ''));
          });
          expect(now.section.lines.slice(1)).toEqual(kept);
        }
        expect(withAudioFormats(after, allowed)).toBe(after);
      }),
    );
  });
});

describe('formats to offer', () => {
  it('in the order of the names, with the payload types of RFC 3551 or dynamic ones', () => {
    expect(audioFormatsToOffer(['opus', 'pcma', 'telephone-event', 'iLBC', 'red'])).toEqual([
      { payloadType: 96, name: 'opus', clockRate: 48_000, channels: 2 },
      { payloadType: 8, name: 'PCMA', clockRate: 8000, channels: 1 },
      { payloadType: 101, name: 'telephone-event', clockRate: 8000, fmtp: '0-15' },
      { payloadType: 97, name: 'iLBC', clockRate: 8000, channels: 1 },
    ]);
  });

  it('all of them at once make a description in which no payload type is used twice', () => {
    const codecs = audioFormatsToOffer(AUDIO_FORMAT_NAMES);
    const sdp = createSdp({ origin: { sessionId: 1, address: '0.0.0.0' }, media: [{ port: 9, codecs }] });
    const [stream] = mediaSummary(sdp);
    expect(new Set(stream?.formats).size).toBe(codecs.length);
    expect(withAudioFormats(sdp, new Set(AUDIO_FORMAT_NAMES.map((name) => name.toLowerCase())))).toBe(sdp);
  });
});
