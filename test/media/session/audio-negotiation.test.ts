import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AudioNegotiation, type SrtpUse } from '../../../src/media/session/audio-negotiation.js';
import { parseSdp } from '../../../src/protocol/sdp/lines.js';
import { mediaSummary, originOf } from '../../../src/protocol/sdp/media.js';
import { checkAnswer } from '../../../src/protocol/sdp/offer-answer.js';
import { SeededRandom } from '../../../src/testing/seeded-random.js';
import { offerOf } from './studio.js';

const PHONE = { address: '10.0.0.9', port: 4000 };

function negotiation(options: { srtp?: SrtpUse; peers?: (string | undefined)[] } = {}): AudioNegotiation {
  return new AudioNegotiation({
    address: (peer) => {
      options.peers?.push(peer);
      return { address: peer === '10.0.0.9' ? '10.0.0.1' : '192.0.2.1', port: 20_000 };
    },
    sessionId: '4711',
    codecs: ['PCMA', 'PCMU'],
    events: true,
    srtp: options.srtp ?? 'accept',
    random: new SeededRandom('keys'),
  });
}

/** Without what is new in each description. */
const version = (sdp: string): number => Number(originOf(parseSdp(sdp)).version);

describe('offers and answers of a session', () => {
  test('the peer is told the address that it can reach (RFC 3264 §5.1)', () => {
    const peers: (string | undefined)[] = [];
    const own = negotiation({ peers });
    expect(own.answer(offerOf(PHONE))).toContain('c=IN IP4 10.0.0.1');
    expect(peers).toEqual(['10.0.0.9']);
    expect(negotiation().offer(undefined)).toContain('c=IN IP4 192.0.2.1');
  });

  test('a first offer in a dialog of others: as many streams, the audio in its place, and so ever after (RFC 3264 §8)', () => {
    const video = 'm=video 6000 RTP/AVP 97\na=rtpmap:97 H264/90000\n';
    const own = negotiation();
    const shape = (sdp: string): string[] => mediaSummary(parseSdp(sdp)).map(({ type, port }) => `${type} ${port}`);
    const before = offerOf({ address: '10.0.0.8', port: 5000 }, { before: video });
    expect(shape(own.offer(PHONE.address, undefined, before))).toEqual(['video 0', 'audio 20000']);
    own.accept(offerOf(PHONE, { before: 'm=video 0 RTP/AVP 97\n' }));
    expect(own.agreed).toMatchObject({ codec: 'PCMA', remote: PHONE, direction: 'sendrecv' });
    expect(shape(own.offer(PHONE.address))).toEqual(['video 0', 'audio 20000']);
    own.rollback();
    expect(shape(own.answer(offerOf(PHONE, { before: video })))).toEqual(['video 0', 'audio 20000']);
  });

  test('what others said there cannot be read: our offer stands alone', () => {
    const offer = negotiation().offer(PHONE.address, undefined, 'hello');
    expect(mediaSummary(parseSdp(offer)).map(({ type }) => type)).toEqual(['audio']);
  });

  test('packet times that our beat does not know are taken down to one that it does; maxptime is kept (RFC 8866 §6.3)', () => {
    for (const [ptimeMs, attributes, expected] of [
      [25, [], 20],
      [5, [], 10],
      [100, [], 60],
      [40, ['maxptime:30'], 30],
      [undefined, ['maxptime:10'], 10],
      [undefined, [], 20],
    ] as const) {
      const own = negotiation();
      own.answer(offerOf(PHONE, { attributes, ...(ptimeMs === undefined ? {} : { ptimeMs }) }));
      expect(own.agreed?.ptimeMs).toBe(expected);
    }
  });

  test('codecs under payload types of the peer’s own choice; each side sends by the other’s numbers', () => {
    const own = negotiation();
    const answer = own.answer(
      offerOf(PHONE, { formats: ['98 pcmu/8000', '99 telephone-event/8000', '97 telephone-event/48000'] }),
    );
    expect(answer).toContain('RTP/AVP 98 99');
    expect(own.agreed).toMatchObject({ codec: 'PCMU', payloadType: 98, eventPayloadType: 99 });
    expect([...(own.agreed?.expected ?? [])]).toEqual([
      [98, 'PCMU'],
      [99, 'event'],
    ]);
  });

  test('later offers: the same session, one version more only when something changed, the same payload type for events (RFC 3264 §8)', () => {
    const own = negotiation();
    const first = own.answer(offerOf(PHONE, { formats: ['8 PCMA/8000', '110 telephone-event/8000'] }));
    const offer = own.offer(PHONE.address, 'sendonly');
    expect(originOf(parseSdp(offer)).sessionId).toBe(originOf(parseSdp(first)).sessionId);
    expect(version(offer)).toBe(version(first) + 1);
    expect(offer).toContain('a=rtpmap:110 telephone-event/8000');
    own.rollback();
    const again = own.offer(PHONE.address, 'sendonly');
    expect(version(again)).toBe(version(offer));
    expect(() => own.offer(PHONE.address)).toThrow(
      expect.objectContaining({ code: 'SDP_NEGOTIATION', kind: 'misuse' }),
    );
  });

  test('an offer while ours is open is the peer’s fault, and ours stays open', () => {
    const own = negotiation();
    own.offer(undefined);
    expect(() => own.answer(offerOf(PHONE))).toThrow(
      expect.objectContaining({ code: 'SDP_NEGOTIATION', kind: 'remote' }),
    );
    own.accept(offerOf(PHONE));
    expect(own.agreed?.codec).toBe('PCMA');
  });

  test('an answer without keys to an offer of SRTP comes to nothing: never RTP in the clear by mistake', () => {
    const own = negotiation({ srtp: 'offer' });
    own.offer(undefined);
    own.accept(offerOf(PHONE, { protocol: 'RTP/SAVP' }));
    expect(own.agreed).toBeUndefined();
  });

  test('any offer: a legal answer, or an error that says which status fits', () => {
    const line = fc.constantFrom(
      'm=audio 4000 RTP/AVP 8 0 101',
      'm=audio 0 RTP/AVP 8',
      'm=audio 4002 RTP/SAVP 0',
      'm=video 5000 RTP/AVP 96',
      'm=audio 4000 RTP/AVP 300 x',
      'm=image 6000 udptl t38',
      'c=IN IP4 0.0.0.0',
      'c=IN IP6 ::1',
      'a=rtpmap:101 telephone-event/8000',
      'a=rtpmap:8 PCMA/8000/2',
      'a=rtpmap:0 speex/16000',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj',
      'a=crypto:x y z',
      'a=ptime:0',
      'a=ptime:99999999999',
      'a=maxptime:1',
      'a=inactive',
      'a=sendonly',
      'a=rtcp-mux',
      'a=rtcp:70000',
      't=1 2',
      'b=AS:1',
      '',
    );
    const head = 'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\n';
    fc.assert(
      fc.property(fc.array(fc.array(line, { maxLength: 12 }), { minLength: 1, maxLength: 3 }), (offers) => {
        const own = negotiation();
        for (const lines of offers) {
          const offer = head + lines.map((each) => `${each}\r\n`).join('');
          try {
            const answer = own.answer(offer);
            expect(checkAnswer(parseSdp(offer), parseSdp(answer), { strict: false })).toBeUndefined();
            expect(mediaSummary(parseSdp(answer)).filter(({ active }) => active)).toHaveLength(1);
            const { ptimeMs = 0 } = own.agreed ?? {};
            expect(own.agreed === undefined || (ptimeMs >= 10 && ptimeMs <= 60 && ptimeMs % 10 === 0)).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ kind: 'remote', status: expect.any(Number) });
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
