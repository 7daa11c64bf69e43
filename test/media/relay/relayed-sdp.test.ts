import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SocketAddress } from '../../../src/base/ip.js';
import { relayedSdp, type StreamPlace } from '../../../src/media/relay/relayed-sdp.js';
import { parseSdp, sdpText } from '../../../src/protocol/sdp/lines.js';
import { mediaSummary } from '../../../src/protocol/sdp/media.js';

const at = (port: number, address = '192.0.2.1'): StreamPlace => ({
  rtp: { address, port },
  rtcp: { address, port: port + 1 },
});

const text = (...lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('');

function relayed(sdp: string, places: readonly (StreamPlace | undefined)[]): string {
  return sdpText(relayedSdp(parseSdp(sdp), places));
}

const HEAD = ['v=0', 'o=alice 2890844526 1 IN IP4 10.0.0.5', 's=-', 'c=IN IP4 10.0.0.5', 't=0 0'];
const HEAD_HERE = HEAD.map((line) => (line.startsWith('c=') ? 'c=IN IP4 192.0.2.1' : line));

describe('a description with the places of a relay', () => {
  test('address and port are ours; formats, parameters, ptime and unknown lines stay, byte for byte', () => {
    const rest = [
      'a=rtpmap:96 opus/48000/2',
      'a=fmtp:96 useinbandfec=1; stereo=0',
      'a=ptime:20',
      'a=sendrecv',
      'a=x-unknown:  odd   spacing ',
      'b=TIAS:64000',
    ];
    const sdp = text(...HEAD, 'm=audio 4000 RTP/AVP 96 0  8', ...rest);
    expect(relayed(sdp, [at(20_000)])).toBe(text(...HEAD_HERE, 'm=audio 20000 RTP/AVP 96 0  8', ...rest));
  });

  test('RFC 4568, RFC 5763: keys and fingerprints pass end to end, untouched', () => {
    const keys = [
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4',
      'a=fingerprint:SHA-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB',
      'a=setup:actpass',
    ];
    const sdp = text(...HEAD, 'm=audio 4000 RTP/SAVP 0', ...keys);
    expect(relayed(sdp, [at(20_000)])).toBe(text(...HEAD_HERE, 'm=audio 20000 RTP/SAVP 0', ...keys));
  });

  test('RFC 8839: candidates and what belongs to ICE are gone, at both levels', () => {
    const sdp = text(
      ...HEAD,
      'a=ice-lite',
      'a=ice-options:trickle',
      'm=audio 4000 RTP/AVP 0',
      'a=ice-ufrag:8hhY',
      'a=ice-pwd:asd88fgpdd777uzjYhagZg',
      'a=candidate:1 1 UDP 2130706431 10.0.0.5 4000 typ host',
      'a=end-of-candidates',
      'a=remote-candidates:1 192.0.2.3 45664',
      'a=sendrecv',
    );
    expect(relayed(sdp, [at(20_000)])).toBe(text(...HEAD_HERE, 'm=audio 20000 RTP/AVP 0', 'a=sendrecv'));
  });

  test('RFC 9143: a BUNDLE group goes, because each stream has ports of its own; other groups stay', () => {
    const sdp = text(
      ...HEAD,
      'a=group:BUNDLE a v',
      'a=group:LS a v',
      'm=audio 4000 RTP/AVP 0',
      'a=mid:a',
      'm=video 4000 RTP/AVP 99',
      'a=mid:v',
      'a=bundle-only',
    );
    expect(relayed(sdp, [at(20_000), at(20_010)])).toBe(
      text(...HEAD_HERE, 'a=group:LS a v', 'm=audio 20000 RTP/AVP 0', 'a=mid:a', 'm=video 20010 RTP/AVP 99', 'a=mid:v'),
    );
  });

  test('each stream has its own place, and a refused one stays refused', () => {
    const sdp = text(...HEAD, 'm=audio 4000 RTP/AVP 0', 'm=video 0 RTP/AVP 31', 'm=audio 4010 RTP/AVP 8');
    expect(relayed(sdp, [at(20_000), undefined, at(20_004)])).toBe(
      text(...HEAD_HERE, 'm=audio 20000 RTP/AVP 0', 'm=video 0 RTP/AVP 31', 'm=audio 20004 RTP/AVP 8'),
    );
  });

  test('c= lines of streams are ours, one each; of a range of ports the first is told', () => {
    const [v, o, s, , t] = HEAD as [string, string, string, string, string];
    const sdp = text(
      ...[v, o, s, t, 'm=audio 4000/2 RTP/AVP 0', 'i=voice', 'c=IN IP4 10.0.0.5', 'c=IN IP4 10.0.0.6', 'a=ptime:20'],
    );
    expect(relayed(sdp, [at(20_000)])).toBe(
      text(v, o, s, t, 'm=audio 20000 RTP/AVP 0', 'i=voice', 'c=IN IP4 192.0.2.1', 'a=ptime:20'),
    );
  });

  test('a stream over TCP is not relayed and keeps its own address', () => {
    const sdp = text(
      ...HEAD,
      'm=audio 4000 RTP/AVP 0',
      'm=message 7394 TCP/MSRP *',
      'i=chat',
      'a=path:msrp://10.0.0.5:7394/x;tcp',
    );
    expect(relayed(sdp, [at(20_000), undefined])).toBe(
      text(
        ...HEAD_HERE,
        'm=audio 20000 RTP/AVP 0',
        'm=message 7394 TCP/MSRP *',
        'i=chat',
        'c=IN IP4 10.0.0.5',
        'a=path:msrp://10.0.0.5:7394/x;tcp',
      ),
    );
  });

  test('from IPv4 to IPv6', () => {
    const sdp = text(...HEAD, 'm=audio 4000 RTP/AVP 0', 'a=rtcp:4009 IN IP4 10.0.0.5');
    expect(relayed(sdp, [at(20_000, '2001:db8::1')])).toBe(
      text(
        ...HEAD.map((line) => (line.startsWith('c=') ? 'c=IN IP6 2001:db8::1' : line)),
        'm=audio 20000 RTP/AVP 0',
        'a=rtcp:20001 IN IP6 2001:db8::1',
      ),
    );
  });

  test.each([
    { family: 'IPv4', place: at(20_000), told: 'c=IN IP4 0.0.0.0' },
    { family: 'IPv6', place: at(20_000, '2001:db8::1'), told: 'c=IN IP6 ::' },
  ])('RFC 3264 §8.4: a stream on hold by 0.0.0.0 stays on hold, over $family', ({ place, told }) => {
    const sdp = text(
      ...HEAD.map((line) => (line.startsWith('c=') ? 'c=IN IP4 0.0.0.0' : line)),
      'm=audio 4000 RTP/AVP 0',
    );
    expect(relayed(sdp, [place])).toContain(`${told}\r\n`);
    expect(relayed(sdp, [place])).not.toContain(place.rtp.address);
  });

  test('RFC 8840: 0.0.0.0 of an offer whose candidates are to follow is no hold', () => {
    const sdp = text(...HEAD, 'm=audio 9 RTP/AVP 0', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:8hhY');
    expect(relayed(sdp, [at(20_000)])).toContain('c=IN IP4 192.0.2.1\r\n');
  });

  describe('RFC 3605: a=rtcp', () => {
    test('is our RTCP port where there was one', () => {
      const sdp = text(...HEAD, 'm=audio 4000 RTP/AVP 0', 'a=rtcp:4017');
      expect(relayed(sdp, [at(20_000)])).toContain('a=rtcp:20001\r\n');
    });

    test('is RTP’s port where RTP and RTCP share it (RFC 5761 §5.1.1)', () => {
      const sdp = text(...HEAD, 'm=audio 4000 RTP/AVP 0', 'a=rtcp:4000', 'a=rtcp-mux');
      expect(relayed(sdp, [at(20_000)])).toContain('a=rtcp:20000\r\na=rtcp-mux\r\n');
    });

    test('is added where the peer sees our RTCP elsewhere than on the next port', () => {
      const rtp: SocketAddress = { address: '203.0.113.7', port: 61_000 };
      const sdp = text(...HEAD, 'm=audio 4000 RTP/AVP 0');
      expect(relayed(sdp, [{ rtp, rtcp: { ...rtp, port: 61_044 } }])).toContain('a=rtcp:61044\r\n');
      expect(relayed(sdp, [{ rtp, rtcp: { address: '203.0.113.8', port: 61_001 } }])).toContain(
        'a=rtcp:61001 IN IP4 203.0.113.8\r\n',
      );
    });
  });

  test('streams that are told different addresses each say so', () => {
    const sdp = text(...HEAD, 'm=audio 4000 RTP/AVP 0', 'm=video 4002 RTP/AVP 31');
    const told = relayed(sdp, [at(20_000), at(20_004, '203.0.113.8')]);
    expect(mediaSummary(parseSdp(told)).map(({ address, port }) => ({ address, port }))).toEqual([
      { address: '192.0.2.1', port: 20_000 },
      { address: '203.0.113.8', port: 20_004 },
    ]);
  });

  test('LF line ends and a last line without an end are kept in their style', () => {
    const sdp = 'v=0\no=- 1 1 IN IP4 10.0.0.5\ns=-\nt=0 0\nm=audio 4000 RTP/AVP 0';
    expect(relayed(sdp, [at(20_000)])).toBe(
      'v=0\no=- 1 1 IN IP4 10.0.0.5\ns=-\nt=0 0\nm=audio 20000 RTP/AVP 0\nc=IN IP4 192.0.2.1\n',
    );
  });

  test('whatever the lines: the result is a description whose relayed streams lead to their places, and no others change', () => {
    const attribute = fc.constantFrom(
      'sendrecv',
      'rtcp:5001',
      'rtcp-mux',
      'ice-ufrag:x',
      'candidate:1 1 UDP 1 10.0.0.5 1 typ host',
      'mid:a',
    );
    const stream = fc.record({
      port: fc.constantFrom(0, 4000, 5000),
      own: fc.constantFrom(undefined, '10.0.0.9', '2001:db8::9'),
      attributes: fc.array(attribute, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(
        fc.array(stream, { maxLength: 5 }),
        fc.boolean(),
        fc.constantFrom('192.0.2.1', '2001:db8::1'),
        (streams, shared, here) => {
          const lines = streams.flatMap(({ port, own, attributes }) => [
            `m=audio ${port} RTP/AVP 0`,
            ...(own === undefined ? [] : [`c=IN IP${own.includes(':') ? 6 : 4} ${own}`]),
            ...attributes.map((each) => `a=${each}`),
          ]);
          const head = shared ? HEAD : HEAD.filter((line) => !line.startsWith('c='));
          const sdp = parseSdp(text(...head, ...lines));
          const places = streams.map(({ port }, i) => (port === 0 ? undefined : at(20_000 + 2 * i, here)));
          const told = mediaSummary(parseSdp(sdpText(relayedSdp(sdp, places))));
          expect(told).toHaveLength(streams.length);
          for (const [i, place] of places.entries()) {
            if (place === undefined) expect(told[i]?.port).toBe(0);
            else expect(told[i]).toMatchObject(place.rtp);
            expect(JSON.stringify(told[i])).not.toMatch(/candidate|ice-/);
          }
        },
      ),
    );
  });
});
