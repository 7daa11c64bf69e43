import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AnswerCapabilities,
  answerAgain,
  answerTo,
  fitAnswer,
  type MediaCapability,
} from '../../../src/protocol/sdp/answer.js';
import { BASIC_AUDIO, createSdp } from '../../../src/protocol/sdp/create.js';
import type { SdpDirection } from '../../../src/protocol/sdp/direction.js';
import { parseSdp, type Sdp, sdpText } from '../../../src/protocol/sdp/lines.js';
import {
  directionOf,
  hasActiveMedia,
  mediaSummary,
  originOf,
  type SdpStream,
} from '../../../src/protocol/sdp/media.js';
import { checkAnswer } from '../../../src/protocol/sdp/offer-answer.js';
import { NO_CORPUS, rfc4317 } from './corpus.js';

const audio: MediaCapability = {
  port: 5000,
  codecs: [
    { name: 'PCMA', clockRate: 8000 },
    { name: 'pcmu', clockRate: 8000 },
    { name: 'telephone-event', clockRate: 8000 },
  ],
};

function capabilities(...media: MediaCapability[]): AnswerCapabilities {
  return { origin: { sessionId: 5, address: '192.0.2.5' }, media };
}

function offer(...lines: string[]): Sdp {
  return parseSdp(`v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n${lines.join('\r\n')}\r\n`);
}

const first = (sdp: Sdp): SdpStream => mediaSummary(sdp)[0] as SdpStream;

describe('RFC 3264 §6.1 answerTo', () => {
  test('codecs that both know, in the offer’s order, with its payload types', () => {
    const answer = answerTo(
      offer(
        'm=audio 4000 RTP/AVP 96 0 97 8',
        'a=rtpmap:96 opus/48000/2',
        'a=rtpmap:97 telephone-event/8000',
        'a=fmtp:97 0-15',
      ),
      capabilities({ ...audio, ptimeMs: 20 }),
    );
    expect(sdpText(answer)).toBe(
      [
        'v=0',
        'o=- 5 1 IN IP4 192.0.2.5',
        's=-',
        'c=IN IP4 192.0.2.5',
        't=0 0',
        'm=audio 5000 RTP/AVP 0 97 8',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:97 telephone-event/8000',
        'a=fmtp:97 0-15',
        'a=rtpmap:8 PCMA/8000',
        'a=ptime:20',
        'a=sendrecv',
        '',
      ].join('\r\n'),
    );
  });

  test.each<[SdpDirection, SdpDirection, SdpDirection]>([
    ['sendrecv', 'sendrecv', 'sendrecv'],
    ['sendonly', 'sendrecv', 'recvonly'],
    ['recvonly', 'sendrecv', 'sendonly'],
    ['inactive', 'sendrecv', 'inactive'],
    ['sendrecv', 'sendonly', 'sendonly'],
    ['sendonly', 'sendonly', 'inactive'],
    ['sendrecv', 'inactive', 'inactive'],
    ['recvonly', 'recvonly', 'inactive'],
  ])('%s, wanting %s, is answered %s', (offered, wanted, expected) => {
    const answer = answerTo(
      offer('m=audio 4000 RTP/AVP 0', `a=${offered}`),
      capabilities({ ...audio, direction: wanted }),
    );
    expect(directionOf(answer, 0)).toBe(expected);
  });

  test('a session-level direction counts for streams without their own (RFC 8866 §6.7)', () => {
    const held = parseSdp('v=0\no=- 1 1 IN IP4 h\ns=-\nc=IN IP4 h\nt=0 0\na=sendonly\nm=audio 4000 RTP/AVP 0\n');
    expect(directionOf(answerTo(held, capabilities(audio)))).toBe('recvonly');
  });

  test('several streams: each capability once, the rest and the unknown refused with port 0', () => {
    const answer = answerTo(
      offer(
        'm=video 4002 RTP/AVP 31',
        'm=audio 4000 RTP/AVP 0',
        'm=audio 4004 RTP/AVP 8',
        'm=application 9 UDP/BFCP *',
        'm=audio 0 RTP/AVP 0',
        'm=audio 4008 RTP/SAVP 0',
      ),
      capabilities(audio),
    );
    expect(
      mediaSummary(answer).map((stream) => `${stream.type} ${stream.port} ${stream.protocol} ${stream.formats}`),
    ).toEqual([
      'video 0 RTP/AVP 31',
      'audio 5000 RTP/AVP 0',
      'audio 0 RTP/AVP 8',
      'application 0 UDP/BFCP *',
      'audio 0 RTP/AVP 0',
      'audio 0 RTP/SAVP 0',
    ]);
  });

  test('nothing in common: refused, and hasActiveMedia says so', () => {
    const answer = answerTo(
      offer('m=audio 4000 RTP/AVP 18 101', 'a=rtpmap:101 telephone-event/8000'),
      capabilities(audio),
    );
    expect([first(answer).port, hasActiveMedia(answer)]).toEqual([0, false]);
  });

  test('RFC 4317 §2.4: a stream of telephone events alone is no refusal', () => {
    const answer = answerTo(offer('m=audio 4000 RTP/AVP 98', 'a=rtpmap:98 telephone-event/8000'), capabilities(audio));
    expect(first(answer).codecs.map((codec) => codec.name)).toEqual(['telephone-event']);
  });

  test('oneCodec leaves the best and its telephone events', () => {
    const answer = answerTo(
      offer('m=audio 4000 RTP/AVP 8 0 101', 'a=rtpmap:101 telephone-event/8000'),
      capabilities({ ...audio, oneCodec: true }),
    );
    expect(first(answer).formats).toEqual(['8', '101']);
  });

  test('§6: t= equals the offer’s; no streams are answered by none', () => {
    const answer = answerTo(parseSdp('v=0\no=- 1 1 IN IP4 h\ns=-\nt=3034423619 3042462419\n'), capabilities(audio));
    expect(answer.session.lines.filter((line) => line.type === 't').map((line) => line.value)).toEqual([
      '3034423619 3042462419',
    ]);
    expect(answer.media).toEqual([]);
  });

  test('IPv6', () => {
    const answer = answerTo(offer('m=audio 4000 RTP/AVP 0'), {
      origin: { sessionId: 5, address: '2001:db8::5' },
      media: [{ ...audio, address: '2001:db8::6' }],
    });
    expect(originOf(answer).addressType).toBe('IP6');
    expect(first(answer).connection).toEqual({ netType: 'IN', addressType: 'IP6', address: '2001:db8::6' });
  });

  test('whatever is offered, the answer keeps every rule', () => {
    const direction = fc.constantFrom<SdpDirection>('sendrecv', 'sendonly', 'recvonly', 'inactive');
    const stream = fc.record({
      type: fc.constantFrom('audio', 'video', 'text'),
      port: fc.constantFrom(0, 4000, 4002),
      codecs: fc.shuffledSubarray([...BASIC_AUDIO], { minLength: 1 }),
      direction,
    });
    fc.assert(
      fc.property(fc.array(stream, { maxLength: 5 }), direction, fc.nat(3), (media, wanted, count) => {
        const offered = createSdp({ origin: { sessionId: 1, address: '192.0.2.1' }, media });
        const able = capabilities(
          ...Array.from({ length: count }, (_, i) => ({ ...audio, port: 5000 + 2 * i, direction: wanted })),
        );
        const answer = answerTo(offered, able);
        expect(checkAnswer(offered, answer, { strict: true })).toBeUndefined();
        expect(sdpText(parseSdp(sdpText(answer)))).toBe(sdpText(answer));
        const ports = mediaSummary(answer).flatMap((each) => (each.active ? [each.port] : []));
        expect(new Set(ports).size).toBe(ports.length);
        const again = answerAgain(offered, answer, wanted);
        expect(checkAnswer(offered, again, { strict: true })).toBeUndefined();
        const other = createSdp({
          origin: { sessionId: 2, address: '192.0.2.2' },
          media: [...media].reverse().slice(0, 3),
        });
        expect(checkAnswer(offered, fitAnswer(offered, other))).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});

describe('hold and resume without touching the media (RFC 6337 §5.3)', () => {
  const local = answerTo(offer('m=audio 4000 RTP/AVP 0', 'm=video 4002 RTP/AVP 31'), capabilities(audio));

  test.each<[string, SdpDirection]>([
    ['sendonly', 'recvonly'],
    ['inactive', 'inactive'],
    ['sendrecv', 'sendrecv'],
  ])('answerAgain: %s is answered %s, ports stay, what was refused stays refused', (offered, expected) => {
    const answer = answerAgain(offer('m=audio 4000 RTP/AVP 0', `a=${offered}`, 'm=video 0 RTP/AVP 31'), local);
    expect(mediaSummary(answer).map((stream) => stream.port)).toEqual([5000, 0]);
    expect(directionOf(answer, 0)).toBe(expected);
  });

  test('RFC 6337 §5.4: c=0.0.0.0 is answered by the direction attribute', () => {
    const held = parseSdp(
      'v=0\no=- 1 2 IN IP4 h\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\nm=audio 4000 RTP/AVP 0\nm=video 0 RTP/AVP 31\n',
    );
    expect(directionOf(answerAgain(held, local))).toBe('sendrecv');
  });

  test('a stream added by the offer is refused; fewer streams are misuse', () => {
    const more = offer('m=audio 4000 RTP/AVP 0', 'm=video 0 RTP/AVP 31', 'm=text 4 RTP/AVP 98');
    expect(mediaSummary(answerAgain(more, local)).map((stream) => stream.port)).toEqual([5000, 0, 0]);
    expect(() => answerAgain(offer('m=audio 4000 RTP/AVP 0'), local)).toThrow(
      expect.objectContaining({ kind: 'misuse' }),
    );
  });
});

describe('fitAnswer: one leg’s answer for the other leg', () => {
  test('a last line without an end is closed before a stream is added', () => {
    const answer = parseSdp('v=0\r\no=- 1 1 IN IP4 h\r\nc=IN IP4 h');
    const text = sdpText(fitAnswer(offer('m=audio 4000 RTP/AVP 0'), answer));
    expect(text).toBe('v=0\r\no=- 1 1 IN IP4 h\r\nc=IN IP4 h\r\nm=audio 0 RTP/AVP 0\r\n');
  });

  test('a secure stream in answer to a plain offer, or the reverse, is refused', () => {
    for (const [theirs, ours] of [
      ['RTP/AVP', 'RTP/SAVP'],
      ['RTP/SAVP', 'RTP/AVP'],
    ] as const) {
      const offered = offer(`m=audio 4000 ${theirs} 0`);
      const fitted = fitAnswer(offered, offer(`m=audio 5000 ${ours} 0`));
      expect(checkAnswer(offered, fitted)).toBeUndefined();
      expect(first(fitted).active).toBe(false);
    }
  });

  test('directions are narrowed, counts matched', () => {
    const theirs = offer('m=audio 4000 RTP/AVP 0', 'm=audio 4002 RTP/AVP 0');
    const ours = offer('m=audio 6000 RTP/AVP 0', 'a=sendonly');
    const fitted = fitAnswer(ours, theirs);
    expect(fitted.media.length).toBe(1);
    expect(directionOf(fitted)).toBe('recvonly');
    const wider = offer('m=audio 6000 RTP/AVP 0', 'm=video 6002 RTP/AVP 31', 'm=audio 0 RTP/AVP 0');
    expect(mediaSummary(fitAnswer(wider, theirs)).map((stream) => `${stream.type} ${stream.port}`)).toEqual([
      'audio 4000',
      'video 0',
      'audio 0',
    ]);
  });

  test('a good answer passes unchanged', () => {
    const good = offer('m=audio 4000 RTP/AVP 0', 'a=x-new:1');
    expect(sdpText(fitAnswer(offer('m=audio 6000 RTP/AVP 0'), good))).toBe(sdpText(good));
  });
});

const files = rfc4317().filter((file) => file.name.endsWith('Offer.sdp'));

test.skipIf(files.length === 0)(
  `RFC 4317: every offer gets a good answer${files.length === 0 ? ` (${NO_CORPUS})` : ''}`,
  () => {
    const able = capabilities(
      { ...audio, codecs: [...audio.codecs, { name: 'iLBC', clockRate: 8000 }] },
      { ...audio, port: 5002 },
      { type: 'video', port: 5004, codecs: [{ name: 'H261', clockRate: 90_000 }] },
    );
    for (const file of files) {
      const offered = parseSdp(file.bytes);
      expect([file.name, checkAnswer(offered, answerTo(offered, able), { strict: true })]).toEqual([
        file.name,
        undefined,
      ]);
    }
  },
);
